package nn

import (
	"slices"

	"aetrain/graph"
)

// MirrorOptions say how a mirror begins and whether it has weights of its own.
type MirrorOptions struct {
	// Front leads from the code to the stack's output: the projection's reverse. Empty where the output is the code.
	Front []Layer
	// Tied shares the transposed weights of the stack, which lies at this path ("encoder"); "" for weights of its own.
	Tied string
}

// tieable is implemented by layers that can take the transposed weight of the layer whose mirror they are.
type tieable interface {
	Layer
	Tied(path, init string) Layer
}

// weighted is implemented by layers with a weight, through [Affine].
type weighted interface{ initName() string }

func (a Affine) initName() string { return a.Init }

// group is a layer that changes sizes or mixes features, with the decorations that follow it.
type group struct {
	core Placed
	post Post    // those that it holds itself
	more []Layer // those that stand behind it
}

// groups takes the stack apart. Decorations of the input itself have no place in a mirror and are left out.
func (st *Stack) groups() []group {
	var gs []group
	for _, p := range st.Layers {
		if _, keeps := p.Layer.(Decoration); !keeps {
			g := group{core: p, post: noPost}
			if l, ok := p.Layer.(posted); ok {
				g.post = l.post()
			}
			gs = append(gs, g)
		} else if len(gs) > 0 {
			gs[len(gs)-1].more = append(gs[len(gs)-1].more, p.Layer)
		}
	}
	return gs
}

// Mirror returns the layers that lead from the stack's output (or what Front takes) back to its input, exactly as large.
// Between two of them stand the norm, activation and dropout that stood between the two layers that they reverse;
// behind the last one stands nothing. The error is a *LayerError.
func (st *Stack) Mirror(o MirrorOptions) ([]Layer, error) {
	gs := st.groups()
	layers := slices.Clone(o.Front)
	if len(layers) > 0 && len(gs) > 0 {
		layers = decorate(layers, gs[len(gs)-1])
	}
	for i := len(gs) - 1; i >= 0; i-- {
		core := gs[i].core
		back, err := core.Mirror(core.In)
		if err != nil {
			return nil, &LayerError{Index: core.Index, Kind: core.Kind(), Err: err}
		}
		if w, ok := core.Layer.(weighted); ok && o.Tied != "" && len(back) > 0 {
			if t, ok := back[0].(tieable); ok {
				back[0] = t.Tied(graph.Join(o.Tied, core.Path), w.initName())
			}
		}
		if i > 0 && isRecurrent(core.Layer) && isRecurrent(gs[i-1].core.Layer) {
			back = back[:len(back)-1] // the next one takes any number of channels
		}
		layers = append(layers, back...)
		if i > 0 {
			layers = decorate(layers, gs[i-1])
		}
	}
	return layers, nil
}

func isRecurrent(l Layer) bool {
	_, is := l.(recurrent)
	return is
}

// decorate lets the decorations of g follow the last of layers.
func decorate(layers []Layer, g group) []Layer {
	n := len(layers)
	if p, ok := layers[n-1].(posted); ok {
		layers[n-1] = p.withPost(g.post)
	} else {
		layers = append(layers, g.post.layers()...)
	}
	for _, l := range g.more {
		layers = append(layers, unnamed(duplicate(l)))
	}
	return layers
}

// unnamed takes the name away: it stays with the original.
func unnamed(l Layer) Layer {
	if n, ok := l.(interface{ rename(string) }); ok {
		n.rename("")
	}
	return l
}

// ReverseProjection leads from a code of codeDim numbers to a feature map or vector: a dense layer, and a reshape where needed.
// bias and init are the projection's. tied is the path of a projection whose transposed weight it shares, or "".
func ReverseProjection(to graph.Shape, init, tied string) []Layer {
	d := NewDense(to.Size())
	d.Init = init
	layers := []Layer{d}
	if tied != "" {
		layers[0] = d.Tied(tied, init)
	}
	if len(to) > 1 {
		layers = append(layers, reshapeTo(to)...)
	}
	return layers
}
