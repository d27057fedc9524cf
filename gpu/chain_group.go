//go:build gpu

package gpu

import (
	"aetrain/gpu/driver"
	"aetrain/graph"
)

// A launch of chains is described by a table: a segment for each chain, which blocks belong to it, and the addresses.

// Geometry of a chain's launch. It depends on sizes alone, and with it the order of additions.
const (
	chainThreads = 256      // CHAIN_THREADS of kernels/cuda/chain.cuh
	chainBlocks  = 1024     // of one segment at most: each thread then walks over several elements
	wideSize     = 64 << 10 // elements from which on a thread takes four neighbours: fewer would leave processors idle
	wideSum      = 512      // the same where the elements are added up, which a second round of blocks would make slow
	oneBlockSum  = 2048     // elements that one block adds up
	groupLen     = 256      // row's length from which on a block takes a row instead of a warp
	stagedWords  = 2048     // CHAIN_STAGED of kernels/cuda/chain.cu
)

// segment is one chain of a launch.
type segment struct {
	k                    *chainCode
	width, group         int
	tiles, parts         int // of columns
	blocks, first        int
	code                 []uint32 // of a tape
	codeAt, body         int
	pointers             []memory
	pointerAt            int
	partialAt, counterAt int
}

// newSegment decides how threads walk over k.
func newSegment(k *chainCode) *segment {
	s := &segment{k: k, width: 1, group: 32}
	if len(k.cols) > 0 {
		if k.len%4 == 0 && k.size >= wideSize && k.aligned() {
			s.width = 4
		}
		s.group = min(k.len/s.width, foldTile)
		s.tiles, s.parts, _ = foldShape(k.size/k.len, k.len/s.width, s.group)
		s.blocks = s.tiles * s.parts
		return s
	}
	if k.len > 0 {
		if k.len >= groupLen {
			s.group = chainThreads
		}
		if k.len%4 == 0 && k.size >= wideSize && k.len >= 2*s.group && k.aligned() {
			s.width = 4
		}
		s.blocks = min(blocks(k.size/k.len, chainThreads/s.group), 4*chainBlocks)
		return s
	}
	if (k.size >= wideSize || len(k.sums) > 0 && k.size >= wideSum) && k.aligned() {
		s.width = 4
	}
	s.blocks = min(blocks(k.size, chainThreads*s.width), chainBlocks)
	if len(k.sums) > 0 && k.size <= oneBlockSum {
		s.blocks = 1
	}
	return s
}

// aligned reports whether four neighbours of every operand and output can be read at once.
func (k *chainCode) aligned() bool {
	for _, m := range k.memories() {
		if m.size > 1 && m.off%int64(4*m.dtype.Bytes()) != 0 {
			return false
		}
	}
	return true
}

// launchTable is what the kernels of chains find in memory.
type launchTable struct {
	segments           []*segment
	blocks             int
	partials, counters int
}

// placeSegments lays the segments side by side.
func placeSegments(list []*segment) *launchTable {
	t := &launchTable{segments: list}
	code, pointer := 0, 0
	for _, s := range list {
		s.first, s.codeAt, s.pointerAt, s.partialAt, s.counterAt = t.blocks, code, pointer, t.partials, t.counters
		t.blocks += s.blocks
		code += len(s.code)
		pointer += len(s.pointers)
		if s.blocks > 1 && len(s.k.sums)+len(s.k.cols) > 0 {
			t.partials += len(s.k.sums)*s.blocks + len(s.k.cols)*s.parts*s.k.len
			t.counters += 1 + s.tiles
		}
	}
	return t
}

// words are the segments as chain_segment has them.
func (t *launchTable) words() []uint32 {
	var w []uint32
	for _, s := range t.segments {
		for _, n := range []int{
			s.k.size, s.first, s.blocks, s.codeAt, len(s.code), s.pointerAt, len(s.pointers), s.width, s.k.len, s.group,
			len(s.k.sums), len(s.k.rows), len(s.k.cols), s.partialAt, s.counterAt, len(s.pointers) - len(s.k.totals()), s.body,
		} {
			w = append(w, uint32(n))
		}
	}
	return w
}

// blockMap names the segment of each block.
func (t *launchTable) blockMap() []uint32 {
	var w []uint32
	for i, s := range t.segments {
		for range s.blocks {
			w = append(w, uint32(i))
		}
	}
	return w
}

// arguments are what every kernel with a table is given; the tapes' code follows the segments where there is any.
func (b *binder) arguments(t *launchTable) []any {
	var chart, codes any = nilMemory{}, nil
	if len(t.segments) > 1 {
		chart = b.constant(t.blockMap())
	}
	var code []uint32
	for _, s := range t.segments {
		code = append(code, s.code...)
	}
	args := []any{chart, b.constant(t.words())}
	if len(code) > 0 {
		codes = b.constant(code)
		args = append(args, codes)
	}
	return append(append(args, b.addresses(t)), b.sumMemory(t)...)
}

// addresses is the table of pointers of all segments; it is filled when they are known.
func (b *binder) addresses(t *launchTable) memory {
	var list []memory
	for _, s := range t.segments {
		list = append(list, s.pointers...)
	}
	return b.later(2*len(list), func() []uint32 {
		w := make([]uint32, 0, 2*len(list))
		for _, m := range list {
			var p driver.Ptr
			if m.block != nil {
				p = m.ptr()
			}
			w = append(w, uint32(uint64(p)), uint32(uint64(p)>>32))
		}
		return w
	})
}

// sumMemory is what blocks leave for the one that finishes last: partial sums, and counters that are 0 between launches.
func (b *binder) sumMemory(t *launchTable) []any {
	if t.partials == 0 {
		return []any{nilMemory{}, nilMemory{}}
	}
	return []any{b.scratch(graph.Float32, t.partials), b.keep(graph.Int32, t.counters)}
}

// launchTapes appends a launch of the interpreter.
func (b *binder) launchTapes(codes []*chainCode) {
	var list []*segment
	shared := 0
	for _, k := range codes {
		s := newSegment(k)
		t := newTape(b, k)
		s.code, s.pointers = t.code, t.pointers
		bytes := 8 * len(s.pointers)
		if len(s.code) <= stagedWords {
			bytes += 4 * len(s.code)
		}
		shared = max(shared, bytes)
		list = append(list, s)
	}
	t := placeSegments(list)
	b.kernel("chain_tape", [3]int{t.blocks, 1, 1}, [3]int{chainThreads, 1, 1}, shared, b.arguments(t)...)
}
