package op

import (
	"fmt"
	"math"

	"aetrain/graph"
)

func init() {
	add(RNNSequence{})
	add(RNNGrad{})
}

// RNN runs a plain recurrent network over sequences:
//
//	x: N×T×D   weights: H×D, H×H, H, H   h' = tanh(W x + U h + b)
//
// The results are all states h, N×T×H, and the last one, N×H (the first time's where it goes in reverse).
// Source: Elman 1990, "Finding Structure in Time"; torch.nn.RNN.
func RNN(x graph.Value, w RecurrentWeights, o RecurrentOptions) (h, last graph.Value) {
	if !wantSequences("RNN", x, w) {
		return x, x
	}
	g, n, units := x.Graph(), x.Dim(0), w.Hidden.Dim(1)
	gates, steps := project(x, w.Input, graph.Value{})
	bias := zerosUnless(g, sumOfValid(w.BiasInput, w.BiasHidden), w.Hidden.Dim(0))
	in := []graph.Value{gates, w.Hidden, bias, zerosUnless(g, o.H0, n, units)}
	out := graph.Apply(RNNSequence{Recurrence{Reverse: o.Reverse, Steps: steps}}, withMask(in, o.Mask)...)
	return out[1], out[0]
}

// RNNSequence is the op of [RNN]. Of gates N×T×H (the projected input), weight_hh H×H, bias H, h0 N×H and maybe a mask N×T it makes
// the last h, N×H; all h, and the h before each time, N×T×H.
type RNNSequence struct{ Recurrence }

// Name returns "RNN".
func (RNNSequence) Name() string { return "RNN" }

// Arguments returns the names of the inputs.
func (RNNSequence) Arguments() []string { return []string{"gates", "weight_hh", "bias", "h0", "mask"} }

// Infer wants gates, weights and states of one size.
func (o RNNSequence) Infer(in []graph.Spec) ([]graph.Spec, error) {
	e, err := o.extent(in[0], in[1], 1)
	if err == nil {
		err = firstError(wantSpec("bias", in[2], e.h), e.wantState("h0", in[3]), e.wantMask(in[4:]))
	}
	if err != nil {
		return nil, err
	}
	return []graph.Spec{e.stateSpec(), e.sequenceSpec(1), e.sequenceSpec(1)}, nil
}

// VJP is one fused op and a product over all times; where something flows back to the states before each time (a second
// derivative), it follows the expansion.
func (o RNNSequence) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	if !zeroConstant(dOut[2]) {
		return expandVJP(n, dOut)
	}
	mask := n.In[4:]
	in := []graph.Value{n.Value(1), n.In[1], dOut[0]}
	grad := RNNGrad{Reverse: o.Reverse, Sequence: !zeroConstant(dOut[1])}
	if grad.Sequence {
		in = append(in, dOut[1])
	}
	d := graph.Apply(grad, append(in, mask...)...) // dGates, their sum over time, dh0
	dGates := d[0]
	if o.Steps > 0 {
		dGates = Reshape(d[1], n.In[0].Shape()...)
	}
	return append([]graph.Value{dGates, weightGrad(d[0], n.Value(2)), ReduceSum(d[1], 0), d[2]}, make([]graph.Value, len(mask))...)
}

// Expand is the definition in small ops, a time after the other.
func (o RNNSequence) Expand(n *graph.Node) []graph.Value {
	gates, weight, bias, h, mask := n.In[0], n.In[1], n.In[2], n.In[3], n.In[4:]
	steps, units := n.Out[1].Shape[1], weight.Dim(1)
	hs, before := make([]graph.Value, steps), make([]graph.Value, steps)
	for k := range steps {
		t := timeAt(k, steps, o.Reverse)
		next := Tanh(Add(AddBias(o.gatesAt(gates, t), bias), MatMul(h, weight, false, true)))
		before[t] = h
		h = choiceAt(mask, t, units).of(next, h)
		hs[t] = h
	}
	return []graph.Value{h, overTime(hs), overTime(before)}
}

// Eval is the definition.
func (o RNNSequence) Eval(out, in []graph.Tensor) {
	e, _ := o.extent(in[0].Spec, in[1].Spec, 1)
	copy(out[0].Data, in[3].Data)
	a := make([]float64, e.h)
	for n := range e.n {
		h := out[0].Data[n*e.h : (n+1)*e.h]
		for k := range e.t {
			t := timeAt(k, e.t, o.Reverse)
			row := (n*e.t + t) * e.h
			copy(out[2].Data[row:], h)
			productRow(a, in[2].Data, in[1].Data, h)
			if validAt(in[4:], n, t) {
				for j, x := range o.gatesRow(in[0], n, t) {
					h[j] = math.Tanh(a[j] + x)
				}
			}
			copy(out[1].Data[row:], h)
		}
	}
}

// Examples go both ways, with equal gates at all times, with masks.
func (RNNSequence) Examples() []graph.Example {
	return recurrentExamples(func(r Recurrence, n, t, h int, masked bool) graph.Example {
		return recurrentExample(RNNSequence{r}, r, n, t, h, 1, 1, 1, masked)
	})
}

// RNNGrad is the gradient of the states in [RNNSequence], backwards through time. Of all h, N×T×H, weight_hh H×H, the gradients of the
// last h, N×H, of all h, N×T×H (where Sequence), and the mask N×T (where there is one) it makes the gradient of the gates before
// their activation, N×T×H, its sum over time, N×H, and that of h0. Its own gradient comes from its expansion.
type RNNGrad struct {
	Reverse  bool // as the op's
	Sequence bool // there is a gradient of all h
}

// Name returns "RNNGrad".
func (RNNGrad) Name() string { return "RNNGrad" }

// Arguments returns the names of the inputs.
func (o RNNGrad) Arguments() []string {
	return optionalArguments([]string{"h", "weight_hh", "dlast"}, o.Sequence)
}

// extent reads the sizes from all states.
func (RNNGrad) extent(h graph.Spec) (extent, error) {
	if h.DType != graph.Float32 || len(h.Shape) != 3 {
		return extent{}, fmt.Errorf("h is %v, want N×T×H", h)
	}
	e := extent{h.Shape[0], h.Shape[1], h.Shape[2]}
	return e, e.check()
}

// Infer wants what [RNNSequence] took and gave.
func (o RNNGrad) Infer(in []graph.Spec) ([]graph.Spec, error) {
	e, err := o.extent(in[0])
	if err == nil {
		err = firstError(wantSpec("weight_hh", in[1], e.h, e.h), e.wantState("dlast", in[2]), e.wantRest(in[3:], o.Sequence))
	}
	if err != nil {
		return nil, err
	}
	return []graph.Spec{e.sequenceSpec(1), e.stateSpec(), e.stateSpec()}, nil
}

// VJP follows the expansion.
func (RNNGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value { return expandVJP(n, dOut) }

// Expand is the definition in small ops: da = dh·(1 - h²), dh₋₁ = Uᵀ da.
func (o RNNGrad) Expand(n *graph.Node) []graph.Value {
	h, weight, dh := n.In[0], n.In[1], n.In[2]
	dH, mask := cutOptional(n.In[3:], o.Sequence)
	steps, units := h.Dim(1), h.Dim(2)
	ds := make([]graph.Value, steps)
	for k := steps - 1; k >= 0; k-- {
		t := timeAt(k, steps, o.Reverse)
		if o.Sequence {
			dh = Add(dh, atTime(dH[0], t))
		}
		valid := choiceAt(mask, t, units)
		ds[t] = throughTanh(atTime(h, t), valid.of(dh, filled(dh, 0)))
		dh = valid.of(MatMul(ds[t], weight, false, false), dh)
	}
	all := overTime(ds)
	return []graph.Value{all, ReduceSum(all, 1), dh}
}

// Eval is the definition.
func (o RNNGrad) Eval(out, in []graph.Tensor) {
	e, _ := o.extent(in[0].Spec)
	dH, mask := cutOptional(in[3:], o.Sequence)
	copy(out[2].Data, in[2].Data)
	for n := range e.n {
		dh := out[2].Data[n*e.h : (n+1)*e.h]
		for k := e.t - 1; k >= 0; k-- {
			t := timeAt(k, e.t, o.Reverse)
			row := (n*e.t + t) * e.h
			if o.Sequence {
				addTo(dh, dH[0].Data[row:])
			}
			if !validAt(mask, n, t) {
				continue
			}
			d := out[0].Data[row:][:e.h]
			for j, h := range in[0].Data[row:][:e.h] {
				d[j] = dh[j] * (1 - h*h)
			}
			addTo(out[1].Data[n*e.h:], d)
			clear(dh)
			addTransposed(dh, in[1].Data, d)
		}
	}
}

// Examples draw all inputs independently.
func (RNNGrad) Examples() []graph.Example {
	return recurrentGradExamples(func(reverse, sequence bool, n, t, h int, masked bool) graph.Example {
		e := graph.Example{Op: RNNGrad{reverse, sequence}, Args: []graph.Arg{f32(n, t, h), recurrentWeight(1, h), f32(n, h)}}
		return withOptional(e, n, t, h, sequence, masked)
	})
}
