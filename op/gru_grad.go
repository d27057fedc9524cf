package op

import "aetrain/graph"

func init() { add(GRUGrad{}) }

// GRUGrad is the gradient of the states in [GRUSequence], backwards through time. Of r, z, n and U h + b of n, T×4×N×H, the h before each
// time, N×T×H, weight_hh 3H×H, the gradients of the last h, N×H, of all h, N×T×H (where Sequence), and the mask N×T (where there is
// one) it makes the gradients of the input's part of the gates and of the state's part, N×T×3H each (they differ in n), the sum
// over time of the bias's, N×4H, and that of h0. Its own gradient comes from its expansion.
type GRUGrad struct {
	Reverse  bool // as the op's
	Sequence bool // there is a gradient of all h
}

// Name returns "GRUGrad".
func (GRUGrad) Name() string { return "GRUGrad" }

// Arguments returns the names of the inputs.
func (o GRUGrad) Arguments() []string {
	return optionalArguments([]string{"acts", "before", "weight_hh", "dlast"}, o.Sequence)
}

// Infer wants what [GRUSequence] took and gave.
func (o GRUGrad) Infer(in []graph.Spec) ([]graph.Spec, error) {
	e, err := storedExtent(in[0], in[2], 4, 3)
	if err == nil {
		err = firstError(wantSpec("before", in[1], e.n, e.t, e.h), e.wantState("dlast", in[3]), e.wantRest(in[4:], o.Sequence))
	}
	if err != nil {
		return nil, err
	}
	return []graph.Spec{e.sequenceSpec(3), e.sequenceSpec(3), graph.F32(e.n, 4*e.h), e.stateSpec()}, nil
}

// VJP follows the expansion.
func (GRUGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value { return expandVJP(n, dOut) }

// Expand is the definition in small ops. With dh what comes from later times:
//
//	dn = dh·(1-z),  dz = dh·(h₋₁ - n),  dr = (dn before its activation)·(U h + b)
//	dh₋₁ = dh·z + Uᵀ·(dr, dz, dn·r before their activations)
func (o GRUGrad) Expand(n *graph.Node) []graph.Value {
	acts, before, weight, dh := n.In[0], n.In[1], n.In[2], n.In[3]
	dH, mask := cutOptional(n.In[4:], o.Sequence)
	steps, units := acts.Dim(0), acts.Dim(3)
	inputs, hiddens, biases := make([]graph.Value, steps), make([]graph.Value, steps), make([]graph.Value, steps)
	for k := steps - 1; k >= 0; k-- {
		t := timeAt(k, steps, o.Reverse)
		if o.Sequence {
			dh = Add(dh, atTime(dH[0], t))
		}
		r, z, candidate, inner := storedAt(acts, t, 0), storedAt(acts, t, 1), storedAt(acts, t, 2), storedAt(acts, t, 3)
		valid := choiceAt(mask, t, units)
		now := valid.of(dh, filled(dh, 0))
		dn := throughTanh(candidate, Mul(now, AddConst(Neg(z), 1)))
		dr := throughSigmoid(r, Mul(dn, inner))
		dz := throughSigmoid(z, Mul(now, Sub(atTime(before, t), candidate)))
		inputs[t], hiddens[t] = Concat(1, dr, dz, dn), Concat(1, dr, dz, Mul(dn, r))
		biases[t] = Concat(1, inputs[t], Mul(dn, r))
		dh = valid.of(Add(Mul(now, z), MatMul(hiddens[t], weight, false, false)), dh)
	}
	return []graph.Value{overTime(inputs), overTime(hiddens), graph.SumOf(biases...), dh}
}

// Eval is the definition.
func (o GRUGrad) Eval(out, in []graph.Tensor) {
	e, _ := storedExtent(in[0].Spec, in[2].Spec, 4, 3)
	dH, mask := cutOptional(in[4:], o.Sequence)
	copy(out[3].Data, in[3].Data)
	for n := range e.n {
		dh, sum := out[3].Data[n*e.h:(n+1)*e.h], out[2].Data[n*4*e.h:]
		for k := e.t - 1; k >= 0; k-- {
			t := timeAt(k, e.t, o.Reverse)
			if o.Sequence {
				addTo(dh, dH[0].Data[(n*e.t+t)*e.h:])
			}
			if !validAt(mask, n, t) {
				continue
			}
			row, h := (n*e.t+t)*3*e.h, in[1].Data[(n*e.t+t)*e.h:]
			input, hidden := out[0].Data[row:][:3*e.h], out[1].Data[row:][:3*e.h]
			for j := range dh {
				act := func(b int) float64 { return in[0].Data[e.stored(4, t, b, n)+j] }
				r, z, candidate, inner := act(0), act(1), act(2), act(3)
				dn := dh[j] * (1 - z) * (1 - candidate*candidate)
				dr, dz := dn*inner*r*(1-r), dh[j]*(h[j]-candidate)*z*(1-z)
				input[j], input[e.h+j], input[2*e.h+j] = dr, dz, dn
				hidden[j], hidden[e.h+j], hidden[2*e.h+j] = dr, dz, dn*r
				dh[j] *= z
			}
			addTo(sum[:3*e.h], input)
			addTo(sum[3*e.h:4*e.h], hidden[2*e.h:])
			addTransposed(dh, in[2].Data, hidden)
		}
	}
}

// Examples draw all inputs independently.
func (GRUGrad) Examples() []graph.Example {
	return recurrentGradExamples(func(reverse, sequence bool, n, t, h int, masked bool) graph.Example {
		e := graph.Example{Op: GRUGrad{reverse, sequence}, Args: []graph.Arg{f32(t, 4, n, h), f32(n, t, h), recurrentWeight(3, h), f32(n, h)}}
		return withOptional(e, n, t, h, sequence, masked)
	})
}
