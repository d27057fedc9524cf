package model

import (
	"errors"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Penalties.Add("dip", func() Penalty {
		return &DIP{Weight: configs.Number(1), Variant: "i", OffDiagonal: 10, Diagonal: 100}
	})
}

// DIP draws the covariance C of the aggregate posterior to the unit matrix: OffDiagonal·Σ_{i≠j} C_ij² + Diagonal·Σ_i (C_ii - 1)².
// Variant "i" takes the covariance of the means over the batch, "ii" adds the mean of the variances.
// Source: Kumar, Sattigeri & Balakrishnan 2018, "Variational Inference of Disentangled Latent Concepts from Unlabeled
// Observations", eq. 6 and 7.
type DIP struct {
	Weight      configs.Scalar `toml:"weight" min:"0" doc:"weight in the loss; a number or a schedule"`
	Variant     string         `toml:"variant" choices:"i|ii" doc:"whose covariance: of the means (DIP-VAE-I), or of the codes (DIP-VAE-II)"`
	OffDiagonal float64        `toml:"off_diagonal" min:"0" doc:"weight of what dimensions have in common"`
	Diagonal    float64        `toml:"diagonal" min:"0" doc:"weight of variances other than 1"`
}

// Suits wants a gaussian posterior, of one level.
func (p *DIP) Suits(b Bottleneck) error {
	g, ok := b.(*Gaussian)
	if !ok {
		return errors.New("dip needs the moments of a gaussian posterior: choose a gaussian bottleneck, or leave the penalty out")
	}
	if g.lowest() != nil {
		return errLevels("dip")
	}
	return nil
}

// Term is a scalar over the batch.
func (p *DIP) Term(s *nn.Scope, f *Forward) Term {
	g := s.Graph()
	q, ok := f.Latents[0].Posterior.(prob.Normal)
	if !ok {
		g.Fail(errors.New("dip: the posterior is no diagonal gaussian"))
		return Term{Log: g.Scalar(0), Minimise: g.Scalar(0), Weight: g.Scalar(0)}
	}
	n, d := q.Mu.Dim(0), q.Mu.Dim(1)
	mean := op.BroadcastTo(op.Reshape(op.ReduceMean(q.Mu, 0), 1, d), n, d)
	centred := op.Sub(q.Mu, mean)
	c := op.Scale(op.MatMul(centred, centred, true, false), 1/float64(n))
	diagonal := op.ReduceMean(op.Square(centred), 0)
	common := op.Sub(op.SumAll(op.Square(c)), op.SumAll(op.Square(diagonal)))
	if p.Variant == "ii" {
		diagonal = op.Add(diagonal, op.ReduceMean(op.Exp(op.BroadcastTo(q.LogVar, n, d)), 0))
	}
	off := op.SumAll(op.Square(op.AddConst(diagonal, -1)))
	v := graph.SumOf(op.Scale(common, p.OffDiagonal), op.Scale(off, p.Diagonal))
	return Term{Log: v, Minimise: v, Weight: s.Scalar("weight", p.Weight)}
}
