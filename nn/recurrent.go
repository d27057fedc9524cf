package nn

import (
	"errors"
	"fmt"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

// Recurrent holds the keys of the recurrent layers, which walk over sequences T×D. With G gates (rnn 1, gru 3, lstm 4), in PyTorch's
// layouts, all uniform within 1/sqrt(Units) at the start, as PyTorch has it:
//
//	weight_ih: G·Units×D   weight_hh: G·Units×Units   bias_ih, bias_hh: G·Units
//	weight_ih_reverse, ...: the same for the way back, where Bidirectional
//
// In the encoder, times that the data's field mask hides leave the state as it is.
type Recurrent struct {
	Common
	Units           configs.Ints `toml:"units" min:"1" doc:"size of the state; a list is one such layer each, all but the last one with sequences" example:"[128, 64]"`
	ReturnSequences bool         `toml:"return_sequences" doc:"the state at all times, a sequence; false: the last one, a vector"`
	Bidirectional   bool         `toml:"bidirectional" doc:"a second one walks back; both states side by side"`
}

// recurrent is implemented by recurrent layers.
type recurrent interface {
	Layer
	keys() *Recurrent
}

func (r *Recurrent) keys() *Recurrent { return r }

// newRecurrent holds the defaults; 0 units leaves them out.
func newRecurrent(units int) Recurrent {
	return Recurrent{Units: oneSize(units), ReturnSequences: true}
}

// spreadRecurrent copies l once for each of its units; all but the last return sequences.
func spreadRecurrent[L interface {
	recurrent
	rename(string)
}](l L) []Layer {
	ls := spread(l, l.keys().Units, func(c L, n int) { c.keys().Units = configs.Ints{n} })
	for _, one := range ls[:len(ls)-1] {
		one.(recurrent).keys().ReturnSequences = true
	}
	return ls
}

// size is the number of units, 0 where it was left out.
func (r *Recurrent) size() int { return sizeOf(r.Units) }

// Width is the number of units.
func (r *Recurrent) Width() int { return r.size() }

// Output is a sequence of states, or the last one.
func (r *Recurrent) Output(in graph.Shape) (graph.Shape, error) {
	switch {
	case len(in) == 1:
		return nil, errors.New("it works on sequences, its input is a vector: add { layer = \"repeat\" } before it")
	case len(in) != 2:
		return nil, fmt.Errorf("it works on sequences, its input is %v: add { layer = \"reshape\", shape = [%d, %d] } before it",
			in, in[0], in[1:].Size())
	case len(r.Units) != 1:
		return nil, errors.New("units is missing")
	}
	out := graph.Shape{r.size()}
	if r.Bidirectional {
		out[0] *= 2
	}
	if r.ReturnSequences {
		out = graph.Shape{in[0], out[0]}
	}
	return checkImage(out)
}

// cell runs one direction and returns all states and the last one.
type cell func(x graph.Value, w op.RecurrentWeights, o op.RecurrentOptions) (h, last graph.Value)

// build runs one or both directions.
func (r *Recurrent) build(s *Scope, x graph.Value, gates int, run cell) graph.Value {
	h, last := run(x, r.weights(s, x.Dim(2), gates, ""), op.RecurrentOptions{Mask: s.Mask(x)})
	if r.Bidirectional {
		back, first := run(x, r.weights(s, x.Dim(2), gates, "_reverse"), op.RecurrentOptions{Mask: s.Mask(x), Reverse: true})
		h, last = op.Concat(2, h, back), op.Concat(1, last, first)
	}
	if r.ReturnSequences {
		return h
	}
	return last
}

// CanStep wants one direction and all states.
func (r *Recurrent) CanStep() bool { return !r.Bidirectional && r.ReturnSequences }

// step runs one time from the state that the one before has left; an LSTM's cell is kept too.
func (r *Recurrent) step(s *Scope, x graph.Value, m Moment, gates int, run func(graph.Value, op.RecurrentWeights, op.RecurrentOptions) []graph.Value) graph.Value {
	n, units := x.Dim(0), r.size()
	none := s.Graph().Constant(graph.F32(n, units), 0)
	h, h0 := m.Before(s, "h", none, n, units)
	o := op.RecurrentOptions{H0: h0}
	var c graph.Value
	if gates == 4 {
		c, o.C0 = m.Before(s, "c", none, n, units)
	}
	last := run(x, r.weights(s, x.Dim(2), gates, ""), o)
	s.Assign(h, last[0])
	if gates == 4 {
		s.Assign(c, last[1])
	}
	return op.Reshape(last[0], n, 1, units)
}

// stepBy makes run of a cell without more than one state.
func stepBy(run cell) func(graph.Value, op.RecurrentWeights, op.RecurrentOptions) []graph.Value {
	return func(x graph.Value, w op.RecurrentWeights, o op.RecurrentOptions) []graph.Value {
		_, last := run(x, w, o)
		return []graph.Value{last}
	}
}

// weights declares those of one direction.
func (r *Recurrent) weights(s *Scope, in, gates int, suffix string) op.RecurrentWeights {
	units := r.size()
	start := func(seed uint64, name string, t graph.Tensor) { uniform(seed, name, t, within(units)) }
	return op.RecurrentWeights{
		Input:      s.Param("weight_ih"+suffix, start, gates*units, in),
		Hidden:     s.Param("weight_hh"+suffix, start, gates*units, units),
		BiasInput:  s.Param("bias_ih"+suffix, start, gates*units),
		BiasHidden: s.Param("bias_hh"+suffix, start, gates*units),
	}
}

// mirror leads back to the input: a vector is repeated for each time, l (of the same kind) walks over it, and a dense layer
// restores the channels. Between two recurrent layers a [Stack] leaves the dense layer out.
// Source: Srivastava, Mansimov & Salakhutdinov 2015, "Unsupervised Learning of Video Representations using LSTMs", conditioned on
// the code at each time, as sequence autoencoders are usually built.
func (r *Recurrent) mirror(l recurrent, in graph.Shape) []Layer {
	keys := l.keys()
	*keys = *r
	keys.Name, keys.ReturnSequences = "", true
	layers := []Layer{l, NewDense(in[1])}
	if !r.ReturnSequences {
		layers = append([]Layer{&Repeat{Times: in[0]}}, layers...)
	}
	return layers
}
