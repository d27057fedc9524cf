package op

import "aetrain/graph"

func init() { add(MomentumUpdateOp{}) }

// MomentumScalars are the constants of [MomentumUpdate].
type MomentumScalars struct {
	LR          graph.Value // learning rate, float32 scalar
	Momentum    float64     // usually 0.9
	Nesterov    bool
	WeightDecay float64 // L2: added to the gradient, times p
}

// MomentumUpdate returns the parameter p and its buffer v (zeros at first) after a step of gradient descent with momentum,
// as PyTorch's SGD without dampening:
//
//	g = g + WeightDecay·p,  v = Momentum·v + g,  p = p - LR·v  (Nesterov: p - LR·(g + Momentum·v))
//
// Both stay as they are where ok is 0.
// Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", section 2.
func MomentumUpdate(p, v, g graph.Value, h MomentumScalars, ok graph.Value) (p2, v2 graph.Value) {
	o := MomentumUpdateOp{Momentum: h.Momentum, Nesterov: h.Nesterov, WeightDecay: h.WeightDecay}
	out := graph.Apply(o, p, v, g, h.LR, ok)
	return out[0], out[1]
}

// MomentumUpdateOp is the op of [MomentumUpdate]: its inputs are p, v, g, learning rate and ok, its outputs the new p and v.
type MomentumUpdateOp struct {
	update
	Momentum    float64
	Nesterov    bool
	WeightDecay float64
}

func (MomentumUpdateOp) Name() string         { return "MomentumUpdate" }
func (MomentumUpdateOp) Arguments() []string  { return []string{"p", "v", "g", "learning rate", "ok"} }
func (MomentumUpdateOp) ScalarInputs(int) int { return 3 }

func (MomentumUpdateOp) Infer(in []graph.Spec) ([]graph.Spec, error) { return inferUpdate(in, 3, 2) }

func (o MomentumUpdateOp) Eval(out, in []graph.Tensor) {
	lr, ok := scalarOf(in, 3), scalarOf(in, 4) != 0
	for i, p := range in[0].Data {
		v, g := in[1].Data[i], in[2].Data[i]+o.WeightDecay*p
		v2 := o.Momentum*v + g
		step := v2
		if o.Nesterov {
			step = g + o.Momentum*v2
		}
		out[0].Data[i] = keep(ok, p, p-lr*step)
		out[1].Data[i] = keep(ok, v, v2)
	}
}

func (MomentumUpdateOp) Examples() []graph.Example {
	return append(updates(MomentumUpdateOp{Momentum: 0.9}, 3, -1, 0.1),
		updates(MomentumUpdateOp{Momentum: 0.9, Nesterov: true, WeightDecay: 0.01}, 3, -1, 0.1)[0])
}
