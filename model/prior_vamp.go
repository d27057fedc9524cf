package model

import (
	"errors"

	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() { Priors.Add("vamp", func() Prior { return &VampPrior{Components: 100, Begin: "random"} }) }

// VampPrior is the mixture of the posteriors of learned pseudo-inputs: p(z) = 1/K Σ q(z|u_k). The inputs, prior.inputs, are trained
// with the model; where the reconstruction wants values of a range they are squashed into it.
// Source: Tomczak & Welling 2018, "VAE with a VampPrior", eq. 9.
type VampPrior struct {
	Components int    `toml:"components" min:"1" doc:"pseudo-inputs, each of which is a component of the mixture"`
	Begin      string `toml:"start" choices:"random|data" doc:"what pseudo-inputs start as: noise, or examples"`
}

// inputs declares the pseudo-inputs.
func (p *VampPrior) inputs(s *nn.Scope, f *Forward) graph.Value {
	return s.Param("inputs", aroundZero, append([]int{p.Components}, f.model.X...)...)
}

// Check wants a gaussian posterior that depends on x alone.
func (p *VampPrior) Check(m *Model) error {
	b, ok := m.Config.Bottleneck.(*Gaussian)
	switch {
	case !ok || b.Flow.Kind != "none":
		return errors.New("vamp is a mixture of gaussian posteriors: choose a gaussian bottleneck without a flow")
	case m.Condition.tells(intoEncoder) || m.Condition.tells(intoPrior):
		return errors.New("pseudo-inputs have no condition: tell it to the decoder only, [model.condition] into = [\"decoder\"]")
	}
	return nil
}

// Learned encodes the pseudo-inputs.
func (p *VampPrior) Learned(f *Forward, standard prob.Standard) prob.Distribution {
	var u graph.Value
	f.scope.Within("prior", func(s *nn.Scope) graph.Value {
		u = p.inputs(s, f)
		if low, high, bounded := f.model.Config.Reconstruction.Range(); bounded && high-low < 1e30 {
			u = op.AddConst(op.Scale(op.Sigmoid(u), high-low), low)
		}
		return u
	})
	q, ok := f.codesOf(u).Posterior.(prob.Normal)
	if !ok {
		f.scope.Graph().Fail(errors.New("vamp: the posterior is no gaussian one"))
		return standard
	}
	return prob.Mixture{Mu: q.Mu, LogVar: q.LogVar, Dims: standard.Dims}
}

// aroundZero fills with standard normal numbers.
func aroundZero(seed uint64, name string, t graph.Tensor) {
	r := philox.New(seed, philox.Stream(name))
	for i := range t.Data {
		t.Data[i] = float64(float32(r.NormFloat64()))
	}
}

// Passes is one where pseudo-inputs start as examples.
func (p *VampPrior) Passes() int {
	if p.Begin == "data" {
		return 1
	}
	return 0
}

// Start sets the pseudo-inputs to the first examples of the pass, squashed back where the model squashes them.
func (p *VampPrior) Start(s *nn.Scope, f *Forward, pass Pass) {
	g, n := s.Graph(), f.N
	state := p.inputs(s, f)
	x := op.Flatten(f.X)
	if low, high, bounded := f.model.Config.Reconstruction.Range(); bounded && high-low < 1e30 {
		const edge = 0.01 // a sigmoid never gets there
		x = op.Clamp(op.Scale(op.AddConst(x, -low), 1/(high-low)), edge, 1-edge)
		x = op.Sub(op.Log(x), op.Log(op.AddConst(op.Neg(x), 1)))
	}
	rows := make([]float64, n)
	for i := range rows {
		rows[i] = float64(i)
	}
	place := op.Add(g.Constant(graph.F32(n), rows...), pass.Examples)
	fits := op.Less(place, g.Scalar(float64(p.Components)))
	at := op.Cast(op.Minimum(place, g.Scalar(float64(p.Components-1))), graph.Int32)
	written := op.ScatterAdd(at, fits, p.Components)
	fresh := op.ScatterAdd(at, op.Mul(x, op.Reshape(fits, n, 1)), p.Components)
	old := op.Reshape(state, p.Components, x.Dim(1))
	s.Assign(state, op.Reshape(op.Select(op.Reshape(written, p.Components, 1), fresh, old), state.Shape()...))
}
