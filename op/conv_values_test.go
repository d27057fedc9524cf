package op

import (
	"math"
	"testing"

	"aetrain/graph"
)

// run evaluates one op on the host.
func run(t *testing.T, o graph.Op, in ...graph.Tensor) []graph.Tensor {
	t.Helper()
	specs := make([]graph.Spec, len(in))
	for i, x := range in {
		specs[i] = x.Spec
	}
	outs, err := o.Infer(specs)
	if err != nil {
		t.Fatalf("%s: %v", o.Name(), err)
	}
	out := make([]graph.Tensor, len(outs))
	for i, s := range outs {
		out[i] = graph.NewTensor(s)
	}
	o.Eval(out, in)
	return out
}

func hold(s graph.Spec, data ...float64) graph.Tensor { return graph.Tensor{Spec: s, Data: data} }

func same(t *testing.T, what string, got graph.Tensor, want ...float64) {
	t.Helper()
	if len(got.Data) != len(want) {
		t.Fatalf("%s: got %v, want %v", what, got.Data, want)
	}
	for i, w := range want {
		g := got.Data[i]
		if g != w && !(math.IsNaN(g) && math.IsNaN(w)) && !(math.Abs(g-w) < 1e-9) {
			t.Fatalf("%s: got %v, want %v", what, got.Data, want)
		}
	}
}

// The reference convolution runs along rows; this one is the formula, element by element.
func TestConvIsTheFormula(t *testing.T) {
	for i, e := range convCases() {
		if e.bench {
			continue
		}
		ex := graph.Example{Op: Conv{e.c}, Args: []graph.Arg{f32(e.x...), f32(e.w...)}}
		in := ex.Draw(uint64(i))
		got := run(t, ex.Op, in...)[0]
		x, w, y := e.x, e.w, got.Shape
		walk(y, func(at int, k []int) {
			n, o, want := k[0], k[1], 0.0
			walk(graph.Shape{w[1], w[2], w[3]}, func(tap int, j []int) {
				c := o/(w[0]/e.c.Groups)*w[1] + j[0]
				row, col := k[2]*e.c.StrideH+j[1]*e.c.DilationH-e.c.PadTop, k[3]*e.c.StrideW+j[2]*e.c.DilationW-e.c.PadLeft
				if row >= 0 && row < x[2] && col >= 0 && col < x[3] {
					want += in[0].Data[((n*x[1]+c)*x[2]+row)*x[3]+col] * in[1].Data[o*w[1]*w[2]*w[3]+tap]
				}
			})
			if math.Abs(got.Data[at]-want) > 1e-12 {
				t.Fatalf("case %d %+v: element %v is %v, want %v", i, e, k, got.Data[at], want)
			}
		})
	}
}

func TestMaxPoolChoices(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name     string
		x        []float64
		y, index []float64
	}{
		{"padding never wins", []float64{-1, -2, -3, -4}, []float64{-1, -2, -3, -4}, []float64{0, 1, 2, 3}},
		{"the first of equals", []float64{5, 5, 5, 5}, []float64{5, 5, 5, 5}, []float64{0, 1, 2, 3}},
		{"NaN", []float64{1, nan, 2, nan}, []float64{1, nan, 2, nan}, []float64{0, 1, 2, 3}},
	} {
		out := run(t, MaxPool{PoolConfig{KH: 2, KW: 2, PadH: 1, PadW: 1}.Normalized()}, hold(graph.F32(1, 1, 2, 2), c.x...))
		same(t, c.name, out[0], c.y...)
		same(t, c.name+": index", out[1], c.index...)
	}
	out := run(t, MaxPool{PoolConfig{KH: 2, KW: 3}.Normalized()}, hold(graph.F32(1, 1, 2, 3), 1, 7, 7, nan, 7, nan))
	same(t, "the first NaN of a window", out[1], 3)
	out = run(t, MaxPool{PoolConfig{KH: 2, KW: 3}.Normalized()}, hold(graph.F32(1, 1, 2, 3), 1, 7, 7, 2, 7, 0))
	same(t, "the first of equals of a window", out[1], 1)
}

func TestAvgPoolDivisor(t *testing.T) {
	x := hold(graph.F32(1, 1, 2, 2), 1, 2, 3, 4)
	c := PoolConfig{KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1}
	same(t, "inside", run(t, AvgPool{c}, x)[0], 2.5)
	c.CountIncludePad = true
	same(t, "whole window", run(t, AvgPool{c}, x)[0], 10.0/9)
}

// F.interpolate(torch.tensor([[[[1., 2.], [3., 5.]]]]), scale_factor=2, mode="bilinear", align_corners=False) is
// [[1, 1.25, 1.75, 2], [1.5, 1.8125, 2.4375, 2.75], [2.5, 2.9375, 3.8125, 4.25], [3, 3.5, 4.5, 5]].
func TestUpsample(t *testing.T) {
	x := hold(graph.F32(1, 1, 2, 2), 1, 2, 3, 5)
	same(t, "bilinear", run(t, Upsample{2, 2, Bilinear}, x)[0], 1, 1.25, 1.75, 2, 1.5, 1.8125, 2.4375, 2.75, 2.5, 2.9375, 3.8125, 4.25, 3, 3.5, 4.5, 5)
	same(t, "nearest", run(t, Upsample{1, 2, Nearest}, x)[0], 1, 1, 2, 2, 3, 3, 5, 5)
}

func TestIndicesOutOfRange(t *testing.T) {
	index := hold(graph.I32(4), -7, 0, 1, 99)
	same(t, "Gather", run(t, GatherRows{}, hold(graph.F32(2), 10, 20), index)[0], 10, 10, 20, 20)
	same(t, "ScatterAdd", run(t, ScatterRows{2}, index, hold(graph.F32(4), 1, 2, 3, 4))[0], 3, 7)
	same(t, "OneHot", run(t, OneHotRows{2}, index)[0], 0, 0, 1, 0, 0, 1, 0, 0)
	same(t, "MaxPool2DGather", run(t, MaxPoolGather{}, hold(graph.F32(1, 1, 1, 2), 10, 20), hold(graph.I32(1, 1, 1, 2), -1, 5))[0], 10, 20)
}

func TestArgSortIsStable(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	out := run(t, Sorting{}, hold(graph.F32(2, 5), 3, 1, 3, 1, 2, nan, inf, math.Copysign(0, -1), nan, 0))
	same(t, "order", out[0], 1, 3, 4, 0, 2, 2, 4, 1, 0, 3)
}
