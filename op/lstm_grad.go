package op

import (
	"fmt"
	"math"

	"aetrain/graph"
)

func init() { add(LSTMGrad{}) }

// LSTMGrad is the gradient of the states in [LSTMSequence], backwards through time. Of the activated gates T×4×N×H, c T×1×N×H, c0 N×H,
// weight_hh 4H×H, the gradients of the last h and c, N×H, of all h, N×T×H (where Sequence), and the mask N×T (where there is one)
// it makes the gradient of the gates before their activations, N×T×4H, its sum over time, N×4H, and those of h0 and c0.
// Its own gradient comes from its expansion.
type LSTMGrad struct {
	Reverse  bool // as the op's
	Sequence bool // there is a gradient of all h
}

// Name returns "LSTMGrad".
func (LSTMGrad) Name() string { return "LSTMGrad" }

// Arguments returns the names of the inputs.
func (o LSTMGrad) Arguments() []string {
	return optionalArguments([]string{"acts", "c", "c0", "weight_hh", "dlast", "dcell"}, o.Sequence)
}

// optionalArguments appends the names of the inputs that may be left out.
func optionalArguments(names []string, sequence bool) []string {
	if sequence {
		names = append(names, "dh")
	}
	return append(names, "mask")
}

// storedExtent reads the sizes from what the forward op has kept, T×B×N×H, and wants a weight of this many gates for it.
func storedExtent(acts, weight graph.Spec, blocks, gates int) (extent, error) {
	if s := acts.Shape; acts.DType != graph.Float32 || len(s) != 4 || s[1] != blocks {
		return extent{}, fmt.Errorf("what was kept is %v, want T×%d×N×H", acts, blocks)
	}
	e := extent{acts.Shape[2], acts.Shape[0], acts.Shape[3]}
	return e, firstError(e.check(), wantSpec("weight_hh", weight, gates*e.h, e.h))
}

// cutOptional separates the gradient of all states and the mask from the inputs behind the fixed ones.
func cutOptional[T any](in []T, sequence bool) (dH, mask []T) {
	if !sequence || len(in) == 0 {
		return nil, in
	}
	return in[:1], in[1:]
}

// wantRest checks the gradient of all states and the mask.
func (e extent) wantRest(in []graph.Spec, sequence bool) error {
	dH, mask := cutOptional(in, sequence)
	if sequence && len(dH) == 0 {
		return fmt.Errorf("the gradient of all states, %v, is missing", e.sequenceSpec(1))
	}
	return firstError(e.wantSequence(dH), e.wantMask(mask))
}

// Infer wants what [LSTMSequence] took and gave.
func (o LSTMGrad) Infer(in []graph.Spec) ([]graph.Spec, error) {
	e, err := storedExtent(in[0], in[3], 4, 4)
	if err == nil {
		err = firstError(wantSpec("c", in[1], e.t, 1, e.n, e.h), e.wantState("c0", in[2]), e.wantState("dlast", in[4]),
			e.wantState("dcell", in[5]), e.wantRest(in[6:], o.Sequence))
	}
	if err != nil {
		return nil, err
	}
	return []graph.Spec{e.sequenceSpec(4), graph.F32(e.n, 4*e.h), e.stateSpec(), e.stateSpec()}, nil
}

// VJP follows the expansion.
func (LSTMGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value { return expandVJP(n, dOut) }

// Expand is the definition in small ops. With dh and dc what comes from later times:
//
//	dc += dh·o·(1 - tanh²c),  dout = dh·tanh c,  dforget = dc·c₋₁,  din = dc·g,  dg = dc·i
//	dh₋₁ = U ᵀ·(those before their activations),  dc₋₁ = dc·f
func (o LSTMGrad) Expand(n *graph.Node) []graph.Value {
	acts, c, c0, weight, dh, dc := n.In[0], n.In[1], n.In[2], n.In[3], n.In[4], n.In[5]
	dH, mask := cutOptional(n.In[6:], o.Sequence)
	steps, units := acts.Dim(0), acts.Dim(3)
	ds := make([]graph.Value, steps)
	for k := steps - 1; k >= 0; k-- {
		t, previous := timeAt(k, steps, o.Reverse), c0
		if k > 0 {
			previous = storedAt(c, timeAt(k-1, steps, o.Reverse), 0)
		}
		if o.Sequence {
			dh = Add(dh, atTime(dH[0], t))
		}
		in, forget, candidate, out := storedAt(acts, t, 0), storedAt(acts, t, 1), storedAt(acts, t, 2), storedAt(acts, t, 3)
		squashed, zero := Tanh(storedAt(c, t, 0)), filled(c0, 0)
		valid := choiceAt(mask, t, units)
		dhNow, dcNow := valid.of(dh, zero), valid.of(dc, zero)
		dcNow = Add(dcNow, throughTanh(squashed, Mul(dhNow, out)))
		ds[t] = Concat(1,
			throughSigmoid(in, Mul(dcNow, candidate)), throughSigmoid(forget, Mul(dcNow, previous)),
			throughTanh(candidate, Mul(dcNow, in)), throughSigmoid(out, Mul(dhNow, squashed)))
		dh = valid.of(MatMul(ds[t], weight, false, false), dh)
		dc = valid.of(Mul(dcNow, forget), dc)
	}
	all := overTime(ds)
	return []graph.Value{all, ReduceSum(all, 1), dh, dc}
}

// Eval is the definition.
func (o LSTMGrad) Eval(out, in []graph.Tensor) {
	e, _ := storedExtent(in[0].Spec, in[3].Spec, 4, 4)
	dH, mask := cutOptional(in[6:], o.Sequence)
	copy(out[2].Data, in[4].Data)
	copy(out[3].Data, in[5].Data)
	for n := range e.n {
		dh, dc := out[2].Data[n*e.h:(n+1)*e.h], out[3].Data[n*e.h:(n+1)*e.h]
		for k := e.t - 1; k >= 0; k-- {
			t, previous := timeAt(k, e.t, o.Reverse), in[2].Data[n*e.h:]
			if k > 0 {
				previous = in[1].Data[e.stored(1, timeAt(k-1, e.t, o.Reverse), 0, n):]
			}
			if o.Sequence {
				addTo(dh, dH[0].Data[(n*e.t+t)*e.h:])
			}
			if !validAt(mask, n, t) {
				continue
			}
			d := out[0].Data[(n*e.t+t)*4*e.h:][:4*e.h]
			c := in[1].Data[e.stored(1, t, 0, n):]
			for j := range dh {
				act := func(b int) float64 { return in[0].Data[e.stored(4, t, b, n)+j] }
				i, f, g, q, squashed := act(0), act(1), act(2), act(3), math.Tanh(c[j])
				dcNow := dc[j] + dh[j]*q*(1-squashed*squashed)
				d[j] = dcNow * g * i * (1 - i)
				d[e.h+j] = dcNow * previous[j] * f * (1 - f)
				d[2*e.h+j] = dcNow * i * (1 - g*g)
				d[3*e.h+j] = dh[j] * squashed * q * (1 - q)
				dc[j] = dcNow * f
			}
			addTo(out[1].Data[n*4*e.h:], d)
			clear(dh)
			addTransposed(dh, in[3].Data, d)
		}
	}
}

// addTo adds the shorter of both, element by element.
func addTo(dst, x []float64) {
	for i := range min(len(dst), len(x)) {
		dst[i] += x[i]
	}
}

// Examples draw all inputs independently.
func (LSTMGrad) Examples() []graph.Example {
	return recurrentGradExamples(func(reverse, sequence bool, n, t, h int, masked bool) graph.Example {
		e := graph.Example{Op: LSTMGrad{reverse, sequence}, Args: []graph.Arg{
			f32(t, 4, n, h), f32(t, 1, n, h), f32(n, h), recurrentWeight(4, h), f32(n, h), f32(n, h),
		}}
		return withOptional(e, n, t, h, sequence, masked)
	})
}
