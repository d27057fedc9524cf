package backendtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/op"
)

// drawnShapes checks products, convolutions, pooling and sums at sizes that no example has.
func drawnShapes(t *testing.T, b backend.Backend) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		for _, e := range []graph.Example{drawProduct(rng), drawConv(rng), drawConvTranspose(rng), drawConvWeightGrad(rng), drawPool(rng), drawSum(rng)} {
			in := make([]graph.Spec, len(e.Args))
			for i, a := range e.Args {
				in[i] = a.Spec
			}
			if _, err := e.Op.Infer(in); err != nil {
				continue // sizes that do not go together
			}
			t.Run(fmt.Sprintf("%s/%d", e.Op.Name(), seed), func(t *testing.T) { check(t, b, e, seed) })
		}
	}
}

func arg(dims ...int) graph.Arg { return graph.Arg{Spec: graph.F32(dims...), From: -1, To: 1} }

// oneOf is mostly small, now and then past a block of a kernel.
func size(rng *rand.Rand) int {
	if rng.IntN(4) == 0 {
		return 1 + rng.IntN(150)
	}
	return 1 + rng.IntN(20)
}

func drawProduct(rng *rand.Rand) graph.Example {
	p := op.Product{TransA: rng.IntN(2) == 0, TransB: rng.IntN(2) == 0}
	m, n, k := size(rng), size(rng), size(rng)
	a, b := []int{m, k}, []int{k, n}
	if p.TransA {
		a[0], a[1] = k, m
	}
	if p.TransB {
		b[0], b[1] = n, k
	}
	if batch := 1 + rng.IntN(3); batch > 1 {
		a = append([]int{batch}, a...)
		if rng.IntN(2) == 0 {
			b = append([]int{batch}, b...)
		}
	}
	return graph.Example{Op: p, Args: []graph.Arg{arg(a...), arg(b...)}}
}

func drawConfig(rng *rand.Rand) (op.ConvConfig, int, int) {
	c := op.ConvConfig{
		StrideH: 1 + rng.IntN(3), StrideW: 1 + rng.IntN(3), DilationH: 1 + rng.IntN(2), DilationW: 1 + rng.IntN(2),
		PadTop: rng.IntN(3), PadBottom: rng.IntN(3), PadLeft: rng.IntN(3), PadRight: rng.IntN(3), Groups: 1 + rng.IntN(3),
	}
	return c, 1 + rng.IntN(5), 1 + rng.IntN(5)
}

func drawConv(rng *rand.Rand) graph.Example {
	c, kh, kw := drawConfig(rng)
	n, cin, cout := 1+rng.IntN(4), 1+rng.IntN(5), 1+rng.IntN(9)
	return graph.Example{Op: op.Conv{ConvConfig: c}, Args: []graph.Arg{
		arg(n, cin*c.Groups, 1+rng.IntN(17), 1+rng.IntN(17)), arg(cout*c.Groups, cin, kh, kw),
	}}
}

func drawConvTranspose(rng *rand.Rand) graph.Example {
	c, kh, kw := drawConfig(rng)
	c.OutPadH, c.OutPadW = rng.IntN(c.StrideH), rng.IntN(c.StrideW)
	n, cin, cout := 1+rng.IntN(4), 1+rng.IntN(9), 1+rng.IntN(5)
	return graph.Example{Op: op.ConvTranspose{ConvConfig: c}, Args: []graph.Arg{
		arg(n, cin*c.Groups, 1+rng.IntN(9), 1+rng.IntN(9)), arg(cin*c.Groups, cout, kh, kw),
	}}
}

// drawConvWeightGrad takes the sizes of a convolution and the gradient of its output.
func drawConvWeightGrad(rng *rand.Rand) graph.Example {
	e := drawConv(rng)
	c := e.Op.(op.Conv)
	x, w := e.Args[0].Spec, e.Args[1].Spec
	out, err := c.Infer([]graph.Spec{x, w})
	if err != nil {
		return e
	}
	return graph.Example{Op: op.ConvWeightGrad{ConvConfig: c.ConvConfig, KH: w.Shape[2], KW: w.Shape[3]}, Args: []graph.Arg{
		arg(x.Shape...), arg(out[0].Shape...),
	}}
}

func drawPool(rng *rand.Rand) graph.Example {
	c := op.PoolConfig{KH: 1 + rng.IntN(4), KW: 1 + rng.IntN(4), StrideH: 1 + rng.IntN(3), StrideW: 1 + rng.IntN(3)}
	c.PadH, c.PadW = rng.IntN(c.KH/2+1), rng.IntN(c.KW/2+1)
	x := arg(1+rng.IntN(3), 1+rng.IntN(4), 1+rng.IntN(14), 1+rng.IntN(14))
	if rng.IntN(2) == 0 {
		return graph.Example{Op: op.MaxPool{PoolConfig: c}, Args: []graph.Arg{x}}
	}
	return graph.Example{Op: op.AvgPool{PoolConfig: c}, Args: []graph.Arg{x}}
}

func drawSum(rng *rand.Rand) graph.Example {
	dims, axes := []int{}, []int{}
	for i := range 1 + rng.IntN(4) {
		dims = append(dims, size(rng))
		if rng.IntN(2) == 0 {
			axes = append(axes, i)
		}
	}
	if len(axes) == 0 {
		axes = []int{0}
	}
	const most = 1 << 19 // elements: four large sides would take minutes
	for graph.Shape(dims).Size() > most {
		for i, d := range dims {
			dims[i] = (d + 1) / 2
		}
	}
	return graph.Example{Op: op.Reduce{Axes: axes}, Args: []graph.Arg{arg(dims...)}}
}

// drawnGraphs checks fusion: random graphs of elementwise ops, products, reductions and views, with their gradients.
func drawnGraphs(t *testing.T, b backend.Backend) {
	for seed := range uint64(80) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g, vs, feed := drawGraph(seed)
			if err := g.Err(); err != nil {
				t.Fatal(err)
			}
			compareGraph(t, b, g, vs, feed)
		})
	}
}

// Tolerances of drawn graphs: relative to the largest element of an output, and times the noise of float32 in it.
const (
	graphTolerance = 5e-5
	graphNoise     = 64
)

// compareGraph runs a drawn graph. Where its numbers cancel out, what is left is their rounding, however small: so much is allowed.
func compareGraph(t *testing.T, b backend.Backend, g *graph.Graph, vs []graph.Value, feed map[string]graph.Tensor) {
	t.Helper()
	noise := rounding(t, g, vs, feed)
	compare(t, b, g, vs, feed, graphTolerance, func(i int) float64 { return noise[i] * graphNoise / graphTolerance })
}

// rounding estimates what float32 does to values: how far they move when each input and result on their way moves by a random part of half a
// unit in its last place. Source: Parker 1997, "Monte Carlo Arithmetic: exploiting randomness in floating-point arithmetic".
func rounding(t *testing.T, g *graph.Graph, vs []graph.Value, feed map[string]graph.Tensor) []float64 {
	t.Helper()
	exact, err := graph.Evaluate(vs, feed)
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]float64, len(vs))
	for trial := range uint64(3) {
		for i, x := range perturbed(g, vs, feed, rand.New(rand.NewPCG(trial, 9))) {
			for k, v := range x.Data {
				noise[i] = max(noise[i], math.Abs(v-exact[i].Data[k]))
			}
		}
	}
	return noise
}

// perturbed evaluates values of a graph without states, with each element of each input and result moved.
func perturbed(g *graph.Graph, vs []graph.Value, feed map[string]graph.Tensor, rng *rand.Rand) []graph.Tensor {
	done := map[*graph.Node][]graph.Tensor{}
	for _, n := range g.Nodes() { // operands first
		in, out := make([]graph.Tensor, len(n.In)), make([]graph.Tensor, len(n.Out))
		for i, v := range n.In {
			in[i] = done[v.Node][v.Index]
		}
		for i, s := range n.Out {
			out[i] = graph.NewTensor(s)
		}
		if x, ok := n.Op.(graph.Input); ok {
			copy(out[0].Data, feed[x.Label].Data)
		} else {
			n.Op.Eval(out, in)
		}
		for _, x := range out {
			for i := range x.Data {
				if x.DType == graph.Float32 {
					x.Data[i] *= 1 + (2*rng.Float64()-1)*0x1p-24
				}
			}
		}
		done[n] = out
	}
	list := make([]graph.Tensor, len(vs))
	for i, v := range vs {
		list[i] = done[v.Node][v.Index]
	}
	return list
}

func drawGraph(seed uint64) (*graph.Graph, []graph.Value, map[string]graph.Tensor) {
	rng := rand.New(rand.NewPCG(seed, 2))
	g, feed := graph.New(), map[string]graph.Tensor{}
	n, d := size(rng), size(rng)
	input := func(name string, dims ...int) graph.Value {
		feed[name] = graph.Example{Args: []graph.Arg{arg(dims...)}}.Draw(seed + uint64(len(feed)))[0]
		return g.Input(name, graph.F32(dims...))
	}
	x, w, bias, row, s := input("x", n, d), input("w", d, d), input("bias", d), input("row", n, 1), input("s")
	pool := []graph.Value{x}
	pick := func() graph.Value { return pool[rng.IntN(len(pool))] }
	for range 4 + rng.IntN(10) {
		var v graph.Value
		switch rng.IntN(12) {
		case 0:
			v = op.Scale(op.MatMul(pick(), w, false, rng.IntN(2) == 0), 1/float64(d))
		case 1:
			v = op.Add(pick(), bias)
		case 2:
			v = op.Mul(pick(), row)
		case 3:
			v = op.Mul(s, pick())
		case 4:
			v = op.Tanh(pick())
		case 5:
			v = op.Sigmoid(pick())
		case 6:
			y, z := pick(), pick()
			if y == z { // 0 everywhere, and what comes of that is but the rounding of larger numbers
				z = op.Mul(z, row)
			}
			v = op.Sub(y, z)
		case 7:
			v = op.ReLU(op.AddConst(pick(), 0.3))
		case 8:
			y := pick()
			v = op.Sub(y, op.ReduceMean(y, 0))
		case 9:
			y := pick()
			v = op.Mul(y, op.Reshape(op.ReduceMean(y, 1), n, 1))
		case 10:
			v = graph.SumOf(pick(), pick(), pick())
		default:
			v = op.Reshape(op.Transpose(op.Reshape(pick(), d, n), 1, 0), n, d)
		}
		pool = append(pool, v)
	}
	loss := op.MeanAll(op.Square(pool[len(pool)-1]))
	vs := []graph.Value{loss, pick(), op.SumPerExample(pick())}
	for _, dv := range graph.Grad(loss, x, w, bias, row, s) {
		if dv.Valid() {
			vs = append(vs, dv)
		}
	}
	return g, vs, feed
}
