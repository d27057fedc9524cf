package trainer

import (
	"context"
	"fmt"
	"slices"

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
	parts  []part
	update *feeder // nil where the one part updates by itself
}

// compiled is a program before it is loaded.
type compiled struct {
	program *program.Program
	fn      *model.Function
	losses  []optim.Loss
	summed  [][]*graph.State // by loss: the parameters whose gradients the parts add up
}

// load compiles the programs of all stages and batch sizes and loads them together.
func (r *Run) load() error {
	var all loading
	for _, st := range r.stages {
		if err := r.loadStage(st, &all); err != nil {
			return err
		}
	}
	o := r.Kernels
	o.Seed = r.Seed
	exes, err := r.Backend.Load(r.State, o, all.programs...)
	if err != nil {
		return err
	}
	for i, e := range exes {
		all.place[i](e)
	}
	r.feeds = newFeeds()
	for _, st := range r.stages {
		for _, s := range st.steps {
			for _, ph := range s.phases {
				for k := range ph.parts {
					p := &ph.parts[k]
					if err := r.feedConstants(*p, s.size); err != nil {
						return err
					}
					if r.instant != nil {
						if err := p.fill(r.instant); err != nil {
							return err
						}
					}
				}
			}
		}
	}
	return nil
}

// loading are programs that are to be loaded.
type loading struct {
	programs []*program.Program
	place    []func(backend.Executable) // where the program of that place goes, once it is loaded
}

func (l *loading) add(p *program.Program, place func(backend.Executable)) {
	l.programs, l.place = append(l.programs, p), append(l.place, place)
}

// loadStage compiles the programs of one stage. One that only fits a prior has none.
func (r *Run) loadStage(st *stage, all *loading) error {
	terms := map[string]bool{}
	st.steps = map[int]*step{}
	st.sums = newSums(terms)
	if st.prior && st.epochs == 0 {
		return nil
	}
	for _, size := range r.loader.Sizes() {
		s := &step{size: size}
		for i := range st.model.Phases() {
			ph := &phase{}
			ranges := split(size, r.Train.Accumulate)
			ph.parts = make([]part, len(ranges))
			var c *compiled
			for k, rg := range ranges {
				var err error
				if c, err = r.compile(st, rg[1]-rg[0], i, len(ranges) > 1); err != nil {
					return err
				}
				p, inputs := &ph.parts[k], r.scalars(st, c)
				p.from, p.to, p.epoch = rg[0], rg[1], -1
				if len(ranges) > 1 {
					p.views = map[*tensor.Dense]*tensor.Dense{}
				}
				all.add(c.program, func(e backend.Executable) { p.feeder, p.rowsOf = r.feeder(e, inputs), rowsFor(e) })
				for _, t := range c.fn.Terms {
					terms[t.Name] = terms[t.Name] || st.model.Logs(t.Name, i)
				}
			}
			if len(ranges) > 1 {
				p, err := r.compileUpdate(st, c, size)
				if err != nil {
					return err
				}
				inputs := r.scalars(st, c)
				all.add(p, func(e backend.Executable) { f := r.feeder(e, inputs); ph.update = &f })
			}
			s.phases = append(s.phases, ph)
		}
		st.steps[size] = s
	}
	st.sums = newSums(terms)
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
func (r *Run) compile(st *stage, size, phaseIndex int, parts bool) (*compiled, error) {
	fn, err := r.supplied(st.model).TrainPhase(size, phaseIndex)
	if err != nil {
		return nil, err
	}
	c := &compiled{fn: fn}
	var finite []graph.Value
	if fn.Loss.Valid() {
		addSum(fn.Graph, lossTerm, op.Scale(fn.Loss, float64(size)))
	}
	for _, t := range fn.Terms {
		total := t.Value
		if total.Rank() > 0 {
			total = op.SumAll(total)
		} else {
			total = op.Scale(total, float64(size))
		}
		if st.model.Logs(t.Name, phaseIndex) { // rows show a term as it was in the first phase that has it
			addSum(fn.Graph, t.Name, total)
		}
		finite = append(finite, total)
	}
	c.losses = r.losses(st, fn)
	if parts {
		err = gradients(c, finite)
	} else {
		o := optim.Options{ClipNorm: r.Train.ClipNorm, Finite: finite}
		if isLast(st, fn) {
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
func (r *Run) target() program.Target {
	has := r.Backend.Capabilities()
	if slices.Contains(has.Precisions, r.Train.Precision) {
		has.Target.Precision = r.Train.Precision
	}
	return has.Target
}

// Precision is that of products: the config's, where the device has it.
func (r *Run) Precision() string { return r.target().Precision }

// isLast reports whether fn is the last phase of a step, which counts it.
func isLast(st *stage, fn *model.Function) bool { return fn.Phase == st.model.Phases()-1 }

// counter is the state that counts steps: all random draws of training depend on it.
func counter(g *graph.Graph) graph.Value {
	return g.State(graph.Buffer, model.StateStep, graph.I32(), nil)
}

// losses are a function's losses with their optimisers.
func (r *Run) losses(st *stage, fn *model.Function) []optim.Loss {
	var list []optim.Loss
	for _, l := range fn.Losses {
		list = append(list, optim.Loss{
			Name: l.Name, Value: l.Value, Params: st.parameters(l, fn.Graph), Config: r.optimizer(st, l), Gated: l.EverySteps > 1, Owner: model.Owner,
		})
	}
	return list
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
		var summed []*graph.State
		for i, d := range optim.Gradients(l.Value, l.Params) {
			if d.Valid() {
				s := gradState(g, l, l.Params[i])
				adds = append(adds, sum{s, op.Add(s, op.Mul(d, share))})
				summed = append(summed, l.Params[i])
			}
		}
		c.summed = append(c.summed, summed)
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
func (r *Run) compileUpdate(st *stage, c *compiled, size int) (*program.Program, error) {
	g := graph.New()
	var finite, all []graph.Value
	grads := make([][]graph.Value, len(c.losses))
	losses := append([]optim.Loss(nil), c.losses...)
	norms := make([]graph.Value, len(losses))
	for i := range losses {
		losses[i].Params = nil
		for _, p := range c.summed[i] {
			g.State(p.Kind, p.Name, p.Spec, p.Init)
			losses[i].Params = append(losses[i].Params, g.Lookup(p.Name))
			d := gradState(g, losses[i], p)
			grads[i] = append(grads[i], d)
			all = append(all, d)
		}
		if norms[i] = op.GlobalNorm(grads[i]...); norms[i].Valid() {
			finite = append(finite, norms[i])
		}
	}
	norm := op.GlobalNorm(all...)
	ok := optim.Guard(g, finite...)
	for i, l := range losses {
		optim.Apply(g, l, l.Clip(grads[i], norms[i], r.Train.ClipNorm), ok)
	}
	for _, d := range all {
		g.Assign(d, g.Constant(d.Spec(), 0))
	}
	if isLast(st, c.fn) {
		n := counter(g)
		g.Assign(n, op.AddInt(n, op.Cast(ok, graph.Int32)))
	}
	addNorm(g, norm, ok, size)
	return program.Compile(g, nil, r.target())
}

// scalars are the inputs of a program that the host computes in each step: schedules, learning rates, losses that are due.
func (r *Run) scalars(st *stage, c *compiled) []scalarInput {
	var list []scalarInput
	for _, s := range c.fn.Scalars {
		list = append(list, scalarInput{s.Input, func(r *Run) float64 { return s.Schedule.At(r.progress().Epoch()) }})
	}
	for i, l := range c.losses {
		shown := c.fn.Losses[i].TrainsAutoencoder() || st.prior
		list = append(list, scalarInput{l.RateInput(), func(r *Run) float64 {
			rate := l.Config.Rate(r.progress()) * r.scale
			if shown {
				r.Rate = rate
			}
			return rate
		}})
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

// run makes one training step with a batch.
func (s *step) run(ctx context.Context, r *Run, b *data.Batch) error {
	for _, ph := range s.phases {
		for i := range ph.parts {
			if err := ph.parts[i].run(ctx, r, b); err != nil {
				return err
			}
		}
		if ph.update != nil {
			if err := ph.update.run(ctx, r); err != nil {
				return err
			}
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
			ph.update.exe.Close()
		}
	}
}
