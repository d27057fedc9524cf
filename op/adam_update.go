package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(AdamUpdateOp{}) }

// AdamScalars are the constants of [AdamUpdate].
type AdamScalars struct {
	LR                       graph.Value // learning rate, float32 scalar
	Correction1, Correction2 graph.Value // 1 - Beta1^t and 1 - Beta2^t, float32 scalars: see AdamCorrections
	Beta1, Beta2             float64     // usually 0.9 and 0.999
	Eps                      float64     // added to the root of the corrected second moment; PyTorch's default is 1e-8, Keras' 1e-7
	WeightDecay              float64     // L2, added to the gradient, times p; decoupled: taken from p, times LR
	Decoupled                bool        // AdamW
}

// AdamUpdate returns the parameter p and its moments m and v (zeros at first) after a step of Adam or AdamW, as PyTorch's:
//
//	Adam: g = g + WeightDecay·p    AdamW: p = p - LR·WeightDecay·p
//	m = Beta1·m + (1-Beta1)·g,  v = Beta2·v + (1-Beta2)·g²
//	p = p - LR·(m/Correction1) / (√(v/Correction2) + Eps)
//
// All three stay as they are where ok is 0.
// Source: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1; Loshchilov & Hutter 2019, "Decoupled
// Weight Decay Regularization", algorithm 2.
func AdamUpdate(p, m, v, g graph.Value, h AdamScalars, ok graph.Value) (p2, m2, v2 graph.Value) {
	o := AdamUpdateOp{Beta1: h.Beta1, Beta2: h.Beta2, Eps: h.Eps, WeightDecay: h.WeightDecay, Decoupled: h.Decoupled}
	out := graph.Apply(o, p, m, v, g, h.LR, h.Correction1, h.Correction2, ok)
	return out[0], out[1], out[2]
}

// AdamCorrections returns 1 - beta^t for both betas, float32 scalars, where step is an int32 scalar that counts the updates
// made before this one: t = step + 1. Computed as -expm1(t·log beta) they are exact to a few 1e-7 of their value in float32,
// for the first step (where 1 - beta^t would cancel) as for the last; from 2^24 steps on t stands still, and both are 1.
func AdamCorrections(step graph.Value, beta1, beta2 float64) (c1, c2 graph.Value) {
	t := AddConst(Cast(step, graph.Float32), 1)
	correction := func(beta float64) graph.Value {
		if beta == 0 { // its logarithm is infinite
			return filled(t, 1)
		}
		return Neg(Expm1(Scale(t, math.Log(beta))))
	}
	return correction(beta1), correction(beta2)
}

// AdamUpdateOp is the op of [AdamUpdate]: its inputs are p, m, v, g, learning rate, both corrections and ok, its outputs the
// new p, m and v.
type AdamUpdateOp struct {
	update
	Beta1, Beta2, Eps, WeightDecay float64
	Decoupled                      bool
}

func (AdamUpdateOp) Name() string { return "AdamUpdate" }
func (AdamUpdateOp) Arguments() []string {
	return []string{"p", "m", "v", "g", "learning rate", "correction 1", "correction 2", "ok"}
}
func (AdamUpdateOp) ScalarInputs(int) int { return 4 }

func (AdamUpdateOp) Infer(in []graph.Spec) ([]graph.Spec, error) { return inferUpdate(in, 4, 3) }

func (o AdamUpdateOp) Eval(out, in []graph.Tensor) {
	lr, c1, c2, ok := scalarOf(in, 4), scalarOf(in, 5), scalarOf(in, 6), scalarOf(in, 7) != 0
	for i, p := range in[0].Data {
		m, v, g, decayed := in[1].Data[i], in[2].Data[i], in[3].Data[i], p
		if o.Decoupled {
			decayed -= lr * o.WeightDecay * p
		} else {
			g += o.WeightDecay * p
		}
		m2 := o.Beta1*m + (1-o.Beta1)*g
		v2 := o.Beta2*v + (1-o.Beta2)*g*g
		out[0].Data[i] = keep(ok, p, decayed-lr*(m2/c1)/(math.Sqrt(v2/c2)+o.Eps))
		out[1].Data[i] = keep(ok, m, m2)
		out[2].Data[i] = keep(ok, v, v2)
	}
}

func (AdamUpdateOp) Examples() []graph.Example {
	adam := AdamUpdateOp{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
	l2, adamW := adam, adam
	l2.WeightDecay, adamW.WeightDecay, adamW.Decoupled = 0.01, 0.01, true
	es := updates(adam, 4, 2, 1e-2, 0.271, 0.002997001) // the third step
	return append(es, updates(l2, 4, 2, 1e-2, 0.1, 0.001)[0], updates(adamW, 4, 2, 1e-2, 0.1, 0.001)[0])
}
