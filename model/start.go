package model

import (
	"fmt"
	"strings"

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

// Starter is a penalty, a prior or a reconstruction with an init pass. s is the part's scope; of f, penalties see the codes, the
// others the input alone.
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
	startBottleneck     = "bottleneck"
	startPrior          = "prior"
	startReconstruction = "reconstruction"
	startPenalty        = "penalties."
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
	if !m.codeOnly {
		add(startReconstruction, m.Config.Reconstruction)
	}
	for _, name := range m.penaltyNames() {
		if len(m.phasesOf(name)) > 0 {
			add(startPenalty+name, m.Config.Penalties[name])
		}
	}
	return parts, passes
}

// StartsWeights reports whether the init pass of a part sets weights and codebooks, which who has trained ones leaves alone; of penalties it
// finds centres for the weights as they are.
func StartsWeights(part string) bool { return !strings.HasPrefix(part, startPenalty) }

// Start builds the init pass of a part, as Starts names it, for a batch of clean inputs. Nothing is as in training: no dropout, the
// running statistics of norms.
func (m *Model) Start(part string, batch int) (*Function, error) {
	fn := m.begin(batch, false)
	g := fn.Graph
	batches, examples := g.State(graph.Scratch, StateStartBatches, graph.F32(), nil), g.State(graph.Scratch, StateStartExamples, graph.F32(), nil)
	p := Pass{Batches: batches, Examples: examples}
	err := m.members(fn, func(m *Model, fn *Function) error {
		m.start(fn, part, p)
		return nil
	})
	g.Assign(batches, op.AddConst(batches, 1))
	g.Assign(examples, op.AddConst(examples, float64(batch)))
	if err == nil {
		fn, err = m.end(fn)
	}
	if err != nil {
		return nil, fmt.Errorf("init pass of %s: %w", part, err)
	}
	return fn, nil
}

// start adds the pass of a part.
func (m *Model) start(fn *Function, part string, p Pass) {
	f := m.begun(fn.Scope, Inference, fn.Batch)
	f.X = f.input()
	f.Input, fn.Forward = f.X, f
	switch part {
	case startBottleneck:
		f.startCode(m.Config.Bottleneck.(CodeStarter), p)
	case startPrior:
		f.startPart("prior", m.Config.Prior.(Starter), p)
	case startReconstruction:
		f.startPart("reconstruction", m.Config.Reconstruction.(Starter), p)
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
