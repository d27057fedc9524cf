package model

import (
	"math"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() {
	Bottlenecks.Add("jump-relu", func() Bottleneck {
		return &JumpReLU{Dictionary: newDictionary(), Sparsity: configs.Number(1e-2), Threshold: 0.1, Bandwidth: 0.1}
	})
}

// JumpReLU is a sparse code: a unit is its projection where that exceeds the unit's learned threshold, else 0. The number of
// active units is a term (l0) of weight sparsity. Thresholds get pseudo-gradients from what lies within half a bandwidth of them.
// Source: Rajamanoharan et al. 2024, "Jumping Ahead: Improving Reconstruction Fidelity with JumpReLU Sparse Autoencoders",
// eq. 4, 9, 11, 12.
type JumpReLU struct {
	Dictionary
	Sparsity  configs.Scalar `toml:"sparsity" min:"0" doc:"weight of the number of active units; a number or a schedule"`
	Threshold float64        `toml:"threshold" over:"0" doc:"where thresholds start"`
	Bandwidth float64        `toml:"bandwidth" over:"0" doc:"width of the window around a threshold from which it learns"`
}

// Check refuses prefixes that the code does not have.
func (b *JumpReLU) Check(m *Model) error { return b.checkUnits(m, 1) }

// TermNames are those with a weight.
func (b *JumpReLU) TermNames() []string { return append([]string{"l0"}, b.Dictionary.TermNames()...) }

// Encode projects and cuts off.
func (b *JumpReLU) Encode(s *nn.Scope, h graph.Value, latentDim int) Latent {
	g := s.Graph()
	pre := b.preactivation(s, h, latentDim)
	threshold := op.Exp(s.Param("log_threshold", nn.Constant(math.Log(b.Threshold)), latentDim))
	moves := op.Sub(threshold, op.Stop(threshold)) // 0, with the threshold's gradient
	open := op.Greater(op.Stop(pre), op.Stop(threshold))
	near := op.Less(op.Abs(op.Sub(op.Stop(pre), op.Stop(threshold))), g.Scalar(b.Bandwidth/2))
	slope := op.Scale(op.Mul(near, op.Stop(threshold)), -1/b.Bandwidth)
	z := op.Add(op.Mul(op.ReLU(pre), open), op.Mul(slope, moves))
	l0 := op.SumPerExample(op.Add(open, op.Mul(op.Scale(near, -1/b.Bandwidth), moves)))
	term := Term{Name: "l0", Log: l0, Minimise: l0, Weight: s.Scalar("sparsity", b.Sparsity)}
	return b.latent(s, watched{z: z, pre: pre, more: []Term{term}})
}
