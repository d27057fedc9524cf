package infer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/model"
	"aetrain/program"
)

// Functions that a model has, as [Model.Each] names them.
const (
	encode      = "encode"
	reconstruct = "reconstruct"
	denoise     = "denoise"
	decode      = "decode"
	sample      = "sample"
	evaluate    = "evaluate"
	nll         = "nll"
	score       = "score"
	distance    = "distance"
	drawStep    = "draw"  // of a prior that draws codes one after the other
	writeStep   = "write" // of a decoder that writes tokens one after the other
)

// Prefixes of outputs of evaluate: the terms and metrics of each example.
const (
	outputLoss   = "loss"
	termPrefix   = "term."
	metricPrefix = "metric."
)

// request is what a Program is made for.
type request struct {
	function string
	batch    int
	samples  int    // evaluate: codes of each example, 0 as in training; nll: codes of a run
	arrays   bool   // evaluate: the arrays too (recon, z, mu, log_var), not only figures
	wanted   string // of the function's outputs, with commas between; "": all
}

// runner is a loaded Program with host memory for its outputs.
type runner struct {
	fn  *model.Function
	exe backend.Executable
	out map[string]*tensor.Dense
	use int // when it was last used

	steps *runner // that has written recon, where the function leaves it to steps

	// What the device's threads copy to the Program's inputs as a run begins; nil: they are fed.
	rows  map[string]*tensor.Dense
	first int // row that the run begins at
}

// mostRunners is how many Programs stay loaded at once; beyond it those that were not used for longest are closed. Two batch sizes of
// the functions that a training uses for validation and pictures are within it.
const mostRunners = 16

// Prepare loads what functions will need for that many examples each, together: "evaluate" (of [Model.Evaluate], without further
// metrics), "encode", "reconstruct", "denoise", "decode", "sample". A device that has too little memory then says so before there is
// anything to lose.
func (m *Model) Prepare(ctx context.Context, examples map[string]int) error {
	var all []request
	for _, function := range slices.Sorted(maps.Keys(examples)) {
		for _, size := range m.sizes(examples[function], m.options.Batch) {
			all = append(all, request{function: function, batch: size, wanted: asked[function]})
			all = append(all, m.stepsOf(function, size)...)
		}
	}
	if err := m.acquire(ctx); err != nil {
		return err
	}
	defer m.release()
	_, err := m.prepare(all...)
	return err
}

// stepsOf are the Programs that a function runs step by step: those that write what the decoder decodes, and draw codes of the prior.
func (m *Model) stepsOf(function string, batch int) (steps []request) {
	if writes := function == reconstruct || function == decode || function == sample; writes && m.model.DecodeSteps() > 0 {
		steps = append(steps, request{function: writeStep, batch: batch})
	}
	if function == sample && m.model.DrawSteps() > 0 {
		steps = append(steps, request{function: drawStep, batch: batch})
	}
	return steps
}

// asked are the outputs that functions of arrays are asked for most often, as request has them.
var asked = map[string]string{encode: "z", reconstruct: "recon", denoise: "input,recon", decode: "recon", sample: "recon"}

// prepare makes and loads the Programs that are missing, together, so that they share memory, and returns a runner for each request.
func (m *Model) prepare(requests ...request) ([]*runner, error) {
	var missing []request
	var fns []*model.Function
	var programs []*program.Program
	for _, q := range requests {
		if m.runners[q] != nil || slices.Contains(missing, q) {
			continue
		}
		fn, p, err := m.compile(q)
		if err != nil {
			return nil, err
		}
		missing, fns, programs = append(missing, q), append(fns, fn), append(programs, p)
	}
	if len(missing) > 0 {
		m.evict(len(missing), requests)
		o := m.options.Kernels
		o.Seed = m.options.Seed
		exes, err := m.backend.Load(m.state, o, programs...)
		if err != nil {
			return nil, err
		}
		for i, q := range missing {
			r := &runner{fn: fns[i], exe: exes[i], out: map[string]*tensor.Dense{}}
			m.runners[q] = r
			if err := m.feedConstants(r); err != nil {
				return nil, err
			}
		}
	}
	runners := make([]*runner, len(requests))
	for i, q := range requests {
		m.clock++
		runners[i] = m.runners[q]
		runners[i].use = m.clock
	}
	return runners, nil
}

// evict makes room for n more runners; those that are wanted now stay.
func (m *Model) evict(n int, wanted []request) {
	for len(m.runners)+n > mostRunners {
		var oldest request
		found := false
		for q, r := range m.runners {
			if !slices.Contains(wanted, q) && (!found || r.use < m.runners[oldest].use) {
				oldest, found = q, true
			}
		}
		if !found {
			return
		}
		_ = m.runners[oldest].exe.Close() // nothing is lost with it
		delete(m.runners, oldest)
	}
}

// compile builds the graph of a request and makes it a Program.
func (m *Model) compile(q request) (*model.Function, *program.Program, error) {
	fn, err := m.build(q)
	if err != nil {
		return nil, nil, err
	}
	p, err := program.Compile(fn.Graph, outputs(fn, q), m.backend.Capabilities().Target)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", q.function, err)
	}
	return fn, p, nil
}

func (m *Model) build(q request) (*model.Function, error) {
	switch q.function {
	case encode:
		return m.model.Encode(q.batch)
	case reconstruct:
		return m.model.InSteps().Reconstruct(q.batch)
	case denoise:
		return m.model.Denoise(q.batch)
	case decode:
		return m.model.InSteps().Decode(q.batch)
	case sample:
		return m.model.InSteps().Sample(q.batch)
	case distance:
		return m.model.Distance(q.batch)
	case drawStep:
		return m.model.DrawStep(q.batch)
	case writeStep:
		return m.model.DecodeStep(q.batch)
	case evaluate:
		return m.model.Evaluate(q.batch, q.samples)
	case score:
		return m.model.Score(q.batch)
	case nll:
		return m.model.NLL(q.batch, q.samples)
	}
	return nil, fmt.Errorf("a model does not %q: want encode, reconstruct, denoise or evaluate", q.function)
}

// outputs are the values that a request's Program gives, by name.
func outputs(fn *model.Function, q request) map[string]graph.Value {
	all := wantedOf(fn, q)
	if fn.Steps {
		all = maps.Clone(all)
		delete(all, "recon")
	}
	return all
}

// wantedOf are those that a request wants.
func wantedOf(fn *model.Function, q request) map[string]graph.Value {
	if q.function == nll {
		return map[string]graph.Value{"log_weights": fn.Outputs["log_weights"]}
	}
	if q.wanted != "" {
		out := map[string]graph.Value{}
		for _, name := range strings.Split(q.wanted, ",") {
			v, ok := fn.Outputs[name]
			if !ok {
				return fn.Outputs // who wants it is told so
			}
			out[name] = v
		}
		return out
	}
	if q.function != evaluate {
		return fn.Outputs
	}
	out := map[string]graph.Value{outputLoss: fn.Loss}
	for _, t := range fn.Terms {
		out[termPrefix+t.Name] = t.Value
	}
	for _, t := range fn.Metrics {
		out[metricPrefix+t.Name] = t.Value
	}
	if q.arrays {
		for name, v := range fn.Outputs {
			out[name] = v
		}
	}
	return out
}

// gives is the runner whose Program has an output.
func (r *runner) gives(name string) *runner {
	if r.steps != nil && name == "recon" {
		return r.steps
	}
	return r
}

// host is the runner's memory for an output.
func (r *runner) host(b backend.Backend, name string) *tensor.Dense {
	if r.out[name] == nil {
		for _, p := range r.exe.Program().Outputs {
			if p.Name == name {
				r.out[name] = b.Host(p.Spec)
			}
		}
	}
	return r.out[name]
}

// fetch fetches an output to the runner's memory.
func (m *Model) fetch(r *runner, name string) (*tensor.Dense, error) {
	r = r.gives(name)
	t := r.host(m.backend, name)
	if t == nil {
		return nil, fmt.Errorf("there is no output %s", name)
	}
	return t, r.exe.Fetch(name, t)
}

// feeds are host tensors for what is fed beside fields.
type feeds struct{ seed, integer, scalar *tensor.Dense }

func newFeeds() feeds {
	return feeds{backend.NewHost(graph.I32(2)), backend.NewHost(graph.I32()), backend.NewHost(graph.F32())}
}

// draws say which random numbers a run draws.
type draws struct {
	seed       uint64
	row0       int // place of the batch's first example
	repetition int
}

// feedConstants feeds what never changes: schedules stand at their end.
func (m *Model) feedConstants(r *runner) error {
	for _, s := range r.fn.Scalars {
		m.feeds.scalar.Float32s()[0] = float32(s.Schedule.Final())
		if err := r.feed(s.Input, m.feeds.scalar); err != nil {
			return err
		}
	}
	return nil
}

// step feeds the counters of random numbers and runs. Fields have been fed.
func (m *Model) step(ctx context.Context, r *runner, d draws) error {
	seed := m.feeds.seed.Int32s()
	seed[0], seed[1] = int32(uint32(d.seed)), int32(uint32(d.seed>>32))
	if err := r.feed(model.InputSeed, m.feeds.seed); err != nil {
		return err
	}
	integer := m.feeds.integer.Int32s()
	integer[0] = int32(d.row0)
	if err := r.feed(model.InputRow0, m.feeds.integer); err != nil {
		return err
	}
	integer[0] = int32(d.repetition)
	if err := r.feed(model.InputRepetition, m.feeds.integer); err != nil {
		return err
	}
	if err := r.exe.Run(ctx); err != nil || !r.fn.Steps {
		return err
	}
	return m.write(ctx, r)
}

// write runs the steps by which a decoder writes the tokens of a batch, whose codes r has read.
func (m *Model) write(ctx context.Context, r *runner) error {
	runners, err := m.prepare(request{function: writeStep, batch: r.fn.Batch})
	if err != nil {
		return err
	}
	r.steps = runners[0]
	for position := range m.model.DecodeSteps() {
		m.feeds.integer.Int32s()[0] = int32(position)
		if err := r.steps.feed(model.InputPosition, m.feeds.integer); err != nil {
			return err
		}
		if err := r.steps.exe.Run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// feed feeds an input if the Program has it.
func (r *runner) feed(name string, t *tensor.Dense) error {
	for _, p := range r.exe.Program().Inputs {
		if p.Name == name {
			return r.exe.Feed(name, t)
		}
	}
	return nil
}

// sizes cuts n rows into batches and returns the sizes that occur, longest first: one or two.
func (m *Model) sizes(n, batch int) []int {
	var s []int
	if n >= batch {
		s = append(s, batch)
	}
	if rest := n % batch; rest > 0 {
		s = append(s, rest)
	}
	return s
}
