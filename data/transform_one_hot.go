package data

import (
	"fmt"
	"slices"

	"aetrain/graph"
	"aetrain/internal/column"
)

func init() { transforms.Add("one-hot", func() Transform { return newOneHot() }) }

func newOneHot() *OneHot { return &OneHot{MinCount: 1} }

// OneHot turns each categorical column of a table into a column for each of its values, of which one is 1, and one more that rare and
// unseen values share. A hole that nothing has filled is 0 everywhere.
type OneHot struct {
	OnColumns
	MinCount int `toml:"min_count" min:"1" doc:"values that are rarer in training share a column with unseen ones" example:"20"`
}

// Bind implements Transform.
func (t *OneHot) Bind(in graph.Spec) (Step, error) {
	return nil, fmt.Errorf("is for tables; the examples are %v", in.Shape)
}

func (t *OneHot) bindColumns(in []Column) (Step, []Column, error) {
	_, chosen, err := t.pick(in, Categorical)
	if err != nil {
		return nil, nil, err
	}
	s := &oneHot{columns: in, minCount: float32(t.MinCount), counts: make([][]float32, len(in))}
	for _, i := range chosen {
		s.counts[i] = make([]float32, len(in[i].Words)+1) // the last one counts words that the source did not know
	}
	s.arrange()
	return s, s.out, nil
}

type oneHot struct {
	columns  []Column // before
	minCount float32
	counts   [][]float32 // by column (nil: it stays as it is) and word: how often in training
	out      []Column    // after
	place    [][]int     // by column and word: which of its elements is 1
	width    int
}

// arrange gives every word that is frequent enough an element.
func (s *oneHot) arrange() {
	s.out, s.place = slices.Clone(s.columns), make([][]int, len(s.columns))
	for c, counts := range s.counts {
		if counts == nil {
			continue
		}
		words, place := []string{}, make([]int, len(counts))
		for w := range s.columns[c].Words {
			if place[w] = -1; counts[w] >= s.minCount && s.columns[c].Words[w] != otherWord {
				place[w] = len(words)
				words = append(words, s.columns[c].Words[w])
			}
		}
		place[len(counts)-1] = -1
		for w, at := range place {
			if at < 0 {
				place[w] = len(words)
			}
		}
		words = append(words, otherWord)
		s.out[c] = Column{Name: s.columns[c].Name, Kind: OneHotGroup, Width: len(words), Words: words}
		s.place[c] = place
	}
	s.width = column.Width(s.out)
}

func (s *oneHot) Out() graph.Spec { return graph.F32(s.width) }

func (s *oneHot) outColumns() []Column { return s.out }

func (s *oneHot) Apply(dst, src []float32, _ Draw) {
	from, to := 0, 0
	for c, column := range s.columns {
		width := s.out[c].Width
		if s.place[c] == nil {
			copy(dst[to:to+width], src[from:from+width])
		} else {
			clear(dst[to : to+width])
			if v := src[from]; v == v {
				dst[to+s.place[c][s.word(c, v)]] = 1
			}
		}
		from, to = from+column.Width, to+width
	}
}

// word is the place of a word in counts.
func (s *oneHot) word(c int, v float32) int {
	return min(max(int(v), 0), len(s.counts[c])-1)
}

func (s *oneHot) Observe(x []float32) {
	at := 0
	for c, column := range s.columns {
		if v := x[at]; s.counts[c] != nil && v == v {
			s.counts[c][s.word(c, v)]++
		}
		at += column.Width
	}
}

func (s *oneHot) Fit() error {
	s.arrange()
	return nil
}

func (s *oneHot) State() []Stored {
	var all []Stored
	for c, counts := range s.counts {
		if counts != nil {
			all = append(all, stored(fmt.Sprintf("counts.%d", c), counts))
		}
	}
	return all
}

func (s *oneHot) Restore(get func(string) ([]float32, error)) error {
	into := map[string][]float32{}
	for c, counts := range s.counts {
		if counts != nil {
			into[fmt.Sprintf("counts.%d", c)] = counts
		}
	}
	if err := restore(get, into); err != nil {
		return err
	}
	s.arrange()
	return nil
}
