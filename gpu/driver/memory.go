//go:build gpu && cgo

package driver

/*
#include <cuda.h>

// Copies of pageable memory return when the data is staged, not when it is there, and streams of ours do not wait for
// the default stream, in which the copy runs: so this waits.
static CUresult ae_copy_in(CUdeviceptr dst, const void *src, size_t n) {
	CUresult code = cuMemcpyHtoD(dst, src, n);
	return code ? code : cuStreamSynchronize(0);
}

static CUresult ae_fill_words(CUdeviceptr dst, unsigned word, size_t n) {
	CUresult code = cuMemsetD32(dst, word, n);
	return code ? code : cuStreamSynchronize(0);
}
*/
import "C"

import (
	"unsafe"

	"gorgonia.org/cu"
)

// Ptr is an address in device memory; 0 is no memory.
type Ptr = cu.DevicePtr

// Alloc returns device memory, aligned to 256 bytes at least. Its contents are undefined. No bytes are no memory: 0.
func Alloc(bytes int64) (Ptr, error) {
	if bytes == 0 {
		return 0, nil
	}
	p, err := cu.MemAlloc(bytes)
	if err != nil {
		return 0, wrap("cuMemAlloc of "+size(bytes), err)
	}
	return p, nil
}

// Free gives memory of Alloc back, once all work that was enqueued before is done. Free(0) does nothing.
func Free(p Ptr) error {
	if p == 0 {
		return nil
	}
	return wrap("cuMemFree", cu.MemFree(p))
}

// AllocHost returns pinned host memory, which the device reads and writes by itself: asynchronous copies want it.
// It is not Go's memory: no pointers of Go may be stored in it.
func AllocHost(bytes int64) (unsafe.Pointer, error) {
	if bytes == 0 {
		return nil, nil
	}
	var p unsafe.Pointer
	if code := C.cuMemAllocHost(&p, C.size_t(bytes)); code != 0 {
		return nil, check("cuMemAllocHost of "+size(bytes), code)
	}
	return p, nil
}

// FreeHost gives memory of AllocHost back. FreeHost(nil) does nothing.
func FreeHost(p unsafe.Pointer) error {
	if p == nil {
		return nil
	}
	return wrap("cuMemFreeHost", cu.MemFreeHost(p))
}

// CopyToDevice copies n bytes of any host memory to the device. When it returns, every stream sees them.
// It does not wait for work of streams that still uses dst.
func CopyToDevice(dst Ptr, src unsafe.Pointer, n int64) error {
	if n == 0 {
		return nil
	}
	if code := C.ae_copy_in(C.CUdeviceptr(dst), src, C.size_t(n)); code != 0 {
		return check("cuMemcpyHtoD of "+size(n), code)
	}
	return nil
}

// CopyToHost copies n bytes from the device to any host memory. Work of streams that writes src has to be waited for
// before (Stream.Synchronize).
func CopyToHost(dst unsafe.Pointer, src Ptr, n int64) error {
	if n == 0 {
		return nil
	}
	if err := cu.MemcpyDtoH(dst, src, n); err != nil {
		return wrap("cuMemcpyDtoH of "+size(n), err)
	}
	return nil
}

// Fill sets words 32-bit words from dst on, and waits for it.
func Fill(dst Ptr, word uint32, words int64) error {
	if words == 0 {
		return nil
	}
	if code := C.ae_fill_words(C.CUdeviceptr(dst), C.uint(word), C.size_t(words)); code != 0 {
		return check("cuMemsetD32 of "+size(4*words), code)
	}
	return nil
}

// CopyToDeviceAsync enqueues a copy of n bytes of pinned host memory, which has to stay as it is until the copy is done.
func CopyToDeviceAsync(dst Ptr, src unsafe.Pointer, n int64, s Stream) error {
	if n == 0 {
		return nil
	}
	if err := cu.MemcpyHtoDAsync(dst, src, n, s.s); err != nil {
		return wrap("cuMemcpyHtoDAsync of "+size(n), err)
	}
	return nil
}

// CopyToHostAsync enqueues a copy of n bytes to pinned host memory, which is to be read when the copy is done.
func CopyToHostAsync(dst unsafe.Pointer, src Ptr, n int64, s Stream) error {
	if n == 0 {
		return nil
	}
	if err := cu.MemcpyDtoHAsync(dst, src, n, s.s); err != nil {
		return wrap("cuMemcpyDtoHAsync of "+size(n), err)
	}
	return nil
}

// CopyAsync enqueues a copy of n bytes within the device. The two must not overlap.
func CopyAsync(dst, src Ptr, n int64, s Stream) error {
	if n == 0 {
		return nil
	}
	if err := cu.MemcpyDtoDAsync(dst, src, n, s.s); err != nil {
		return wrap("cuMemcpyDtoDAsync of "+size(n), err)
	}
	return nil
}

// FillAsync enqueues the setting of words 32-bit words from dst on, which is a multiple of 4.
func FillAsync(dst Ptr, word uint32, words int64, s Stream) error {
	if words == 0 {
		return nil
	}
	if err := cu.MemsetD32Async(dst, uint(word), words, s.s); err != nil {
		return wrap("cuMemsetD32Async of "+size(4*words), err)
	}
	return nil
}
