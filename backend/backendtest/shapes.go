package backendtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/op"
)

// moreShapes checks poolings, norms, reductions along rows, and what moves numbers, at sizes that no example has.
func moreShapes(t *testing.T, b backend.Backend) {
	for seed := range uint64(25) {
		rng := rand.New(rand.NewPCG(seed, 3))
		for _, e := range drawMore(rng) {
			if _, err := e.Op.Infer(specs(e)); err == nil {
				t.Run(fmt.Sprintf("%s/%d", e.Op.Name(), seed), func(t *testing.T) { check(t, b, e, seed) })
			}
		}
	}
}

func specs(e graph.Example) []graph.Spec {
	in := make([]graph.Spec, len(e.Args))
	for i, a := range e.Args {
		in[i] = a.Spec
	}
	return in
}

func index(n int, dims ...int) graph.Arg {
	return graph.Arg{Spec: graph.I32(dims...), From: 0, To: float64(n)}
}

func positive(dims ...int) graph.Arg { return graph.Arg{Spec: graph.F32(dims...), From: 0.3, To: 1.5} }

func example(o graph.Op, args ...graph.Arg) graph.Example { return graph.Example{Op: o, Args: args} }

func drawMore(rng *rand.Rand) []graph.Example {
	list := append(drawPoolGrads(rng), drawNorms(rng)...)
	list = append(list, drawReductions(rng)...)
	return append(list, drawMoves(rng)...)
}

func drawPoolGrads(rng *rand.Rand) []graph.Example {
	p := drawPool(rng)
	x := p.Args[0].Spec.Shape
	c := op.PoolConfig{KH: 2, KW: 2, StrideH: 2, StrideW: 2}
	switch o := p.Op.(type) {
	case op.MaxPool:
		c = o.PoolConfig
	case op.AvgPool:
		c = o.PoolConfig
	}
	h, w := c.OutputSize(x[2], x[3])
	if h < 1 || w < 1 {
		return nil
	}
	u := op.Upsample{ScaleH: 1 + rng.IntN(3), ScaleW: 1 + rng.IntN(3), Mode: []string{op.Nearest, op.Bilinear}[rng.IntN(2)]}
	places := index(x[2]*x[3], x[0], x[1], h, w)
	return []graph.Example{
		example(op.MaxPool{PoolConfig: op.PoolConfig{KH: 2, KW: 2, StrideH: 2, StrideW: 2}}, arg(x...)),
		example(op.AvgPoolGrad{PoolConfig: c, H: x[2], W: x[3]}, arg(x[0], x[1], h, w)),
		example(op.MaxPoolScatter{H: x[2], W: x[3]}, arg(x[0], x[1], h, w), places),
		example(op.MaxPoolGather{}, arg(x...), places),
		example(u, arg(x...)),
		example(op.UpsampleGrad(u), arg(x[0], x[1], x[2]*u.ScaleH, x[3]*u.ScaleW)),
	}
}

func drawNorms(rng *rand.Rand) []graph.Example {
	n, c := 2+size(rng), size(rng)
	x := []int{n, c}
	for range rng.IntN(3) {
		x = append(x, 1+rng.IntN(9))
	}
	d := x[len(x)-1]
	rows := x[: len(x)-1 : len(x)-1]
	return []graph.Example{
		example(op.BatchNormalization{Eps: 1e-3}, arg(x...), arg(c), arg(c)),
		example(op.BatchNormGrad{Eps: 1e-3}, arg(x...), arg(c), arg(x...), arg(c), positive(c)),
		example(op.LayerNormalization{Eps: 1e-3}, arg(x...), arg(d), arg(d)),
		example(op.LayerNormGrad{Eps: 1e-3}, arg(x...), arg(d), arg(x...), arg(rows...), positive(rows...)),
	}
}

// drawReductions draws reductions of any axes, and those along one.
func drawReductions(rng *rand.Rand) []graph.Example {
	sum := drawSum(rng)
	axes, x := sum.Op.(op.Reduce).Axes, sum.Args[0].Spec.Shape
	list := []graph.Example{
		example(op.ReduceMaxOp{Axes: axes}, arg(x...)), example(op.ReduceMinOp{Axes: axes}, arg(x...)),
		example(op.LogSumExpOp{Axis: axes[0]}, arg(x...)),
	}
	for _, o := range op.All() {
		switch o.Name() {
		case "Softmax", "LogSoftmax", "ArgMax", "ArgSort":
			list = append(list, example(o, arg(x...)))
		case "KLNormal":
			list = append(list, example(o, arg(size(rng), size(rng))))
			list[len(list)-1].Args = append(list[len(list)-1].Args, list[len(list)-1].Args[0])
		}
	}
	return list
}

// drawMoves draws ops that only move numbers.
func drawMoves(rng *rand.Rand) []graph.Example {
	x := []int{}
	for range 1 + rng.IntN(4) {
		x = append(x, 1+rng.IntN(12))
	}
	axis := rng.IntN(len(x))
	other := append([]int(nil), x...)
	other[axis] = 1 + rng.IntN(12)
	from := rng.IntN(x[axis])
	rows := append([]int{1 + rng.IntN(40)}, x[1:]...)
	large := []int{1 + rng.IntN(300), 1 + rng.IntN(300)}
	return []graph.Example{
		example(op.TransposeOp{Perm: rng.Perm(len(x))}, arg(x...)),
		example(op.TransposeOp{Perm: []int{1, 0}}, arg(large...)),
		example(op.Concatenation{Axis: axis}, arg(x...), arg(other...), arg(x...)),
		example(op.Part{Axis: axis, From: from, To: from + rng.IntN(x[axis]-from+1)}, arg(x...)),
		example(op.Border{Axis: axis, Before: rng.IntN(3), After: rng.IntN(3), Value: 0.5}, arg(x...)),
		example(op.GatherRows{}, arg(x...), index(x[0], 1+rng.IntN(30))),
		example(op.ScatterRows{Rows: x[0]}, index(x[0], rows[0]), arg(rows...)),
		example(op.OneHotRows{Classes: 1 + rng.IntN(9)}, index(10, x...)),
	}
}

// Candidates makes Run check every kernel by name, not only the one that is chosen: names lists them by op, as the config
// calls both. A candidate that does not fit a case is passed over.
func Candidates(names map[string][]string) Option {
	return func(o *options) { o.candidates = names }
}

// convolutions draw what has several kernels.
var convolutions = map[string]func(*rand.Rand) graph.Example{
	"conv2d": drawConv, "conv_transpose2d": drawConvTranspose, "conv2d_weight_grad": drawConvWeightGrad,
}

// candidates runs the convolutions' examples and drawn shapes by each kernel.
func candidates(t *testing.T, b backend.Backend, names map[string][]string) {
	for name, draw := range convolutions {
		for _, kernel := range names[name] {
			t.Run(name+"/"+kernel, func(t *testing.T) {
				ran := 0
				for seed := range uint64(60) {
					e := draw(rand.New(rand.NewPCG(seed, 4)))
					if seed%4 == 0 {
						e = thin(e)
					}
					if _, err := e.Op.Infer(specs(e)); err != nil {
						continue
					}
					if _, fits := by(t, b, e, seed, map[string]string{name: kernel}); fits {
						ran++
					}
				}
				if ran == 0 {
					t.Errorf("no case fits %s", kernel)
				}
			})
		}
	}
}

// thin makes a convolution end in one channel, with stride 1.
func thin(e graph.Example) graph.Example {
	plain := func(c op.ConvConfig) op.ConvConfig {
		c.StrideH, c.StrideW, c.Groups, c.OutPadH, c.OutPadW = 1, 1, 1, 0, 0
		return c
	}
	x, w := e.Args[0].Spec.Shape, e.Args[1].Spec.Shape
	switch o := e.Op.(type) {
	case op.Conv:
		return example(op.Conv{ConvConfig: plain(o.ConvConfig)}, arg(x[0], 8, x[2], x[3]), arg(1, 8, w[2], w[3]))
	case op.ConvTranspose:
		return example(op.ConvTranspose{ConvConfig: plain(o.ConvConfig)}, arg(x[0], 8, x[2], x[3]), arg(8, 1, w[2], w[3]))
	case op.ConvWeightGrad:
		c := plain(o.ConvConfig)
		h, k := op.Conv{ConvConfig: c}.OutputSize(x[2], x[3], o.KH, o.KW)
		return example(op.ConvWeightGrad{ConvConfig: c, KH: o.KH, KW: o.KW}, arg(x[0], 8, x[2], x[3]), arg(x[0], 1, max(1, h), max(1, k)))
	}
	return e
}

// by runs one case, with a kernel by name if there is one, and returns which kernel ran and whether the named one fits.
func by(t *testing.T, b backend.Backend, e graph.Example, seed uint64, kernel map[string]string) (string, bool) {
	t.Helper()
	g, vs, feed := build(e, seed)
	p, outs := compileOutputs(t, b, g, vs)
	exes, err := b.Load(b.NewState(), backend.Options{Kernels: kernel}, p)
	if err != nil {
		if strings.Contains(err.Error(), "does not fit") {
			return "", false
		}
		t.Fatal(err)
	}
	want, err := graph.Evaluate(vs, feed)
	if err != nil {
		t.Fatal(err)
	}
	feedAll(t, exes[0], feed)
	run(t, exes[0], 1)
	for i, name := range outs {
		if err := close(fetch(t, exes[0], name, vs[i].Spec()), want[i], e.Tolerance); err != nil {
			t.Errorf("case %d: output %d of %+v of %v: %v", seed, i, e.Op, specs(e), err)
		}
	}
	choices := exes[0].Explain()
	return choices[len(choices)-1].Kernel, true
}
