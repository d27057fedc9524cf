package data

import (
	"fmt"
	"slices"

	"aetrain/graph"
	"aetrain/internal/column"
)

func init() { transforms.Add("impute", func() Transform { return newImpute() }) }

func newImpute() *Impute { return &Impute{With: "median"} }

// Impute fills holes: in numbers with what is usual in training, in categories with a value of their own.
type Impute struct {
	OnColumns
	With      string `toml:"with" choices:"median|mean|zero" doc:"what stands for a missing number; a missing category is a value of its own"`
	Indicator bool   `toml:"indicator" doc:"add a column of 0 and 1 for each numeric column with holes in training, which says where they were"`
}

// Bind implements Transform: every element of an example is a column.
func (t *Impute) Bind(in graph.Spec) (Step, error) {
	if t.Indicator {
		return nil, fmt.Errorf("with indicator = true is for tables; the examples are %v", in.Shape)
	}
	size := in.Shape.Size()
	s := &impute{in: in, with: t.With, at: make([]int, size), values: make([]float32, size), holes: make([]float32, size), seen: make([][]float32, size)}
	for i := range s.at {
		s.at[i] = i
	}
	return s, nil
}

// words that stand behind a column's own once it is imputed.
const (
	otherWord   = "(other)"
	missingWord = "(missing)"
)

func (t *Impute) bindColumns(in []Column) (Step, []Column, error) {
	at, chosen, err := t.pick(in, Numeric, Categorical)
	if err != nil {
		return nil, nil, err
	}
	n := len(at)
	s := &impute{in: graph.F32(column.Width(in)), with: t.With, at: at, values: make([]float32, n), holes: make([]float32, n), seen: make([][]float32, n),
		missing: make([]float32, n), indicator: t.Indicator, columns: slices.Clone(in), chosen: chosen}
	for k, i := range chosen {
		if in[i].Kind == Categorical {
			s.columns[i].Words = append(slices.Clone(in[i].Words), otherWord, missingWord)
			s.missing[k] = float32(len(in[i].Words) + 1)
		}
	}
	return s, s.columns, nil
}

// impute fills in elements at of x.
type impute struct {
	in        graph.Spec
	with      string
	at        []int
	values    []float32   // what fills each
	holes     []float32   // how many training examples have a hole there
	seen      [][]float32 // while it learns: the values that are there
	missing   []float32   // of a table: the number that stands for a missing category; 0: it is a number
	indicator bool
	columns   []Column // of a table, with what is added
	chosen    []int    // which of the columns at belongs to
}

// flagged lists the elements of at that get a column of their own.
func (s *impute) flagged() []int {
	var all []int
	for i, n := range s.holes {
		if s.indicator && n > 0 && s.missing[i] == 0 { // a category says so itself
			all = append(all, i)
		}
	}
	return all
}

func (s *impute) Out() graph.Spec {
	if extra := len(s.flagged()); extra > 0 {
		return graph.F32(s.in.Shape[0] + extra)
	}
	return s.in
}

// outColumns are the table's columns after fitting.
func (s *impute) outColumns() []Column {
	all := slices.Clone(s.columns)
	for _, i := range s.flagged() {
		all = append(all, Column{Name: s.columns[s.chosen[i]].Name + " missing", Kind: Flag, Width: 1})
	}
	return all
}

func (s *impute) Apply(dst, src []float32, _ Draw) {
	flags := dst[len(src):]
	for k, i := range s.flagged() {
		flags[k] = 0
		if v := src[s.at[i]]; v != v {
			flags[k] = 1
		}
	}
	copy(dst, src)
	for i, at := range s.at {
		if dst[at] != dst[at] {
			dst[at] = s.values[i]
		}
	}
}

func (s *impute) Observe(x []float32) {
	for i, at := range s.at {
		switch v := x[at]; {
		case v != v:
			s.holes[i]++
		case s.missing == nil || s.missing[i] == 0:
			s.seen[i] = append(s.seen[i], v)
		}
	}
}

func (s *impute) Fit() error {
	for i, seen := range s.seen {
		if s.missing != nil && s.missing[i] > 0 {
			s.values[i] = s.missing[i]
		} else {
			s.values[i] = middle(seen, s.with)
		}
	}
	s.seen = nil
	return nil
}

// middle is the median (of an even number of values the mean of the two in the middle) or the mean; 0 of nothing.
func middle(values []float32, with string) float32 {
	n := len(values)
	if n == 0 || with == "zero" {
		return 0
	}
	if with == "mean" {
		var m moments
		for _, v := range values {
			m.add(float64(v))
		}
		mean, _ := m.meanStd()
		return float32(mean)
	}
	slices.Sort(values)
	return float32((float64(values[(n-1)/2]) + float64(values[n/2])) / 2)
}

func (s *impute) State() []Stored {
	return []Stored{stored("values", s.values), stored("holes", s.holes)}
}

func (s *impute) Restore(get func(string) ([]float32, error)) error {
	return restore(get, map[string][]float32{"values": s.values, "holes": s.holes})
}
