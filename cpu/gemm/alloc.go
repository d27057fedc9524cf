package gemm

import "unsafe"

const (
	lineBytes = 64      // of a cache line
	hugeBytes = 2 << 20 // of a huge page
)

// Alloc returns n zeroed floats that begin at a cache line. Large ones are put on huge pages where the system has them:
// with pages of 4 KB, walking down a column of a matrix misses the translation cache at every row.
// The memory is Go's: it is freed when nothing refers to it.
func Alloc(n int) []float32 {
	if n == 0 {
		return nil
	}
	align := lineBytes
	if n*4 >= 2*hugeBytes {
		align = hugeBytes
	}
	s := make([]float32, n+align/4)
	skip := int(-uintptr(unsafe.Pointer(&s[0]))&uintptr(align-1)) / 4
	s = s[skip : skip+n : skip+n]
	if align == hugeBytes {
		adviseHuge(s)
	}
	return s
}
