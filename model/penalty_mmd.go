package model

import (
	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() {
	Penalties.Add("mmd", func() Penalty {
		return &MMD{Weight: configs.Number(10), Kernel: "imq", Scales: []float64{0.1, 0.2, 0.5, 1, 2, 5, 10}}
	})
}

// MMD is the maximum mean discrepancy of the batch's codes and as many draws from the prior: the unbiased estimate, a scalar that
// may be negative, summed over kernels of several scales s. With the squared distance r of two codes of d numbers,
//
//	imq: C/(C + r),   rbf: exp(-r/C),   C = 2·d·s
//
// 2·d being the mean of r under the prior N(0, I). A deterministic code is held against N(0, I) too, those of a
// ladder's levels together against all levels' prior.
// Source: Gretton et al. 2012, "A Kernel Two-Sample Test", eq. 3; Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", algorithm 2.
type MMD struct {
	Weight configs.Scalar `toml:"weight" min:"0" doc:"weight in the loss; a number or a schedule"`
	Kernel string         `toml:"kernel" choices:"imq|rbf" doc:"inverse multiquadric, with heavy tails, or gaussian"`
	Scales []float64      `toml:"scales" over:"0" doc:"of the kernels that are added up, in units of the prior's mean squared distance"`
}

func (*MMD) usesPrior() {}

// Validate wants a kernel.
func (p *MMD) Validate() error {
	if len(p.Scales) == 0 {
		return configs.KeyError("scales", "it is empty: give at least one, such as [1.0]")
	}
	return nil
}

// Term is a scalar over the batch.
func (p *MMD) Term(s *nn.Scope, f *Forward) Term {
	z := op.Flatten(f.jointCode())
	_, drawn := f.drawPrior(s, "prior")
	drawn = op.Flatten(drawn)
	v := op.Sub(op.Add(p.within(z), p.within(drawn)), op.Scale(op.MeanAll(p.similarity(z, drawn)), 2))
	return Term{Log: v, Minimise: v, Weight: s.Scalar("weight", p.Weight)}
}

// within is the mean similarity of two different rows.
func (p *MMD) within(z graph.Value) graph.Value {
	n := float64(z.Dim(0))
	self := n * float64(len(p.Scales)) // a row is as similar to itself as can be
	return op.Scale(op.AddConst(op.SumAll(p.similarity(z, z)), -self), 1/max(1, n*(n-1)))
}

// similarity is the kernels' sum for each row of a with each of b.
func (p *MMD) similarity(a, b graph.Value) graph.Value {
	r := squaredDistances(a, b)
	var sum []graph.Value
	for _, scale := range p.Scales {
		c := 2 * float64(a.Dim(1)) * scale
		if p.Kernel == "rbf" {
			sum = append(sum, op.Exp(op.Scale(r, -1/c)))
		} else {
			sum = append(sum, op.Scale(op.Reciprocal(op.AddConst(r, c)), c))
		}
	}
	return graph.SumOf(sum...)
}

// squaredDistances is ‖a_i - b_j‖², rows of a by rows of b, never negative.
func squaredDistances(a, b graph.Value) graph.Value {
	n, m := a.Dim(0), b.Dim(0)
	left := op.BroadcastTo(op.Reshape(op.SumPerExample(op.Square(a)), n, 1), n, m)
	right := op.BroadcastTo(op.Reshape(op.SumPerExample(op.Square(b)), 1, m), n, m)
	return op.ReLU(op.Sub(op.Add(left, right), op.Scale(op.MatMul(a, b, false, true), 2)))
}
