package cpu

import (
	"context"
	"fmt"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/program"
)

// executable is a loaded program: its steps as phases.
type executable struct {
	b       *Backend
	p       *program.Program
	mem     []memory
	inputs  map[string]memory
	phases  []phase
	fills   []phase // in front of them: what writes inputs
	ends    []int   // phases up to and including each step of the program
	job     *job
	again   *job // without what ready says is there already
	ready   prepared
	writes  []changes // of the states that the program assigns
	choices []backend.Choice
}

// Load binds programs to kernels and memory.
func (b *Backend) Load(st backend.State, o backend.Options, ps ...*program.Program) ([]backend.Executable, error) {
	s, ok := st.(*state)
	if !ok {
		return nil, fmt.Errorf("cpu: the state belongs to another backend (%T)", st)
	}
	if err := b.fits(s, ps); err != nil {
		return nil, err
	}
	bytes := 0
	for _, p := range ps {
		if err := s.declare(p, o.Seed); err != nil {
			return nil, err
		}
		bytes = max(bytes, p.ArenaBytes)
	}
	arena := alloc((bytes + 3) / 4)
	exes := make([]backend.Executable, len(ps))
	for i, p := range ps {
		e, err := b.bind(p, s, arena, o)
		if err != nil {
			return nil, err
		}
		exes[i] = e
	}
	return exes, nil
}

// bind makes one executable.
func (b *Backend) bind(p *program.Program, s *state, arena []float32, o backend.Options) (*executable, error) {
	e := &executable{b: b, p: p, inputs: map[string]memory{}}
	var err error
	if e.mem, err = place(p, arena, s, e.inputs); err != nil {
		return nil, err
	}
	binder := &binder{b: b, e: e, o: o, taken: map[int]int{}}
	for i := range p.Steps {
		if err := binder.step(i, &p.Steps[i]); err != nil {
			return nil, err
		}
		e.ends = append(e.ends, len(e.phases))
	}
	b.workers.reserve(binder.local, binder.slots)
	for _, st := range p.States {
		if st.Assigned {
			e.writes = append(e.writes, e.mem[st.Buffer].changes)
		}
	}
	e.assemble()
	e.explainRuns()
	return e, nil
}

// Feed copies src to an input.
func (e *executable) Feed(input string, src *tensor.Dense) error {
	for _, in := range e.p.Inputs {
		if in.Name == input {
			if err := backend.CheckHost("input", input, in.Spec, src); err != nil {
				return err
			}
			e.mem[in.Buffer].copyFrom(src)
			return nil
		}
	}
	return fmt.Errorf("cpu: the program has no input %s", input)
}

// Run executes the program's step.
func (e *executable) Run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := e.b.workers
	w.turn.Lock() // another executable may write the weights that are packed here
	defer w.turn.Unlock()
	job := e.job
	if e.ready.fresh() {
		job = e.again
	}
	e.ready.made = false // a task that panics leaves nothing that could be trusted
	for _, c := range e.writes {
		c.Add(1) // before the job: one that panics may have written
	}
	w.perform(job)
	e.ready.made = true
	return nil
}

// Fetch copies an output to dst.
func (e *executable) Fetch(output string, dst *tensor.Dense) error {
	for _, out := range e.p.Outputs {
		if out.Name == output {
			if err := backend.CheckHost("output", output, out.Spec, dst); err != nil {
				return err
			}
			e.mem[out.Buffer].copyTo(dst)
			return nil
		}
	}
	return fmt.Errorf("cpu: the program has no output %s", output)
}

// Explain lists the kernel of each step.
func (e *executable) Explain() []backend.Choice { return e.choices }

// Program returns what was loaded.
func (e *executable) Program() *program.Program { return e.p }

// Close has nothing to give back: the memory is Go's.
func (e *executable) Close() error { return nil }
