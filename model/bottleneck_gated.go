package model

import (
	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() {
	Bottlenecks.Add("gated", func() Bottleneck { return &Gated{Dictionary: newDictionary(), Sparsity: configs.Number(1e-2)} })
}

// Gated is a sparse code whose units decide whether they are active apart from how much. Both come of one projection p:
// the gate is open where π = p + code.bias > 0, the magnitude is relu(p·exp(gain) + magnitude_bias). Its terms: sparsity,
// Σ relu(π), and gate, the loss of a reconstruction from relu(π) alone, which teaches the gates. The preset trains the decoder by
// the reconstruction only, so that the gates' loss sees it frozen.
// Source: Rajamanoharan et al. 2024, "Improving Dictionary Learning with Gated Sparse Autoencoders", eq. 6-8.
type Gated struct {
	Dictionary
	Sparsity configs.Scalar `toml:"sparsity" min:"0" doc:"weight of the gates' openness; a number or a schedule"`
}

// Check refuses prefixes that the code does not have.
func (b *Gated) Check(m *Model) error { return b.checkUnits(m, 1) }

// TermNames are those with a weight.
func (b *Gated) TermNames() []string {
	return append([]string{"sparsity", "gate"}, b.Dictionary.TermNames()...)
}

// Encode projects once for gate and magnitude.
func (b *Gated) Encode(s *nn.Scope, h graph.Value, latentDim int) Latent {
	g := s.Graph()
	p := b.project(s, h, latentDim)
	gate := op.AddBias(p, s.Sub("code").Param("bias", nil, latentDim))
	magnitude := op.ReLU(op.AddBias(op.Mul(p, op.Exp(s.Param("gain", nil, latentDim))), s.Param("magnitude_bias", nil, latentDim)))
	z := op.Mul(magnitude, op.Greater(op.Stop(gate), g.Scalar(0)))
	l := b.latent(s, watched{z: z, pre: gate})
	weight, rest := s.Scalar("sparsity", b.Sparsity), l.Terms
	l.Terms = func(s *nn.Scope, f *Forward) []Term {
		open := op.ReLU(gate)
		sum, teach := f.PerExample(open), f.reconstructionOf(open)
		return append([]Term{
			{Name: "sparsity", Log: sum, Minimise: sum, Weight: weight},
			{Name: "gate", Log: teach, Minimise: teach, Weight: s.Graph().Scalar(1)},
		}, rest(s, f)...)
	}
	return l
}
