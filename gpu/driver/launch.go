//go:build gpu && cgo

package driver

/*
#cgo noescape ae_launch
#cgo nocallback ae_launch
#include <cuda.h>

enum { AE_MAX_ARGUMENTS = 64, AE_MAX_WORDS = 512 };

// One launch. Arguments lie in words, argument i from word at[i] on: one C call a launch, and nothing of Go's memory is
// kept, as the driver copies the arguments.
typedef struct {
	CUfunction f;
	CUstream stream;
	unsigned grid[3], block[3], shared, n;
	unsigned short at[AE_MAX_ARGUMENTS];
	unsigned long long words[AE_MAX_WORDS];
} ae_launch_t;

static CUresult ae_launch(ae_launch_t *l) {
	void *p[AE_MAX_ARGUMENTS];
	for (unsigned i = 0; i < l->n; i++) p[i] = l->words + l->at[i];
	return cuLaunchKernel(l->f, l->grid[0], l->grid[1], l->grid[2], l->block[0], l->block[1], l->block[2], l->shared, l->stream, p, 0);
}
*/
import "C"

import (
	"fmt"
	"math"
	"sync"
	"unsafe"
)

// Bounds of a launch's arguments: their number, and their bytes, of which CUDA takes 4 KB.
const (
	MaxArguments     = C.AE_MAX_ARGUMENTS
	MaxArgumentBytes = 8 * C.AE_MAX_WORDS
)

// launches holds argument blocks for use again: too big to be cleared each time.
var launches = sync.Pool{New: func() any { return new(C.ae_launch_t) }}

// Launch enqueues a kernel. Arguments have to be of the kernel's own types: Ptr, int (passed as int32), int32, uint32,
// int64, uint64, float32, float64, and []int32 for a struct of 32-bit fields by value, as many as its length.
// The driver does not check types: a wrong one is garbage in the kernel.
func Launch(f Function, grid, block [3]int, shared int, s Stream, args ...any) error {
	l := launches.Get().(*C.ae_launch_t)
	defer launches.Put(l)
	l.f, l.stream = C.CUfunction(unsafe.Pointer(f.handle())), s.handle()
	l.shared, l.n = C.uint(shared), C.uint(len(args))
	for i := range 3 {
		l.grid[i], l.block[i] = C.uint(grid[i]), C.uint(block[i])
	}
	if err := arguments(l, args); err != nil {
		return fmt.Errorf("launch of %s: %w", f.name, err)
	}
	if code := C.ae_launch(l); code != 0 {
		return check(fmt.Sprintf("cuLaunchKernel of %s (grid %v, block %v, %d bytes shared)", f.name, grid, block, shared), code)
	}
	return nil
}

// arguments lays the arguments out in 8-byte words.
func arguments(l *C.ae_launch_t, args []any) error {
	if len(args) > MaxArguments {
		return fmt.Errorf("%d arguments; the limit is %d", len(args), MaxArguments)
	}
	next := 0
	for i, arg := range args {
		if next >= C.AE_MAX_WORDS {
			return fmt.Errorf("more than %d bytes of arguments", MaxArgumentBytes)
		}
		l.at[i] = C.ushort(next)
		var word uint64
		switch v := arg.(type) {
		case Ptr:
			word = uint64(v)
		case int:
			if v != int(int32(v)) {
				return fmt.Errorf("argument %d is %d, which has no room in an int32", i, v)
			}
			word = uint64(uint32(v))
		case int32:
			word = uint64(uint32(v))
		case uint32:
			word = uint64(v)
		case int64:
			word = uint64(v)
		case uint64:
			word = v
		case float32:
			word = uint64(math.Float32bits(v))
		case float64:
			word = math.Float64bits(v)
		case []int32:
			n := (len(v) + 1) / 2
			if n == 0 || next+n > C.AE_MAX_WORDS {
				return fmt.Errorf("argument %d is a struct of %d words; at least 1, and %d bytes in all", i, len(v), MaxArgumentBytes)
			}
			copy(unsafe.Slice((*int32)(unsafe.Pointer(&l.words[next])), 2*n), v)
			next += n
			continue
		default:
			return fmt.Errorf("argument %d is of type %T", i, arg)
		}
		l.words[next] = C.ulonglong(word)
		next++
	}
	return nil
}
