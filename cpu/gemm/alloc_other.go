//go:build !linux

package gemm

func adviseHuge([]float32) {}
