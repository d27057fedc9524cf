package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(RMSPropUpdateOp{}) }

// RMSPropScalars are the constants of [RMSPropUpdate].
type RMSPropScalars struct {
	LR          graph.Value // learning rate, float32 scalar
	Alpha       float64     // how much of v stays; PyTorch's default is 0.99
	Eps         float64     // added to the root; PyTorch's default is 1e-8
	WeightDecay float64     // L2: added to the gradient, times p
}

// RMSPropUpdate returns the parameter p and the running mean v of its squared gradient (zeros at first) after a step of
// RMSprop, as PyTorch's (neither centered nor with momentum):
//
//	g = g + WeightDecay·p,  v = Alpha·v + (1-Alpha)·g²,  p = p - LR·g / (√v + Eps)
//
// Both stay as they are where ok is 0.
// Source: Tieleman & Hinton 2012, "Lecture 6.5 - rmsprop", COURSERA: Neural Networks for Machine Learning.
func RMSPropUpdate(p, v, g graph.Value, h RMSPropScalars, ok graph.Value) (p2, v2 graph.Value) {
	o := RMSPropUpdateOp{Alpha: h.Alpha, Eps: h.Eps, WeightDecay: h.WeightDecay}
	out := graph.Apply(o, p, v, g, h.LR, ok)
	return out[0], out[1]
}

// RMSPropUpdateOp is the op of [RMSPropUpdate]: its inputs are p, v, g, learning rate and ok, its outputs the new p and v.
type RMSPropUpdateOp struct {
	update
	Alpha, Eps, WeightDecay float64
}

func (RMSPropUpdateOp) Name() string         { return "RMSPropUpdate" }
func (RMSPropUpdateOp) Arguments() []string  { return []string{"p", "v", "g", "learning rate", "ok"} }
func (RMSPropUpdateOp) ScalarInputs(int) int { return 3 }

func (RMSPropUpdateOp) Infer(in []graph.Spec) ([]graph.Spec, error) { return inferUpdate(in, 3, 2) }

func (o RMSPropUpdateOp) Eval(out, in []graph.Tensor) {
	lr, ok := scalarOf(in, 3), scalarOf(in, 4) != 0
	for i, p := range in[0].Data {
		v, g := in[1].Data[i], in[2].Data[i]+o.WeightDecay*p
		v2 := o.Alpha*v + (1-o.Alpha)*g*g
		out[0].Data[i] = keep(ok, p, p-lr*g/(math.Sqrt(v2)+o.Eps))
		out[1].Data[i] = keep(ok, v, v2)
	}
}

func (RMSPropUpdateOp) Examples() []graph.Example {
	return append(updates(RMSPropUpdateOp{Alpha: 0.99, Eps: 1e-8}, 3, 1, 0.01),
		updates(RMSPropUpdateOp{Alpha: 0.9, Eps: 1e-3, WeightDecay: 0.01}, 3, 1, 0.01)[0])
}
