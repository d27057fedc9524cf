package model

import (
	"errors"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() { Penalties.Add("kl", func() Penalty { return &KL{Beta: configs.Number(1)} }) }

// KL weighs KL(q(z|x) ‖ p(z)), summed over latent dimensions, averaged over the batch, in nats, by Beta.
// Beta 1 with a gaussian bottleneck is the plain VAE.
// Source: Higgins et al. 2017, "beta-VAE", eq. 4; Capacity: Burgess et al. 2018, "Understanding disentangling in beta-VAE", eq. 8;
// FreeBits: Kingma et al. 2016, "Improved Variational Inference with Inverse Autoregressive Flow", eq. 15.
type KL struct {
	Beta     configs.Scalar `toml:"beta" min:"0" doc:"weight of the divergence; a number or a schedule"`
	Capacity configs.Scalar `toml:"capacity" min:"0" doc:"nats that the divergence is drawn towards, from both sides; 0: none; a number or a schedule"`
	FreeBits float64        `toml:"free_bits" min:"0" doc:"nats that each latent dimension may have for nothing, on the batch's mean"`
}

// Validate refuses two targets at once.
func (p *KL) Validate() error {
	if p.FreeBits > 0 && !p.Capacity.Zero() {
		return configs.KeyError("free_bits", "capacity and free_bits both say where the divergence should lie: leave one out")
	}
	return nil
}

// Suits wants a bottleneck with a posterior.
func (p *KL) Suits(b Bottleneck) error {
	if _, ok := b.(variational); !ok {
		return errors.New("kl needs a posterior: choose a gaussian bottleneck, or leave the penalty out (enabled = false)")
	}
	return nil
}

// Check wants a closed form where free bits are counted by dimension.
func (p *KL) Check(m *Model) error {
	if p.FreeBits > 0 && m.importanceWeighted() {
		return errors.New("free_bits counts the divergence of each dimension, which an importance-weighted bound does not have: bound = \"elbo\", or leave it out")
	}
	return nil
}

// Term is per example (N, or N×k with k samples): the loss's bound reduces it, so importance weighting needs nothing here.
// With free bits what is minimised is a scalar over the batch.
func (p *KL) Term(s *nn.Scope, f *Forward) Term {
	kl := f.KL()
	target := kl
	switch {
	case p.FreeBits > 0:
		target = p.beyondFree(s, f)
	case !p.Capacity.Zero():
		target = op.Abs(op.Sub(kl, s.Scalar("capacity", p.Capacity)))
	}
	return Term{Log: kl, Minimise: target, Weight: s.Scalar("beta", p.Beta)}
}

// beyondFree is Σ_j max(FreeBits, mean over the batch of KL_j).
func (p *KL) beyondFree(s *nn.Scope, f *Forward) graph.Value {
	var sum []graph.Value
	for _, l := range f.Latents {
		each, ok := prob.KLEach(l.Posterior, l.Prior)
		if !ok {
			s.Graph().Fail(errors.New("kl: free_bits wants a divergence in closed form"))
			return f.KL()
		}
		sum = append(sum, op.SumAll(op.Maximum(op.ReduceMean(each, 0), s.Graph().Scalar(p.FreeBits))))
	}
	return graph.SumOf(sum...)
}
