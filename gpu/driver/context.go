//go:build gpu && cgo

package driver

/*
#cgo noescape ae_enter
#cgo nocallback ae_enter
#include "current.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"gorgonia.org/cu"
)

// Context is a device in use: memory, streams and modules belong to it. It is the device's primary context, the one
// that cuBLASLt and cuDNN work in. Any goroutine may call its methods.
type Context struct {
	info   Info
	device cu.Device

	mu     sync.Mutex // of opening and closing
	closed bool
	handle atomic.Pointer[C.ae_current] // nil after Close
}

// generations numbers contexts; see ae_current.
var generations atomic.Uint64

// Open gets a device ready for use, by its number in Devices. It calls Load.
func Open(index int) (*Context, error) {
	infos, err := Devices()
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= len(infos) {
		return nil, fmt.Errorf("there is no GPU %d, only %d of them, counted from 0", index, len(infos))
	}
	device, err := cu.GetDevice(index)
	if err != nil {
		return nil, wrap(fmt.Sprintf("cuDeviceGet of %d", index), err)
	}
	c := &Context{info: infos[index], device: device}
	if err := c.retain(); err != nil {
		return nil, err
	}
	return c, nil
}

// retain takes the device's primary context, making it where there is none.
func (c *Context) retain() error {
	primary, err := c.device.RetainPrimaryCtx()
	if err != nil {
		return wrap("cuDevicePrimaryCtxRetain", err)
	}
	c.handle.Store(&C.ae_current{
		context:    *(*C.CUcontext)(unsafe.Pointer(&primary)), // cu.CUContext is one handle and does not export it
		generation: C.ulonglong(generations.Add(1)),
	})
	return nil
}

// Info describes the context's device.
func (c *Context) Info() Info { return c.info }

// Do runs f on an operating system thread whose CUDA context is this one, and returns f's error. All functions of this
// package that touch the device are to be called from within. Calls may nest, and goroutines may be in it at the same
// time; the price is one C call (some 50 ns).
func (c *Context) Do(f func() error) error {
	handle := c.handle.Load()
	if handle == nil {
		return errors.New("the GPU's context is closed")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before C.ae_current
	if err := check("cuCtxSetCurrent", C.ae_enter(*handle, &before)); err != nil {
		return err
	}
	if before.context != nil && before.generation != handle.generation {
		defer C.ae_leave(before)
	}
	return f()
}

// MemInfo returns the device's free and total memory in bytes; other processes' use counts.
func (c *Context) MemInfo() (free, total int64, err error) {
	err = c.Do(func() error {
		free, total, err = cu.MemInfo()
		return wrap("cuMemGetInfo", err)
	})
	return free, total, err
}

// Close gives the context back. Memory, streams and modules that were not freed go with it once nobody else in the
// process holds the device's primary context. A second Close does nothing.
func (c *Context) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	c.handle.Store(nil)
	return wrap("cuDevicePrimaryCtxRelease", c.device.ReleasePrimaryCtx())
}

// Reset destroys everything in the device's primary context and makes a new one: for use after ErrLost. Handles and
// addresses from before are invalid then, those of other Contexts of the device too. Nobody may be in Do meanwhile.
// After some failures the driver refuses until the process ends; Reset returns its error.
func (c *Context) Reset() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errors.New("the GPU's context is closed")
	}
	if err := wrap("cuDevicePrimaryCtxReset", c.device.ResetPrimaryCtx()); err != nil {
		return err
	}
	// A reset does not release: the hold on the old context goes before the new one is taken.
	if err := wrap("cuDevicePrimaryCtxRelease", c.device.ReleasePrimaryCtx()); err != nil {
		return err
	}
	return c.retain()
}
