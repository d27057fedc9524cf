package model

import (
	"fmt"
	"strings"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

// LadderLevel is a level of latent variables below the top one, which a gaussian bottleneck has in any case. Its prior depends on the
// level above; its posterior combines that with what a layer of the encoder says, each by its precision. The decoder takes the
// lowest level's.
// Source: Sønderby et al. 2016, "Ladder Variational Autoencoders", eq. 11-19.
type LadderLevel struct {
	On     string     `toml:"on" required:"true" doc:"the layer of the encoder that tells of this level, by its path or name" example:"\"encoder.0\""`
	Latent int        `toml:"latent_dim" required:"true" min:"1" doc:"numbers of the level" example:"32"`
	Layers []nn.Layer `toml:"layers" doc:"layers from the level above to this one's prior" example:"[{ layer = \"dense\", units = 128, activation = \"leaky_relu\" }]"`
}

// tap is the path of the layer within the encoder.
func (l LadderLevel) tap() string { return strings.TrimPrefix(l.On, "encoder.") }

// lowest is the last level, nil where the top is the only one.
func (b *Gaussian) lowest() *LadderLevel {
	if len(b.Levels) == 0 {
		return nil
	}
	return &b.Levels[len(b.Levels)-1]
}

// Check finds the layers that the levels look at.
func (b *Gaussian) Check(m *Model) error {
	if m.Encoder == nil || len(b.Levels) == 0 {
		return nil
	}
	if m.Config.Tied {
		return fmt.Errorf("levels: the projection of the top level is not what the decoder begins with: leave tied out")
	}
	above := m.Config.LatentDim
	for i, l := range b.Levels {
		if _, ok := m.Encoder.Through(l.tap()); !ok {
			return fmt.Errorf("levels[%d].on: the encoder has no layer %q: write its path, such as \"encoder.0\", or give it a name", i, l.On)
		}
		if _, err := nn.NewStack(l.Layers, graph.Shape{above}, false); err != nil {
			return fmt.Errorf("levels[%d].layers%w", i, err)
		}
		above = l.Latent
	}
	return nil
}

// mirrored is the part of the encoder that the decoder mirrors: all, or as far as the lowest level looks.
func (m *Model) mirrored() *nn.Stack {
	if b, ok := m.Config.Bottleneck.(*Gaussian); ok && b.lowest() != nil {
		if part, ok := m.plain.Through(b.lowest().tap()); ok {
			return part
		}
	}
	return m.plain
}

// topCode is the shape of the code that the prior is of: the top level's.
func (m *Model) topCode() graph.Shape {
	if b, ok := m.Config.Bottleneck.(*Gaussian); ok && b.lowest() != nil {
		return graph.Shape{m.Config.LatentDim}
	}
	return m.Code
}

// descend adds the levels below the top, whose drawn codes are z: N·k rows. taps are the encoder's layers, N rows. The lowest level
// comes first, the top last.
func (b *Gaussian) descend(f *Forward, top Latent, taps map[string]graph.Value) []Latent {
	latents := []Latent{top}
	for i, l := range b.Levels {
		above := latents[0].Z
		said := prob.Normal{}
		f.scope.Within("encoder", func(s *nn.Scope) graph.Value {
			return s.Within(fmt.Sprintf("level%d", i), func(s *nn.Scope) graph.Value {
				said.Mu = project(s, "mu", taps[l.tap()], l.Latent, b.Init)
				said.LogVar = project(s, "log_var", taps[l.tap()], l.Latent, b.Init)
				return said.Mu
			})
		})
		var one Latent
		f.scope.Within("bottleneck", func(s *nn.Scope) graph.Value {
			return s.Within(fmt.Sprintf("level%d", i), func(s *nn.Scope) graph.Value {
				p := l.prior(s, above, b.Init)
				one = Latent{Posterior: combined(prob.Normal{Mu: f.Repeated(said.Mu), LogVar: f.Repeated(said.LogVar)}, p), Prior: p, wide: true}
				one.Z = f.drawWide(s, one)
				return one.Z
			})
		})
		latents = append([]Latent{one}, latents...)
	}
	return latents
}

// prior is that of a level, given the codes above.
func (l LadderLevel) prior(s *nn.Scope, above graph.Value, init string) prob.Normal {
	h := above
	st, err := nn.NewStack(l.Layers, graph.Shape{above.Dim(1)}, false)
	if err != nil {
		s.Graph().Fail(err)
	} else {
		h = st.Build(s, above)
	}
	return prob.Normal{Mu: project(s, "mu", h, l.Latent, init), LogVar: project(s, "log_var", h, l.Latent, init)}
}

// combined is the product of two normal densities: precisions add up, means are weighted by them.
func combined(q, p prob.Normal) prob.Normal {
	wq, wp := op.Exp(op.Neg(q.LogVar)), op.Exp(op.Neg(p.LogVar))
	sum := op.Add(wq, wp)
	return prob.Normal{Mu: op.Div(op.Add(op.Mul(q.Mu, wq), op.Mul(p.Mu, wp)), sum), LogVar: op.Neg(op.Log(sum))}
}

// drawWide samples once from a posterior of N·k rows.
func (f *Forward) drawWide(s *nn.Scope, l Latent) graph.Value {
	q := l.Posterior.(prob.Normal)
	if f.mode == Inference {
		return q.Mu
	}
	return f.sampleRows(s, q)
}

// sampleRows samples rows, one or k of each example.
func (f *Forward) sampleRows(s *nn.Scope, q prob.Normal) graph.Value {
	if f.Samples == 1 || q.Mu.Dim(0) == f.N {
		return q.Sample(s.RNG(), "z")
	}
	apart := func(v graph.Value) graph.Value { return op.Reshape(v, f.N, f.Samples, v.Dim(1)) }
	return op.Reshape(prob.Normal{Mu: apart(q.Mu), LogVar: apart(q.LogVar)}.Sample(s.RNG(), "z"), q.Mu.Shape()...)
}

// fall draws the levels below the top from their priors: codes for the decoder of the top's.
func (m *Model) fall(f *Forward, z graph.Value) graph.Value { return f.fallen(z)[0] }

// fallen are codes of the top level and those that the levels below draw from their priors, the lowest first.
func (f *Forward) fallen(z graph.Value) []graph.Value {
	all := []graph.Value{z}
	b, ok := f.model.Config.Bottleneck.(*Gaussian)
	if !ok {
		return all
	}
	for i, l := range b.Levels {
		f.scope.Within("bottleneck", func(s *nn.Scope) graph.Value {
			return s.Within(fmt.Sprintf("level%d", i), func(s *nn.Scope) graph.Value {
				z = f.sampleRows(s, l.prior(s, z, b.Init))
				return z
			})
		})
		all = append([]graph.Value{z}, all...)
	}
	return all
}

// jointCode is the codes of all levels side by side, the lowest first, N·k rows; the code as it is where there is one level.
func (f *Forward) jointCode() graph.Value {
	var all []graph.Value
	for _, l := range f.Latents {
		all = append(all, l.Z)
	}
	return sideBySide(all)
}

// drawPrior draws N codes from the prior: what the decoder takes, and all levels side by side. Levels below the top follow from the
// level above, so that together they come from p(z_1|z_2)···p(z_L) and not from what the posterior says of the levels above.
func (f *Forward) drawPrior(s *nn.Scope, name string) (code, joint graph.Value) {
	top := f.Latents[len(f.Latents)-1]
	if top.Prior == nil {
		top.Prior = standardLike(top.Z)
	}
	all := f.fallen(top.Prior.Sample(s.RNG(), name))
	return all[0], sideBySide(all)
}

func sideBySide(codes []graph.Value) graph.Value {
	if len(codes) == 1 {
		return codes[0]
	}
	return op.Concat(1, codes...)
}

// jointShape is that of one example's jointCode.
func (m *Model) jointShape() graph.Shape {
	b, ok := m.Config.Bottleneck.(*Gaussian)
	if !ok || b.lowest() == nil {
		return m.Code
	}
	size := m.Config.LatentDim
	for _, l := range b.Levels {
		size += l.Latent
	}
	return graph.Shape{size}
}

// errLevels is why what compares the numbers of a code with each other means nothing on a ladder.
func errLevels(what string) error {
	return fmt.Errorf("%s wants numbers that do not depend on each other, and those of a ladder's levels do by their priors: leave levels out, or hold them against their prior by mmd", what)
}

// wideKL is the divergence of a level whose posterior has N·k rows: N, or N×k.
func (f *Forward) wideKL(l Latent) graph.Value {
	if kl, ok := prob.KL(l.Posterior, l.Prior); ok && !f.PerSample {
		if f.Samples > 1 {
			return op.Reshape(kl, f.N, f.Samples)
		}
		return kl
	}
	return f.PerExample(op.Sub(l.Posterior.LogProb(l.Z), l.Prior.LogProb(l.Z)))
}
