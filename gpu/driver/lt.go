//go:build gpu && cgo

package driver

/*
#include "lt_api.h"
*/
import "C"

import "fmt"

// Lt is an open cuBLASLt: matrix products. It may be used by one goroutine at a time.
type Lt struct{ handle C.LtHandle }

// OpenLt loads cuBLASLt and makes it ready for the current context. The error says what is missing.
func OpenLt() (*Lt, error) {
	if err := Load(); err != nil {
		return nil, err
	}
	if err := libcublaslt.fill(); err != nil {
		return nil, err
	}
	l := &Lt{}
	if err := ltCheck("cublasLtCreate", C.cublasLtCreate(&l.handle)); err != nil {
		return nil, fmt.Errorf("%s: %w", libcublaslt.path, err)
	}
	return l, nil
}

// Close frees the handle. Plans are destroyed on their own, before.
func (l *Lt) Close() error {
	if l == nil || l.handle == nil {
		return nil
	}
	err := ltCheck("cublasLtDestroy", C.cublasLtDestroy(l.handle))
	l.handle = nil
	return err
}

// ltCheck turns a status of cuBLASLt into an error.
func ltCheck(call string, code C.int) error {
	if code == 0 {
		return nil
	}
	e := &Error{Call: call, Code: int(code), Text: C.GoString(C.cublasLtGetStatusString(code))}
	switch code {
	case C.AE_CUBLAS_STATUS_ALLOC_FAILED:
		e.kind = ErrOutOfMemory
	case C.AE_CUBLAS_STATUS_NOT_SUPPORTED:
		e.kind = ErrNoAlgorithm
	}
	return e
}
