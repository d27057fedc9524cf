package trainer

import (
	"context"
	"fmt"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/model"
	"aetrain/op"
	"aetrain/optim"
	"aetrain/program"
)

// Names of what training programs keep between rows of metrics.jsonl, and of the gradients that parts of a batch add up.
const (
	sumPrefix  = "train.sum"  // scratch: sums over examples of the loss and each term since the host read them
	gradPrefix = "train.grad" // scratch: gradients of the parts so far
	inputShare = "share"      // of a part's examples in the batch
	normTerm   = "gradient_norm"
	lossTerm   = "loss"
)

// step is a training step for one batch size: the programs of its phases, each one run or several parts.
type step struct {
	size   int
	phases []*phase
}

// phase is one program, or the parts of a batch and then the update.
type phase struct {
	every  int // it runs in each every-th step
	parts  []part
	update backend.Executable // nil where the one part updates by itself
	losses []optim.Loss
	inputs []scalarInput
}

// part is a slice of the batch and the program for its size.
type part struct {
	exe      backend.Executable
	from, to int
	slices   []*tensor.Dense // of the batch's fields, where it is not the whole batch
}

// scalarInput is an input that changes from step to step.
type scalarInput struct {
	name  string
	value func(r *Run) float64
}

// compiled is a program before it is loaded.
type compiled struct {
	program *program.Program
	fn      *model.Function
	losses  []optim.Loss
}

// load compiles the programs of all batch sizes and loads them together.
func (r *Run) load() error {
	var all []*program.Program
	type slot struct {
		phase *phase
		part  int // -1: the update
	}
	var slots []slot
	terms := map[string]bool{}
	for _, size := range r.loader.Sizes() {
		s := &step{size: size}
		for i := range r.Options.Model.Phases() {
			ph := &phase{every: 1}
			ranges := split(size, r.Train.Accumulate)
			for k, rg := range ranges {
				c, err := r.compile(rg[1]-rg[0], i, len(ranges) > 1)
				if err != nil {
					return err
				}
				ph.parts = append(ph.parts, part{from: rg[0], to: rg[1]})
				slots = append(slots, slot{ph, k})
				all = append(all, c.program)
				if k == 0 {
					ph.losses = c.losses
					ph.inputs = r.scalars(c)
					for _, t := range c.fn.Terms {
						terms[t.Name] = true
					}
				}
				if k == len(ranges)-1 && len(ranges) > 1 {
					p, err := r.compileUpdate(c, size)
					if err != nil {
						return err
					}
					slots = append(slots, slot{ph, -1})
					all = append(all, p)
				}
			}
			s.phases = append(s.phases, ph)
		}
		r.steps[size] = s
	}
	o := r.Kernels
	o.Seed = r.Seed
	exes, err := r.Backend.Load(r.State, o, all...)
	if err != nil {
		return err
	}
	for i, s := range slots {
		if s.part < 0 {
			s.phase.update = exes[i]
		} else {
			s.phase.parts[s.part].exe = exes[i]
		}
	}
	r.sums = newSums(terms)
	r.feeds = newFeeds()
	for _, s := range r.steps {
		if err := r.feedConstants(s); err != nil {
			return err
		}
	}
	return nil
}

// split cuts n examples into at most parts pieces of equal size, but for the last.
func split(n, parts int) [][2]int {
	size := (n + parts - 1) / parts
	var ranges [][2]int
	for from := 0; from < n; from += size {
		ranges = append(ranges, [2]int{from, min(n, from+size)})
	}
	return ranges
}

// compile builds the program of one phase for a batch size. Where a batch has several parts, gradients are added up and the update
// is another program.
func (r *Run) compile(size, phaseIndex int, parts bool) (*compiled, error) {
	fn, err := r.Options.Model.TrainPhase(size, phaseIndex)
	if err != nil {
		return nil, err
	}
	c := &compiled{fn: fn}
	var finite []graph.Value
	addSum(fn.Graph, lossTerm, op.Scale(fn.Loss, float64(size)))
	for _, t := range fn.Terms {
		total := t.Value
		if total.Rank() > 0 {
			total = op.SumAll(total)
		} else {
			total = op.Scale(total, float64(size))
		}
		addSum(fn.Graph, t.Name, total)
		finite = append(finite, total)
	}
	if c.losses, err = r.losses(fn); err != nil {
		return nil, err
	}
	last := phaseIndex == r.Options.Model.Phases()-1
	if parts {
		err = gradients(c, finite)
	} else {
		o := optim.Options{ClipNorm: r.Train.ClipNorm, Finite: finite}
		if last {
			o.Counter = counter(fn.Graph)
		}
		res := optim.Step(fn.Graph, c.losses, o)
		addNorm(fn.Graph, res.GradientNorm, res.OK, size)
	}
	if err == nil {
		c.program, err = program.Compile(fn.Graph, nil, r.target())
	}
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return c, nil
}

// target is the device's, at the precision that the config asks for.
func (r *Run) target() program.Target { return r.Backend.Capabilities().Target }

// counter is the state that counts steps: all random draws of training depend on it.
func counter(g *graph.Graph) graph.Value {
	return g.State(graph.Buffer, model.StateStep, graph.I32(), nil)
}

// losses reads the optimisers of a function's losses.
func (r *Run) losses(fn *model.Function) ([]optim.Loss, error) {
	var list []optim.Loss
	for _, l := range fn.Losses {
		c := r.Optimizer
		if l.Optimizer != nil {
			var err error
			if c, err = optim.Read(l.Optimizer); err != nil {
				return nil, err
			}
		}
		list = append(list, optim.Loss{Name: l.Name, Value: l.Value, Params: l.Parameters(fn.Graph), Config: c, Gated: l.EverySteps > 1})
	}
	return list, nil
}

// addSum adds v to the running sum of a term.
func addSum(g *graph.Graph, name string, v graph.Value) {
	s := g.State(graph.Scratch, graph.Join(sumPrefix, name), graph.F32(), nil)
	g.Assign(s, op.Add(s, v))
}

// addNorm adds the gradient norm of a good step, as often as the step has examples: rows are means over examples.
func addNorm(g *graph.Graph, norm, ok graph.Value, size int) {
	s := g.State(graph.Scratch, graph.Join(sumPrefix, normTerm), graph.F32(), nil)
	g.Assign(s, op.Select(ok, op.Add(s, op.Scale(norm, float64(size))), s))
}

// gradients adds a part's gradients to those of the parts before, weighted by the part's share of the batch.
func gradients(c *compiled, finite []graph.Value) error {
	g := c.fn.Graph
	share := g.Input(inputShare, graph.F32())
	type sum struct{ state, value graph.Value }
	var adds []sum
	for _, l := range c.losses {
		finite = append(finite, l.Value)
		for i, d := range optim.Gradients(l.Value, l.Params) {
			if d.Valid() {
				s := gradState(g, l, l.Params[i])
				adds = append(adds, sum{s, op.Add(s, op.Mul(d, share))})
			}
		}
	}
	ok := optim.Guard(g, finite...)
	for _, a := range adds {
		g.Assign(a.state, op.Select(ok, a.value, a.state))
	}
	return g.Err()
}

func gradState(g *graph.Graph, l optim.Loss, p *graph.State) graph.Value {
	return g.State(graph.Scratch, graph.Join(graph.Join(gradPrefix, l.Name), p.Name), p.Spec, nil)
}

// compileUpdate builds the program that clips the gradients which the parts have added up, updates, and clears them.
func (r *Run) compileUpdate(c *compiled, size int) (*program.Program, error) {
	g := graph.New()
	var finite, all []graph.Value
	grads := make([][]graph.Value, len(c.losses))
	losses := append([]optim.Loss(nil), c.losses...)
	for i := range losses {
		params := losses[i].Params
		losses[i].Params = nil
		for _, p := range params {
			g.State(p.Kind, p.Name, p.Spec, p.Init)
			losses[i].Params = append(losses[i].Params, g.Lookup(p.Name))
			d := gradState(g, losses[i], p)
			grads[i] = append(grads[i], d)
			all = append(all, d)
		}
		finite = append(finite, op.GlobalNorm(grads[i]...))
	}
	norm := op.GlobalNorm(all...)
	ok := optim.Guard(g, finite...)
	for i, l := range losses {
		optim.Apply(g, l, optim.Clip(grads[i], finite[i], r.Train.ClipNorm), ok)
	}
	for _, d := range all {
		g.Assign(d, g.Constant(d.Spec(), 0))
	}
	n := counter(g)
	g.Assign(n, op.AddInt(n, op.Cast(ok, graph.Int32)))
	addNorm(g, norm, ok, size)
	return program.Compile(g, nil, r.target())
}

// scalars are the inputs of a program that the host computes in each step: schedules, learning rates, losses that are due.
func (r *Run) scalars(c *compiled) []scalarInput {
	var list []scalarInput
	for _, s := range c.fn.Scalars {
		list = append(list, scalarInput{s.Input, func(r *Run) float64 { return s.Schedule.At(r.progress().Epoch()) }})
	}
	for i, l := range c.losses {
		list = append(list, scalarInput{l.RateInput(), func(r *Run) float64 { return l.Config.Rate(r.progress()) * r.scale }})
		if l.Gated {
			every := c.fn.Losses[i].EverySteps
			list = append(list, scalarInput{l.DueInput(), func(r *Run) float64 {
				if r.Step%every == 0 {
					return 1
				}
				return 0
			}})
		}
	}
	return list
}

// feedConstants feeds what never changes.
func (r *Run) feedConstants(s *step) error {
	seed := backend.NewHost(graph.I32(2))
	words := seed.Data().([]int32)
	words[0], words[1] = int32(uint32(r.Seed)), int32(uint32(r.Seed>>32))
	for _, ph := range s.phases {
		for _, p := range ph.parts {
			if err := feedIf(p.exe, model.InputSeed, seed); err != nil {
				return err
			}
			if err := r.feedInt(p.exe, model.InputRow0, p.from); err != nil {
				return err
			}
			if err := r.feedScalar(p.exe, inputShare, float64(p.to-p.from)/float64(s.size)); err != nil {
				return err
			}
		}
	}
	return nil
}

// feedIf feeds an input if the program has it.
func feedIf(e backend.Executable, name string, t *tensor.Dense) error {
	for _, in := range e.Program().Inputs {
		if in.Name == name {
			return e.Feed(name, t)
		}
	}
	return nil
}

func (r *Run) feedScalar(e backend.Executable, name string, x float64) error {
	r.feeds.scalar.Data().([]float32)[0] = float32(x)
	return feedIf(e, name, r.feeds.scalar)
}

func (r *Run) feedInt(e backend.Executable, name string, x int) error {
	r.feeds.integer.Data().([]int32)[0] = int32(x)
	return feedIf(e, name, r.feeds.integer)
}

// run makes one training step with a batch.
func (s *step) run(ctx context.Context, r *Run, b *data.Batch) error {
	for _, ph := range s.phases {
		if r.Step%ph.every != 0 {
			continue
		}
		for i := range ph.parts {
			p := &ph.parts[i]
			if err := r.feedPart(ph, p, b); err != nil {
				return err
			}
			if err := p.exe.Run(ctx); err != nil {
				return err
			}
		}
		if ph.update != nil {
			if err := r.feedScalars(ph, ph.update); err != nil {
				return err
			}
			if err := ph.update.Run(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Run) feedPart(ph *phase, p *part, b *data.Batch) error {
	for i, name := range r.Options.Model.FieldNames() {
		t := b.Fields[i]
		if p.from > 0 || p.to < b.Size {
			var err error
			if t, err = rows(t, p.from, p.to); err != nil {
				return err
			}
		}
		if err := feedIf(p.exe, name, t); err != nil {
			return err
		}
	}
	return r.feedScalars(ph, p.exe)
}

// rows is a view of rows from to to.
func rows(t *tensor.Dense, from, to int) (*tensor.Dense, error) {
	v, err := t.Slice(tensor.S(from, to))
	if err != nil {
		return nil, err
	}
	return v.(*tensor.Dense), nil
}

func (r *Run) feedScalars(ph *phase, e backend.Executable) error {
	for _, s := range ph.inputs {
		x := s.value(r)
		if s.name == optim.InputLearningRate {
			r.Rate = x
		}
		if err := r.feedScalar(e, s.name, x); err != nil {
			return err
		}
	}
	return nil
}

func (s *step) close() {
	for _, ph := range s.phases {
		for _, p := range ph.parts {
			p.exe.Close()
		}
		if ph.update != nil {
			ph.update.Close()
		}
	}
}
