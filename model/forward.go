package model

import (
	"strings"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

// Mode says what is random in a forward pass.
type Mode uint8

const (
	Training   Mode = iota // corruption, dropout, drawn codes; batch statistics
	Evaluation             // corruption and drawn codes; running statistics
	Inference              // nothing: clean input, the posterior's mean
)

// Forward is one pass through the model, in which the parts meet.
type Forward struct {
	N       int               // examples
	Samples int               // codes drawn of each: k
	X       graph.Value       // N×...: the clean target, float32
	Input   graph.Value       // what the encoder sees
	Changed graph.Value       // 1 where the corruption has replaced an element; the zero Value where that is not known
	Latents []Latent          // Z of each: N·k rows, the k of an example one after the other
	Code    graph.Value       // what the decoder takes: N·k rows
	Recon   prob.Distribution // of x, N·k rows

	// PerSample says that divergences are wanted of each sample, as importance-weighted bounds need them, not in closed form.
	PerSample bool

	model  *Model
	scope  *nn.Scope // the root
	mode   Mode
	told   graph.Value        // the condition, N×size, once it is asked for
	judged map[string]*judged // what adversaries say, by name, once they are asked
	hiding hiding             // which patches the encoder does not see; kept is 0 where it sees all
}

// forward builds a pass. corrupt is false where the input stays clean in spite of the mode.
func (m *Model) forward(s *nn.Scope, mode Mode, n, samples int, corrupt bool) *Forward {
	f := m.looking(s, mode, n, corrupt)
	f.Samples = max(1, samples)
	return f.through()
}

// looking is a pass that has its input, clean or corrupted, and nothing more.
func (m *Model) looking(s *nn.Scope, mode Mode, n int, corrupt bool) *Forward {
	f := m.begun(s, mode, n)
	f.X = f.input()
	f.Input = f.X
	if corrupt && mode != Inference {
		s.Within("corruption", func(s *nn.Scope) graph.Value {
			f.corrupt(s)
			return f.Input
		})
	}
	return f
}

// by is the pass of the model whose root s is, with the same input.
func (f *Forward) by(s *nn.Scope) *Forward {
	own := *f
	own.scope, own.told, own.judged = s, graph.Value{}, map[string]*judged{}
	return &own
}

// through takes the input through encoder, bottleneck and decoder.
func (f *Forward) through() *Forward {
	f.Latents = f.encode(f.scope, f.Input)
	f.Code = f.Latents[0].Z
	if !f.model.codeOnly {
		f.Recon = f.decode(f.scope, f.Code)
	}
	return f
}

// begun is a pass of n examples in which nothing has happened yet.
func (m *Model) begun(s *nn.Scope, mode Mode, n int) *Forward {
	return &Forward{N: n, Samples: 1, model: m, scope: s, mode: mode, judged: map[string]*judged{}}
}

// Field is a field of the batch, as it is fed: N×... What the data lacks is kept as the graph's error.
func (f *Forward) Field(name string) graph.Value {
	g := f.scope.Graph()
	var names []string
	for _, field := range f.model.Fields {
		if field.Name == name {
			spec := graph.Spec{Shape: append(graph.Shape{f.N}, field.Spec.Shape...), DType: field.Spec.DType}
			if f.model.supply != nil {
				if v := f.model.supply(g, name, spec); v.Valid() {
					return v
				}
			}
			return g.Input(name, spec)
		}
		names = append(names, field.Name)
	}
	g.Fail(mistake("model", "the model reads the field %s, the data has %s", name, strings.Join(names, ", ")))
	return f.X
}

// input is x as float32; stored bytes become [0, 1].
func (f *Forward) input() graph.Value {
	x := f.Field(FieldX)
	if f.model.x.DType == graph.Uint8 {
		const white = 255
		return op.Scale(op.Cast(x, graph.Float32), 1.0/white)
	}
	return op.Cast(x, graph.Float32)
}

// Encode applies encoder and bottleneck again, to another input, with the same weights and random numbers of its own.
func (f *Forward) Encode(x graph.Value) []Latent {
	var latents []Latent
	f.scope.Again(func(s *nn.Scope) graph.Value {
		latents = f.encode(s, x)
		return latents[0].Z
	})
	return latents
}

// Decode applies the decoder again, to other codes, with the same weights.
func (f *Forward) Decode(z graph.Value) prob.Distribution {
	var recon prob.Distribution
	f.scope.Again(func(s *nn.Scope) graph.Value {
		recon = f.decode(s, z)
		return z
	})
	return recon
}

func (f *Forward) encode(s *nn.Scope, x graph.Value) []Latent {
	taps := map[string]graph.Value{}
	tap := func(p nn.Placed, y graph.Value) {
		taps[p.Path] = y
		if p.Label() != "" {
			taps[p.Label()] = y
		}
	}
	var latent Latent
	s.Within("encoder", func(s *nn.Scope) graph.Value {
		h := f.throughEncoder(f.masked(s), f.conditioned(intoEncoder, f.seen(x), f.model.Encoder.In), tap)
		latent = f.model.Config.Bottleneck.Encode(s, h, f.model.Config.LatentDim)
		return h
	})
	f.givePrior(&latent)
	s.Within("bottleneck", func(s *nn.Scope) graph.Value {
		latent.Z = f.draw(s, latent)
		return latent.Z
	})
	if ladder, ok := f.model.Config.Bottleneck.(*Gaussian); ok && ladder.lowest() != nil {
		return ladder.descend(f, latent, taps)
	}
	return []Latent{latent}
}

// seen is an example as the encoder sees it. With input = "unit-norm" it is divided by its length, and one of zeros stays (Liang et
// al. 2018, "Variational Autoencoders for Collaborative Filtering", section 4.3 and its published code); with "log1p" counts are taken
// as ln(1 + x) (Lopez et al. 2018, "Deep generative modeling for single-cell transcriptomics", supplementary note 3).
func (f *Forward) seen(x graph.Value) graph.Value {
	switch f.model.Config.Input {
	case asIs:
		return x
	case logCount:
		return op.Log1p(op.ReLU(x))
	}
	const least = 1e-12 // a squared length
	return op.ScaleRows(x, op.Rsqrt(op.Maximum(op.SumPerExample(op.Square(x)), f.scope.Graph().Scalar(least))))
}

// masked tells the layers which times of the sequences are valid, where the data has a mask of times.
func (f *Forward) masked(s *nn.Scope) *nn.Scope {
	if m := f.model; !m.masked || len(m.X) != 2 && m.vocabulary() == 0 || len(m.mask.Shape) != 1 {
		return s
	}
	return s.Masked(func() graph.Value { return op.Cast(f.Field(FieldMask), graph.Float32) })
}

// draw samples a code of each example, Samples times; the rows of one example follow each other.
func (f *Forward) draw(s *nn.Scope, l Latent) graph.Value {
	switch {
	case l.Posterior == nil:
		return l.Z
	case f.mode == Inference:
		return l.Posterior.Mean()
	case f.Samples == 1:
		return l.Posterior.Sample(s.RNG(), "z")
	}
	z := l.Posterior.Repeat(f.Samples).Sample(s.RNG(), "z") // N×k×...
	return op.Reshape(z, append([]int{f.N * f.Samples}, z.Shape()[min(2, z.Rank()):]...)...)
}

// givePrior completes the prior: that of a deterministic code which is held against one, and one that is told the condition.
func (f *Forward) givePrior(l *Latent) {
	if l.Prior == nil && l.Posterior == nil && f.model.judgesLatents() {
		l.Prior = standardLike(l.Z)
	}
	_, labelled := f.model.Config.Prior.(*ByLabel)
	if l.Prior != nil && !(labelled && f.mode == Inference) { // which needs no label: nothing is held against the prior
		l.Prior = f.learnedPrior(l.Prior)
	}
	if l.Prior != nil && f.model.Condition.tells(intoPrior) {
		l.Prior = f.conditionalPrior(l.Prior, l.Prior.Mean().Shape())
	}
}

// standardLike is N(0, I) of codes like z.
func standardLike(z graph.Value) prob.Distribution {
	return prob.Standard{Graph: z.Graph(), Dims: z.Shape()}
}

func (f *Forward) decode(s *nn.Scope, z graph.Value) prob.Distribution {
	m := f.model
	var recon prob.Distribution
	s.Within("decoder", func(s *nn.Scope) graph.Value {
		raw := f.raw(s, f.conditioned(intoDecoder, z, m.Decoder.In))
		recon = m.Config.Reconstruction.Distribution(s, raw, m.X[m.channelAxis()])
		return raw
	})
	return recon
}

// channelAxis is the axis of one example that the likelihood's further channels lie on: the first of images, the last otherwise.
func (m *Model) channelAxis() int {
	if len(m.X) == 3 {
		return 0
	}
	return len(m.X) - 1
}

// Output returns a layer's output by its path ("encoder.0") or the name that the user gave it; "" is the code.
// A penalty names it by its key on. Where there is no such layer, the graph keeps the error.
func (f *Forward) Output(on string) graph.Value {
	if on == "" {
		return f.Code
	}
	v, ok := f.scope.Output(on)
	if !ok {
		g := f.scope.Graph()
		part, _ := memberless(g.Path())
		g.Fail(mistake("model."+part+".on", "no layer is called %q: give it a name = %q, or write its path, such as \"encoder.0\"", on, on))
		return f.Code
	}
	return v
}

// PerExample sums v, which has N or N·k rows, over all axes but the first: N, or N×k.
func (f *Forward) PerExample(v graph.Value) graph.Value {
	sum := op.SumPerExample(v)
	if f.Samples > 1 && v.Dim(0) == f.N*f.Samples {
		return op.Reshape(sum, f.N, f.Samples)
	}
	return sum
}

// Repeated gives each row of v (N rows) Samples copies, so that it stands beside the codes: N·k rows.
func (f *Forward) Repeated(v graph.Value) graph.Value {
	if f.Samples == 1 || v.Dim(0) != f.N {
		return v
	}
	dims := v.Shape().Clone()
	wide := op.BroadcastTo(op.Reshape(v, append([]int{f.N, 1}, dims[1:]...)...), append([]int{f.N, f.Samples}, dims[1:]...)...)
	return op.Reshape(wide, append([]int{f.N * f.Samples}, dims[1:]...)...)
}

// KL is the divergence of posterior and prior in nats, summed over the latents: N in closed form where there is one, else
// (and always where PerSample is set) log q(z|x) - log p(z) of each sample, N or N×k.
func (f *Forward) KL() graph.Value {
	var sum []graph.Value
	for _, l := range f.Latents {
		if l.wide {
			sum = append(sum, f.wideKL(l))
			continue
		}
		if kl, ok := prob.KL(l.Posterior, l.Prior); ok && !f.PerSample {
			sum = append(sum, kl)
			continue
		}
		sum = append(sum, f.sampledKL(l))
	}
	return graph.SumOf(f.alike(sum)...)
}

// alike gives values of N the samples that others have, N×k.
func (f *Forward) alike(values []graph.Value) []graph.Value {
	rank := 0
	for _, v := range values {
		rank = max(rank, v.Rank())
	}
	for i, v := range values {
		if v.Rank() < rank {
			values[i] = op.BroadcastTo(op.Reshape(v, f.N, 1), f.N, f.Samples)
		}
	}
	return values
}

// sampledKL is log q(z|x) - log p(z) of the drawn codes: N, or N×k.
func (f *Forward) sampledKL(l Latent) graph.Value {
	if f.Samples == 1 {
		return f.PerExample(op.Sub(l.Posterior.LogProb(l.Z), l.Prior.LogProb(l.Z)))
	}
	z := op.Reshape(l.Z, append([]int{f.N, f.Samples}, l.Z.Shape()[1:]...)...)
	ratio := op.Sub(l.Posterior.Repeat(f.Samples).LogProb(z), l.Prior.Repeat(f.Samples).LogProb(z))
	return op.Reshape(op.SumPerExample(op.Reshape(ratio, append([]int{f.N * f.Samples}, z.Shape()[2:]...)...)), f.N, f.Samples)
}
