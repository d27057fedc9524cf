package model

import (
	"errors"
	"math"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Penalties.Add("total-correlation", func() Penalty { return &TotalCorrelation{Weight: configs.Number(5)} })
}

// TotalCorrelation is log q(z) - Σ_j log q(z_j) of each example's code, in nats: how far the code's dimensions are from being
// independent over the data. The densities of the aggregate posterior are means over the batch (minibatch-weighted sampling; the
// constant that depends on the size of the data set alone is left out), so its value is biased while its gradient serves.
// Beside kl with beta = 1, a weight w makes beta-TCVAE with beta = 1 + w.
// Source: Chen et al. 2018, "Isolating Sources of Disentanglement in VAEs", eq. 4 and section 4.1.
type TotalCorrelation struct {
	Weight configs.Scalar `toml:"weight" min:"0" doc:"weight in the loss beside kl: beta - 1; a number or a schedule"`
}

// Suits wants a gaussian posterior, of one level.
func (p *TotalCorrelation) Suits(b Bottleneck) error {
	g, ok := b.(*Gaussian)
	if !ok {
		return errors.New("total-correlation needs the density of a gaussian posterior: choose a gaussian bottleneck, or an adversary on = \"latent\", against = \"permuted\"")
	}
	if g.lowest() != nil {
		return errLevels("total-correlation")
	}
	return nil
}

// Term is N, or N×k with k samples.
func (p *TotalCorrelation) Term(s *nn.Scope, f *Forward) Term {
	l := f.Latents[0]
	q, ok := l.Posterior.(prob.Normal)
	if !ok {
		s.Graph().Fail(errors.New("total-correlation: the posterior is no diagonal gaussian"))
		return Term{Log: s.Graph().Scalar(0), Minimise: s.Graph().Scalar(0), Weight: s.Graph().Scalar(0)}
	}
	joint, marginal := aggregate(q, op.Flatten(l.Z))
	v := f.PerExample(op.Reshape(op.Sub(joint, marginal), -1, 1))
	return Term{Log: v, Minimise: v, Weight: s.Scalar("weight", p.Weight)}
}

// aggregate estimates log q(z_i) and Σ_d log q(z_id) of each row of z, q being the mean of the batch's posteriors.
func aggregate(q prob.Normal, z graph.Value) (joint, marginals graph.Value) {
	rows, n, d := z.Dim(0), q.Mu.Dim(0), z.Dim(1)
	wide := func(v graph.Value, dims ...int) graph.Value {
		return op.BroadcastTo(op.Reshape(v, dims...), rows, n, d)
	}
	each := prob.Normal{Mu: wide(q.Mu, 1, n, d), LogVar: wide(op.BroadcastTo(q.LogVar, n, d), 1, n, d)}
	logs := each.LogProb(wide(z, rows, 1, d)) // log q(z_id | x_j)
	logN := math.Log(float64(n))
	joint = op.AddConst(op.LogSumExp(op.ReduceSum(logs, 2), 1), -logN)
	marginals = op.AddConst(op.ReduceSum(op.LogSumExp(logs, 1), 1), -logN*float64(d))
	return joint, marginals
}
