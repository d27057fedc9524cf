package op

import (
	"fmt"

	"aetrain/graph"
	"aetrain/internal/philox"
)

// RNG is what random ops draw from: counters, not a state, so that the same numbers can be drawn again anywhere.
//
// The four numbers of a block come from Philox4x32-10 with key Seed and counter (block within the row, row, Step, stream).
// A row is an index of the first axis plus Row0, and its elements are counted in row-major order over the other axes;
// a scalar is one row. The stream is [graph.Graph.Stream] of the op's path and name.
//
// Ops that only draw (Uniform, Normal, Bernoulli, BernoulliP) also take an int32 vector for Row0: the row of each index of the
// first axis, for batches whose examples lie anywhere in their split.
type RNG struct {
	Seed graph.Value // int32[2]: the bits of the 64-bit seed, the low word first
	Step graph.Value // int32 scalar: training step; repetition in evaluation
	Row0 graph.Value // int32 scalar: row of the first example in the global batch or in the split
}

func (r RNG) inputs(more ...graph.Value) []graph.Value {
	return append(more, r.Seed, r.Step, r.Row0)
}

// stream claims the stream of name in the graph of r.
func (r RNG) stream(name string) uint32 {
	for _, v := range r.inputs() {
		if g := v.Graph(); g != nil {
			return g.Stream(name)
		}
	}
	return 0
}

// wantRNG checks the three inputs that random ops draw from.
func wantRNG(in []graph.Spec) error {
	if !in[0].Equal(graph.I32(2)) || !in[1].Equal(graph.I32()) || !in[2].Equal(graph.I32()) {
		return fmt.Errorf("draws from seed %v, step %v, row0 %v; wants int32 of 2, scalar, scalar", in[0], in[1], in[2])
	}
	return nil
}

// wantDraw is the shape rule of ops that fill dims with random numbers.
func wantDraw(in []graph.Spec, dims graph.Shape) ([]graph.Spec, error) {
	for _, d := range dims {
		if d < 0 {
			return nil, fmt.Errorf("%v has a negative size", []int(dims))
		}
	}
	if listed := len(dims) > 0 && in[2].Equal(graph.I32(dims[0])); listed {
		in = []graph.Spec{in[0], in[1], graph.I32()}
	}
	if err := wantRNG(in); err != nil {
		return nil, err
	}
	return []graph.Spec{{Shape: dims}}, nil
}

// draw fills out by fill, row after row; rng are the tensors of seed, step and row0.
func draw(out graph.Tensor, rng []graph.Tensor, stream uint32, fill func(dst []float32, seed uint64, block0, row, step, stream uint32)) {
	word := func(t graph.Tensor, i int) uint32 { return uint32(int32(t.Data[i])) }
	seed := uint64(word(rng[0], 1))<<32 | uint64(word(rng[0], 0))
	step, rows := word(rng[1], 0), 1
	if len(out.Shape) > 0 {
		rows = out.Shape[0]
	}
	if rows == 0 {
		return
	}
	row := make([]float32, len(out.Data)/rows)
	for r := range rows {
		counter := uint32(r)
		if len(rng[2].Shape) > 0 {
			counter = word(rng[2], r)
		} else {
			counter += word(rng[2], 0)
		}
		fill(row, seed, 0, counter, step, stream)
		for i, x := range row {
			out.Data[r*len(row)+i] = float64(x)
		}
	}
}

// rngArgs are the arguments seed, step and row0 of examples; words above 2^31 and rows that wrap are among them.
func rngArgs(seed [2]float64, step, row0 float64) []graph.Arg {
	return []graph.Arg{
		{Spec: graph.I32(2), Values: seed[:]}, {Spec: graph.I32(), Values: []float64{step}}, {Spec: graph.I32(), Values: []float64{row0}},
	}
}

// rowArgs are the arguments of examples whose rows are listed.
func rowArgs(rows ...float64) []graph.Arg {
	args := rngArgs([2]float64{3, 7}, 11, 0)
	args[2] = graph.Arg{Spec: graph.I32(len(rows)), Values: rows}
	return args
}

// draws are the usual examples of an op that fills dims with random numbers.
func draws(of func(dims graph.Shape) graph.Op, more ...graph.Arg) []graph.Example {
	with := func(rng []graph.Arg, dims ...int) graph.Example {
		return graph.Example{Op: of(dims), Args: append(append([]graph.Arg(nil), more...), rng...)}
	}
	first := rngArgs([2]float64{1, 0}, 0, 0)
	return []graph.Example{
		with(first, 3, 7), with(first, 4), with(first), with(first, 2, 3, 5, 4),
		with(rngArgs([2]float64{-2, 305419896}, 12345, 128), 5, 20),
		with(rngArgs([2]float64{7, -1}, -3, -2), 4, 9),
		with(rowArgs(5, 0, -2, 5), 4, 9), with(rowArgs(3), 1),
		bench(with(first, 128, 784)),
	}
}

// uniforms and normals are the two ways to fill a row.
var uniforms, normals = philox.Uniforms, philox.NormalsRow
