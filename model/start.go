package model

import (
	"fmt"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// Starting is implemented by parts that look at the training split before they are trained: a Program runs over it, a batch at a
// time, and assigns their states. k-means starts of codebooks and centres are such *init passes*.
type Starting interface {
	// Passes is how often the Program runs over the whole split; 0: there is nothing to do.
	Passes() int
}

// Starter is a penalty or a prior with an init pass. s is the part's scope; of f, penalties see the codes, priors the input alone.
type Starter interface {
	Starting
	Start(s *nn.Scope, f *Forward, p Pass)
}

// CodeStarter is a bottleneck with an init pass. s is the encoder's scope, h what the encoder gives.
type CodeStarter interface {
	Starting
	Start(s *nn.Scope, h graph.Value, latentDim int, p Pass)
}

// Pass is where an init pass stands: both are scalars that count from 0.
type Pass struct {
	Batches  graph.Value // before this one, in all passes
	Examples graph.Value
}

// States that count batches and examples of an init pass; whoever runs it sets them to 0 before.
const (
	StateStartBatches  = "start.batches"
	StateStartExamples = "start.examples"
)

const (
	startBottleneck = "bottleneck"
	startPrior      = "prior"
	startPenalty    = "penalties."
)

// Starts are the parts that have an init pass, in their order, with the number of passes each.
func (m *Model) Starts() (parts []string, passes map[string]int) {
	passes = map[string]int{}
	add := func(name string, part any) {
		if p, ok := part.(Starting); ok && p.Passes() > 0 {
			parts, passes[name] = append(parts, name), p.Passes()
		}
	}
	if m.priorOnly {
		return nil, passes
	}
	add(startBottleneck, m.Config.Bottleneck)
	add(startPrior, m.Config.Prior)
	for _, name := range m.penaltyNames() {
		if len(m.phasesOf(name)) > 0 {
			add(startPenalty+name, m.Config.Penalties[name])
		}
	}
	return parts, passes
}

// Start builds the init pass of a part, as Starts names it, for a batch of clean inputs. Nothing is as in training: no dropout, the
// running statistics of norms.
func (m *Model) Start(part string, batch int) (*Function, error) {
	fn := m.begin(batch, false)
	g := fn.Graph
	batches, examples := g.State(graph.Scratch, StateStartBatches, graph.F32(), nil), g.State(graph.Scratch, StateStartExamples, graph.F32(), nil)
	f := m.begun(fn.Scope, Inference, batch)
	f.X = f.input()
	f.Input, fn.Forward = f.X, f
	p := Pass{Batches: batches, Examples: examples}
	switch part {
	case startBottleneck:
		f.startCode(m.Config.Bottleneck.(CodeStarter), p)
	case startPrior:
		f.startPart("prior", m.Config.Prior.(Starter), p)
	default:
		name := part[len(startPenalty):]
		f.Latents = f.encode(fn.Scope, f.Input)
		f.Code = f.Latents[0].Z
		fn.Scope.Within("penalties", func(s *nn.Scope) graph.Value {
			return s.Within(name, func(s *nn.Scope) graph.Value {
				m.Config.Penalties[name].(Starter).Start(s, f, p)
				return f.X
			})
		})
	}
	g.Assign(batches, op.AddConst(batches, 1))
	g.Assign(examples, op.AddConst(examples, float64(batch)))
	fn, err := m.end(fn)
	if err != nil {
		return nil, fmt.Errorf("init pass of %s: %w", part, err)
	}
	return fn, nil
}

func (f *Forward) startCode(b CodeStarter, p Pass) {
	f.scope.Within("encoder", func(s *nn.Scope) graph.Value {
		h := f.model.Encoder.Build(f.masked(s), f.conditioned(intoEncoder, f.Input, f.model.Encoder.In))
		b.Start(s, h, f.model.Config.LatentDim, p)
		return h
	})
}

func (f *Forward) startPart(name string, part Starter, p Pass) {
	f.scope.Within(name, func(s *nn.Scope) graph.Value {
		part.Start(s, f, p)
		return f.X
	})
}

// startMean assigns a state, D, the mean of the rows, N×D, of all batches so far.
func startMean(s *nn.Scope, state, rows graph.Value, p Pass) {
	n := float64(rows.Dim(0))
	share := op.Div(s.Graph().Scalar(n), op.AddConst(p.Examples, n)) // 1 in the first batch: what was there before is gone
	mean := op.Stop(op.ReduceMean(rows, 0))
	s.Assign(state, op.Add(op.Mul(state, op.AddConst(op.Neg(share), 1)), op.Mul(mean, share)))
}

// Passes is one where a centre is to be found.
func (d *Dictionary) Passes() int {
	if d.Center {
		return 1
	}
	return 0
}

// Start sets the centre to the mean of what the encoder gives.
// Source: Bricken et al. 2023, "Towards Monosemanticity", appendix "Advice for Training Sparse Autoencoders" (there the geometric
// median).
func (d *Dictionary) Start(s *nn.Scope, h graph.Value, _ int, p Pass) {
	h = op.Flatten(h)
	startMean(s, s.Param("center", nil, h.Dim(1)), h, p)
}

// kMeansPasses is how often k-means sees the training split.
const kMeansPasses = 5

// Passes are those of k-means, where it is wanted.
func (b *Codebook) Passes() int {
	if b.Begin == "k-means" {
		return kMeansPasses
	}
	return 0
}

// start moves the codebook by one step of k-means on the rows z, M×D: each code moves to the mean of all rows that were nearest to it
// so far. The first batch begins with random rows of its own.
// Source: Sculley 2010, "Web-Scale K-Means Clustering", algorithm 1; for codebooks: Łańcucki et al. 2020, "Robust Training of Vector
// Quantized Bottleneck Models", section III.
func (b *Codebook) start(s *nn.Scope, z graph.Value, p Pass) graph.Value {
	z = op.Stop(z)
	g, dim := s.Graph(), z.Dim(1)
	state := b.state(s, dim)
	use, steps := s.Buffer("codebook_use", nil, graph.F32(b.Codes)), s.Buffer("codebook_steps", nil, graph.F32())
	book := op.Select(p.Batches, state, b.draw(s, z))
	seen := op.Mul(use, p.Batches) // the states hold means over batches
	near := op.Sub(op.Scale(op.MatMul(z, book, false, true), 2), op.SumPerExample(op.Square(book)))
	index := op.ArgMax(near)
	now := op.ScatterAdd(index, g.Constant(graph.F32(z.Dim(0)), 1), b.Codes)
	all := op.Add(seen, now)
	column := func(v graph.Value) graph.Value { return op.Reshape(v, b.Codes, 1) }
	pull := op.Sub(op.ScatterAdd(index, z, b.Codes), op.Mul(book, column(now)))
	moved := op.Add(book, op.Div(pull, column(op.Maximum(all, g.Scalar(1)))))
	mean := op.Div(all, op.AddConst(p.Batches, 1))
	s.Assign(state, moved)
	s.Assign(use, mean)
	s.Assign(steps, g.Scalar(1)) // training goes on from here instead of from its first batch
	if b.Update == "ema" {
		s.Assign(s.Buffer("codebook_sum", nil, graph.F32(b.Codes, dim)), op.Mul(moved, column(mean)))
	}
	return op.Gather(book, index)
}

// Start runs k-means on the vectors that are to be quantised.
func (b *VQ) Start(s *nn.Scope, h graph.Value, latentDim int, p Pass) {
	b.startLevels(s, h, latentDim, 1, p)
}

// Start runs k-means on what each level is left with.
func (b *ResidualVQ) Start(s *nn.Scope, h graph.Value, latentDim int, p Pass) {
	b.startLevels(s, h, latentDim, b.Levels, p)
}

func (b *VQ) startLevels(s *nn.Scope, h graph.Value, latentDim, levels int, p Pass) {
	left := toRows(projectEach(s, "code", h, latentDim, b.Init))
	for level := range levels {
		b.atLevel(s, level, levels, func(s *nn.Scope) graph.Value {
			left = op.Sub(left, b.start(s, left, p))
			return left
		})
	}
}

// atLevel builds in the scope of a codebook: the encoder's own where there is one only.
func (b *VQ) atLevel(s *nn.Scope, level, levels int, build func(*nn.Scope) graph.Value) graph.Value {
	if levels == 1 {
		return build(s)
	}
	return s.Within(fmt.Sprintf("level%d", level), build)
}

// Passes is one where pseudo-inputs start as examples.
func (p *VampPrior) Passes() int {
	if p.Begin == "data" {
		return 1
	}
	return 0
}

// Start sets the pseudo-inputs to the first examples of the pass, squashed back where the model squashes them.
func (p *VampPrior) Start(s *nn.Scope, f *Forward, pass Pass) {
	g, n := s.Graph(), f.N
	state := p.inputs(s, f)
	x := op.Flatten(f.X)
	if low, high, bounded := f.model.Config.Reconstruction.Range(); bounded && high-low < 1e30 {
		const edge = 0.01 // a sigmoid never gets there
		x = op.Clamp(op.Scale(op.AddConst(x, -low), 1/(high-low)), edge, 1-edge)
		x = op.Sub(op.Log(x), op.Log(op.AddConst(op.Neg(x), 1)))
	}
	rows := make([]float64, n)
	for i := range rows {
		rows[i] = float64(i)
	}
	place := op.Add(g.Constant(graph.F32(n), rows...), pass.Examples)
	fits := op.Less(place, g.Scalar(float64(p.Components)))
	at := op.Cast(op.Minimum(place, g.Scalar(float64(p.Components-1))), graph.Int32)
	written := op.ScatterAdd(at, fits, p.Components)
	fresh := op.ScatterAdd(at, op.Mul(x, op.Reshape(fits, n, 1)), p.Components)
	old := op.Reshape(state, p.Components, x.Dim(1))
	s.Assign(state, op.Reshape(op.Select(op.Reshape(written, p.Components, 1), fresh, old), state.Shape()...))
}
