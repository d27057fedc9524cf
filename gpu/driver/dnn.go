//go:build gpu && cgo

package driver

/*
#include "dnn_api.h"
*/
import "C"

import (
	"fmt"
	"strings"
)

// Dnn is an open cuDNN 9: convolutions. It may be used by one goroutine at a time.
type Dnn struct{ handle C.DnnHandle }

// OpenDnn loads cuDNN 9 and makes it ready for the current context. The error says what is missing.
func OpenDnn() (*Dnn, error) {
	if err := Load(); err != nil {
		return nil, err
	}
	_ = libcublaslt.open() // cuDNN opens cuBLASLt by its bare name, and finds it when it is open already
	if err := libcudnn.fill(); err != nil {
		return nil, err
	}
	d := &Dnn{}
	if err := dnnCheck("cudnnCreate", C.cudnnCreate(&d.handle)); err != nil {
		return nil, fmt.Errorf("%s: %w", libcudnn.path, err)
	}
	return d, nil
}

// Close frees the handle. Plans are destroyed on their own, before.
func (d *Dnn) Close() error {
	if d == nil || d.handle == nil {
		return nil
	}
	err := dnnCheck("cudnnDestroy", C.cudnnDestroy(d.handle))
	d.handle = nil
	return err
}

// dnnCheck turns a status of cuDNN into an error, with the detail that cuDNN keeps of its last one.
func dnnCheck(call string, code C.int) error {
	if code == 0 {
		return nil
	}
	e := &Error{Call: call, Code: int(code), Text: C.GoString(C.cudnnGetErrorString(code))}
	var detail [512]C.char
	C.cudnnGetLastErrorString(&detail[0], C.size_t(len(detail)))
	if text := strings.TrimSpace(C.GoString(&detail[0])); text != "" && text != e.Text {
		e.Text += ", " + text
	}
	switch {
	case code == C.AE_CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED, code == C.AE_CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED:
		e.kind = ErrOutOfMemory
	case code >= C.AE_CUDNN_STATUS_NOT_SUPPORTED && code < C.AE_CUDNN_STATUS_NOT_SUPPORTED+1000: // and its kinds
		e.kind = ErrNoAlgorithm
	}
	return e
}
