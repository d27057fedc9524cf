package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(RMSPropMomentumUpdateOp{}) }

// RMSPropMomentumUpdate is [RMSPropUpdate] with a momentum buffer b (zeros at first), as PyTorch's:
//
//	g = g + WeightDecay·p,  v = Alpha·v + (1-Alpha)·g²,  b = momentum·b + g / (√v + Eps),  p = p - LR·b
//
// All three stay as they are where ok is 0.
func RMSPropMomentumUpdate(p, v, b, g graph.Value, h RMSPropScalars, momentum float64, ok graph.Value) (p2, v2, b2 graph.Value) {
	o := RMSPropMomentumUpdateOp{Alpha: h.Alpha, Eps: h.Eps, WeightDecay: h.WeightDecay, Momentum: momentum}
	out := graph.Apply(o, p, v, b, g, h.LR, ok)
	return out[0], out[1], out[2]
}

// RMSPropMomentumUpdateOp is the op of [RMSPropMomentumUpdate]: its inputs are p, v, b, g, learning rate and ok, its outputs
// the new p, v and b.
type RMSPropMomentumUpdateOp struct {
	update
	Alpha, Eps, WeightDecay, Momentum float64
}

func (RMSPropMomentumUpdateOp) Name() string { return "RMSPropMomentumUpdate" }
func (RMSPropMomentumUpdateOp) Arguments() []string {
	return []string{"p", "v", "b", "g", "learning rate", "ok"}
}
func (RMSPropMomentumUpdateOp) ScalarInputs(int) int { return 4 }

func (RMSPropMomentumUpdateOp) Infer(in []graph.Spec) ([]graph.Spec, error) {
	return inferUpdate(in, 4, 3)
}

func (o RMSPropMomentumUpdateOp) Eval(out, in []graph.Tensor) {
	lr, ok := scalarOf(in, 4), scalarOf(in, 5) != 0
	for i, p := range in[0].Data {
		v, b, g := in[1].Data[i], in[2].Data[i], in[3].Data[i]+o.WeightDecay*p
		v2 := o.Alpha*v + (1-o.Alpha)*g*g
		b2 := o.Momentum*b + g/(math.Sqrt(v2)+o.Eps)
		out[0].Data[i] = keep(ok, p, p-lr*b2)
		out[1].Data[i] = keep(ok, v, v2)
		out[2].Data[i] = keep(ok, b, b2)
	}
}

func (RMSPropMomentumUpdateOp) Examples() []graph.Example {
	return append(updates(RMSPropMomentumUpdateOp{Alpha: 0.99, Eps: 1e-8, Momentum: 0.9}, 4, 1, 0.01),
		updates(RMSPropMomentumUpdateOp{Alpha: 0.9, Eps: 1e-3, WeightDecay: 0.01, Momentum: 0.5}, 4, 1, 0.01)[0])
}
