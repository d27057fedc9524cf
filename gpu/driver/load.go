//go:build gpu && cgo

package driver

/*
#cgo LDFLAGS: -Wl,--as-needed -L${SRCDIR}/../link -ldl
#include "load.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"sync"

	"gorgonia.org/cu"
)

// loading is what Load found, once.
var loading struct {
	once  sync.Once
	err   error
	count int
}

// Load opens libcuda and initialises it. It returns nil, or why no GPU can be used: no driver, a driver that fails, no
// device. The work is done once; later calls return the same answer at once. Any goroutine may call it.
func Load() error {
	loading.once.Do(func() { loading.count, loading.err = load() })
	return loading.err
}

func load() (devices int, err error) {
	if err := libcuda.open(); err != nil {
		return 0, err
	}
	var text [512]C.char
	if C.ae_init(libcuda.handle, &text[0], C.ulong(len(text))) != 0 {
		return 0, fmt.Errorf("%s: %s", libcuda.path, C.GoString(&text[0]))
	}
	C.ae_fill(libcuda.number, libcuda.handle) // a name that an old driver lacks answers "not found" when it is called
	n, err := cu.NumDevices()
	if err != nil {
		return 0, wrap("cuDeviceGetCount", err)
	}
	if n == 0 {
		return 0, errors.New("the NVIDIA driver knows no device (CUDA_VISIBLE_DEVICES may hide them)")
	}
	return n, nil
}
