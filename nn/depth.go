package nn

// Greedy pre-training builds the first layers of a stack and the last ones of its mirror, over the same weights.

// Depth is how many layers of the stack count: those that compute something new. What only changes the shape (flatten, reshape,
// pooling, upsampling, repeat) goes with the layer before it, as decorations do.
func (st *Stack) Depth() int {
	n := 0
	for _, p := range st.Layers {
		if counts(p.Layer) {
			n++
		}
	}
	return n
}

// Upto is the stack up to its n-th layer (see Depth), with what goes with it.
func (st *Stack) Upto(n int) *Stack {
	for i, p := range st.Layers {
		if counts(p.Layer) {
			n--
		}
		if n < 0 {
			return st.before(i)
		}
	}
	return st
}

// Through is the stack up to the layer with this path or name, with its decorations; false where there is none.
func (st *Stack) Through(path string) (*Stack, bool) {
	for i, p := range st.Layers {
		if p.Path == path || p.Label() == path && path != "" {
			return st.before(i + 1), true
		}
	}
	return nil, false
}

// before is the stack without its layers from the i-th on.
func (st *Stack) before(i int) *Stack {
	part := &Stack{Layers: st.Layers[:i], In: st.In, Out: st.In}
	if i > 0 {
		part.Out = st.Layers[i-1].Out
	}
	return part
}

// From is the stack from its i-th layer on, which keep their paths.
func (st *Stack) From(i int) *Stack {
	part := &Stack{Layers: st.Layers[i:], In: st.Out, Out: st.Out}
	if len(part.Layers) > 0 {
		part.In = part.Layers[0].In
	}
	return part
}

func counts(l Layer) bool {
	if _, keeps := l.(Decoration); keeps {
		return false
	}
	switch l.(type) {
	case *Flatten, *Reshape, *Repeat, *MaxPool2D, *AvgPool2D, *Upsample2D:
		return false
	}
	return true
}
