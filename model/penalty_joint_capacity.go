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
	Penalties.Add("joint-capacity", func() Penalty {
		return &JointCapacity{Weight: configs.Number(30), Gaussian: configs.Number(5), Categorical: configs.Number(2)}
	})
}

// JointCapacity draws the divergence of each part of a joint code towards a number of nats of its own, which usually rises in
// training: γ·|KL_z - C_z| + γ·|KL_c - C_c|, of each batch's means. A choice of 10 classes cannot tell more than log 10 = 2.30 nats.
// Source: Dupont 2018, "Learning Disentangled Joint Continuous and Discrete Representations", eq. 7.
type JointCapacity struct {
	Weight      configs.Scalar `toml:"weight" min:"0" doc:"weight in the loss, γ; a number or a schedule"`
	Gaussian    configs.Scalar `toml:"gaussian" min:"0" doc:"nats of the continuous numbers; a number or a schedule"`
	Categorical configs.Scalar `toml:"categorical" min:"0" doc:"nats of the choices; a number or a schedule"`
}

// Suits wants a joint bottleneck.
func (p *JointCapacity) Suits(b Bottleneck) error {
	if _, ok := b.(*Joint); !ok {
		return errors.New("joint-capacity has a capacity for each part of a joint code: choose a joint bottleneck, or penalties.kl with its capacity")
	}
	return nil
}

// Term is a scalar over the batch; what is logged is the divergence of both parts, N.
func (p *JointCapacity) Term(s *nn.Scope, f *Forward) Term {
	var target []graph.Value
	for _, l := range f.Latents {
		q, isJoint := l.Posterior.(prob.Product)
		prior, has := l.Prior.(prob.Product)
		if !isJoint || !has {
			continue
		}
		for i, capacity := range []graph.Value{s.Scalar("gaussian", p.Gaussian), s.Scalar("categorical", p.Categorical)} {
			kl, _ := prob.KL(q.Parts[i], prior.Parts[i])
			target = append(target, op.Abs(op.Sub(op.MeanAll(kl), capacity)))
		}
	}
	return Term{Log: f.KL(), Minimise: graph.SumOf(target...), Weight: s.Scalar("weight", p.Weight)}
}
