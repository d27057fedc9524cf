package cpu_test

import (
	"fmt"
	"math"
	"testing"

	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
)

// TestStore follows products with what their store takes, with what it must not take, and with values in between that are wanted.
func TestStore(t *testing.T) {
	b, err := cpu.Open(cpu.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	type values = map[string]graph.Value
	for name, follow := range map[string]func(g *graph.Graph, p, bias, y graph.Value) values{
		"bias": func(_ *graph.Graph, p, bias, _ graph.Value) values { return values{"out": op.AddBias(p, bias)} },
		"bias, ReLU": func(_ *graph.Graph, p, bias, _ graph.Value) values {
			return values{"out": op.ReLU(op.AddBias(p, bias))}
		},
		"ReLU":        func(_ *graph.Graph, p, _, _ graph.Value) values { return values{"out": op.ReLU(p)} },
		"ReLU's mask": func(_ *graph.Graph, p, _, y graph.Value) values { return values{"out": masked(y, p)} },
		"all and more": func(_ *graph.Graph, p, bias, y graph.Value) values {
			return values{"out": op.Add(op.Exp(op.Scale(op.AddBias(p, bias), 0.1)), y)}
		},
		"bias twice": func(_ *graph.Graph, p, bias, _ graph.Value) values {
			return values{"out": op.AddBias(op.Scale(op.AddBias(p, bias), 2), bias)}
		},
		"sum with its bias wanted": func(_ *graph.Graph, p, bias, _ graph.Value) values {
			s := op.AddBias(p, bias)
			return values{"out": op.ReLU(s), "sum": s}
		},
		"ReLU and sigmoid of one sum": func(_ *graph.Graph, p, bias, _ graph.Value) values {
			s := op.AddBias(p, bias)
			return values{"out": op.Mul(op.ReLU(s), op.Sigmoid(s))}
		},
		"product wanted": func(_ *graph.Graph, p, bias, _ graph.Value) values {
			return values{"out": op.AddBias(p, bias), "product": p}
		},
		"sum with itself":           func(_ *graph.Graph, p, _, _ graph.Value) values { return values{"out": op.ReLU(op.Add(p, p))} },
		"matrix in place of a bias": func(_ *graph.Graph, p, _, y graph.Value) values { return values{"out": op.ReLU(op.Add(y, p))} },
	} {
		for _, dims := range [][3]int{{1, 1, 5}, {3, 1, 40}, {1, 7, 33}, {50, 70, 30}, {200, 400, 20}} {
			t.Run(fmt.Sprintf("%s %v", name, dims), func(t *testing.T) {
				m, n, k := dims[0], dims[1], dims[2]
				g := graph.New()
				x, w := g.Input("x", graph.F32(m, k)), g.Input("w", graph.F32(n, k))
				bias, y := g.Input("bias", graph.F32(n)), g.Input("y", graph.F32(m, n))
				outs := follow(g, op.MatMul(x, w, false, true), bias, y)
				agrees(t, b, g, outs, []graph.Value{x, w, bias, y}, func(want float64) float64 { return 2e-5 * (1 + math.Abs(want)) })
			})
		}
	}
}

// masked is dy where y is above 0: the gradient of ReLU.
func masked(y, dy graph.Value) graph.Value {
	return graph.VJP([]graph.Value{op.ReLU(y)}, []graph.Value{dy}, []graph.Value{y})[0]
}

// TestStoreIntoState: a state that a step writes, and reads behind the product, keeps its old value until it has been read.
func TestStoreIntoState(t *testing.T) {
	b, err := cpu.Open(cpu.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for name, then := range map[string]func(p, bias, before graph.Value) (now, out graph.Value){
		"difference": func(p, bias, before graph.Value) (now, out graph.Value) {
			now = op.ReLU(op.AddBias(p, bias))
			return now, op.Sub(now, before)
		},
		"sum": func(p, _, before graph.Value) (now, out graph.Value) {
			now = op.Add(p, before)
			return now, op.Neg(now)
		},
		"mask": func(p, _, before graph.Value) (now, out graph.Value) {
			now = masked(before, p)
			return now, op.Neg(now)
		},
	} {
		for _, dims := range [][3]int{{1, 7, 2000}, {50, 70, 30}} {
			m, n, k := dims[0], dims[1], dims[2]
			g := graph.New()
			x, w, bias := g.Input("x", graph.F32(m, k)), g.Input("w", graph.F32(n, k)), g.Input("bias", graph.F32(n))
			begin := g.Constant(graph.F32(m, n), 0.5)
			kept := g.State(graph.Buffer, "kept", graph.F32(m, n), func(_ uint64, _ string, t graph.Tensor) {
				for i := range t.Data {
					t.Data[i] = 0.5
				}
			})
			feed := map[string]graph.Tensor{}
			for i, v := range []graph.Value{x, w, bias} {
				name := []string{"x", "w", "bias"}[i]
				feed[name] = graph.NewTensor(v.Spec())
				for j := range feed[name].Data {
					feed[name].Data[j] = float64(float32(math.Sin(float64(3*i + j*j%101))))
				}
			}
			now, out := then(op.MatMul(x, w, false, true), bias, kept)
			g.Assign(kept, now)
			got := results(t, b, g, map[string]graph.Value{"out": out}, feed)["out"]

			_, want := then(op.MatMul(x, w, false, true), bias, begin)
			wanted, err := graph.Evaluate([]graph.Value{want}, feed)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range wanted[0].Data {
				if d := math.Abs(float64(got[i]) - v); d > 2e-4*(1+math.Abs(v)) {
					t.Fatalf("%s %v: out[%d] is %v, want %v", name, dims, i, got[i], v)
				}
			}
		}
	}
}
