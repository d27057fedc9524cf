//go:build !amd64 || noasm

package cpu

import "aetrain/cpu/cpuinfo"

func vectorMoves(cpuinfo.Tier) bool { return false }

func movePatches(dst, src []float32, offs []int, moves []patchMove, panel int) {}

func deal2(_ cpuinfo.Tier, even, odd, src []float32) { deal2Go(even, odd, src) }

func interleave2(_ cpuinfo.Tier, dst, even, odd []float32) { interleave2Go(dst, even, odd) }

func maxPairs(_ cpuinfo.Tier, y []float32, places []int32, a, b []float32, first, below int) {
	maxPairsGo(y, places, a, b, first, below)
}
