package data

import (
	"context"
	"fmt"
	"sync"

	"aetrain/graph"
	"aetrain/internal/column"
	"aetrain/internal/philox"

	"gorgonia.org/tensor"
)

// Stored is one array that a transform has learnt, under its name in the checkpoint: "transforms.0.mean".
type Stored struct {
	Name  string
	Value *tensor.Dense // float32
}

// Pipeline is data.transforms bound to a source's fields and fitted on its training split. It changes the field x.
//
// Three kinds of sources are special. Over pictures the first transforms, up to the one that brings images to one size, are a sizing.
// Over a table it knows what each column of x is. And with windows there are two pipelines: rows for what comes
// before, and this one for what comes after.
type Pipeline struct {
	raw, fields []Field
	first       graph.Spec // of x before the first step
	seed        uint64
	list        []Transform // of steps
	at          int         // place of the first step in data.transforms
	steps       []boundStep
	sizing      *sizing
	columns     []Column  // of a table, as the source gives them; nil: it is none
	facts       []byte    // what the source found in the files that it was trained on
	rows        *Pipeline // nil: there are no windows
	windows     *windowing
	reshapes    bool // x has another shape somewhere on the way than at the beginning
	largest     int  // elements of x at most, on the way
	scratch     sync.Pool
}

// boundStep is one transform of a pipeline.
type boundStep struct {
	Step
	kind     string // its name in a config
	stream   uint32
	training bool     // on training batches only
	columns  []Column // of a table, after it
}

// newPipeline binds transforms to the fields of a source. A transform that does not fit is a Mistake at its key.
func newPipeline(list []Transform, src Source, seed uint64) (*Pipeline, error) {
	n := windowsIn(list)
	if n < 0 {
		if columnsOf(src) != nil && len(list) == 0 {
			list = tableDefaults()
		}
		return bindPipeline(list, src, seed)
	}
	rows, err := bindPipeline(list[:n], src, seed)
	if err != nil {
		return nil, err
	}
	fields := src.Fields()
	p := &Pipeline{fields: append([]Field(nil), fields...), seed: seed, list: list[n+1:], at: n + 1}
	if err := p.bindWindows(list[n].(*Windows), rows, src); err != nil {
		return nil, mistake(p.key(-1), "windows %v", err)
	}
	return p, p.bind(0)
}

// bindPipeline binds transforms without windows.
func bindPipeline(list []Transform, src Source, seed uint64) (*Pipeline, error) {
	fields := src.Fields()
	p := &Pipeline{raw: fields, fields: append([]Field(nil), fields...), first: fields[0].Spec, seed: seed, list: list, columns: columnsOf(src)}
	streams := make([]uint32, len(list))
	for i := range streams {
		streams[i] = p.stream(i)
	}
	if at := FieldIndex(p.fields, "label"); at >= 0 {
		p.fields[at].Words = labelNamesOf(src)
	}
	var err error
	if p.sizing, err = newSizing(list, src, streams); err != nil {
		return nil, err
	}
	if p.sizing != nil {
		p.first, p.at = p.sizing.out, len(p.sizing.list)
		p.list = list[p.at:]
	}
	return p, p.bind(0)
}

// key is where step i stands in the config.
func (p *Pipeline) key(i int) string { return fmt.Sprintf("data.transforms[%d]", p.at+i) }

func (p *Pipeline) stream(i int) uint32 {
	return philox.Stream(fmt.Sprintf("data/transforms.%d", p.at+i))
}

// bind binds the steps from one on, anew where they are bound already: a step before may have learnt how many columns it gives.
func (p *Pipeline) bind(from int) error {
	p.steps = p.steps[:from]
	in, columns := p.first, p.columns
	if from > 0 {
		last := &p.steps[from-1]
		if c, ok := last.Step.(columnChanger); ok && columns != nil {
			last.columns = c.outColumns()
		}
		in, columns = last.Out(), last.columns
	}
	for i := from; i < len(p.list); i++ {
		t := p.list[i]
		step, after, err := bindTransform(t, in, columns)
		if err != nil {
			return mistake(p.key(i), "%s %v", kindOf(t), err)
		}
		_, training := step.(TrainingOnly)
		p.steps = append(p.steps, boundStep{step, kindOf(t), p.stream(i), training, after})
		in, columns = step.Out(), after
	}
	p.measure()
	return nil
}

// columnChanger is a Step that learns which columns a table has after it.
type columnChanger interface{ outColumns() []Column }

// bindTransform binds one transform; columns are those of a table, before and after, nil where x is none.
func bindTransform(t Transform, in graph.Spec, columns []Column) (Step, []Column, error) {
	if in.DType != graph.Float32 {
		return nil, nil, fmt.Errorf("wants numbers; x holds whole ones that stand for tokens")
	}
	if columns == nil {
		if l, ok := t.(columnLister); ok && len(l.named()) > 0 {
			return nil, nil, fmt.Errorf("has columns = [...], but the data is no table")
		}
		step, err := t.Bind(in)
		return step, nil, err
	}
	c, ok := t.(columnTransform)
	if !ok {
		step, err := t.Bind(in)
		if err == nil && !step.Out().Equal(in) {
			err = fmt.Errorf("is not for tables")
		}
		return step, columns, err
	}
	return c.bindColumns(columns)
}

// Columns describes the elements of x where the data is a table, nil where it is none.
func (p *Pipeline) Columns() []Column {
	if len(p.steps) == 0 {
		return p.columns
	}
	return p.steps[len(p.steps)-1].columns
}

// lastAxis describes the elements on x's last axis where they are a table's columns: of rows, or of windows of rows.
func (p *Pipeline) lastAxis() []Column {
	if p.rows == nil {
		return p.Columns()
	}
	if columns := p.rows.Columns(); columns != nil && p.fields[0].Spec.Equal(graph.F32(p.windows.length, column.Width(columns))) {
		return columns
	}
	return nil
}

// measure finds the shape of what comes out, and what memory the way there takes.
func (p *Pipeline) measure() {
	p.fields[0].Spec, p.largest = p.first, p.first.Shape.Size()
	defer func() { p.fields[0].Columns = p.lastAxis() }()
	p.reshapes = p.windows == nil && !p.first.Equal(p.raw[0].Spec) || p.sizing != nil
	for _, s := range p.steps {
		p.reshapes = p.reshapes || !s.Out().Equal(p.fields[0].Spec)
		p.fields[0].Spec = s.Out()
		p.largest = max(p.largest, s.Out().Shape.Size())
	}
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
	kinds := p.Kinds()
	if len(kinds) == 0 {
		return ""
	}
	return kinds[len(kinds)-1]
}

// fit has each Fitter learn from train as the steps before it give it, one pass each.
func (p *Pipeline) fit(ctx context.Context, train Source, progress func(Progress)) error {
	if p.rows != nil {
		if err := p.rows.fit(ctx, train, progress); err != nil {
			return err
		}
		if err := p.windows.fitted(p); err != nil {
			return err
		}
		train = p.windows.over(p.rows.transform(train))
	}
	for i := range p.list {
		f, ok := p.steps[i].Step.(Fitter)
		if !ok {
			continue
		}
		if err := p.fitStep(ctx, i, f, train, progress); err != nil {
			return err
		}
		if err := p.bind(i + 1); err != nil {
			return err
		}
	}
	return p.complete()
}

// complete reports what is not yet fit for a network.
func (p *Pipeline) complete() error {
	if p.fields[0].Spec.Shape.Size() == 0 {
		return mistake("data.transforms", "nothing is left of x")
	}
	for _, c := range p.Columns() {
		if c.Kind == Categorical {
			return mistake("data.transforms", `column %s is categorical: add { kind = "one-hot" }, or set data.columns.%s = "ignore"`, c.Name, c.Name)
		}
	}
	return nil
}

// fitStep shows one step all training examples.
func (p *Pipeline) fitStep(ctx context.Context, i int, f Fitter, train Source, progress func(Progress)) error {
	const batch = 256
	before := p.upTo(i).transform(train)
	x := NewBatch(before.Fields(), batch, nil)
	for from := 0; from < before.Len(); from += batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(from+batch, before.Len())
		if to-from < batch {
			x = NewBatch(before.Fields(), to-from, nil)
		}
		if err := ReadRange(before, from, to, x); err != nil {
			return err
		}
		each := x[0].DataSize() / (to - from)
		for n := range to - from {
			f.Observe(x[0].Float32s()[n*each : (n+1)*each])
		}
		progress(Progress{What: "fitting " + p.steps[i].kind, Done: int64(to), Total: int64(before.Len()), Unit: "examples"})
	}
	if err := f.Fit(); err != nil {
		return mistake(p.key(i), "%s: %v", p.steps[i].kind, err)
	}
	return nil
}

// upTo is the pipeline's first n steps over what it has: windows, if any, are not cut again.
func (p *Pipeline) upTo(n int) *Pipeline {
	q := &Pipeline{raw: p.raw, fields: append([]Field(nil), p.fields...), first: p.first, seed: p.seed, at: p.at, list: p.list[:n],
		steps: p.steps[:n:n], sizing: p.sizing, columns: p.columns}
	if p.windows != nil {
		q.raw = q.fields
		q.raw[0].Spec = p.first
		q.fields = append([]Field(nil), q.fields...)
	}
	q.measure()
	return q
}

// State is what was learnt, for the checkpoint.
func (p *Pipeline) State() []Stored {
	var all []Stored
	if p.rows != nil {
		all = p.rows.State()
	}
	if len(p.facts) > 0 {
		all = append(all, storedBytes(factsName, p.facts))
	}
	for i, s := range p.steps {
		if f, ok := s.Step.(Fitter); ok {
			for _, v := range f.State() {
				all = append(all, Stored{Name: fmt.Sprintf("transforms.%d.%s", p.at+i, v.Name), Value: v.Value})
			}
		}
	}
	return all
}

// restore takes back what State gave.
func (p *Pipeline) restore(state []Stored) error {
	if p.rows != nil {
		if err := p.rows.restore(state); err != nil {
			return err
		}
		if err := p.windows.fitted(p); err != nil {
			return err
		}
	}
	if err := p.bind(0); err != nil {
		return err
	}
	for i := range p.list {
		f, ok := p.steps[i].Step.(Fitter)
		if !ok {
			continue
		}
		err := f.Restore(func(name string) ([]float32, error) {
			return find(state, fmt.Sprintf("transforms.%d.%s", p.at+i, name))
		})
		if err != nil {
			return fmt.Errorf("%s: %w", p.steps[i].kind, err)
		}
		if err := p.bind(i + 1); err != nil {
			return err
		}
	}
	return nil
}

// find looks up one array of a checkpoint.
func find(state []Stored, name string) ([]float32, error) {
	for _, v := range state {
		if v.Name != name {
			continue
		}
		if v.Value.Dtype() != tensor.Float32 {
			return nil, fmt.Errorf("the checkpoint's %s is %v, want float32", name, v.Value.Dtype())
		}
		return v.Value.Float32s(), nil
	}
	return nil, fmt.Errorf("the checkpoint has no %s: was it fitted with other transforms?", name)
}
