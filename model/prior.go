package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/prob"
)

// Prior is the distribution of codes.
type Prior interface {
	// Learned returns the prior of codes that would have the standard prior otherwise; standard itself where nothing is learned.
	Learned(f *Forward, standard prob.Standard) prob.Distribution
}

func init() { Priors.Add("normal", func() Prior { return &NormalPrior{} }) }

// NormalPrior is the prior that the bottleneck brings: N(0, I) of a gaussian one.
type NormalPrior struct{}

// Learned is the standard prior.
func (*NormalPrior) Learned(_ *Forward, standard prob.Standard) prob.Distribution { return standard }

// learnedPrior asks the model's prior, once for each pass.
func (f *Forward) learnedPrior(p prob.Distribution) prob.Distribution {
	standard, ok := p.(prob.Standard)
	if !ok || f.model.Config.Prior == nil {
		return p
	}
	return f.model.Config.Prior.Learned(f, standard)
}

// codesOf are the posteriors of further inputs, with the same weights.
func (f *Forward) codesOf(x graph.Value) Latent {
	var l Latent
	f.scope.Again(func(s *nn.Scope) graph.Value {
		return s.Within("encoder", func(s *nn.Scope) graph.Value {
			h := f.model.Encoder.Build(s, x)
			l = f.model.Config.Bottleneck.Encode(s, h, f.model.Config.LatentDim)
			return h
		})
	})
	return l
}
