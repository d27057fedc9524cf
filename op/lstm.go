package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(LSTMSequence{}) }

// LSTM runs a long short-term memory over sequences:
//
//	x: N×T×D   weights: 4H×D, 4H×H, 4H, 4H, gates in the order i, f, g, o
//	i, f, o = σ(W x + U h + b)   g = tanh(W x + U h + b)
//	c' = f·c + i·g   h' = o·tanh(c')
//
// The results are all states h, N×T×H, and the last state and cell, N×H (the first time's where it goes in reverse).
// Source: Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000; torch.nn.LSTM.
func LSTM(x graph.Value, w RecurrentWeights, o RecurrentOptions) (h, last, cell graph.Value) {
	if !wantSequences("LSTM", x, w) {
		return x, x, x
	}
	g, n, units := x.Graph(), x.Dim(0), w.Hidden.Dim(1)
	gates, steps := project(x, w.Input, graph.Value{})
	bias := zerosUnless(g, sumOfValid(w.BiasInput, w.BiasHidden), w.Hidden.Dim(0))
	in := []graph.Value{gates, w.Hidden, bias, zerosUnless(g, o.H0, n, units), zerosUnless(g, o.C0, n, units)}
	out := graph.Apply(LSTMSequence{Recurrence{Reverse: o.Reverse, Steps: steps}}, withMask(in, o.Mask)...)
	return out[2], out[0], out[1]
}

// sumOfValid adds the values that there are; the zero Value where there are none.
func sumOfValid(vs ...graph.Value) graph.Value {
	var valid []graph.Value
	for _, v := range vs {
		if v.Valid() {
			valid = append(valid, v)
		}
	}
	return graph.SumOf(valid...)
}

// LSTMSequence is the op of [LSTM]. Of gates N×T×4H (the projected input), weight_hh 4H×H, bias 4H, h0, c0 N×H and maybe a mask N×T
// it makes the last h and c, N×H; all h, and the h before each time, N×T×H; and for the gradient c, T×1×N×H, and the gates
// after their activations, T×4×N×H.
type LSTMSequence struct{ Recurrence }

// Name returns "LSTM".
func (LSTMSequence) Name() string { return "LSTM" }

// Arguments returns the names of the inputs.
func (LSTMSequence) Arguments() []string {
	return []string{"gates", "weight_hh", "bias", "h0", "c0", "mask"}
}

// Infer wants gates, weights and states of one size.
func (o LSTMSequence) Infer(in []graph.Spec) ([]graph.Spec, error) {
	e, err := o.extent(in[0], in[1], 4)
	if err == nil {
		err = firstError(wantSpec("bias", in[2], 4*e.h), e.wantState("h0", in[3]), e.wantState("c0", in[4]), e.wantMask(in[5:]))
	}
	if err != nil {
		return nil, err
	}
	h := e.sequenceSpec(1)
	return []graph.Spec{e.stateSpec(), e.stateSpec(), h, h, e.storedSpec(1), e.storedSpec(4)}, nil
}

// firstError is the first that is one.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// VJP is one fused op and a product over all times; where something flows back to what is kept for the gradient (a second
// derivative), it follows the expansion.
func (o LSTMSequence) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	if !zeroConstant(dOut[3]) || !zeroConstant(dOut[4]) || !zeroConstant(dOut[5]) {
		return expandVJP(n, dOut)
	}
	weight, c0, mask := n.In[1], n.In[4], n.In[5:]
	in := []graph.Value{n.Value(5), n.Value(4), c0, weight, dOut[0], dOut[1]}
	grad := LSTMGrad{Reverse: o.Reverse, Sequence: !zeroConstant(dOut[2])}
	if grad.Sequence {
		in = append(in, dOut[2])
	}
	d := graph.Apply(grad, append(in, mask...)...) // dGates, their sum over time, dh0, dc0
	dGates := d[0]
	if o.Steps > 0 {
		dGates = Reshape(d[1], n.In[0].Shape()...)
	}
	return append([]graph.Value{dGates, weightGrad(d[0], n.Value(3)), ReduceSum(d[1], 0), d[2], d[3]}, make([]graph.Value, len(mask))...)
}

// weightGrad is Σ dGatesᵀ·before over all examples and times.
func weightGrad(dGates, before graph.Value) graph.Value {
	rows := dGates.Dim(0) * dGates.Dim(1)
	return MatMul(Reshape(dGates, rows, dGates.Dim(2)), Reshape(before, rows, before.Dim(2)), true, false)
}

// Expand is the definition in small ops, a time after the other.
func (o LSTMSequence) Expand(n *graph.Node) []graph.Value {
	gates, weight, bias, h, c, mask := n.In[0], n.In[1], n.In[2], n.In[3], n.In[4], n.In[5:]
	steps, units := n.Out[2].Shape[1], weight.Dim(1)
	hs, before, cs, acts := make([]graph.Value, steps), make([]graph.Value, steps), make([]graph.Value, steps), make([]graph.Value, 4*steps)
	for k := range steps {
		t := timeAt(k, steps, o.Reverse)
		a := gateBlocks(Add(AddBias(o.gatesAt(gates, t), bias), MatMul(h, weight, false, true)), units)
		in, forget, candidate, out := Sigmoid(a[0]), Sigmoid(a[1]), Tanh(a[2]), Sigmoid(a[3])
		copy(acts[4*t:], []graph.Value{in, forget, candidate, out})
		before[t] = h
		next := Add(Mul(forget, c), Mul(in, candidate))
		valid := choiceAt(mask, t, units)
		h = valid.of(Mul(out, Tanh(next)), h)
		c = valid.of(next, c)
		hs[t], cs[t] = h, c
	}
	return []graph.Value{h, c, overTime(hs), overTime(before), inStore(cs, 1), inStore(acts, 4)}
}

// gatesAt is the input's part at time t, N×B·H.
func (r Recurrence) gatesAt(gates graph.Value, t int) graph.Value {
	if r.Steps > 0 {
		t = 0
	}
	return atTime(gates, t)
}

// Eval is the definition.
func (o LSTMSequence) Eval(out, in []graph.Tensor) {
	e, _ := o.extent(in[0].Spec, in[1].Spec, 4)
	last, cell, mask := out[0].Data, out[1].Data, in[5:]
	copy(last, in[3].Data)
	copy(cell, in[4].Data)
	a := make([]float64, 4*e.h)
	for n := range e.n {
		h, c := last[n*e.h:(n+1)*e.h], cell[n*e.h:(n+1)*e.h]
		for k := range e.t {
			t := timeAt(k, e.t, o.Reverse)
			row := (n*e.t + t) * e.h
			copy(out[3].Data[row:], h)
			productRow(a, in[2].Data, in[1].Data, h)
			gates := o.gatesRow(in[0], n, t)
			for j := range h {
				i, f := logistic(a[j]+gates[j]), logistic(a[e.h+j]+gates[e.h+j])
				g, q := math.Tanh(a[2*e.h+j]+gates[2*e.h+j]), logistic(a[3*e.h+j]+gates[3*e.h+j])
				for b, x := range []float64{i, f, g, q} {
					out[5].Data[e.stored(4, t, b, n)+j] = x
				}
				if validAt(mask, n, t) {
					c[j] = f*c[j] + i*g
					h[j] = q * math.Tanh(c[j])
				}
			}
			copy(out[2].Data[row:], h)
			copy(out[4].Data[e.stored(1, t, 0, n):], c)
		}
	}
}

// gatesRow is the input's part of example n at time t.
func (r Recurrence) gatesRow(gates graph.Tensor, n, t int) []float64 {
	if r.Steps > 0 {
		t = 0
	}
	size := gates.Shape[2]
	from := (n*gates.Shape[1] + t) * size
	return gates.Data[from : from+size]
}

// stored is the place of example n's row in block b of time t of a T×B×N×H tensor.
func (e extent) stored(blocks, t, b, n int) int { return ((t*blocks+b)*e.n + n) * e.h }

// Examples go both ways, with equal gates at all times, with masks.
func (LSTMSequence) Examples() []graph.Example {
	return recurrentExamples(func(r Recurrence, n, t, h int, masked bool) graph.Example {
		return recurrentExample(LSTMSequence{r}, r, n, t, h, 4, 4, 2, masked)
	})
}
