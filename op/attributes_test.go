package op

import (
	"math"
	"testing"

	"aetrain/graph"
)

// FuzzAttributes calls what takes axes, sizes and numbers with any of them: the graph gets an error or values that evaluate.
func FuzzAttributes(f *testing.F) {
	for seed := range 60 {
		b := make([]byte, 16)
		for i := range b {
			b[i] = byte(seed*53 + i*i*7 + i*seed)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for which := range 30 {
			g, s := graph.New(), &source{data: data}
			name := buildRandom(g, s, which)
			if name == "" {
				return
			}
			if g.Err() != nil {
				continue
			}
			last := g.Nodes()[len(g.Nodes())-1]
			feed := map[string]graph.Tensor{}
			for _, n := range g.Inputs() {
				feed[n.Op.(graph.Input).Label] = graph.NewTensor(n.Out[0])
			}
			for _, o := range last.Out {
				if o.Shape.Size() > 1<<16 {
					feed = nil
				}
				for _, d := range o.Shape {
					if d < 0 {
						t.Fatalf("%s gives %v", name, o)
					}
				}
			}
			if feed != nil {
				if _, err := graph.Evaluate([]graph.Value{last.Value(0)}, feed); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
	})
}

// buildRandom adds one op whose attributes are drawn from s; the empty name is beyond the last.
func buildRandom(g *graph.Graph, s *source, which int) string {
	var dims []int
	for range s.below(5) {
		dims = append(dims, s.below(4))
	}
	x := g.Input("x", graph.F32(dims...))
	number := func() int { return s.below(10) - 3 }
	list := func() []int {
		var l []int
		for range s.below(5) {
			l = append(l, number())
		}
		return l
	}
	real := func() float64 { return []float64{0, 1, -1, 0.5, math.NaN(), math.Inf(1), math.Inf(-1)}[s.below(7)] }
	rng := func() RNG {
		return RNG{g.Input("seed", graph.I32(2)), g.Input("step", graph.I32()), g.Input("row0", graph.I32())}
	}
	switch which {
	case 0:
		Reshape(x, list()...)
		return "Reshape"
	case 1:
		BroadcastTo(x, list()...)
		return "BroadcastTo"
	case 2:
		Transpose(x, list()...)
		return "Transpose"
	case 3:
		ReduceSum(x, list()...)
		return "ReduceSum"
	case 4:
		ReduceMean(x, list()...)
		return "ReduceMean"
	case 5:
		ReduceMax(x, list()...)
		return "ReduceMax"
	case 6:
		LogSumExp(x, number())
		return "LogSumExp"
	case 7:
		Slice(x, number(), number(), number())
		return "Slice"
	case 8:
		Pad(x, number(), number(), number(), real())
		return "Pad"
	case 9:
		Concat(number(), x, x)
		return "Concat"
	case 10:
		Uniform(rng(), "u", list()...)
		return "Uniform"
	case 11:
		Bernoulli(rng(), "b", real(), list()...)
		return "Bernoulli"
	case 12:
		LeakyReLU(x, real())
		return "LeakyReLU"
	case 13:
		ELU(x, real())
		return "ELU"
	case 14:
		Clamp(x, real(), real())
		return "Clamp"
	case 15:
		OneHot(Cast(x, graph.Int32), number())
		return "OneHot"
	case 16:
		ScatterAdd(g.Input("index", graph.I32(x.Dim(0))), x, number())
		return "ScatterAdd"
	case 17:
		c := ConvConfig{StrideH: number(), StrideW: number(), PadTop: number(), PadBottom: number(), PadLeft: number(), PadRight: number(),
			DilationH: number(), DilationW: number(), Groups: number(), OutPadH: number(), OutPadW: number()}
		w := g.Input("w", graph.F32(s.below(4), s.below(4), s.below(4), s.below(4)))
		if s.below(2) == 0 {
			Conv2D(x, w, c)
		} else {
			ConvTranspose2D(x, w, c)
		}
		return "Conv2D"
	case 18:
		c := PoolConfig{KH: number(), KW: number(), StrideH: number(), StrideW: number(), PadH: number(), PadW: number(), CountIncludePad: s.below(2) == 0}
		if s.below(2) == 0 {
			MaxPool2D(x, c)
		} else {
			AvgPool2D(x, c)
		}
		return "Pool2D"
	case 19:
		Upsample2D(x, number(), number(), []string{"nearest", "bilinear", "cubic"}[s.below(3)])
		return "Upsample2D"
	case 20:
		p := g.Input("p", graph.F32(s.below(4)))
		LayerNorm(x, p, p, real())
		return "LayerNorm"
	case 21:
		p := g.Input("p", graph.F32(s.below(4)))
		BatchNorm(x, p, p, real())
		return "BatchNorm"
	case 22:
		AddBias(x, g.Input("bias", graph.F32(s.below(4))))
		return "AddBias"
	case 23:
		MatMul(x, g.Input("b", graph.F32(s.below(4), s.below(4))), s.below(2) == 0, s.below(2) == 0)
		return "MatMul"
	case 24:
		ScaleRows(x, g.Input("rows", graph.F32(s.below(4))))
		return "ScaleRows"
	case 25:
		SumPerExample(x)
		return "SumPerExample"
	case 26:
		Flatten(x)
		return "Flatten"
	}
	return ""
}
