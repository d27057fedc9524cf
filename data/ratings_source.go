package data

import (
	"cmp"
	"errors"
	"slices"

	"aetrain/graph"
	"aetrain/internal/philox"

	"gorgonia.org/tensor"
)

// click is one item of a user.
type click struct {
	item  int32
	value float32
}

// clicks collects ratings.
type clicks struct {
	users, items map[string]int32
	names, words []string // of users and items, in the order in which they came
	of           [][]click
}

func (c *clicks) add(user, item string, value float32) {
	u, ok := c.users[user]
	if !ok {
		u = int32(len(c.names))
		c.names = append(c.names, clone(user))
		c.users[c.names[u]] = u
		c.of = append(c.of, nil)
	}
	i, ok := c.items[item]
	if !ok {
		i = int32(len(c.words))
		c.words = append(c.words, clone(item))
		c.items[c.words[i]] = i
	}
	c.of[u] = append(c.of[u], click{i, value})
}

// clone frees a string from the line that it was cut from.
func clone(s string) string { return string([]byte(s)) }

// source keeps users with enough items. Items are those of the kept users, sorted by name; or the known ones.
func (c *clicks) source(minItems int, known *ratingsFacts) (*ratingsSource, error) {
	s := &ratingsSource{}
	used := make([]bool, len(c.words))
	for u, all := range c.of {
		all = lastOfEach(all)
		if len(all) < minItems {
			continue
		}
		s.users, s.of = append(s.users, c.names[u]), append(s.of, all)
		for _, k := range all {
			used[k.item] = true
		}
	}
	if len(s.users) == 0 {
		return nil, mistake("data.min_items", "no user has %d items", minItems)
	}
	if known != nil {
		s.items = known.Items
	} else {
		for i, word := range c.words {
			if used[i] {
				s.items = append(s.items, word)
			}
		}
		slices.Sort(s.items)
	}
	place := make(map[string]int32, len(s.items))
	for i, word := range s.items {
		place[word] = int32(i)
	}
	for u, all := range s.of {
		kept := all[:0]
		for _, k := range all {
			if at, ok := place[c.words[k.item]]; ok { // an item that training has not seen has no place
				kept = append(kept, click{at, k.value})
			}
		}
		slices.SortFunc(kept, func(a, b click) int { return cmp.Compare(a.item, b.item) })
		s.of[u] = kept
	}
	if len(s.items) == 0 {
		return nil, errors.New("there are no items")
	}
	s.fields = []Field{{Name: "x", Spec: graph.F32(len(s.items))}, {Name: "target", Spec: graph.F32(len(s.items))}}
	return s, nil
}

// lastOfEach keeps the last of several values that a user has given an item.
func lastOfEach(all []click) []click {
	slices.SortStableFunc(all, func(a, b click) int { return cmp.Compare(a.item, b.item) })
	kept := all[:0]
	for i, k := range all {
		if i == len(all)-1 || all[i+1].item != k.item {
			kept = append(kept, k)
		}
	}
	return kept
}

// ratingsSource is a Source of users.
type ratingsSource struct {
	users  []string
	items  []string
	of     [][]click // by user, in the order of items
	fields []Field
	hides  bool   // a fifth of the items is in target, the rest in x
	seed   uint64 // draws which
}

func (s *ratingsSource) Len() int               { return len(s.users) }
func (s *ratingsSource) Fields() []Field        { return s.fields }
func (s *ratingsSource) Close() error           { return nil }
func (s *ratingsSource) Name(i int) string      { return s.users[i] }
func (s *ratingsSource) featureNames() []string { return s.items }

// concealed is a source with a fifth of each user's items hidden; sources without users stay as they are.
func concealed(s Source, seed uint64) Source {
	switch v := s.(type) {
	case *subset:
		return choose(concealed(v.Source, seed), v.at)
	case *ratingsSource:
		c := *v
		c.hides, c.seed = true, seed
		return &c
	}
	return s
}

// hiddenShare is one item of so many.
const hiddenShare = 5

func (s *ratingsSource) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(s, dst, indices); err != nil {
		return err
	}
	x, target, n := dst[0].Float32s(), dst[1].Float32s(), len(s.items)
	clear(x)
	clear(target)
	for row, u := range indices {
		of := s.of[u]
		hidden := s.hidden(u)
		for k, c := range of {
			at := row*n + int(c.item)
			switch {
			case !s.hides:
				x[at], target[at] = c.value, c.value
			case hidden[k]:
				target[at] = c.value
			default:
				x[at] = c.value
			}
		}
	}
	return nil
}

// hidden says which of a user's items are hidden: a fifth, at least one of two.
func (s *ratingsSource) hidden(u int) []bool {
	all := make([]bool, len(s.of[u]))
	if !s.hides || len(all) < 2 {
		return all
	}
	order := philox.New(s.seed, philox.Stream("data/hidden")).At(uint32(u)).Perm(len(all))
	for _, k := range order[:max(1, len(all)/hiddenShare)] {
		all[k] = true
	}
	return all
}

// MovesZero is the transform behind which what was 0 is something else, so that x no longer tells what a user has: its key, and its
// kind in brackets; "": there is none.
func MovesZero(s Source) string {
	t, ok := s.(*transformed)
	for ; !ok; t, ok = s.(*transformed) {
		if s = viewed(s); s == nil {
			return ""
		}
	}
	x := make([]float32, t.p.first.Shape.Size())
	for i, step := range t.p.steps {
		if step.training {
			continue
		}
		y := make([]float32, step.Out().Shape.Size())
		step.Apply(y, x, Draw{Seed: t.p.seed, Stream: step.stream})
		if slices.ContainsFunc(y, func(v float32) bool { return v != 0 }) {
			return t.p.key(i) + " (" + step.kind + ")"
		}
		x = y
	}
	return ""
}

// ItemNames are the names of the items that the elements of x stand for, where the source is one of ratings; nil otherwise.
func ItemNames(s Source) []string {
	if r, ok := base(s).(*ratingsSource); ok {
		return r.items
	}
	return nil
}
