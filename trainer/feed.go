package trainer

import (
	"context"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/model"
)

// scalarInput is an input that changes from step to step.
type scalarInput struct {
	name  string
	value func(r *Run) float64
}

// feeder is a training program with those of its inputs that each step feeds: they are found once.
type feeder struct {
	exe     backend.Executable
	fields  []field
	scalars []scalarInput
}

// field is an input that a field of the batch goes to.
type field struct {
	name string
	at   int // place in the batch
}

// feeder finds which of the batch's fields and of inputs a program has.
func (r *Run) feeder(exe backend.Executable, inputs []scalarInput) feeder {
	f := feeder{exe: exe}
	for i, name := range r.fields {
		if hasInput(exe, name) {
			f.fields = append(f.fields, field{name, i})
		}
	}
	for _, s := range inputs {
		if hasInput(exe, s.name) {
			f.scalars = append(f.scalars, s)
		}
	}
	return f
}

func hasInput(e backend.Executable, name string) bool {
	for _, in := range e.Program().Inputs {
		if in.Name == name {
			return true
		}
	}
	return false
}

// run feeds what changes from step to step and runs the program.
func (f *feeder) run(ctx context.Context, r *Run) error {
	for _, s := range f.scalars {
		r.feeds.scalar.Float32s()[0] = float32(s.value(r))
		if err := f.exe.Feed(s.name, r.feeds.scalar); err != nil {
			return err
		}
	}
	return f.exe.Run(ctx)
}

// part is a slice of the batch and the program for its size.
type part struct {
	feeder
	from, to int
	views    map[*tensor.Dense]*tensor.Dense // of the loader's tensors, which come round again; nil: the part is the whole batch
	rowsOf   *tensor.Dense                   // which examples of the resident set; nil: fields are fed
	epoch    int                             // that the program was fed last; -1: none
	filled   bool                            // the program reads the fields of the examples indices
	indices  []int
}

// run feeds the part of a batch and runs its program.
func (p *part) run(ctx context.Context, r *Run, b *data.Batch) error {
	if p.rowsOf != nil {
		if err := p.feedRows(r, b); err != nil {
			return err
		}
	}
	if p.filled {
		p.indices = b.Indices[p.from:p.to]
		return p.feeder.run(ctx, r)
	}
	for _, f := range p.fields {
		if err := p.exe.Feed(f.name, p.rows(b.Fields[f.at])); err != nil {
			return err
		}
	}
	return p.feeder.run(ctx, r)
}

// rows is the part's view of a tensor of the batch.
func (p *part) rows(t *tensor.Dense) *tensor.Dense {
	if p.views == nil {
		return t
	}
	v := p.views[t]
	if v == nil {
		v = backend.Rows(t, p.from, p.to)
		p.views[t] = v
	}
	return v
}

// feedConstants feeds what never changes to the program of a part of a batch.
func (r *Run) feedConstants(p part, batch int) error {
	words := r.feeds.seed.Int32s()
	words[0], words[1] = int32(uint32(r.Seed)), int32(uint32(r.Seed>>32))
	r.feeds.integer.Int32s()[0] = int32(p.from)
	r.feeds.scalar.Float32s()[0] = float32(float64(p.to-p.from) / float64(batch))
	r.feeds.white.Float32s()[0] = white
	for _, c := range []struct {
		name  string
		value *tensor.Dense
	}{{model.InputSeed, r.feeds.seed}, {model.InputRow0, r.feeds.integer}, {inputShare, r.feeds.scalar}, {inputWhite, r.feeds.white}} {
		if hasInput(p.exe, c.name) {
			if err := p.exe.Feed(c.name, c.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// feeds are host tensors that inputs are fed from.
type feeds struct{ seed, integer, scalar, white *tensor.Dense }

func newFeeds() feeds {
	return feeds{backend.NewHost(graph.I32(2)), backend.NewHost(graph.I32()), backend.NewHost(graph.F32()), backend.NewHost(graph.F32())}
}
