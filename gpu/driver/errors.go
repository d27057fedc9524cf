//go:build gpu && cgo

package driver

/*
#include <cuda.h>

static const char *ae_text(CUresult code) {
	const char *s = 0;
	cuGetErrorString(code, &s);
	return s ? s : "unknown error";
}
*/
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

// What an [Error] wraps, where a caller decides on it.
var (
	// ErrOutOfMemory: the device, or for pinned memory the host, has too little memory left.
	ErrOutOfMemory = errors.New("out of GPU memory")
	// ErrLost: a kernel failed in a way after which every call of its context fails (an illegal address, a lost
	// device). What was in device memory is gone; often only a new process gets the device to work again.
	ErrLost = errors.New("the GPU context is lost")
	// ErrUnclear: the driver is shut down, the device unavailable, or the error unknown to it, as with a GPU that fell off the bus.
	// If the next call ends so too, the context is lost.
	ErrUnclear = errors.New("the GPU may be lost")
	// ErrNoAlgorithm: cuBLASLt or cuDNN has no algorithm for the problem within the limits that were set.
	ErrNoAlgorithm = errors.New("no algorithm fits")
)

// Error is a status other than success, of the driver or of a library.
type Error struct {
	Call string // the C function and what it was called for: "cuMemAlloc of 1.2 GB"
	Code int    // the status
	Text string // the library's own words for it
	kind error  // ErrOutOfMemory, ErrLost, ErrUnclear, ErrNoAlgorithm or nil
}

// Error returns "cuMemAlloc of 1.2 GB: out of memory (2)".
func (e *Error) Error() string { return fmt.Sprintf("%s: %s (%d)", e.Call, e.Text, e.Code) }

// Unwrap returns ErrOutOfMemory, ErrLost, ErrUnclear, ErrNoAlgorithm or nil.
func (e *Error) Unwrap() error { return e.kind }

// lost reports whether a context is unusable after a status: those of which CUDA's documentation says that they leave
// the process in an inconsistent state.
func lost(code int) bool {
	switch code {
	case 214, 220, // uncorrectable memory error (ECC), uncorrectable NVLink error
		700, 702, 709, 710, // illegal address, timeout, context destroyed, device-side assert
		714, 715, 716, 717, 718, 719, 721: // exceptions of a kernel
		return true
	}
	return false
}

// failure is the error of a driver call that returned code.
func failure(call string, code int) error {
	e := &Error{Call: call, Code: code, Text: C.GoString(C.ae_text(C.CUresult(code)))}
	switch {
	case code == 2:
		e.kind = ErrOutOfMemory
	case lost(code):
		e.kind = ErrLost
	case code == 4, code == 46, code == 999:
		e.kind = ErrUnclear
	}
	return e
}

// check turns a status of the driver into an error.
func check(call string, code C.CUresult) error {
	if code == 0 {
		return nil
	}
	return failure(call, int(code))
}

// wrap turns an error of package cu, which is a status of an unexported integer type, into one that names the call.
func wrap(call string, err error) error {
	if err == nil {
		return nil
	}
	if v := reflect.ValueOf(err); v.CanInt() {
		return failure(call, int(v.Int()))
	}
	return fmt.Errorf("%s: %w", call, err)
}

// size writes a number of bytes with its unit: 640 B, 1.2 GB (decimal, as memory is sold and reported).
func size(bytes int64) string {
	value, unit := float64(bytes), ""
	for _, next := range []string{"kB", "MB", "GB", "TB"} {
		if value < 1000 {
			break
		}
		value, unit = value/1000, next
	}
	if unit == "" {
		return strconv.FormatInt(bytes, 10) + " B"
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + unit
}
