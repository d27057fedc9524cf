package model

import (
	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/nn"
	"aetrain/op"
)

// Codebook holds the keys of bottlenecks that replace vectors by the nearest of a list of learned ones.
type Codebook struct {
	Codes      int     `toml:"codes" min:"2" doc:"vectors in the codebook"`
	Update     string  `toml:"update" choices:"ema|gradient" doc:"how the codebook follows its vectors: by running means of those assigned to each code, or by the gradient of their distance"`
	Decay      float64 `toml:"decay" min:"0" below:"1" doc:"how much of a running mean stays in a step"`
	Commitment float64 `toml:"commitment" min:"0" doc:"weight of the distance by which vectors are held to their codes"`
	Restart    bool    `toml:"restart" doc:"codes that hardly any vector is assigned to take the place of a random vector of the batch"`
	Dead       float64 `toml:"dead_below" min:"0" below:"1" doc:"a code is dead when it is used less than so much of an even share"`
	Begin      string  `toml:"start" choices:"batch|k-means" doc:"what the codebook starts with: random vectors of the first batch, or k-means over the training split"`
	Init       string  `toml:"init" choices:"torch|he|xavier|orthogonal" doc:"how the projection's weights start, and those of its mirror"`
}

// newCodebook holds the defaults.
func newCodebook() Codebook {
	return Codebook{Codes: 512, Update: "ema", Decay: 0.99, Commitment: 0.25, Restart: true, Dead: 0.05, Begin: "batch", Init: "torch"}
}

// quantised is what a codebook makes of rows.
type quantised struct {
	code       graph.Value // M×D: the nearest codes; gradients reach the codebook where that is how it learns
	index      graph.Value // M int32
	perplexity graph.Value // scalar: exp of the entropy of the codes' use in the batch
}

// quantise replaces each row of z, M×D, by the nearest code, and updates the codebook while training.
//
// States: codebook K×D; codebook_use K, the running mean of the number of rows assigned to each code in a batch; with running
// means codebook_sum K×D, that of their sums; codebook_steps, 0 in the first step, from whose rows the codebook is made.
// Source: van den Oord, Vinyals & Kavukcuoglu 2017, "Neural Discrete Representation Learning", eq. 1 and appendix A.1 (running
// means); Dhariwal et al. 2020, "Jukebox", section 3.2 (restart of dead codes).
func (b *Codebook) quantise(s *nn.Scope, z graph.Value) quantised {
	g, dim := s.Graph(), z.Dim(1)
	z = op.Stop(z)
	state := b.state(s, dim)
	book := state
	var rows, steps graph.Value
	if s.Training() {
		steps = s.Buffer("codebook_steps", nil, graph.F32())
		rows = b.draw(s, z)
		book = op.Select(steps, state, rows)
	}
	// |z-e|² = |z|² - 2 z·e + |e|²: the first does not tell codes apart
	near := op.Sub(op.Scale(op.MatMul(z, op.Stop(book), false, true), 2), op.SumPerExample(op.Square(op.Stop(book))))
	q := quantised{index: op.ArgMax(near)}
	q.code = op.Gather(book, q.index)
	count := op.ScatterAdd(q.index, g.Constant(graph.F32(z.Dim(0)), 1), b.Codes)
	q.perplexity = perplexityOf(q.index, b.Codes)
	if s.Training() {
		b.learn(s, state, codebookStep{book: book, rows: rows, steps: steps, z: z, index: q.index, count: count})
		s.Assign(steps, op.AddConst(steps, 1))
	}
	return q
}

// state is the codebook: a parameter where gradients train it.
func (b *Codebook) state(s *nn.Scope, dim int) graph.Value {
	init := uniformInit(1 / float64(b.Codes))
	if b.Update == "gradient" {
		return s.Param("codebook", init, b.Codes, dim)
	}
	return s.Buffer("codebook", init, graph.F32(b.Codes, dim))
}

// uniformInit fills with numbers from [-bound, bound).
func uniformInit(bound float64) graph.Init {
	return func(seed uint64, name string, t graph.Tensor) {
		r := philox.New(seed, philox.Stream(name))
		for i := range t.Data {
			t.Data[i] = float64(float32((2*float64(r.Float32()) - 1) * bound))
		}
	}
}

// draw takes a random row of z for each code.
func (b *Codebook) draw(s *nn.Scope, z graph.Value) graph.Value {
	at := op.Scale(op.Uniform(s.RNG(), "codebook", b.Codes), float64(z.Dim(0)))
	return op.Gather(z, op.Cast(op.Floor(at), graph.Int32))
}

// codebookStep is what one batch tells a codebook.
type codebookStep struct {
	book  graph.Value // K×D as it was used
	rows  graph.Value // K×D: rows of the batch for codes that start
	steps graph.Value // scalar: steps before this one
	z     graph.Value // M×D
	index graph.Value // M
	count graph.Value // K: rows of the batch assigned to each code
}

// learn assigns the codebook and what is kept beside it. A code that starts has an even share of use.
func (b *Codebook) learn(s *nn.Scope, state graph.Value, t codebookStep) {
	g := s.Graph()
	even := float64(t.z.Dim(0)) / float64(b.Codes)
	evenly := g.Constant(graph.F32(b.Codes), even)
	// Encoders move fast in their first steps, and so do the means: of about as many steps as there were.
	keep := op.Minimum(g.Scalar(b.Decay), op.Div(op.AddConst(t.steps, 1), op.AddConst(t.steps, 10)))
	running := func(old, now graph.Value) graph.Value {
		return op.Add(now, op.Mul(op.Sub(old, now), keep))
	}
	useState := s.Buffer("codebook_use", nil, graph.F32(b.Codes))
	use := running(op.Select(t.steps, useState, evenly), t.count)
	dead := op.Less(use, g.Scalar(b.Dead*even))
	if !b.Restart {
		dead = g.Constant(graph.F32(b.Codes), 0)
	}
	column := op.Reshape(dead, b.Codes, 1)
	s.Assign(useState, op.Select(dead, evenly, use))
	if b.Update == "gradient" {
		s.Assign(state, op.Stop(op.Select(column, t.rows, t.book)))
		return
	}
	sumState := s.Buffer("codebook_sum", nil, graph.F32(b.Codes, t.z.Dim(1)))
	sum := running(op.Select(t.steps, sumState, op.Scale(t.rows, even)), op.ScatterAdd(t.index, t.z, b.Codes))
	s.Assign(sumState, op.Select(column, op.Scale(t.rows, even), sum))
	s.Assign(state, op.Select(column, t.rows, op.Div(sum, op.Reshape(b.smooth(use), b.Codes, 1))))
}

// smooth keeps the use of codes away from 0, their total as it is.
func (b *Codebook) smooth(use graph.Value) graph.Value {
	const eps = 1e-5
	total := op.SumAll(use)
	return op.Mul(op.AddConst(use, eps), op.Div(total, op.AddConst(total, eps*float64(b.Codes))))
}

// Bound is that of a plain loss.
func (b *Codebook) Bound() (kind string, samples int) { return "elbo", 1 }

// Activation is linear: codes may be any numbers.
func (*Codebook) Activation(*nn.Stack, int) string { return "linear" }

// TermNames are those that [Codebook.terms] gives weights.
func (b *Codebook) TermNames() []string {
	if b.Update == "gradient" {
		return []string{"commitment", "codebook"}
	}
	return []string{"commitment"}
}

// terms are ‖z - sg(e)‖², with running means alone; ‖sg(z) - e‖² where gradients train the codebook; and its perplexity.
// Source: van den Oord et al. 2017, eq. 3.
func (b *Codebook) terms(f *Forward, z graph.Value, qs []quantised, residuals []graph.Value) []Term {
	g := z.Graph()
	perExample := func(rows graph.Value) graph.Value {
		return op.SumPerExample(op.Reshape(rows, f.N, rows.Shape().Size()/f.N))
	}
	var commitment, codebook []graph.Value
	perplexity := make([]graph.Value, len(qs))
	for i, q := range qs {
		commitment = append(commitment, perExample(op.SquaredError(residuals[i], op.Stop(q.code))))
		codebook = append(codebook, perExample(op.SquaredError(op.Stop(residuals[i]), q.code)))
		perplexity[i] = q.perplexity
	}
	held := graph.SumOf(commitment...)
	terms := []Term{{Name: "commitment", Log: held, Minimise: held, Weight: g.Scalar(b.Commitment)}}
	if b.Update == "gradient" {
		learned := graph.SumOf(codebook...)
		terms = append(terms, Term{Name: "codebook", Log: learned, Minimise: learned, Weight: g.Scalar(1)})
	}
	return append(terms, Term{Name: "perplexity", Log: op.Scale(graph.SumOf(perplexity...), 1/float64(len(qs)))})
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
