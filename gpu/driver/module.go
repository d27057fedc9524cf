//go:build gpu && cgo

package driver

/*
#include <cuda.h>
#include <stdlib.h>

// The driver compiles PTX for its device here (and keeps the result in its cache); log gets the compiler's complaints.
static CUresult ae_module(CUmodule *m, const void *image, char *log, size_t nlog) {
	CUjit_option option[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
	void *value[] = {log, (void *)nlog};
	log[0] = 0;
	return cuModuleLoadDataEx(m, image, 2, option, value);
}

static CUresult ae_max_shared(CUfunction f, int bytes) {
	return cuFuncSetAttribute(f, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes);
}
*/
import "C"

import (
	"fmt"
	"strings"
	"unsafe"

	"gorgonia.org/cu"
)

// Module is loaded code.
type Module struct{ m cu.Module }

// Function is a kernel of a module.
type Function struct {
	f    cu.Function
	name string
}

// LoadModule loads PTX, which the driver compiles for the device (once: it keeps a cache), or a compiled image (cubin).
// The error of a compilation has the compiler's log.
func LoadModule(image []byte) (Module, error) {
	const room = 16 << 10
	log := (*C.char)(C.malloc(room))
	defer C.free(unsafe.Pointer(log))
	data := C.CBytes(append(image[:len(image):len(image)], 0)) // PTX is a C string
	defer C.free(data)
	var m C.CUmodule
	if code := C.ae_module(&m, data, log, room); code != 0 {
		err := check("cuModuleLoadDataEx of "+size(int64(len(image))), code)
		if text := strings.TrimSpace(C.GoString(log)); text != "" {
			err = fmt.Errorf("%w\n%s", err, text)
		}
		return Module{}, err
	}
	return Module{*(*cu.Module)(unsafe.Pointer(&m))}, nil // cu.Module is one handle and does not export it
}

// Function finds a kernel by its name. Its code is on the device afterwards: a driver that loads late would do so in the first
// launch, which may be part of a capture.
func (m Module) Function(name string) (Function, error) {
	f, err := m.m.Function(name)
	if err != nil {
		return Function{}, wrap("cuModuleGetFunction of "+name, err)
	}
	if _, err := f.Attribute(cu.NumRegs); err != nil {
		return Function{}, wrap("cuFuncGetAttribute of "+name, err)
	}
	return Function{f, name}, nil
}

// Unload frees the module; none of its kernels may be running or part of a graph.
func (m Module) Unload() error { return wrap("cuModuleUnload", m.m.Unload()) }

// Name is the kernel's name.
func (f Function) Name() string { return f.name }

// SetMaxShared allows launches with up to that many bytes of dynamic shared memory, where more than 48 KiB is wanted.
// The device's limit is Info.SharedPerBlockOptin.
func (f Function) SetMaxShared(bytes int) error {
	if code := C.ae_max_shared(f.handle(), C.int(bytes)); code != 0 {
		return check(fmt.Sprintf("cuFuncSetAttribute of %s to %s of shared memory", f.name, size(int64(bytes))), code)
	}
	return nil
}

// handle is the kernel as C calls take it: cu.Function is one handle and does not export it.
func (f Function) handle() C.CUfunction { return *(*C.CUfunction)(unsafe.Pointer(&f.f)) }
