//go:build !amd64 || noasm

package gemm

import "aetrain/cpu/cpuinfo"

func micro(_ cpuinfo.Tier, a *Args, rows, cols int) { microGo(a, rows, cols) }

func dot(_ cpuinfo.Tier, a *Args, rows, cols int) { dotGo(a, rows, cols) }

func packRows(_ cpuinfo.Tier, dst, src []float32, k, ld, w, nr int) {
	packRowsGo(dst, src, k, ld, w, nr)
}

func packTransposed(_ cpuinfo.Tier, dst, src []float32, k, ld, w, nr int) {
	packTransposedGo(dst, src, k, ld, w, nr)
}

func peakFlops(_ cpuinfo.Tier, n int) float64 { return peakGo(n) }

func packColumns(t cpuinfo.Tier, dst, src []float32, k, ld, w int) {
	packColumnsGo(dst, src, k, ld, w, geometries[t].mr)
}
