package model

import (
	"errors"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// Passes is one where the decoder's last bias starts from the data.
func (b *BCE) Passes() int {
	if b.Begin == "data" {
		return 1
	}
	return 0
}

// CheckDecoder wants a bias of its own for each value, and nothing behind it.
func (b *BCE) CheckDecoder(decoder *nn.Stack) error {
	if _, has := lastBias(decoder); b.Passes() > 0 && !has {
		return errors.New("the data give the bias of each value: the decoder's last layer must be a dense one with a bias, without norm and activation, or leave start out")
	}
	return nil
}

// lastBias is where the dense layer at a stack's end has its bias, below the stack's own path; has is false where what it gives is not
// the stack's output as it is.
func lastBias(st *nn.Stack) (path string, has bool) {
	if len(st.Layers) == 0 {
		return "", false
	}
	p := st.Layers[len(st.Layers)-1]
	d, dense := p.Layer.(*nn.Dense)
	return p.Path, dense && d.Bias && len(p.Out) == 1 && d.Post.Plain()
}

// Start sets the bias, of each label's decoder where there are several, to the logits of the means of all batches so far: the network begins as the best that knows no code.
// Source: Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders", their published code, which keeps means within
// [0.001, 0.999], as here.
func (b *BCE) Start(s *nn.Scope, f *Forward, pass Pass) {
	const edge = 0.001
	g, x := s.Graph(), op.Flatten(f.X)
	mean := func() graph.Value {
		return g.State(graph.Scratch, graph.Join(s.Path(), "mean"), graph.F32(x.Dim(1)), nil)
	}
	startMean(s, mean(), x, pass)
	path, _ := lastBias(f.model.Decoder)
	p := op.Clamp(mean(), edge, 1-edge)
	logit := op.Sub(op.Log(p), op.Log(op.AddConst(op.Neg(p), 1)))
	for _, decoder := range f.model.decoderPaths() {
		s.Assign(s.At(graph.Join(decoder, path)).Param("bias", nil, x.Dim(1)), logit)
	}
}
