package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// adversaryTerms are a discriminator's own term, where own asks for it, and the model's, where fool does.
func (m *Model) adversaryTerms(s *nn.Scope, f *Forward, name string, own, fool bool) []Term {
	var terms []Term
	a := m.Config.Adversaries[name]
	s.Within(adversariesPath, func(s *nn.Scope) graph.Value {
		return s.Within(name, func(s *nn.Scope) graph.Value {
			if own {
				v := f.discriminates(s, name, a)
				terms = append(terms, Term{Name: ownTerm(name), Log: v, Minimise: v, Weight: s.Graph().Scalar(1)})
			}
			if fool {
				v := f.fools(name, a)
				terms = append(terms, Term{Name: foolingTerm(name), Log: v, Minimise: v, Weight: s.Scalar("weight", a.Weight)})
			}
			return f.X
		})
	})
	return terms
}

// discriminates is what the discriminator minimises, of each example: its loss on the real one and on all that was made of it,
// and the gradient penalty.
func (f *Forward) discriminates(s *nn.Scope, name string, a Adversary) graph.Value {
	j := f.judge(name)
	sum := []graph.Value{onReal(a.Loss, j.real.logits)}
	for _, v := range j.fakes {
		sum = append(sum, f.overDraws(onFake(a.Loss, v.logits)))
	}
	if a.GradientPenalty > 0 {
		sum = append(sum, op.Scale(f.gradientPenalty(s, name, j), a.GradientPenalty))
	}
	return graph.SumOf(sum...)
}

// fools is what the model minimises, of each example. Against permuted codes it is the logarithm of the density ratio
// q(z) / Π q(z_j), whose mean is the total correlation (Kim & Mnih 2018, eq. 3).
func (f *Forward) fools(name string, a Adversary) graph.Value {
	var sum []graph.Value
	for _, v := range f.judge(name).fakes {
		if a.Loss == "bce" && a.Against != "permuted" {
			sum = append(sum, f.overDraws(op.Softplus(op.Neg(v.logits)))) // -log D(fake): Goodfellow et al. 2014, section 3
		} else {
			sum = append(sum, f.overDraws(op.Neg(v.logits)))
		}
	}
	return graph.SumOf(sum...)
}

// onReal and onFake are a discriminator's losses: cross-entropy (Goodfellow et al. 2014, eq. 1), hinge (Lim & Ye 2017,
// "Geometric GAN"), the difference of means (Arjovsky et al. 2017, "Wasserstein GAN", eq. 2).
func onReal(loss string, logits graph.Value) graph.Value {
	switch loss {
	case "hinge":
		return op.ReLU(op.AddConst(op.Neg(logits), 1))
	case "wasserstein":
		return op.Neg(logits)
	}
	return op.Softplus(op.Neg(logits))
}

func onFake(loss string, logits graph.Value) graph.Value {
	switch loss {
	case "hinge":
		return op.ReLU(op.AddConst(logits, 1))
	case "wasserstein":
		return logits
	}
	return op.Softplus(logits)
}

// overDraws is the mean over the k draws of an example, where there are several.
func (f *Forward) overDraws(v graph.Value) graph.Value {
	if f.Samples > 1 && v.Dim(0) == f.N*f.Samples {
		return op.ReduceMean(op.Reshape(v, f.N, f.Samples), 1)
	}
	return v
}

// gradientPenalty is (‖∂D/∂x‖ - 1)² of each example, at a random place between what is real and what was made.
// Source: Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", eq. 3.
func (f *Forward) gradientPenalty(s *nn.Scope, name string, j *judged) graph.Value {
	const root = 1e-12 // keeps the root's gradient finite where the discriminator is flat
	fake := j.fakes[0].input
	real := f.Repeated(j.real.input)
	n := fake.Dim(0)
	dims := make([]int, fake.Rank())
	for i := range dims {
		dims[i] = 1
	}
	dims[0] = n
	share := op.BroadcastTo(op.Reshape(s.Uniform("between", graph.Shape{n}), dims...), fake.Shape()...)
	between := op.Stop(op.Add(real, op.Mul(share, op.Sub(fake, real))))
	logits := f.apply(name, between).logits
	d := graph.VJP([]graph.Value{logits}, []graph.Value{s.Graph().Constant(logits.Spec(), 1)}, []graph.Value{between})[0]
	if !d.Valid() {
		return s.Graph().Constant(graph.F32(f.N), 1)
	}
	norm := op.Sqrt(op.AddConst(op.SumPerExample(op.Square(d)), root))
	return f.overDraws(op.Square(op.AddConst(norm, -1)))
}
