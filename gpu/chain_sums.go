//go:build gpu

package gpu

import (
	"aetrain/graph"
	"aetrain/program"
)

// A chain's kernel ends in totals over all elements, and in totals over rows or over columns: each thread adds what it computes,
// and the order depends on sizes alone. Other totals (of channels, of rows beside columns) are added up by a second kernel, from
// memory.

// chainSums is how many totals of each kind a kernel takes: CHAIN_SUMS of kernels/cuda/chain.cuh.
const chainSums = 8

// Rows longer than rowLimit are left to the second kernel where there are too few of them to fill a device.
const (
	rowLimit = 16 << 10
	fewRows  = 64
)

// total decides how a total is added up. A chain that computes nothing but totals of columns is none that needs a kernel of its own.
func (k *chainCode) total(b *binder, t program.Total, computes bool) {
	to := b.e.mem[t.Buffer]
	rows := t.Inner*t.Period == k.size && len(k.cols) == 0 && (k.len == 0 || k.len == t.Inner)
	columns := t.Inner == 1 && len(k.rows) == 0 && (k.len == 0 || k.len == t.Period)
	switch {
	case t.Period == k.size && t.Inner == 1: // nothing to add
		k.outs = append(k.outs, chainOut{t.Slot, to})
	case t.Period == 1 && len(k.sums) < chainSums:
		k.sums = append(k.sums, chainOut{t.Slot, to})
	case t.Period > 1 && rows && (t.Inner <= rowLimit || t.Period >= fewRows) && len(k.rows) < chainSums:
		k.len = t.Inner
		k.rows = append(k.rows, chainOut{t.Slot, to})
	case computes && columns && len(k.cols) < chainSums:
		k.len = t.Period
		k.cols = append(k.cols, chainOut{t.Slot, to})
	default:
		k.folds = append(k.folds, chainFold{from: k.stored(b, t.Slot), to: to, Access: t.Access})
	}
}

// stored is where all elements of a slot lie when the chain has run.
func (k *chainCode) stored(b *binder, slot int) memory {
	if slot < len(k.args) && k.args[slot].how == readDense && !k.written(k.args[slot].memory) {
		return k.args[slot].memory
	}
	for _, o := range k.outs {
		if o.slot == slot {
			return o.to
		}
	}
	m := b.scratch(graph.Float32, k.size)
	k.outs = append(k.outs, chainOut{slot, m})
	return m
}

// Shape of the second kernel: its threads, how many rows one of them should have at least, and how many blocks fill a device.
const (
	foldThreads = 256
	foldRows    = 4
	foldBlocks  = 512
	foldTile    = 32
)

// fold appends the kernel that adds up f.from, size elements.
func (b *binder) fold(f chainFold, size int) {
	outer := size / (f.Inner * f.Period)
	count, tile := outer, min(f.Period, foldTile)
	if f.Inner > 1 {
		count, tile = outer*f.Inner, 1
	}
	columns, parts, per := foldShape(count, f.Period, tile)
	var partials, counters any = nilMemory{}, nilMemory{}
	if parts > 1 {
		partials, counters = b.scratch(graph.Float32, parts*f.Period), b.keep(graph.Int32, columns)
	}
	b.kernel("chain_fold", [3]int{columns, parts, 1}, [3]int{foldThreads, 1, 1}, 0,
		f.from, f.to, partials, counters, outer, f.Period, divisorWords(f.Inner), tile, per)
}

// foldShape shares sums over count elements of each column out: how many tiles of columns there are, how many parts of count, and
// how many elements a part has.
func foldShape(count, columns, tile int) (tiles, parts, per int) {
	tiles = blocks(columns, tile)
	parts = max(1, min(blocks(count, foldThreads/tile*foldRows), blocks(foldBlocks, tiles)))
	per = blocks(count, parts)
	return tiles, blocks(count, per), per
}

// divisorWords is the struct Divisor of kernels/cuda/divisor.cuh.
func divisorWords(d int) []int32 {
	multiplier, shift := divisor32(d)
	return []int32{int32(multiplier), int32(shift), int32(d)}
}

// divisor32 returns multiplier and shift with n/d = n·multiplier >> shift for all n < 2^31: with s = ceil(log2 d) the shift is
// 31+s and the multiplier ceil(2^(31+s) / d).
// Source: Granlund & Montgomery 1994, "Division by Invariant Integers using Multiplication", theorem 4.2.
func divisor32(d int) (multiplier uint32, shift int) {
	s := 0
	for 1<<s < d {
		s++
	}
	shift = 31 + s
	return uint32((uint64(1)<<shift + uint64(d) - 1) / uint64(d)), shift
}
