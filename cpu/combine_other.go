//go:build !amd64 || noasm

package cpu

import "aetrain/cpu/cpuinfo"

// combine is combineGo.
func combine(_ cpuinfo.Tier, dst []float32, l *linear, g grid) {
	combineGo(dst, l, g, 0)
}

// prefetch does nothing.
func prefetch([]float32, int, int, int) {}
