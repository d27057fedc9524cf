package data

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

func init() { transforms.Add("windows", func() Transform { return &Windows{Stride: 1} }) }

// Windows makes examples, Length×columns, of neighbouring rows of a series. A window never spans files, groups, splits or rows that
// were left out. Its label is the largest of its rows', so that a window with one anomalous row is anomalous; its name is its first row's.
type Windows struct {
	Length int `toml:"length" required:"true" min:"1" max:"1048576" doc:"rows of a window" example:"288"`
	Stride int `toml:"stride" min:"1" doc:"rows from the beginning of one window to that of the next" example:"12"`
}

// Bind implements Transform: windows change what an example is, so a pipeline binds them itself.
func (t *Windows) Bind(graph.Spec) (Step, error) {
	return nil, errors.New("stands a second time: windows of windows are not known")
}

// windowsIn is the place of the first windows, -1 where there are none.
func windowsIn(list []Transform) int {
	return slices.IndexFunc(list, func(t Transform) bool { _, is := t.(*Windows); return is })
}

// ordered is a Source whose examples are rows of series.
type ordered interface {
	// place is the series that example i belongs to, and its place there.
	place(i int) (run int64, at int)
}

// placing returns the place of each example of s; ok is false where its examples are in no order.
func placing(s Source) (place func(i int) (run int64, at int), ok bool) {
	switch v := s.(type) {
	case *subset:
		in, ok := placing(v.Source)
		return func(i int) (int64, int) { return in(v.at[i]) }, ok
	case *transformed:
		return placing(v.Source)
	case *relabelled:
		return placing(v.Source)
	case *joined:
		all := make([]func(int) (int64, int), len(v.sources))
		for n, part := range v.sources {
			if all[n], ok = placing(part); !ok {
				return nil, false
			}
		}
		return func(i int) (int64, int) {
			n := 0
			for i >= v.first[n+1] {
				n++
			}
			run, at := all[n](i - v.first[n])
			return run + int64(n)<<32, at // another part's series are others
		}, len(all) > 0
	case ordered:
		return v.place, true
	}
	return nil, false
}

// windowing is a Windows bound to the rows that it cuts.
type windowing struct {
	length, stride int
}

// bindWindows makes p a pipeline over windows of what rows gives.
func (p *Pipeline) bindWindows(t *Windows, rows *Pipeline, src Source) error {
	if _, ok := placing(src); !ok {
		return errors.New("want rows of a series, a table's for example; the source's examples have no order")
	}
	for _, s := range rows.steps {
		if s.training {
			return fmt.Errorf("want to stand before %s, which changes training examples only", s.kind)
		}
	}
	p.rows, p.windows = rows, &windowing{t.Length, t.Stride}
	p.fields = p.windows.fields(rows.fields)
	p.raw = slices.Clone(p.fields)
	return p.windows.widen(p)
}

// fitted brings a pipeline to the width of rows, which is known when they have learnt.
func (w *windowing) fitted(p *Pipeline) error {
	if err := w.widen(p); err != nil {
		return err
	}
	return p.bind(0)
}

func (w *windowing) widen(p *Pipeline) error {
	row := p.rows.fields[0].Spec.Shape
	if len(row) != 1 {
		return fmt.Errorf("want rows, each a vector; the examples are %v", row)
	}
	p.first = graph.F32(w.length, row[0])
	p.raw[0].Spec = p.first
	return nil
}

// fields are those of windows of rows with these.
func (w *windowing) fields(rows []Field) []Field {
	x := rows[0]
	x.Spec = graph.Spec{Shape: append(graph.Shape{w.length}, x.Spec.Shape...), DType: x.Spec.DType}
	fields := []Field{x}
	if at := FieldIndex(rows, "label"); at >= 0 {
		fields = append(fields, rows[at])
	}
	return fields
}

// over cuts a source into windows.
func (w *windowing) over(rows Source) Source {
	place, _ := placing(rows)
	s := &windowed{rows: rows, length: w.length, order: make([]int, rows.Len()), fields: w.fields(rows.Fields()), label: FieldIndex(rows.Fields(), "label")}
	for i := range s.order {
		s.order[i] = i
	}
	slices.SortStableFunc(s.order, func(a, b int) int { // rows of groups may be mixed
		runA, atA := place(a)
		runB, atB := place(b)
		return cmp.Or(cmp.Compare(runA, runB), cmp.Compare(atA, atB))
	})
	begin := 0
	for i := range s.order {
		last := i == len(s.order)-1
		if !last {
			run, at := place(s.order[i])
			nextRun, nextAt := place(s.order[i+1])
			last = run != nextRun || at+1 != nextAt
		}
		if !last {
			continue
		}
		for from := begin; from+w.length <= i+1; from += w.stride {
			s.starts = append(s.starts, from)
		}
		begin = i + 1
	}
	return s
}

// WindowRows returns the rows that the windows of src were cut of, in the order of their series, and which of them each window holds.
// ok is false where the examples of src are no windows.
func WindowRows(src Source) (rows Source, of func(window int) []int, ok bool) {
	switch v := src.(type) {
	case *windowed:
		return choose(v.rows, v.order), func(i int) []int {
			all := make([]int, v.length)
			for k := range all {
				all[k] = v.starts[i] + k
			}
			return all
		}, true
	case *transformed:
		return WindowRows(v.Source)
	case *joined:
		return joinedRows(v)
	}
	return nil, nil, false
}

// joinedRows are the rows of windows of several sources, one source after the other.
func joinedRows(j *joined) (Source, func(int) []int, bool) {
	parts, first := make([]Source, len(j.sources)), make([]int, len(j.sources))
	each := make([]func(int) []int, len(j.sources))
	n := 0
	for i, s := range j.sources {
		var ok bool
		if parts[i], each[i], ok = WindowRows(s); !ok {
			return nil, nil, false
		}
		first[i] = n
		n += parts[i].Len()
	}
	all, err := join(parts...)
	if err != nil {
		return nil, nil, false
	}
	return all, func(window int) []int {
		k := 0
		for window >= j.first[k+1] {
			k++
		}
		rows := each[k](window - j.first[k])
		for i := range rows {
			rows[i] += first[k]
		}
		return rows
	}, true
}

// windowed is a source of windows of another's rows.
type windowed struct {
	rows   Source
	length int
	order  []int // the rows, series by series
	starts []int // where in order each window begins
	fields []Field
	label  int // place among the rows' fields; -1: none
	pool   sync.Pool
}

func (s *windowed) Len() int          { return len(s.starts) }
func (s *windowed) Fields() []Field   { return s.fields }
func (s *windowed) Close() error      { return nil }
func (s *windowed) Name(i int) string { return ExampleName(s.rows, s.order[s.starts[i]]) }

func (s *windowed) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(s, dst, indices); err != nil {
		return err
	}
	rows := borrow(&s.pool, len(indices)*s.length)
	defer s.pool.Put(rows)
	for n, i := range indices {
		copy((*rows)[n*s.length:], s.order[s.starts[i]:s.starts[i]+s.length])
	}
	in := s.rows.Fields()
	into := make([]*tensor.Dense, len(in))
	for k, f := range in {
		if k == 0 { // windows one after the other are their rows one after the other
			shape := append([]int{len(*rows)}, f.Spec.Shape...)
			into[k] = tensor.New(tensor.WithShape(shape...), tensor.WithBacking(dst[0].Float32s()))
			continue
		}
		into[k] = Dense(f.batch(len(*rows)))
	}
	if err := s.rows.Read(into, *rows); err != nil {
		return err
	}
	if s.label < 0 {
		return nil
	}
	of, labels := into[s.label].Int32s(), dst[1].Int32s()
	for n := range indices {
		labels[n] = slices.Max(of[n*s.length : (n+1)*s.length])
	}
	return nil
}
