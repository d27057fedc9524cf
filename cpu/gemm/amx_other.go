//go:build !amd64 || noasm

package gemm

func blocks(a *tileArgs, rows, cols int) { blocksGo(a, rows, cols) }

func pairsTransposed(_, _ []float32, _, _, _, _ int) int { return 0 }

// peakPairsFlops is not called: there is nothing that multiplies pairs.
func peakPairsFlops(_ bool, _ int) float64 { return 0 }
