package data

import (
	"fmt"
	"sync"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

// subset is some examples of a source, in an order of its own. Closing it closes nothing: Splits owns the sources.
type subset struct {
	Source
	at   []int // place in Source of each example
	pool sync.Pool
}

// choose returns the examples at of s, in that order.
func choose(s Source, at []int) *subset { return &subset{Source: s, at: at} }

func (s *subset) Len() int          { return len(s.at) }
func (s *subset) Close() error      { return nil }
func (s *subset) Name(i int) string { return ExampleName(s.Source, s.at[i]) }

func (s *subset) Read(dst []*tensor.Dense, indices []int) error {
	mapped := borrow(&s.pool, len(indices))
	defer s.pool.Put(mapped)
	for n, i := range indices {
		if i < 0 || i >= len(s.at) {
			return fmt.Errorf("data: example %d of %d is wanted", i, len(s.at))
		}
		(*mapped)[n] = s.at[i]
	}
	return s.Source.Read(dst, *mapped)
}

// borrow takes n ints from a pool of *[]int.
func borrow(pool *sync.Pool, n int) *[]int {
	p, _ := pool.Get().(*[]int)
	if p == nil {
		p = new([]int)
	}
	if cap(*p) < n {
		*p = make([]int, n)
	}
	*p = (*p)[:n]
	return p
}

// joined is several sources, one after the other, with the same fields.
type joined struct {
	sources []Source
	first   []int // place of each source's first example; one more at the end
	fields  []Field
}

// join returns the sources one after the other; nil ones are left out, and of one source that source itself is returned.
func join(sources ...Source) (Source, error) {
	j := &joined{first: []int{0}}
	for _, s := range sources {
		if s == nil {
			continue
		}
		if len(j.sources) > 0 {
			if err := sameFields(j.fields, s.Fields()); err != nil {
				return nil, err
			}
		}
		j.fields = s.Fields()
		j.sources = append(j.sources, s)
		j.first = append(j.first, j.first[len(j.first)-1]+s.Len())
	}
	if len(j.sources) == 1 {
		return j.sources[0], nil
	}
	if merged := mergeImages(j); merged != nil {
		return merged, nil
	}
	return j, nil
}

// mergeImages copies sources that are all in memory into one, so that no batch has to be put together; nil where one is not.
func mergeImages(j *joined) Source {
	all := newImages(nil, nil, nil)
	for i, s := range j.sources {
		part, ok := s.(*images)
		if !ok {
			return nil
		}
		if i == 0 {
			all.shape, all.fields = part.shape, part.fields
			all.pixels = make([]uint8, 0, j.Len()*part.shape.Size())
		}
		all.pixels = append(all.pixels, part.pixels...)
		all.labels = append(all.labels, part.labels...)
	}
	return all
}

// sameFields says in what two parts of a source differ.
func sameFields(a, b []Field) error {
	if len(a) != len(b) {
		return fmt.Errorf("one part has %d fields (%v), another %d (%v)", len(a), fieldNames(a), len(b), fieldNames(b))
	}
	for i := range a {
		if a[i].Name != b[i].Name || !a[i].Spec.Equal(b[i].Spec) {
			return fmt.Errorf("one part has %s of %v, another %s of %v", a[i].Name, a[i].Spec, b[i].Name, b[i].Spec)
		}
	}
	return nil
}

func fieldNames(fields []Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

func (j *joined) Len() int        { return j.first[len(j.first)-1] }
func (j *joined) Fields() []Field { return j.fields }

func (j *joined) Close() error {
	var first error
	for _, s := range j.sources {
		if err := s.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// part is the source that holds example i, and its place there.
func (j *joined) part(i int) (Source, int) {
	for n, s := range j.sources {
		if i < j.first[n+1] {
			return s, i - j.first[n]
		}
	}
	return nil, 0
}

func (j *joined) Name(i int) string {
	s, at := j.part(i)
	return ExampleName(s, at)
}

// Read reads run by run: neighbours from one source go there together. Batches of a shuffled split are read one by one,
// which costs sources in memory nothing.
func (j *joined) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(j, dst, indices); err != nil {
		return err
	}
	run := make([]int, 0, len(indices))
	for from := 0; from < len(indices); {
		s, at := j.part(indices[from])
		run = append(run[:0], at)
		to := from + 1
		for ; to < len(indices); to++ {
			next, at := j.part(indices[to])
			if next != s {
				break
			}
			run = append(run, at)
		}
		rows, err := rowsOf(dst, from, to)
		if err != nil {
			return err
		}
		if err := s.Read(rows, run); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// rowsOf returns views of the rows from (inclusive) to (exclusive) of each tensor.
func rowsOf(dst []*tensor.Dense, from, to int) ([]*tensor.Dense, error) {
	rows := make([]*tensor.Dense, len(dst))
	for i, d := range dst {
		v, err := d.Slice(tensor.S(from, to))
		if err != nil {
			return nil, fmt.Errorf("data: rows %d to %d of %v: %w", from, to, d.Shape(), err)
		}
		rows[i] = v.(*tensor.Dense)
	}
	return rows, nil
}

// relabelled is a source whose x is said to have another shape of as many elements in the same order.
type relabelled struct {
	Source
	fields []Field
}

func (r *relabelled) Fields() []Field   { return r.fields }
func (r *relabelled) Name(i int) string { return ExampleName(r.Source, i) }

// shaped returns s with an x of this shape, if the shapes differ in axes of length 1 only: grey images are H×W in most NPY files.
func shaped(s Source, want graph.Spec) Source {
	got := s.Fields()[0].Spec
	if got.Equal(want) || got.DType != want.DType || !withoutOnes(got.Shape).Equal(withoutOnes(want.Shape)) {
		return s
	}
	fields := append([]Field(nil), s.Fields()...)
	fields[0].Spec = want
	return &relabelled{s, fields}
}

// withoutOnes drops the axes of length 1.
func withoutOnes(s graph.Shape) graph.Shape {
	var rest graph.Shape
	for _, d := range s {
		if d != 1 {
			rest = append(rest, d)
		}
	}
	return rest
}
