package cpu_test

import (
	"math"
	"testing"

	"aetrain/cpu"
	"aetrain/cpu/cpuinfo"
	"aetrain/graph"
	"aetrain/op"
)

// TestTwins: a cross-entropy of logits and their sigmoid, which one kernel computes, in the places where a chain can have them.
func TestTwins(t *testing.T) {
	for _, c := range []struct {
		name  string
		pairs bool // the kernel runs
		build func(l, t graph.Value) map[string]graph.Value
	}{
		{"both results are read", true, func(l, t graph.Value) map[string]graph.Value {
			return map[string]graph.Value{"loss": op.BCEWithLogits(l, t), "sigmoid": op.Sigmoid(l)}
		}},
		{"a loss and its gradient", true, func(l, t graph.Value) map[string]graph.Value {
			loss := op.SumAll(op.BCEWithLogits(l, t))
			return map[string]graph.Value{"loss": loss, "grad": graph.Grad(loss, l)[0]}
		}},
		{"the logits are read in between and behind", true, func(l, t graph.Value) map[string]graph.Value {
			loss := op.BCEWithLogits(l, t)
			between := op.Tanh(op.Add(loss, l))
			return map[string]graph.Value{"y": op.Add(op.Add(op.Mul(op.Sigmoid(l), between), l), op.Exp(loss))}
		}},
		{"of computed logits, which nobody else reads", true, func(l, t graph.Value) map[string]graph.Value {
			x := op.Scale(l, 2)
			return map[string]graph.Value{"y": op.Sub(op.BCEWithLogits(x, t), op.Sigmoid(x))}
		}},
		{"two losses of the same logits", true, func(l, t graph.Value) map[string]graph.Value {
			return map[string]graph.Value{"y": op.Add(op.Mul(op.BCEWithLogits(l, t), op.Sigmoid(l)), op.BCEWithLogits(l, op.Square(t)))}
		}},
		{"one target for all", true, func(l, t graph.Value) map[string]graph.Value {
			one := op.BroadcastTo(op.SumAll(t), l.Shape()...)
			return map[string]graph.Value{"y": op.Add(op.BCEWithLogits(l, one), op.Sigmoid(l))}
		}},
		{"a row of targets for all", true, func(l, t graph.Value) map[string]graph.Value {
			row := op.BroadcastTo(op.ReduceSum(t, 0), l.Shape()...)
			return map[string]graph.Value{"y": op.Add(op.BCEWithLogits(l, row), op.Sigmoid(l))}
		}},
		{"behind a product", true, func(l, t graph.Value) map[string]graph.Value {
			x := op.MatMul(l, op.Scale(op.MatMul(t, t, true, false), 0.1), false, false)
			return map[string]graph.Value{"y": op.Add(op.BCEWithLogits(x, t), op.Sigmoid(x))}
		}},
		{"the target is the sigmoid", false, func(l, _ graph.Value) map[string]graph.Value {
			return map[string]graph.Value{"y": op.BCEWithLogits(l, op.Sigmoid(l))}
		}},
		{"the sigmoid of other numbers", false, func(l, t graph.Value) map[string]graph.Value {
			return map[string]graph.Value{"y": op.Add(op.BCEWithLogits(l, t), op.Sigmoid(t))}
		}},
	} {
		for _, tier := range cpuinfo.Tiers() {
			t.Run(c.name+"/"+tier.String(), func(t *testing.T) {
				b := openTier(t, tier, 2).(*cpu.Backend)
				blocks := cpu.CountTwins(b)
				g := graph.New()
				l, target := g.Input("l", graph.F32(70, 30)), g.Input("t", graph.F32(70, 30))
				outs := c.build(op.Scale(l, 9), target) // logits from -9 to 9
				agrees(t, b, g, outs, []graph.Value{l, target}, func(want float64) float64 { return 2e-5 * math.Max(1, math.Abs(want)) })
				if ran := blocks.Load() > 0; ran != c.pairs {
					t.Errorf("the kernel of both has run: %v, want %v", ran, c.pairs)
				}
			})
		}
	}
}
