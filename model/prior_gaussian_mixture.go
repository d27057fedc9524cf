package model

import (
	"errors"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() { Priors.Add("gaussian-mixture", func() Prior { return &GaussianMixture{Components: 10} }) }

// GaussianMixture is a mixture of normal distributions with full covariances that is fitted to the codes of the training split, by
// expectation maximisation, when the autoencoder is done. Buffers: prior.weights K, prior.means K×D, prior.factors K×D×D (the lower
// Cholesky factors of the covariances). It gives codes that nothing has drawn to a prior one to sample from.
// Source: Ghosh et al. 2020, "From Variational to Deterministic Autoencoders", section 4 (ex-post density estimation).
type GaussianMixture struct {
	Components int `toml:"components" min:"1" doc:"normal distributions in the mixture"`
}

// mostMixed bounds the numbers of a code whose covariances are kept.
const mostMixed = 512

// Check wants codes that are vectors of any numbers, of a size that covariances can be had of.
func (p *GaussianMixture) Check(m *Model) error {
	_, indexed := m.Config.Bottleneck.(Indexed)
	_, joint := m.Config.Bottleneck.(*Joint)
	_, directions := m.Config.Bottleneck.(*Hyperspherical)
	switch {
	case joint || directions:
		return errors.New("the codes are directions, or choices in part, and no mixture of normal distributions: leave the prior out, it has a formula")
	case indexed:
		return errors.New("the codes are entries of a list, and no mixture of normal distributions: choose an autoregressive prior")
	case m.Condition.tells(intoPrior):
		return errors.New("the mixture has no condition: leave prior out of [model.condition] into")
	case m.Code.Size() > mostMixed:
		return errors.New("covariances of more than 512 numbers are not to be had of a training split: choose a smaller latent_dim")
	}
	return nil
}

// Learned is the standard prior: training knows nothing of the mixture.
func (p *GaussianMixture) Learned(_ *Forward, standard prob.Standard) prob.Distribution {
	return standard
}

// TrainEpochs is none: it is fitted.
func (p *GaussianMixture) TrainEpochs() float64 { return 0 }

// Names of what a fitted mixture keeps.
const (
	StateMixtureWeights = "prior.weights" // K
	StateMixtureMeans   = "prior.means"   // K×D
	StateMixtureFactors = "prior.factors" // K×D×D
)

// declare declares the states.
func (p *GaussianMixture) declare(f *Forward) (weights, means, factors graph.Value) {
	s, d := f.scope, f.model.Code.Size()
	buffer := func(name string, dims ...int) graph.Value { return s.At("").Buffer(name, nil, graph.F32(dims...)) }
	return buffer(StateMixtureWeights, p.Components), buffer(StateMixtureMeans, p.Components, d), buffer(StateMixtureFactors, p.Components, d, d)
}

// draw samples codes, N×...: a component, then mean + factor·eps.
func (p *GaussianMixture) draw(s *nn.Scope, f *Forward) graph.Value {
	g, n, d := s.Graph(), f.N, f.model.Code.Size()
	weights, means, factors := p.declare(f)
	u := op.Uniform(s.RNG(), "component", n)
	below := make([]float64, p.Components*p.Components) // sums of the weights before each
	for i := range p.Components {
		for j := range i {
			below[i*p.Components+j] = 1
		}
	}
	from := op.MatMul(op.Reshape(weights, 1, p.Components), g.Constant(graph.F32(p.Components, p.Components), below...), false, true)
	passed := op.GreaterEqual(op.Reshape(u, n, 1), from)
	k := op.Cast(op.AddConst(op.ReduceSum(passed, 1), -1), graph.Int32)
	eps := op.Normal(s.RNG(), "eps", n, d)
	spread := op.ReduceSum(op.Mul(op.Gather(factors, k), op.Reshape(eps, n, 1, d)), 2)
	return op.Reshape(op.Add(op.Gather(means, k), spread), append([]int{n}, f.model.Code...)...)
}
