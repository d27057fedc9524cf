package data

import (
	"context"
	"fmt"
	"sync"

	"aetrain/graph"
	"aetrain/internal/philox"

	"gorgonia.org/tensor"
)

// Stored is one array that a transform has learnt, under its name in the checkpoint: "transforms.0.mean".
type Stored struct {
	Name  string
	Value *tensor.Dense // float32
}

// Pipeline is data.transforms bound to a source's fields and fitted on its training split. It changes the field x.
type Pipeline struct {
	raw, fields []Field
	seed        uint64
	steps       []boundStep
	reshapes    bool // x has another shape somewhere on the way than at the beginning
	largest     int  // elements of x at most, on the way
	scratch     sync.Pool
}

// boundStep is one transform of a pipeline.
type boundStep struct {
	Step
	kind     string // its name in a config
	stream   uint32
	training bool // on training batches only
}

// newPipeline binds transforms to the fields of a source. A transform that does not fit is a Mistake at its key.
func newPipeline(list []Transform, fields []Field, seed uint64) (*Pipeline, error) {
	p := &Pipeline{raw: fields, fields: append([]Field(nil), fields...), seed: seed, largest: fields[0].Spec.Shape.Size()}
	for i, t := range list {
		in := p.fields[0].Spec
		step, err := t.Bind(in)
		if err != nil {
			return nil, mistake(fmt.Sprintf("data.transforms[%d]", i), "%s %v", kindOf(t), err)
		}
		_, training := step.(TrainingOnly)
		p.steps = append(p.steps, boundStep{step, kindOf(t), philox.Stream(fmt.Sprintf("data/transforms.%d", i)), training})
		p.fields[0].Spec = step.Out()
		p.reshapes = p.reshapes || !step.Out().Equal(in)
		p.largest = max(p.largest, step.Out().Shape.Size())
	}
	return p, nil
}

// kindOf is the registered name of a transform.
func kindOf(t Transform) string {
	for _, name := range transforms.Names() {
		if made, _ := transforms.Make(name); fmt.Sprintf("%T", made) == fmt.Sprintf("%T", t) {
			return name
		}
	}
	return fmt.Sprintf("%T", t)
}

// Fields are those of what comes out.
func (p *Pipeline) Fields() []Field { return p.fields }

// After names the last transform, "" where there is none: "the data has -2.31 to 8.04 (after standardize)".
func (p *Pipeline) After() string {
	if len(p.steps) == 0 {
		return ""
	}
	return p.steps[len(p.steps)-1].kind
}

// fit has each Fitter learn from train as the steps before it give it, one pass each.
func (p *Pipeline) fit(ctx context.Context, train Source, progress func(Progress)) error {
	const batch = 256
	for i, s := range p.steps {
		f, ok := s.Step.(Fitter)
		if !ok {
			continue
		}
		before := &transformed{Source: train, p: p.upTo(i)}
		x := NewBatch(before.p.fields, batch, nil)
		for from := 0; from < train.Len(); from += batch {
			if err := ctx.Err(); err != nil {
				return err
			}
			to := min(from+batch, train.Len())
			if to-from < batch {
				x = NewBatch(before.p.fields, to-from, nil)
			}
			if err := ReadRange(before, from, to, x); err != nil {
				return err
			}
			each := x[0].DataSize() / (to - from)
			for n := range to - from {
				f.Observe(x[0].Float32s()[n*each : (n+1)*each])
			}
			progress(Progress{What: "fitting " + s.kind, Done: int64(to), Total: int64(train.Len()), Unit: "examples"})
		}
		if err := f.Fit(); err != nil {
			return mistake(fmt.Sprintf("data.transforms[%d]", i), "%s: %v", s.kind, err)
		}
	}
	return nil
}

// upTo is the pipeline's first n steps.
func (p *Pipeline) upTo(n int) *Pipeline {
	q := &Pipeline{raw: p.raw, fields: append([]Field(nil), p.raw...), seed: p.seed, steps: p.steps[:n], largest: p.largest}
	for _, s := range q.steps {
		q.reshapes = q.reshapes || !s.Out().Equal(q.fields[0].Spec)
		q.fields[0].Spec = s.Out()
	}
	return q
}

// State is what was learnt, for the checkpoint.
func (p *Pipeline) State() []Stored {
	var all []Stored
	for i, s := range p.steps {
		if f, ok := s.Step.(Fitter); ok {
			for _, v := range f.State() {
				all = append(all, Stored{Name: fmt.Sprintf("transforms.%d.%s", i, v.Name), Value: v.Value})
			}
		}
	}
	return all
}

// restore takes back what State gave.
func (p *Pipeline) restore(state []Stored) error {
	for i, s := range p.steps {
		f, ok := s.Step.(Fitter)
		if !ok {
			continue
		}
		err := f.Restore(func(name string) ([]float32, error) {
			full := fmt.Sprintf("transforms.%d.%s", i, name)
			for _, v := range state {
				if v.Name != full {
					continue
				}
				if v.Value.Dtype() != tensor.Float32 {
					return nil, fmt.Errorf("the checkpoint's %s is %v, want float32", full, v.Value.Dtype())
				}
				return v.Value.Float32s(), nil
			}
			return nil, fmt.Errorf("the checkpoint has no %s: was it fitted with other transforms?", full)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", s.kind, err)
		}
	}
	return nil
}

// Invert brings what the network gives, N examples of Fields' x, back to the units of the data; src may be dst.
// What lost information (a smaller size, one channel, 0 and 1) stays lost.
func (p *Pipeline) Invert(dst, src *tensor.Dense) error {
	size := p.fields[0].Spec.Shape.Size()
	if dst.DataSize() != src.DataSize() || src.DataSize()%size != 0 || src.Dtype() != tensor.Float32 || dst.Dtype() != tensor.Float32 {
		return fmt.Errorf("data: examples of %v are to be inverted, the tensors are %v %v and %v %v", p.fields[0].Spec, src.Shape(), src.Dtype(), dst.Shape(), dst.Dtype())
	}
	d, s := dst.Float32s(), src.Float32s()
	copy(d, s)
	for i := len(p.steps) - 1; i >= 0; i-- {
		inverter, ok := p.steps[i].Step.(Inverter)
		if !ok || !inverter.Inverts(p.fields[0].Spec) {
			continue
		}
		for at := 0; at < len(d); at += size {
			inverter.Invert(d[at:at+size], d[at:at+size])
		}
	}
	return nil
}

// transformed is a source behind a pipeline.
type transformed struct {
	Source
	p *Pipeline
}

// transform returns s as the network sees it.
func (p *Pipeline) transform(s Source) Source {
	if s == nil || len(p.steps) == 0 {
		return s
	}
	return &transformed{Source: s, p: p}
}

// transformOther is transform for a source that may lack fields but x, or have others.
func (p *Pipeline) transformOther(s Source) Source {
	if len(p.steps) == 0 {
		return s
	}
	fields := append([]Field(nil), s.Fields()...)
	fields[0] = p.fields[0]
	q := &Pipeline{raw: s.Fields(), fields: fields, seed: p.seed, steps: p.steps, reshapes: p.reshapes, largest: p.largest}
	return q.transform(s)
}

func (t *transformed) Fields() []Field   { return t.p.fields }
func (t *transformed) Name(i int) string { return ExampleName(t.Source, i) }

func (t *transformed) Read(dst []*tensor.Dense, indices []int) error {
	return t.read(dst, indices, 0, false)
}

// readTraining reads a batch of training: with what is for those only, and drawn for the epoch.
func (t *transformed) readTraining(dst []*tensor.Dense, indices []int, epoch int) error {
	return t.read(dst, indices, uint32(epoch), true)
}

func (t *transformed) read(dst []*tensor.Dense, indices []int, epoch uint32, training bool) error {
	if err := checkRead(t, dst, indices); err != nil {
		return err
	}
	s := t.p.borrow(len(indices), dst)
	defer t.p.scratch.Put(s)
	if err := t.Source.Read(s.dst, indices); err != nil {
		return err
	}
	raw, out := s.dst[0].Float32s(), dst[0].Float32s()
	if len(indices) == 0 {
		return nil
	}
	from, to := len(raw)/len(indices), len(out)/len(indices)
	for n, i := range indices {
		t.p.apply(out[n*to:(n+1)*to], raw[n*from:(n+1)*from], s, uint32(i), epoch, training)
	}
	return nil
}

// apply runs one example through the steps, from raw to out, by way of two buffers where shapes change.
func (p *Pipeline) apply(out, raw []float32, s *pipelineScratch, row, epoch uint32, training bool) {
	x, next := raw, 0
	for _, step := range p.steps {
		if step.training && !training {
			continue
		}
		y := x
		if p.reshapes {
			y, next = s.buffers[next][:step.Out().Shape.Size()], 1-next
		}
		step.Apply(y, x, Draw{Seed: p.seed, Stream: step.stream, Epoch: epoch, Row: row})
		x = y
	}
	if &x[0] != &out[0] {
		copy(out, x)
	}
}

// pipelineScratch is what one reader needs.
type pipelineScratch struct {
	raw     map[int]*tensor.Dense // x as the source gives it, by the number of examples; only where shapes change
	dst     []*tensor.Dense
	buffers [2][]float32
}

// borrow returns scratch whose dst takes what the source reads: dst itself but for an x of another shape.
func (p *Pipeline) borrow(n int, dst []*tensor.Dense) *pipelineScratch {
	s, _ := p.scratch.Get().(*pipelineScratch)
	if s == nil {
		s = &pipelineScratch{raw: map[int]*tensor.Dense{}}
		if p.reshapes {
			s.buffers = [2][]float32{make([]float32, p.largest), make([]float32, p.largest)}
		}
	}
	s.dst = append(s.dst[:0], dst...)
	if !p.reshapes {
		return s
	}
	if s.raw[n] == nil {
		if len(s.raw) > 3 { // batches have two sizes; others come by but once
			clear(s.raw)
		}
		s.raw[n] = Dense(graph.Spec{Shape: append(graph.Shape{n}, p.raw[0].Spec.Shape...)})
	}
	s.dst[0] = s.raw[n]
	return s
}
