package data

import (
	"fmt"
	"sync/atomic"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

// transformed is a source behind a pipeline.
type transformed struct {
	Source
	p      *Pipeline
	fields []Field
	kept   []atomic.Pointer[[]float32] // of pictures: what sizing gave; nil: it is made again each time
}

// transform returns s as the network sees it.
func (p *Pipeline) transform(s Source) Source {
	if s == nil {
		return nil
	}
	if p.windows != nil {
		s = p.windows.over(p.rows.transform(s))
	}
	if len(p.steps) == 0 && p.sizing == nil {
		return s
	}
	t := &transformed{Source: s, p: p, fields: append([]Field(nil), s.Fields()...)} // it may lack labels that the training part has
	t.fields[0] = p.fields[0]
	if z := p.sizing; z != nil && !z.random && int64(s.Len())*int64(z.out.Bytes()) <= keptSized {
		t.kept = make([]atomic.Pointer[[]float32], s.Len())
	}
	return t
}

// keptSized is how many bytes of pictures of one size are kept at most, so that each is decoded once only.
const keptSized = 1 << 30

func (t *transformed) Fields() []Field   { return t.fields }
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
	draw := Draw{Seed: t.p.seed, Epoch: epoch, Training: training}
	if err := t.readRaw(s.dst, indices, draw); err != nil {
		return err
	}
	raw, out := s.dst[0].Float32s(), dst[0].Float32s()
	if len(indices) == 0 {
		return nil
	}
	from, to := len(raw)/len(indices), len(out)/len(indices)
	for n, i := range indices {
		draw.Row = uint32(i)
		t.p.apply(out[n*to:(n+1)*to], raw[n*from:(n+1)*from], s, draw)
	}
	return nil
}

// readRaw reads what the first step gets.
func (t *transformed) readRaw(dst []*tensor.Dense, indices []int, d Draw) error {
	z := t.p.sizing
	if z == nil {
		return t.Source.Read(dst, indices)
	}
	x, size := dst[0].Float32s(), z.out.Shape.Size()
	src, ok := asPictures(t.Source)
	if !ok {
		return fmt.Errorf("data: pictures are wanted")
	}
	return readPictures(src, dst, indices, func(n int, fetch func() (*picture, error)) error {
		into, i := x[n*size:(n+1)*size], indices[n]
		if t.kept != nil {
			if had := t.kept[i].Load(); had != nil {
				copy(into, *had)
				return nil
			}
		}
		p, err := fetch()
		if err != nil {
			return err
		}
		mine := d
		mine.Row = uint32(i)
		if err := z.apply(into, p, mine); err != nil {
			return fmt.Errorf("%s: %w", ExampleName(src, i), err)
		}
		if t.kept != nil {
			own := append([]float32(nil), into...)
			t.kept[i].Store(&own)
		}
		return nil
	})
}

// apply runs one example through the steps, from raw to out, by way of two buffers where shapes change.
func (p *Pipeline) apply(out, raw []float32, s *pipelineScratch, d Draw) {
	x, next := raw, 0
	for _, step := range p.steps {
		if step.training && !d.Training {
			continue
		}
		y := x
		if p.reshapes {
			y, next = s.buffers[next][:step.Out().Shape.Size()], 1-next
		}
		d.Stream = step.stream
		step.Apply(y, x, d)
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
		s.raw[n] = Dense(graph.Spec{Shape: append(graph.Shape{n}, p.first.Shape...)})
	}
	s.dst[0] = s.raw[n]
	return s
}
