package gemm

import (
	"syscall"
	"unsafe"
)

const madvHugePage = 14 // MADV_HUGEPAGE

// adviseHuge asks for huge pages under s; a kernel that has none says so, and nothing is lost.
func adviseHuge(s []float32) {
	bytes := len(s) * 4 / hugeBytes * hugeBytes
	syscall.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), bytes), madvHugePage)
}
