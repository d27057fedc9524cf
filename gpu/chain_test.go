//go:build gpu

package gpu_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/backend/backendtest"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// eachChainKernel runs f with both candidates for chains.
func eachChainKernel(t *testing.T, f func(t *testing.T, b backend.Backend, o backend.Options)) {
	b := open(t)
	for _, name := range []string{"tape", "nvrtc"} {
		t.Run(name, func(t *testing.T) {
			for _, missing := range b.Missing() {
				if strings.HasPrefix(missing.Error(), "nvrtc") && name == "nvrtc" {
					t.Skip(missing)
				}
			}
			f(t, b, backend.Options{Seed: 1, Strict: true, Kernels: map[string]string{"chain": name}})
		})
	}
}

// compareValues runs values and compares them with their definition.
func compareValues(t *testing.T, b backend.Backend, o backend.Options, vs []graph.Value, feed map[string]graph.Tensor, tolerance float64) {
	t.Helper()
	if err := vs[0].Graph().Err(); err != nil {
		t.Fatal(err)
	}
	want, err := graph.Evaluate(vs, feed)
	if err != nil {
		t.Fatal(err)
	}
	got := runValues(t, b, o, vs, feed)
	for i := range vs {
		near(t, fmt.Sprintf("value %d, %v", i, vs[i].Spec()), got[i].Data, want[i].Data, tolerance)
	}
}

// special numbers, each of which every op meets in every place.
var special = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 2, -3, 1e-8, -1e-8, 20, -20, 87, -90, 200, -200, 1e-30, -1e-30, 3e38, -3e38,
	1e-42, math.Inf(1), math.Inf(-1), math.NaN()}

// arrangement feeds special to an op's inputs so that all pairs of numbers meet.
func arrangement(inputs int) []graph.Tensor {
	n := len(special)
	ts := make([]graph.Tensor, inputs)
	for i := range ts {
		ts[i] = graph.NewTensor(graph.F32(n * n))
		for j := range ts[i].Data {
			x := special[(j/[]int{1, n, n + 1}[i])%n]
			ts[i].Data[j] = float64(float32(x))
		}
	}
	return ts
}

// TestChainSpecialNumbers holds every pointwise op to its definition where numbers are extreme: element by element, with NaN,
// infinities and the sign of zero.
func TestChainSpecialNumbers(t *testing.T) {
	eachChainKernel(t, func(t *testing.T, b backend.Backend, o backend.Options) {
		g, feed := graph.New(), map[string]graph.Tensor{}
		var vs []graph.Value
		for _, p := range op.All() {
			e := p.Examples()[0]
			if _, ok := p.(op.Pointwise); !ok || e.Args[0].Spec.DType != graph.Float32 || p.(op.Pointwise).ScalarInputs(len(e.Args)) < len(e.Args) {
				continue
			}
			var in []graph.Value
			for i, x := range arrangement(len(e.Args)) {
				name := fmt.Sprintf("%s%d", p.Name(), i)
				feed[name] = x
				in = append(in, g.Input(name, x.Spec))
			}
			vs = append(vs, g.Apply(e.Op, in...)...)
		}
		want, err := graph.Evaluate(vs, feed)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range runValues(t, b, o, vs, feed) {
			n := vs[i].Node
			for j, w := range want[i].Data {
				if n.Out[0].DType == graph.Float32 {
					w = float64(float32(w))
				}
				var in []float64
				for k := range n.In {
					in = append(in, feed[fmt.Sprintf("%s%d", n.Op.Name(), k)].Data[j])
				}
				if !sameNumber(got.Data[j], w) && !underflows(n.Op.Name(), in) {
					t.Errorf("%s of %v is %v, want %v", n.Op.Name(), in, got.Data[j], w)
					break
				}
			}
		}
	})
}

// sameNumber allows a few units in the last place, and underflow and overflow to come one rounding early.
func sameNumber(got, want float64) bool {
	switch {
	case math.IsNaN(want) || math.IsNaN(got):
		return math.IsNaN(want) && math.IsNaN(got)
	case want == 0 && got == 0:
		return math.Signbit(want) == math.Signbit(got)
	case math.IsInf(got, 0) || math.IsInf(want, 0):
		return got == want
	}
	return math.Abs(got-want) <= 4e-6*math.Abs(want)+1e-37
}

// underflows reports numbers for which float32 loses what decides about the result: a target that is no probability, a
// hyperbolic tangent that is none, and densities far out, where the sign of zero and 0 times infinity are those of float64.
func underflows(name string, in []float64) bool {
	switch name {
	case "BCEWithLogits":
		return in[1] < 0 || in[1] > 1
	case "TanhGrad":
		return math.Abs(in[0]) > 1
	case "GELUGrad":
		return math.Abs(in[0]) >= 20
	case "SiLUGrad":
		return math.Abs(in[0]) >= 87
	}
	return false
}

// TestChainSizes meets every way in which threads share elements out: none, one, part of a block, four at a time with a rest.
func TestChainSizes(t *testing.T) {
	eachChainKernel(t, func(t *testing.T, b backend.Backend, o backend.Options) {
		for _, n := range []int{1, 2, 3, 31, 255, 257, 511, 513, 2047, 2049, 65535, 65536, 65539, 300001} {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				g := graph.New()
				x, y, s := g.Input("x", graph.F32(n)), g.Input("y", graph.F32(n)), g.Input("s", graph.F32())
				v := op.Mul(op.Add(x, y), op.BroadcastTo(s, n))
				w := op.Sub(op.Scale(v, 0.5), op.Square(x))
				feed := map[string]graph.Tensor{"x": drawn(1, -1, 1, n), "y": drawn(2, -1, 1, n), "s": drawn(3, 1, 2)}
				compareValues(t, b, o, []graph.Value{v, w, op.SumAll(w), op.SumAll(op.Abs(v))}, feed, 1e-5)
			})
		}
	})
}

// TestChainNothing adds up no elements: zeros.
func TestChainNothing(t *testing.T) {
	eachChainKernel(t, func(t *testing.T, b backend.Backend, o backend.Options) {
		g := graph.New()
		x := op.Square(g.State(graph.Param, "x", graph.F32(0, 3), nil))
		compareValues(t, b, o, []graph.Value{op.SumAll(x), op.ReduceSum(x, 0)}, nil, 0)
	})
}

// TestChainAccess reads operands in every way and adds up in every way.
func TestChainAccess(t *testing.T) {
	shapes := [][]int{{3, 5}, {1, 7}, {7, 1}, {128, 20}, {128, 784}, {5000, 3}, {300, 4}, {2, 40000}, {3, 4, 5}, {16, 3, 7, 7}, {32, 8, 16, 16}, {40000, 2}}
	eachChainKernel(t, func(t *testing.T, b backend.Backend, o backend.Options) {
		for _, dims := range shapes {
			t.Run(fmt.Sprint(dims), func(t *testing.T) {
				g, feed := graph.New(), map[string]graph.Tensor{}
				input := func(name string, dims ...int) graph.Value {
					feed[name] = drawn(uint64(len(feed)), -1, 1, dims...)
					return g.Input(name, graph.F32(dims...))
				}
				axis := func(i int) []int { // all axes but i of size 1
					d := make([]int, len(dims))
					for j := range d {
						d[j] = 1
					}
					d[i] = dims[i]
					return d
				}
				others := func(i int) (axes []int) {
					for j := range dims {
						if j != i {
							axes = append(axes, j)
						}
					}
					return axes
				}
				x := input("x", dims...)
				v := x
				vs := []graph.Value{}
				for i := range dims {
					v = op.Add(op.Mul(v, input(fmt.Sprint("scale", i), axis(i)...)), input(fmt.Sprint("bias", i), axis(i)...))
				}
				vs = append(vs, v, op.SumAll(v))
				for i := range dims {
					vs = append(vs, op.ReduceSum(op.Square(v), others(i)...), op.ReduceSum(x, others(i)...))
				}
				compareValues(t, b, o, vs, feed, 1e-5)
			})
		}
	})
}

// TestChainManyTotals asks for more totals than one kernel takes.
func TestChainManyTotals(t *testing.T) {
	eachChainKernel(t, func(t *testing.T, b backend.Backend, o backend.Options) {
		g := graph.New()
		x := g.Input("x", graph.F32(129, 31))
		var vs []graph.Value
		for i := range 11 {
			v := op.Square(op.AddConst(x, float64(i)/4))
			vs = append(vs, op.SumAll(v), op.ReduceSum(v, 1), op.ReduceSum(v, 0))
		}
		compareValues(t, b, o, vs, map[string]graph.Tensor{"x": drawn(1, -1, 1, 129, 31)}, 1e-5)
	})
}

// TestChainJoinsEpilogue adds up what a product's epilogue stores, in the epilogue's own kernel.
func TestChainJoinsEpilogue(t *testing.T) {
	eachChainKernel(t, func(t *testing.T, b backend.Backend, o backend.Options) {
		for _, dims := range [][]int{{3, 5}, {128, 20}, {130, 404}, {700, 128}, {2000, 3}, {1, 9}, {9, 1}} {
			t.Run(fmt.Sprint(dims), func(t *testing.T) {
				n, d := dims[0], dims[1]
				g := graph.New()
				feed := map[string]graph.Tensor{"x": drawn(1, -1, 1, n, 4), "w": drawn(2, -1, 1, 4, d), "y": drawn(3, -1, 1, n, d), "z": drawn(4, -1, 1, n, d)}
				x, w, y, z := g.Input("x", graph.F32(n, 4)), g.Input("w", graph.F32(4, d)), g.Input("y", graph.F32(n, d)), g.Input("z", graph.F32(n, d))
				v := op.Sigmoid(op.Mul(op.MatMul(x, w, false, false), y))
				compareValues(t, b, o, []graph.Value{v, op.ReduceSum(v, 0), op.SumAll(v)}, feed, 1e-5)
				u := op.Add(v, op.Scale(z, 2))
				compareValues(t, b, o, []graph.Value{v, u, op.ReduceSum(u, 0), op.ReduceSum(op.Mul(v, z), 1)}, feed, 1e-5)
			})
		}
	})
}

// TestChainManyValues keeps more values alive than a tape has slots.
func TestChainManyValues(t *testing.T) {
	eachChainKernel(t, func(t *testing.T, b backend.Backend, o backend.Options) {
		for _, n := range []int{1, 37, 70001} {
			g, feed := graph.New(), map[string]graph.Tensor{}
			var xs []graph.Value
			for i := range 50 {
				name := fmt.Sprint("x", i)
				feed[name] = drawn(uint64(i), -1, 1, n)
				xs = append(xs, op.Sin(g.Input(name, graph.F32(n))))
			}
			v := graph.SumOf(xs...)
			for i := range xs { // backwards, so that each is needed late
				v = op.Add(op.Scale(v, 0.9), xs[len(xs)-1-i])
			}
			compareValues(t, b, o, []graph.Value{v, xs[7], op.SumAll(op.Mul(v, xs[3]))}, feed, 1e-5)
		}
	})
}

// TestChainIntegers casts, counts and adds integers; bytes come four at a time.
func TestChainIntegers(t *testing.T) {
	eachChainKernel(t, func(t *testing.T, b backend.Backend, o backend.Options) {
		for _, n := range []int{1, 3, 70001, 65536} {
			g := graph.New()
			u, i, f := g.Input("u", graph.U8(n)), g.Input("i", graph.I32(n)), g.Input("f", graph.F32(n))
			feed := map[string]graph.Tensor{"u": graph.NewTensor(graph.U8(n)), "i": graph.NewTensor(graph.I32(n)), "f": graph.NewTensor(graph.F32(n))}
			floats := []float64{-3.7, 3.7, 255.9, 256, 1e10, -1e10, 2147483520, -2147483648, math.NaN(), math.Inf(1), math.Inf(-1), 254.99}
			for j := range n {
				feed["u"].Data[j] = float64(j * 7 % 256)
				feed["i"].Data[j] = float64(int32(uint32(j) * 2654435761))
				feed["f"].Data[j] = float64(float32(floats[j%len(floats)]))
			}
			vs := []graph.Value{op.Cast(u, graph.Float32), op.Scale(op.Cast(u, graph.Float32), 1.0/255), op.Cast(u, graph.Int32), op.Cast(i, graph.Uint8),
				op.Cast(i, graph.Float32), op.Cast(f, graph.Int32), op.Cast(f, graph.Uint8), op.Increment(i), op.AddInt(i, op.Cast(u, graph.Int32)),
				op.AddInt(op.Increment(i), op.Cast(f, graph.Int32)), op.SumAll(op.Cast(u, graph.Float32))}
			compareValues(t, b, o, vs, feed, 1e-6)
		}
	})
}

// TestChainUpdates runs optimisers' steps in place over several parameters, with a guard that says yes and no; they are one launch.
func TestChainUpdates(t *testing.T) {
	sizes := []int{1, 3, 400, 66001}
	eachChainKernel(t, func(t *testing.T, b backend.Backend, o backend.Options) {
		for _, ok := range []float64{1, 0} {
			g, feed := graph.New(), map[string]graph.Tensor{"ok": {Spec: graph.F32(), Data: []float64{ok}}, "lr": {Spec: graph.F32(), Data: []float64{0.125}}}
			guard, lr := g.Input("ok", graph.F32()), g.Input("lr", graph.F32())
			var now, states []graph.Value
			var names []string
			for i, n := range sizes {
				grad := fmt.Sprint("g", i)
				feed[grad] = drawn(uint64(i), -1, 1, n)
				if ok == 0 {
					feed[grad].Data[0] = math.NaN()
				}
				state := func(name string) graph.Value {
					name = fmt.Sprint(name, i)
					feed[name] = drawn(uint64(len(feed)), 0.25, 1, n)
					names = append(names, name)
					states = append(states, g.State(graph.Param, name, graph.F32(n), nil))
					return states[len(states)-1]
				}
				in := g.Input(grad, graph.F32(n))
				s := op.RMSPropScalars{LR: lr, Alpha: 0.9, Eps: 1e-3, WeightDecay: 0.01}
				p1, m1, v1 := op.AdamUpdate(state("a"), state("b"), state("c"), in, op.AdamScalars{LR: lr, Correction1: lr, Correction2: lr, Beta1: 0.9, Beta2: 0.999, Eps: 1e-3, WeightDecay: 0.01, Decoupled: i%2 == 0}, guard)
				p2, v2 := op.MomentumUpdate(state("d"), state("e"), in, op.MomentumScalars{LR: lr, Momentum: 0.9, Nesterov: i%2 == 1, WeightDecay: 0.1}, guard)
				p3, v3, b3 := op.RMSPropMomentumUpdate(state("f"), state("g"), state("h"), in, s, 0.5, guard)
				p4, v4 := op.RMSPropUpdate(state("i"), state("j"), in, s, guard)
				p5 := op.SGDUpdate(state("k"), in, op.SGDScalars{LR: lr, WeightDecay: 0.1}, guard)
				now = append(now, p1, m1, v1, p2, v2, p3, v3, b3, p4, v4, p5)
			}
			for i, st := range states {
				g.Assign(st, now[i])
			}
			if err := g.Err(); err != nil {
				t.Fatal(err)
			}
			want, err := graph.Evaluate(now, feed)
			if err != nil {
				t.Fatal(err)
			}
			p, err := program.Compile(g, map[string]graph.Value{}, b.Capabilities().Target)
			if err != nil {
				t.Fatal(err)
			}
			st := b.NewState()
			exes, err := b.Load(st, o, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range p.Inputs {
				if err := exes[0].Feed(in.Name, backendtest.Host(feed[in.Name])); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range names {
				if err := st.Write(name, graph.Param, backendtest.Host(feed[name])); err != nil {
					t.Fatal(err)
				}
			}
			if err := exes[0].Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			for i, name := range names {
				h := backend.NewHost(want[i].Spec)
				if err := st.Read(name, h); err != nil {
					t.Fatal(err)
				}
				got := make([]float64, 0, len(want[i].Data))
				for _, x := range h.Data().([]float32) {
					got = append(got, float64(x))
				}
				tolerance := 2e-6
				if ok == 0 {
					tolerance = 0
				}
				near(t, name, got, want[i].Data, tolerance)
			}
			if reason := exes[0].Explain()[0].Reason; !strings.Contains(reason, "one launch for") {
				t.Errorf("the updates run as %q, want one launch for all of them", reason)
			}
			exes[0].Close()
		}
	})
}

// TestChainKernelUnknown names what there is.
func TestChainKernelUnknown(t *testing.T) {
	b := open(t)
	g := graph.New()
	p, err := program.Compile(g, map[string]graph.Value{"y": op.Exp(g.Input("x", graph.F32(3)))}, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Load(b.NewState(), backend.Options{Kernels: map[string]string{"chain": "tap"}}, p)
	if err == nil || !strings.Contains(err.Error(), `kernels.chain: no kernel "tap"; there are nvrtc, tape`) {
		t.Errorf("error is %v", err)
	}
}
