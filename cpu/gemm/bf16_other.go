//go:build !amd64 || noasm

package gemm

func microPairs(a *Args, rows, cols int) { microPairsGo(a, rows, cols) }

func pairsOf(_, _ []float32) int { return 0 }

func pairsOfRows(_, _, _ []float32) int { return 0 }
