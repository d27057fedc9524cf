package model

import (
	"errors"
	"strconv"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/prob"
)

func init() { Priors.Add("flow", func() Prior { return &FlowPrior{Steps: 6, Hidden: 64} }) }

// FlowPrior is the distribution of codes that a chain of affine couplings maps to standard normal ones. It is trained with the model,
// by the divergence: prior.0.in.weight, ...
// Source: Chen et al. 2017, "Variational Lossy Autoencoder", section 3.2 (a learned prior); Dinh et al. 2017, "Real NVP" (the maps).
type FlowPrior struct {
	Steps  int `toml:"steps" min:"1" doc:"couplings, each of which moves every other number of the code"`
	Hidden int `toml:"hidden" min:"1" doc:"hidden units of a coupling's network"`
}

// Check wants a divergence that trains it, and vectors of several numbers.
func (p *FlowPrior) Check(m *Model) error {
	_, gaussian := m.Config.Bottleneck.(*Gaussian)
	switch {
	case !gaussian:
		return errors.New("a flow prior learns from the divergence of a posterior: choose a gaussian bottleneck")
	case m.Config.LatentDim < 2:
		return errors.New("a coupling leaves half of the code as it is: give latent_dim 2 or more")
	case m.Condition.tells(intoPrior):
		return errors.New("the maps have no condition: leave prior out of [model.condition] into")
	}
	return nil
}

// Learned is the transported distribution.
func (p *FlowPrior) Learned(f *Forward, standard prob.Standard) prob.Distribution {
	t := prob.Transported{Graph: standard.Graph, Dims: standard.Dims}
	f.scope.Within("prior", func(s *nn.Scope) graph.Value {
		for i := range p.Steps {
			s.Within(strconv.Itoa(i), func(s *nn.Scope) graph.Value {
				t.Steps = append(t.Steps, p.coupling(s, i, standard.Dims[len(standard.Dims)-1]))
				return t.Steps[i].In
			})
		}
		return t.Steps[0].In
	})
	return t
}

// coupling declares the i-th map, which begins as none: its last layer is 0.
func (p *FlowPrior) coupling(s *nn.Scope, i, size int) prob.Coupling {
	const limit = 2
	mask := make([]float64, size)
	for d := range mask {
		mask[d] = float64((d + i) % 2)
	}
	init, _ := nn.Initialisers.Make("torch")
	return prob.Coupling{
		Mask: mask, Limit: limit,
		In: s.Param("in.weight", init.Weight, p.Hidden, size), Bias: s.Param("in.bias", nil, p.Hidden),
		ScaleOut: s.Param("scale.weight", nil, size, p.Hidden), ScaleBias: s.Param("scale.bias", nil, size),
		ShiftOut: s.Param("shift.weight", nil, size, p.Hidden), ShiftBias: s.Param("shift.bias", nil, size),
	}
}
