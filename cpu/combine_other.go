//go:build !amd64 || noasm

package cpu

import "aetrain/cpu/cpuinfo"

// combine is combineGo.
func combine(_ cpuinfo.Tier, dst []float32, l *linear, n, count, dstStep, srcStep int) {
	combineGo(dst, l, 0, n, count, dstStep, srcStep)
}

// ahead does nothing.
func ahead([]float32, int, int, int) {}
