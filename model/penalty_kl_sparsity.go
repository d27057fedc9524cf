package model

import (
	"errors"
	"fmt"
	"math"

	"aetrain/configs"
	"aetrain/nn"
	"aetrain/op"
)

func init() {
	Penalties.Add("kl-sparsity", func() Penalty { return &KLSparsity{Weight: configs.Number(1), Rho: 0.05} })
}

// KLSparsity draws the mean activity of each unit over the batch to Rho: Σ_j KL(Rho ‖ mean_j), both seen as Bernoulli
// probabilities. Activities have to lie in (0, 1), as those of a sigmoid do.
// Source: Ng 2011, "Sparse autoencoder", CS294A lecture notes, section 3.
type KLSparsity struct {
	Weight configs.Scalar `toml:"weight" min:"0" doc:"weight in the loss; a number or a schedule"`
	Rho    float64        `toml:"rho" over:"0" below:"1" doc:"mean activity that each unit should have"`
	On     string         `toml:"on" doc:"name or path of the layer; left out: the code" example:"\"encoder.0\""`
}

// Suits wants a code that can lie between 0 and 1.
func (p *KLSparsity) Suits(b Bottleneck) error {
	if _, drawn := b.(variational); drawn && p.On == "" {
		return errors.New("kl-sparsity wants activities between 0 and 1, a drawn code may be any number: give a layer by on, or leave the penalty out")
	}
	if _, sparse := b.(interface{ sparse() }); sparse && p.On == "" {
		return errors.New("kl-sparsity means nothing on a code that is sparse by itself: give a layer by on, or leave the penalty out")
	}
	return nil
}

// Check wants activities between 0 and 1, as far as the model tells.
func (p *KLSparsity) Check(m *Model) error {
	activation := m.Config.Bottleneck.Activation(m.Encoder, m.Config.LatentDim)
	if p.On == "" && activation != "sigmoid" {
		return fmt.Errorf("it wants activities between 0 and 1, the code's activation is %s: add activation = \"sigmoid\" to [model.bottleneck] (latent_dim = 0: to the encoder's last layer)", activation)
	}
	return nil
}

// Term is a scalar: it looks at the whole batch.
func (p *KLSparsity) Term(s *nn.Scope, f *Forward) Term {
	const edge = 1e-6 // keeps logarithms finite where a unit is always on or off
	mean := op.Clamp(op.ReduceMean(f.Output(p.On), 0), edge, 1-edge)
	off := op.AddConst(op.Neg(mean), 1)
	cross := op.Add(op.Scale(op.Log(mean), p.Rho), op.Scale(op.Log(off), 1-p.Rho))
	entropy := p.Rho*math.Log(p.Rho) + (1-p.Rho)*math.Log(1-p.Rho)
	sum := op.SumAll(op.AddConst(op.Neg(cross), entropy))
	return Term{Log: sum, Minimise: sum, Weight: s.Scalar("weight", p.Weight)}
}
