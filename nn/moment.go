package nn

import (
	"fmt"

	"aetrain/graph"
	"aetrain/op"
)

// Moment is one time of sequences that are built up time after time, each known only when those before it are: a program that is run
// once a time. What layers have to know of earlier times lies in Scratch states from run to run.
type Moment struct {
	At     graph.Value // int32: which time it is, from 0 on
	Length int         // times of the whole sequence
}

// Stepper is implemented by layers of sequences whose result at a time depends on that time and on what they keep of those before.
type Stepper interface {
	Layer
	// CanStep reports whether the layer, as it is configured, can go on from one time to the next.
	CanStep() bool
	// Step builds one time: x is N×1×D, and so is the result.
	Step(s *Scope, x graph.Value, m Moment) graph.Value
}

// CanStep reports whether layers can be built time after time.
func (st *Stack) CanStep() bool {
	for _, p := range st.Layers {
		switch l := p.Layer.(type) {
		case *Dense, *Dropout, *Activation, *LayerNorm:
		case Stepper:
			if !l.CanStep() {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// Step builds one time of the layers, x being N×1×D, in the scopes and with the weights of [Stack.Build].
func (st *Stack) Step(s *Scope, x graph.Value, m Moment) graph.Value {
	for _, p := range st.Layers {
		x = s.Within(p.Path, func(s *Scope) graph.Value {
			if l, ok := p.Layer.(Stepper); ok {
				return l.Step(s, x, m)
			}
			return p.Build(s, x)
		})
	}
	return x
}

// Carry is a Scratch state of the scope, which holds what Assign has left at the time before; N is its first axis.
func (m Moment) Carry(s *Scope, name string, dims ...int) graph.Value {
	return s.Graph().State(graph.Scratch, fmt.Sprintf("step.%d.%s", dims[0], graph.Join(s.Path(), name)), graph.F32(dims...), nil)
}

// Before is a Carry that is first at the first time, whatever an earlier sequence has left, and the state to assign to.
func (m Moment) Before(s *Scope, name string, first graph.Value, dims ...int) (state, value graph.Value) {
	state = m.Carry(s, name, dims...)
	return state, op.Select(m.time(dims), state, first)
}

// time is which time it is as a number, in a shape that broadcasts to dims.
func (m Moment) time(dims []int) graph.Value {
	ones := make([]int, len(dims))
	for i := range ones {
		ones[i] = 1
	}
	return op.Reshape(op.Cast(m.At, graph.Float32), ones...)
}

// Here is 1 at this time and 0 at all others: Length.
func (m Moment) Here() graph.Value {
	return op.Reshape(op.OneHot(op.Reshape(m.At, 1), m.Length), m.Length)
}

// Reached is 1 at this time and those before it: Length.
func (m Moment) Reached() graph.Value {
	times := make([]float64, m.Length)
	for i := range times {
		times[i] = float64(i)
	}
	return op.LessEqual(m.At.Graph().Constant(graph.F32(m.Length), times...), m.time([]int{m.Length}))
}

// Of is this time's part of x, N×Length×D: N×1×D.
func (m Moment) Of(x graph.Value) graph.Value {
	y := op.ReduceSum(op.Mul(x, op.Reshape(m.Here(), 1, m.Length, 1)), 1)
	return op.Reshape(y, x.Dim(0), 1, x.Dim(2))
}

// Later is v, but first at the first time.
func (m Moment) Later(v, first graph.Value) graph.Value {
	return op.Select(m.time(v.Shape()), v, first)
}

// With is state, N×Length, with this time's column replaced by v, N×1.
func (m Moment) With(state, v graph.Value) graph.Value {
	return op.Select(op.Reshape(m.Here(), 1, m.Length), v, state)
}
