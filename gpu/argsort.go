//go:build gpu

package gpu

import "aetrain/graph"

// Sizes of the sorting kernels: keys that a block sorts in shared memory, of 8 bytes, and keys that one writes when it merges.
const (
	sortKeys     = 4096
	mergeTile    = 2048
	mergeThreads = 256
)

// bindArgSort sorts each row's keys (kernels/cuda/argsort.cu): in shared memory where a row fits, else tiles of it, which are
// then merged.
func bindArgSort(b *binder, s *step) error {
	x, y := s.in[0], s.out[0]
	if err := size32("ArgSort", x.size); err != nil || x.size == 0 {
		return err
	}
	shape := s.Case.In[0].Shape
	n := shape[len(shape)-1]
	rows := x.size / n
	if n <= sortKeys {
		size := 1 << log2(n)
		together := max(1, min(rows, 512/size))
		b.kernel("argsort_rows", line(blocks(rows, together)), line(sortThreads(size*together)), 8*size*together,
			x, y, int(x.dtype), rows, n, size, together)
		return nil
	}
	from, to := b.scratch(graph.Int32, 2*rows*n), b.scratch(graph.Int32, 2*rows*n)
	b.kernel("argsort_runs", line(rows*blocks(n, sortKeys)), line(sortThreads(sortKeys)), 8*sortKeys, x, from, int(x.dtype), n, sortKeys)
	for run := sortKeys; run < n; run *= 2 {
		last := 0
		if run >= n-run {
			last = 1
		}
		b.kernel("argsort_merge", line(rows*blocks(n, mergeTile)), line(mergeThreads), 0, from, to, y, n, run, last)
		from, to = to, from
	}
	return nil
}

// sortThreads is the block for so many keys: a thread for two.
func sortThreads(keys int) int { return max(32, min(512, keys/2)) }
