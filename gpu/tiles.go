//go:build gpu

package gpu

import (
	"math"

	"aetrain/graph"
)

// tile is a block's part of a product (kernels/cuda/tile.cuh): m×n results, k steps of the inner axis at a time.
type tile struct {
	name    string // of the kernels: gemm_large
	m, n, k int
	rate    float64 // of a multiprocessor's multiplications, when blocks keep it busy
}

// The tiles of products and weight gradients, and of convolutions.
var (
	gemmTiles = []tile{{"large", 128, 128, 16, 0.9}, {"medium", 64, 64, 32, 0.8}, {"small", 32, 32, 64, 0.5}}
	convTiles = append([]tile{{"wide", 32, 128, 32, 0.75}}, gemmTiles...)
)

// tiling is how a product is cut: grid tiles, and parts of the inner axis that are summed by a second launch.
type tiling struct {
	tile
	across, down int // tiles of n and m
	parts, per   int // inner steps of a part; a multiple of the tile's k
}

// What a plan costs, roughly, in cycles of a multiprocessor: enough to choose a tile by. The numbers are those of no device in
// particular, so that a shape is summed in the same order on all of them.
const (
	nominalProcessors = 128
	multiplications   = 128   // a processor's, a cycle
	stageCycles       = 250   // of latency, a stage
	startCycles       = 2000  // of a launch
	partsCycles       = 3000  // of the second launch
	bytesPerCycle     = 1500. // of the device, second-level cache mostly
	maxPartElements   = 64 << 20
)

// tilingOf chooses among tiles for batch products of m×n results and k inner steps.
func tilingOf(batch, m, n, k int, tiles []tile) tiling {
	var best tiling
	least := math.Inf(1)
	for _, t := range tiles {
		across, down := blocks(n, t.n), blocks(m, t.m)
		for parts := 1; parts <= 256; parts *= 2 {
			per := blocks(blocks(k, parts), t.k) * t.k
			if parts > 1 && (per*(parts-1) >= k || per < 2*t.k || parts*batch*m*n > maxPartElements) {
				break
			}
			if c := tileCost(t, batch*across*down*parts, per, parts, batch*m*n); c < least {
				least, best = c, tiling{t, across, down, parts, per}
			}
		}
	}
	return best
}

// tileCost is the time of so many blocks, each of per steps, and of adding up the parts of so many results.
func tileCost(t tile, count, per, parts, results int) float64 {
	each := float64(blocks(count, nominalProcessors)) // blocks of a processor
	work := each * float64(t.m*t.n*per) / (multiplications * t.rate)
	latency := float64(per/t.k*stageCycles) * math.Ceil(each/2)
	cost := startCycles + math.Max(work, latency) + math.Min(work, latency)/2
	if parts > 1 {
		cost += partsCycles + 8*float64(parts)*float64(results)/bytesPerCycle
	}
	return cost
}

// parts is where a kernel of t puts its results: output 0, or scratch that sumParts adds up.
func (b *binder) parts(out memory, parts int) memory {
	if parts == 1 {
		return out
	}
	return b.scratch(graph.Float32, parts*out.size)
}

// sumParts adds up parts, each of out's size; bias belongs to element i / inner % period.
func (b *binder) sumParts(out, from memory, parts int, st store, inner, period int) {
	if parts == 1 {
		return
	}
	b.kernel("sum_parts", line(blocks(out.size, 32)), [3]int{32, 8, 1}, 0,
		from, out, st.bias, parts, int64(out.size), inner, period, st.activation)
}

// most is the largest number of elements that kernels with 32-bit indices take: a step of a grid beyond it is still a number.
const most = math.MaxInt32 - 1<<22

// countable says that all operands and results can be indexed with 32 bits.
func countable(in, out []graph.Spec) bool {
	for _, list := range [][]graph.Spec{in, out} {
		for _, s := range list {
			if s.Shape.Size() > most {
				return false
			}
		}
	}
	return true
}

// elements is a grid of blocks of 256 threads for n elements, over which threads step.
func elements(n int) (grid, block [3]int) { return line(min(blocks(n, 256), 2048)), line(256) }
