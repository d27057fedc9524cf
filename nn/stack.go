package nn

import (
	"fmt"
	"strconv"

	"aetrain/graph"
	"aetrain/op"
)

// Placed is a layer with its place and sizes.
type Placed struct {
	Layer
	Path    string      // counted after lists in units and filters are spread out: "0", "1", ...
	Index   int         // in the list as it was written
	In, Out graph.Shape // of one example
	Flat    bool        // the network's input, an image, is flattened before it
}

// Stack is a list of layers, one behind the other, with every size known.
type Stack struct {
	Layers  []Placed
	In, Out graph.Shape // of one example
}

// LayerError is a mistake in a list of layers.
type LayerError struct {
	Index int    // in the list as it was written
	Kind  string // of the layer: "dense"
	Err   error  // one sentence
}

// Error returns "[2] (dense): sentence".
func (e *LayerError) Error() string { return fmt.Sprintf("[%d] (%s): %v", e.Index, e.Kind, e.Err) }

// Unwrap returns the sentence.
func (e *LayerError) Unwrap() error { return e.Err }

// spreadOut is a layer after lists were spread, with its index before.
type spreadOut struct {
	Layer
	index int
}

func spreadAll(layers []Layer) []spreadOut {
	var all []spreadOut
	for i, l := range layers {
		if s, ok := l.(Spreader); ok {
			for _, one := range s.Spread() {
				all = append(all, spreadOut{one, i})
			}
			continue
		}
		all = append(all, spreadOut{l, i})
	}
	return all
}

// NewStack spreads lists out, numbers the layers and infers their sizes from in, the shape of one example.
// isInput says that in is the network's input: an image that meets a dense layer first is flattened.
// The error is a *LayerError.
func NewStack(layers []Layer, in graph.Shape, isInput bool) (*Stack, error) {
	st := &Stack{In: in, Out: in}
	for n, l := range spreadAll(layers) {
		p := Placed{Layer: l.Layer, Path: strconv.Itoa(n), Index: l.index, In: st.Out}
		if _, dense := l.Layer.(*Dense); dense && isInput && len(p.In) == 3 {
			p.In, p.Flat = graph.Shape{p.In.Size()}, true
		}
		if _, keeps := l.Layer.(Decoration); !keeps {
			isInput = false
		}
		out, err := l.Output(p.In)
		if err != nil {
			return nil, &LayerError{Index: l.index, Kind: l.Kind(), Err: err}
		}
		p.Out, st.Out = out, out
		st.Layers = append(st.Layers, p)
	}
	return st, nil
}

// Build adds the layers to the graph, each in its own scope ("encoder.0"), and keeps their outputs under path and name.
func (st *Stack) Build(s *Scope, x graph.Value) graph.Value { return st.Tapped(s, x, nil) }

// Tapped is Build, and tells tap, unless it is nil, what each layer gives in this application.
func (st *Stack) Tapped(s *Scope, x graph.Value, tap func(p Placed, y graph.Value)) graph.Value {
	for _, p := range st.Layers {
		x = s.Within(p.Path, func(s *Scope) graph.Value {
			if p.Flat {
				x = op.Flatten(x)
			}
			y := p.Build(s, x)
			s.Keep(s.Path(), y)
			if p.Label() != "" {
				s.Keep(p.Label(), y)
			}
			if tap != nil {
				tap(p, y)
			}
			return y
		})
	}
	return x
}

// Last returns the last layer that is no decoration, and the activation that the stack ends with.
func (st *Stack) Last() (last Layer, activation string) {
	activation = "linear"
	for i := len(st.Layers) - 1; i >= 0; i-- {
		l := st.Layers[i].Layer
		if a, ok := l.(*Activation); ok && activation == "linear" {
			activation = a.Function
		}
		if _, keeps := l.(Decoration); keeps {
			continue
		}
		if p, ok := l.(posted); ok && activation == "linear" && p.post().Activation != "" {
			activation = p.post().Activation
		}
		return l, activation
	}
	return nil, activation
}
