package model

import (
	"errors"
	"fmt"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Priors.Add("autoregressive", func() Prior { return &Autoregressive{Epochs: 10} })
}

// Autoregressive is a prior over codes that are entries of a list: p(c) = Π p(c_t | c_1 ... c_t-1), the positions of the code one
// after the other (rows of a map from the top, the levels of a position together). A network over the sequence, whose layers see no
// later element, gives the next code's logits; it is trained when the autoencoder is done, over codes that stay as they are.
//
//	prior.embedding.weight: codes×E, of each level   prior.begin: E   prior.position: T×E   prior.0...: the layers   prior.out: the logits
//
// Where the condition goes into the prior, prior.condition adds its projection at each position.
// Source: van den Oord, Vinyals & Kavukcuoglu 2017, "Neural Discrete Representation Learning", section 3.3; Esser, Rombach & Ommer
// 2021, "Taming Transformers for High-Resolution Image Synthesis", section 3.2.
type Autoregressive struct {
	Layers    []nn.Layer `toml:"layers" required:"true" doc:"layers over the sequence of codes, such as transformer or lstm; none of them sees later elements" example:"[{ layer = \"lstm\", units = 128 }]"`
	Epochs    float64    `toml:"epochs" over:"0" doc:"epochs for which it is trained when the autoencoder is done"`
	Embedding int        `toml:"embedding" min:"0" doc:"numbers that stand for a code; 0: what the first layer gives"`

	stack   *nn.Stack
	codes   int // of each level
	length  int // of the sequence
	levels  int
	indices graph.Shape
}

// Indexed is implemented by bottlenecks whose code is, at each position, an entry of a list that encode gives the indices of.
type Indexed interface {
	Bottleneck
	// Choices is how many entries there are, and the shape of an example's indices; levels is the size of their last axis where that
	// counts lists of their own, else 1. h is what the encoder gives.
	Choices(h graph.Shape, latentDim int) (entries int, indices graph.Shape, levels int)
	// Lookup makes codes, N×code, of indices, N×...; s is the encoder's scope.
	Lookup(s *nn.Scope, indices graph.Value, code graph.Shape) graph.Value
}

// mostEntries bounds the list: each has a logit at each position.
const mostEntries = 1 << 16

// TrainEpochs is how long it is trained.
func (p *Autoregressive) TrainEpochs() float64 { return p.Epochs }

// Learned is the bottleneck's own prior, where it has one: training the autoencoder knows nothing of this one.
func (p *Autoregressive) Learned(_ *Forward, standard prob.Standard) prob.Distribution {
	return standard
}

// Check wants codes of a list, and infers the sizes of the layers.
func (p *Autoregressive) Check(m *Model) error {
	b, ok := m.Config.Bottleneck.(Indexed)
	if !ok {
		return errors.New("an autoregressive prior predicts codes of a list: choose a vq, residual-vq, fsq or categorical bottleneck, or another prior")
	}
	if m.Encoder == nil {
		return nil // it has an error of its own
	}
	p.codes, p.indices, p.levels = b.Choices(m.Encoder.Out, m.Config.LatentDim)
	p.length = p.indices.Size()
	if p.codes > mostEntries {
		return fmt.Errorf("it gives each of %d codes a probability: %d are as many as it takes", p.codes, mostEntries)
	}
	if len(p.Layers) == 0 {
		return errors.New("layers is missing: [{ layer = \"lstm\", units = 128 }], or a transformer")
	}
	layers, err := nn.Causal(p.Layers)
	if err == nil {
		p.stack, err = nn.NewStack(layers, graph.Shape{p.length, p.embedding()}, false)
	}
	var l *nn.LayerError
	if errors.As(err, &l) {
		return fmt.Errorf("layers[%d] (%s): %w", l.Index, l.Kind, l.Err)
	}
	return err
}

// embedding is the configured size, or the first sized layer's.
func (p *Autoregressive) embedding() int {
	const usual = 64
	if p.Embedding > 0 {
		return p.Embedding
	}
	for _, l := range p.Layers {
		if w, ok := l.(interface{ Width() int }); ok && w.Width() > 0 {
			return w.Width()
		}
	}
	return usual
}

// network gives the hidden values of each position, N×T×H, from indices N×T: those at t know the indices before t alone.
func (p *Autoregressive) network(f *Forward, indices graph.Value) graph.Value {
	g, n, size := f.scope.Graph(), indices.Dim(0), p.stack.In[1]
	var h graph.Value
	f.scope.Within("prior", func(s *nn.Scope) graph.Value {
		if p.levels > 1 { // each level has entries of its own
			shift := op.BroadcastTo(g.Constant(graph.I32(1, p.length), p.offsets()...), n, p.length)
			indices = op.AddInt(indices, shift)
		}
		each := op.Gather(p.embeddings(s), indices)
		x := op.BroadcastTo(op.Reshape(s.Param("begin", nn.Normal(0.02), size), 1, 1, size), n, 1, size)
		if p.length > 1 {
			x = op.Concat(1, x, op.Slice(each, 1, 0, p.length-1))
		}
		x = op.Add(x, op.Reshape(s.Param("position", nn.Normal(0.02), p.length, size), 1, p.length, size))
		h = p.stack.Build(s, p.told(s, f, x))
		p.logits(s, op.Slice(h, 1, 0, 1)) // its weights belong to the network
		return h
	})
	return h
}

// logits are the next codes', N×T×codes, of hidden values N×T×H.
func (p *Autoregressive) logits(s *nn.Scope, h graph.Value) graph.Value {
	return s.Within("out", func(s *nn.Scope) graph.Value { return nn.NewDense(p.codes).Build(s, h) })
}

// nats are -log p(c) of each example's codes, N.
func (p *Autoregressive) nats(f *Forward, indices graph.Value) graph.Value {
	h := p.network(f, indices)
	var nats graph.Value
	f.scope.Within("prior", func(s *nn.Scope) graph.Value {
		log := op.LogSoftmax(p.logits(s, h))
		nats = op.Neg(op.SumPerExample(op.Mul(log, op.OneHot(indices, p.codes))))
		return nats
	})
	return nats
}

// draft is the state of the codes that are being drawn for a batch, N×T: scratch.
func (p *Autoregressive) draft(g *graph.Graph, batch int) graph.Value {
	return g.State(graph.Scratch, fmt.Sprintf("prior.draw.%d", batch), graph.F32(batch, p.length), nil)
}

// InputPosition is the place in the sequence of codes that a step of drawing fills.
const InputPosition = "position"

// DrawSteps is how many runs of [Model.DrawStep] have to go before one of [Model.Sample]; 0 where it draws by itself.
func (m *Model) DrawSteps() int {
	if p, ok := m.Config.Prior.(*Autoregressive); ok && !m.unfitted {
		return p.length
	}
	return 0
}

// DrawStep builds the drawing of the codes at one place of the sequence, the input [InputPosition], by seed and row0, from those before
// it. The codes lie in a Scratch state from one run to the next; what an earlier draw has left behind the place is not seen.
func (m *Model) DrawStep(batch int) (*Function, error) {
	p, ok := m.Config.Prior.(*Autoregressive)
	if !ok {
		return nil, errors.New("this prior draws codes as a whole")
	}
	fn := m.begin(batch, false)
	g := fn.Graph
	f := m.begun(fn.Scope, Inference, batch)
	state, at := p.draft(g, batch), g.Input(InputPosition, graph.I32())
	now := nn.Moment{At: at, Length: p.length}
	var h, last graph.Value // last: of each code before it, its place in the embedding
	if p.stack.CanStep() {
		h, last = p.goOn(f, batch, now)
	} else {
		h = now.Of(p.network(f, op.Cast(state, graph.Int32)))
	}
	fn.Scope.Within("prior", func(s *nn.Scope) graph.Value {
		logits := op.Reshape(p.logits(s, h), batch, p.codes)
		noise := prob.Gumbel(op.RNG{Seed: s.RNG().Seed, Row0: s.RNG().Row0, Step: at}, "code", batch, p.codes)
		next := op.Reshape(op.Cast(op.ArgMax(op.Add(logits, noise)), graph.Float32), batch, 1)
		s.Assign(state, now.With(state, next))
		if last.Valid() {
			offset := now.Of(g.Constant(graph.F32(1, p.length, 1), p.offsets()...))
			s.Assign(last, op.Add(next, op.Reshape(offset, 1, 1)))
		}
		return next
	})
	return m.end(fn)
}

// goOn is the network at one time: its layers keep what they know of the codes before. It returns the hidden values, N×1×H, and the
// state of the code before, N×1.
func (p *Autoregressive) goOn(f *Forward, batch int, now nn.Moment) (h, last graph.Value) {
	size := p.stack.In[1]
	f.scope.Within("prior", func(s *nn.Scope) graph.Value {
		last = now.Carry(s, "last", batch, 1)
		each := op.Gather(p.embeddings(s), op.Cast(last, graph.Int32))
		x := now.Later(each, op.Reshape(s.Param("begin", nn.Normal(0.02), size), 1, 1, size))
		x = op.Add(x, now.Of(op.Reshape(s.Param("position", nn.Normal(0.02), p.length, size), 1, p.length, size)))
		h = p.stack.Step(s, p.told(s, f, x), now)
		return h
	})
	return h, last
}

// embeddings are a row for each code of each level.
func (p *Autoregressive) embeddings(s *nn.Scope) graph.Value {
	return s.Sub("embedding").Param("weight", nn.Normal(0.02), p.levels*p.codes, p.stack.In[1])
}

// offsets are where the entries of each position's level begin.
func (p *Autoregressive) offsets() []float64 {
	offsets := make([]float64, p.length)
	for t := range offsets {
		offsets[t] = float64(t % p.levels * p.codes)
	}
	return offsets
}

// told adds the condition to the network's input, where it goes into the prior.
func (p *Autoregressive) told(s *nn.Scope, f *Forward, x graph.Value) graph.Value {
	if !f.model.Condition.tells(intoPrior) {
		return x
	}
	size := p.stack.In[1]
	return op.Add(x, op.Reshape(project(s, "condition", f.condition(), size, "torch"), x.Dim(0), 1, size))
}

// draw looks the drawn codes up.
func (p *Autoregressive) draw(s *nn.Scope, f *Forward) graph.Value {
	indices := op.Cast(p.draft(s.Graph(), f.N), graph.Int32)
	indices = op.Reshape(indices, append([]int{f.N}, p.indices...)...)
	return f.model.Config.Bottleneck.(Indexed).Lookup(s.At("encoder"), indices, f.model.Code)
}
