package cpu_test

import (
	"math"
	"testing"

	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
)

// TestTwins: a cross-entropy of logits and their sigmoid, which one kernel computes, in the places where a chain can have them.
func TestTwins(t *testing.T) {
	b, err := cpu.Open(cpu.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, c := range []struct {
		name  string
		build func(l, t graph.Value) map[string]graph.Value
	}{
		{"both results are read", func(l, t graph.Value) map[string]graph.Value {
			return map[string]graph.Value{"loss": op.BCEWithLogits(l, t), "sigmoid": op.Sigmoid(l)}
		}},
		{"a loss and its gradient", func(l, t graph.Value) map[string]graph.Value {
			loss := op.SumAll(op.BCEWithLogits(l, t))
			return map[string]graph.Value{"loss": loss, "grad": graph.Grad(loss, l)[0]}
		}},
		{"the logits are read in between and behind", func(l, t graph.Value) map[string]graph.Value {
			loss := op.BCEWithLogits(l, t)
			between := op.Tanh(op.Add(loss, l))
			return map[string]graph.Value{"y": op.Add(op.Add(op.Mul(op.Sigmoid(l), between), l), op.Exp(loss))}
		}},
		{"of computed logits, which nobody else reads", func(l, t graph.Value) map[string]graph.Value {
			x := op.Scale(l, 2)
			return map[string]graph.Value{"y": op.Sub(op.BCEWithLogits(x, t), op.Sigmoid(x))}
		}},
		{"two losses of the same logits", func(l, t graph.Value) map[string]graph.Value {
			return map[string]graph.Value{"y": op.Add(op.Mul(op.BCEWithLogits(l, t), op.Sigmoid(l)), op.BCEWithLogits(l, op.Square(t)))}
		}},
		{"the target is the sigmoid", func(l, _ graph.Value) map[string]graph.Value {
			return map[string]graph.Value{"y": op.BCEWithLogits(l, op.Sigmoid(l))}
		}},
		{"behind a product", func(l, t graph.Value) map[string]graph.Value {
			x := op.MatMul(l, l, false, true)
			return map[string]graph.Value{"y": op.Add(op.BCEWithLogits(x, op.MatMul(t, l, false, true)), op.Sigmoid(x))}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := graph.New()
			l, target := g.Input("l", graph.F32(70, 30)), g.Input("t", graph.F32(70, 30))
			agrees(t, b, g, c.build(l, target), []graph.Value{l, target}, func(want float64) float64 { return 1e-5 * math.Max(1, math.Abs(want)) })
		})
	}
}
