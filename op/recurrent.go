package op

import (
	"errors"
	"fmt"

	"aetrain/graph"
)

// Recurrent networks over whole sequences, N×T×D. What the input contributes to all times is one product outside of the
// recurrence; the ops ([LSTMSequence], [GRUSequence], [RNNSequence]) take over from there: they walk through time, each example on
// its own. Besides the states they give what their gradients need, in the layout that is walked fastest (time first), and the
// state before each time, so that the gradient of the recurrent weight is one product over all N·T rows.

// RecurrentWeights are the weights of one layer and direction in PyTorch's layouts, for B gates (LSTM 4: i, f, g, o; GRU 3: r, z, n;
// RNN 1) and H units.
type RecurrentWeights struct {
	Input  graph.Value // weight_ih, B·H×D
	Hidden graph.Value // weight_hh, B·H×H
	// BiasInput and BiasHidden are bias_ih and bias_hh, B·H; the zero Value is none.
	BiasInput, BiasHidden graph.Value
}

// RecurrentOptions say where a recurrence begins and where it goes; the zero value begins with zeros and goes forward.
type RecurrentOptions struct {
	H0, C0  graph.Value // N×H: the first state (C0: of an LSTM's cell); the zero Value is zeros
	Mask    graph.Value // N×T, 1 where valid: elsewhere the state stays as it is. The zero Value is 1 everywhere
	Reverse bool        // from the last time to the first
}

// Recurrence holds the attributes of the recurrent ops.
type Recurrence struct {
	Reverse bool // from the last time to the first
	Steps   int  // the number of times T where all have the same gates, which are then N×1×...; 0: gates are N×T×...
}

// timeAt is the k-th time of T on the way.
func timeAt(k, steps int, reverse bool) int {
	if reverse {
		return steps - 1 - k
	}
	return k
}

// extent are the sizes of a recurrence: examples, times, units.
type extent struct{ n, t, h int }

// extent reads the sizes from the projected input and the recurrent weight, of this many gates.
func (r Recurrence) extent(gates, weight graph.Spec, blocks int) (extent, error) {
	if gates.DType != graph.Float32 || weight.DType != graph.Float32 || len(gates.Shape) != 3 || len(weight.Shape) != 2 {
		return extent{}, fmt.Errorf("gates are %v and weight_hh %v; want N×T×%dH and %dH×H", gates, weight, blocks, blocks)
	}
	e := extent{gates.Shape[0], gates.Shape[1], weight.Shape[1]}
	switch {
	case gates.Shape[2]%blocks != 0 || gates.Shape[2] != weight.Shape[0] || weight.Shape[0]/blocks != e.h:
		return e, fmt.Errorf("gates are %v and weight_hh %v; want N×T×%dH and %dH×H", gates, weight, blocks, blocks)
	case r.Steps < 0 || r.Steps > 0 && e.t != 1:
		return e, fmt.Errorf("gates for %d equal times are N×1×%dH, these are %v", r.Steps, blocks, gates)
	}
	if r.Steps > 0 {
		e.t = r.Steps
	}
	return e, e.check()
}

// check wants sizes that a sequence can have.
func (e extent) check() error {
	if e.n < 1 || e.t < 1 || e.h < 1 {
		return errors.New("a recurrence wants at least one example, one time and one unit")
	}
	_, err := sized(graph.Float32, e.t, 4, e.n, e.h)
	return err
}

// wantSpec checks one input.
func wantSpec(name string, s graph.Spec, dims ...int) error {
	if want := graph.F32(dims...); !s.Equal(want) {
		return fmt.Errorf("%s is %v, want %v", name, s, want)
	}
	return nil
}

// stateSpec, sequenceSpec, storedSpec are N×H, N×T×B·H and T×B×N×H.
func (e extent) stateSpec() graph.Spec                  { return graph.F32(e.n, e.h) }
func (e extent) sequenceSpec(blocks int) graph.Spec     { return graph.F32(e.n, e.t, blocks*e.h) }
func (e extent) storedSpec(blocks int) graph.Spec       { return graph.F32(e.t, blocks, e.n, e.h) }
func (e extent) wantMask(mask []graph.Spec) error       { return e.wantOptional(mask, "mask", e.n, e.t) }
func (e extent) wantSequence(dH []graph.Spec) error     { return e.wantOptional(dH, "dh", e.n, e.t, e.h) }
func (e extent) wantState(n string, s graph.Spec) error { return wantSpec(n, s, e.n, e.h) }

// wantOptional checks an input that may be left out.
func (e extent) wantOptional(in []graph.Spec, name string, dims ...int) error {
	switch len(in) {
	case 0:
		return nil
	case 1:
		return wantSpec(name, in[0], dims...)
	}
	return fmt.Errorf("%d inputs too many", len(in)-1)
}

// project is the input's part of the gates at all times, x·weightᵀ + bias, N×T×B·H, and 0; or N×1×B·H and the number of times
// where x repeats one vector (a decoder's code): that is multiplied once.
func project(x, weight, bias graph.Value) (gates graph.Value, steps int) {
	if b, ok := x.Node.Op.(Broadcast); ok && x.Rank() == 3 {
		if from := x.Node.In[0]; from.Shape().Equal(graph.Shape{b.Dims[0], 1, b.Dims[2]}) {
			x, steps = from, b.Dims[1]
		}
	}
	n, t := x.Dim(0), x.Dim(1)
	gates = MatMul(Reshape(x, n*t, x.Dim(2)), weight, false, true)
	if bias.Valid() {
		gates = AddBias(gates, bias)
	}
	return Reshape(gates, n, t, weight.Dim(0)), steps
}

// wantSequences keeps an error in the graph, and reports false, where x is no batch of sequences or the weight no matrix for it.
func wantSequences(kind string, x graph.Value, w RecurrentWeights) bool {
	if g := x.Graph(); g == nil || g.Err() != nil {
		return false
	}
	if x.Rank() != 3 || w.Input.Rank() != 2 || w.Hidden.Rank() != 2 || x.Dim(2) != w.Input.Dim(1) {
		x.Graph().Fail(fmt.Errorf("%s: x is %v, weight_ih %v and weight_hh %v; want N×T×D, gates×D and gates×H",
			kind, x.Spec(), w.Input.Spec(), w.Hidden.Spec()))
		return false
	}
	return true
}

// zerosUnless returns v, or zeros of these axes where there is none.
func zerosUnless(g *graph.Graph, v graph.Value, dims ...int) graph.Value {
	if v.Valid() {
		return v
	}
	return g.Constant(graph.F32(dims...), 0)
}

// withMask appends the mask where there is one.
func withMask(in []graph.Value, mask graph.Value) []graph.Value {
	if mask.Valid() {
		in = append(in, mask)
	}
	return in
}

// atTime is time t of an N×T×D value, N×D.
func atTime(x graph.Value, t int) graph.Value {
	return Reshape(Slice(x, 1, t, t+1), x.Dim(0), x.Dim(2))
}

// storedAt is block b of time t of a T×B×N×H value, N×H.
func storedAt(x graph.Value, t, b int) graph.Value {
	return Reshape(Slice(Slice(x, 0, t, t+1), 1, b, b+1), x.Dim(2), x.Dim(3))
}

// gateBlocks cuts an N×B·H value into B of N×H.
func gateBlocks(x graph.Value, h int) []graph.Value {
	var parts []graph.Value
	for from := 0; from+h <= x.Dim(1); from += h {
		parts = append(parts, Slice(x, 1, from, from+h))
	}
	return parts
}

// overTime joins T values of N×D to N×T×D.
func overTime(xs []graph.Value) graph.Value {
	rows := make([]graph.Value, len(xs))
	for t, x := range xs {
		rows[t] = Reshape(x, x.Dim(0), 1, x.Dim(1))
	}
	return Concat(1, rows...)
}

// inStore joins T·B values of N×H, those of one time together, to T×B×N×H.
func inStore(xs []graph.Value, blocks int) graph.Value {
	n, h := xs[0].Dim(0), xs[0].Dim(1)
	return Reshape(Concat(0, xs...), len(xs)/blocks, blocks, n, h)
}

// choice selects by the mask at one time; without a mask the first.
type choice struct{ cond graph.Value }

// choiceAt is the choice of time t for N×H values.
func choiceAt(mask []graph.Value, t, h int) choice {
	if len(mask) == 0 {
		return choice{}
	}
	return choice{BroadcastTo(Slice(mask[0], 1, t, t+1), mask[0].Dim(0), h)}
}

func (c choice) of(valid, masked graph.Value) graph.Value {
	if !c.cond.Valid() {
		return valid
	}
	return Select(c.cond, valid, masked)
}

// throughSigmoid and throughTanh lead a gradient back through an activation with the result y.
func throughSigmoid(y, dy graph.Value) graph.Value { return apply(sigmoidGrad{}, y, dy) }
func throughTanh(y, dy graph.Value) graph.Value    { return apply(tanhGrad{}, y, dy) }

// productRow writes bias + w·h, one number for each row of w.
func productRow(dst, bias, w, h []float64) {
	for j := range dst {
		s := bias[j]
		for k, x := range h {
			s += w[j*len(h)+k] * x
		}
		dst[j] = s
	}
}

// addTransposed adds wᵀ·d to dst, for w of len(d)×len(dst).
func addTransposed(dst, w, d []float64) {
	for j, x := range d {
		for k := range dst {
			dst[k] += w[j*len(dst)+k] * x
		}
	}
}

// validAt reports whether example n counts at time t.
func validAt(mask []graph.Tensor, n, t int) bool {
	return len(mask) == 0 || mask[0].Data[n*mask[0].Shape[1]+t] != 0
}
