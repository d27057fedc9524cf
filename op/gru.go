package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(GRUSequence{}) }

// GRU runs gated recurrent units over sequences, with the reset gate behind the product, as cuDNN and PyTorch have it:
//
//	x: N×T×D   weights: 3H×D, 3H×H, 3H, 3H, gates in the order r, z, n
//	r, z = σ(W x + U h + b)   n = tanh(W x + bᵢ + r·(U h + bₕ))
//	h' = (1 - z)·n + z·h
//
// The results are all states h, N×T×H, and the last one, N×H (the first time's where it goes in reverse).
// Source: Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder", in the form of torch.nn.GRU.
func GRU(x graph.Value, w RecurrentWeights, o RecurrentOptions) (h, last graph.Value) {
	if !wantSequences("GRU", x, w) {
		return x, x
	}
	g, n, units := x.Graph(), x.Dim(0), w.Hidden.Dim(1)
	gates, steps := project(x, w.Input, graph.Value{})
	input, hidden := zerosUnless(g, w.BiasInput, w.Hidden.Dim(0)), zerosUnless(g, w.BiasHidden, w.Hidden.Dim(0))
	both := 2 * units // r and z add both biases, n keeps them apart
	bias := Concat(0, Add(Slice(input, 0, 0, both), Slice(hidden, 0, 0, both)), Slice(input, 0, both, 3*units), Slice(hidden, 0, both, 3*units))
	in := []graph.Value{gates, w.Hidden, bias, zerosUnless(g, o.H0, n, units)}
	out := graph.Apply(GRUSequence{Recurrence{Reverse: o.Reverse, Steps: steps}}, withMask(in, o.Mask)...)
	return out[1], out[0]
}

// GRUSequence is the op of [GRU]. Of gates N×T×3H (the projected input), weight_hh 3H×H, bias 4H (r, z, n of the input, n of the state),
// h0 N×H and maybe a mask N×T it makes the last h, N×H; all h, and the h before each time, N×T×H; and for the gradient
// r, z, n and U h + b of n, T×4×N×H.
type GRUSequence struct{ Recurrence }

// Name returns "GRU".
func (GRUSequence) Name() string { return "GRU" }

// Arguments returns the names of the inputs.
func (GRUSequence) Arguments() []string { return []string{"gates", "weight_hh", "bias", "h0", "mask"} }

// Infer wants gates, weights and states of one size.
func (o GRUSequence) Infer(in []graph.Spec) ([]graph.Spec, error) {
	e, err := o.extent(in[0], in[1], 3)
	if err == nil {
		err = firstError(wantSpec("bias", in[2], 4*e.h), e.wantState("h0", in[3]), e.wantMask(in[4:]))
	}
	if err != nil {
		return nil, err
	}
	h := e.sequenceSpec(1)
	return []graph.Spec{e.stateSpec(), h, h, e.storedSpec(4)}, nil
}

// VJP is one fused op and a product over all times; where something flows back to what is kept for the gradient (a second
// derivative), it follows the expansion.
func (o GRUSequence) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	if !zeroConstant(dOut[2]) || !zeroConstant(dOut[3]) {
		return expandVJP(n, dOut)
	}
	mask := n.In[4:]
	in := []graph.Value{n.Value(3), n.Value(2), n.In[1], dOut[0]}
	grad := GRUGrad{Reverse: o.Reverse, Sequence: !zeroConstant(dOut[1])}
	if grad.Sequence {
		in = append(in, dOut[1])
	}
	d := graph.Apply(grad, append(in, mask...)...) // dGates, dHidden, the sum of both over time, dh0
	dGates := d[0]
	if o.Steps > 0 {
		dGates = Reshape(Slice(d[2], 1, 0, n.In[0].Dim(2)), n.In[0].Shape()...)
	}
	return append([]graph.Value{dGates, weightGrad(d[1], n.Value(2)), ReduceSum(d[2], 0), d[3]}, make([]graph.Value, len(mask))...)
}

// Expand is the definition in small ops, a time after the other.
func (o GRUSequence) Expand(n *graph.Node) []graph.Value {
	gates, weight, h, mask := n.In[0], n.In[1], n.In[3], n.In[4:]
	steps, units := n.Out[1].Shape[1], weight.Dim(1)
	bias := gateBlocks(Reshape(n.In[2], 1, 4*units), units)
	hs, before, acts := make([]graph.Value, steps), make([]graph.Value, steps), make([]graph.Value, 4*steps)
	for k := range steps {
		t := timeAt(k, steps, o.Reverse)
		x, u := gateBlocks(o.gatesAt(gates, t), units), gateBlocks(MatMul(h, weight, false, true), units)
		r, z := Sigmoid(Add(Add(x[0], bias[0]), u[0])), Sigmoid(Add(Add(x[1], bias[1]), u[1]))
		inner := Add(u[2], bias[3])
		candidate := Tanh(Add(Add(x[2], bias[2]), Mul(r, inner)))
		copy(acts[4*t:], []graph.Value{r, z, candidate, inner})
		before[t] = h
		h = choiceAt(mask, t, units).of(Add(candidate, Mul(z, Sub(h, candidate))), h)
		hs[t] = h
	}
	return []graph.Value{h, overTime(hs), overTime(before), inStore(acts, 4)}
}

// Eval is the definition.
func (o GRUSequence) Eval(out, in []graph.Tensor) {
	e, _ := o.extent(in[0].Spec, in[1].Spec, 3)
	last, bias, mask := out[0].Data, in[2].Data, in[4:]
	copy(last, in[3].Data)
	u, none := make([]float64, 3*e.h), make([]float64, 3*e.h)
	for n := range e.n {
		h := last[n*e.h : (n+1)*e.h]
		for k := range e.t {
			t := timeAt(k, e.t, o.Reverse)
			row := (n*e.t + t) * e.h
			copy(out[2].Data[row:], h)
			productRow(u, none, in[1].Data, h)
			x := o.gatesRow(in[0], n, t)
			for j := range h {
				r, z := logistic(x[j]+bias[j]+u[j]), logistic(x[e.h+j]+bias[e.h+j]+u[e.h+j])
				inner := u[2*e.h+j] + bias[3*e.h+j]
				candidate := math.Tanh(x[2*e.h+j] + bias[2*e.h+j] + r*inner)
				for b, v := range []float64{r, z, candidate, inner} {
					out[3].Data[e.stored(4, t, b, n)+j] = v
				}
				if validAt(mask, n, t) {
					h[j] = (1-z)*candidate + z*h[j]
				}
			}
			copy(out[1].Data[row:], h)
		}
	}
}

// Examples go both ways, with equal gates at all times, with masks.
func (GRUSequence) Examples() []graph.Example {
	return recurrentExamples(func(r Recurrence, n, t, h int, masked bool) graph.Example {
		return recurrentExample(GRUSequence{r}, r, n, t, h, 3, 4, 1, masked)
	})
}
