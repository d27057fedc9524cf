package data

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aetrain/configs"
	"aetrain/internal/column"
	"aetrain/internal/philox"
)

// Splits are the opened parts of a data set, nil where there is none. What they read went through Pipeline.
type Splits struct {
	Train, Validation, Test Source
	Pipeline                *Pipeline
	owned                   []Source          // what was opened, to be closed
	named                   map[string]string // what the config says of a table's columns
}

// OpenOptions are what Open needs besides the config.
type OpenOptions struct {
	Seed     uint64         // of the run: splits and random transforms
	Progress func(Progress) // called by one goroutine at a time; may be nil
	Fitted   []Stored       // what transforms have learnt, from a checkpoint; nil: they learn from the training split
}

// Open opens the source, divides it and fits the transforms. What the user mends in the config is a *Mistake.
func Open(ctx context.Context, c *Config, o OpenOptions) (*Splits, error) {
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	s := &Splits{}
	if err := s.open(ctx, c, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Splits) open(ctx context.Context, c *Config, o OpenOptions) error {
	env := Env{Label: c.Label, Progress: o.Progress}
	if err := recallFacts(c.Source, o.Fitted); err != nil {
		return err
	}
	parts, err := c.Source.Open(ctx, env)
	if err != nil {
		return err
	}
	s.owned = parts.all()
	if t, ok := c.Source.(*CSV); ok {
		s.named = t.Columns
	}
	if err := s.divide(ctx, c, parts, env, o.Seed); err != nil {
		return err
	}
	s.Pipeline, err = newPipeline(c.Transforms, s.Train, o.Seed)
	if err == nil {
		s.Pipeline.facts, err = factsOf(c.Source)
	}
	if err != nil {
		return err
	}
	if o.Fitted != nil {
		err = s.Pipeline.restore(o.Fitted)
	} else {
		err = s.Pipeline.fit(ctx, s.Train, o.Progress)
	}
	if err != nil {
		return err
	}
	sameTest := s.Test != nil && s.Validation == s.Test
	s.Train, s.Validation, s.Test = s.Pipeline.transform(s.Train), s.Pipeline.transform(s.Validation), s.Pipeline.transform(s.Test)
	if sameTest {
		s.Validation = s.Test
	}
	return s.notEmpty()
}

// notEmpty reports a split in which no window fits.
func (s *Splits) notEmpty() error {
	for _, name := range []string{"train", "validation", "test"} {
		if src := s.byName(name); src != nil && src.Len() == 0 && s.Pipeline.windows != nil {
			return mistake("data.transforms", "windows of %d rows: %s has no %d rows in a row", s.Pipeline.windows.length, name, s.Pipeline.windows.length)
		}
	}
	return nil
}

// divide makes the splits of what the source has. Drawn ones are taken from its training part: the test split first, then
// validation, so that an amount means the same with and without the other.
func (s *Splits) divide(ctx context.Context, c *Config, parts *Parts, env Env, seed uint64) error {
	pool, own, err := limited(c, parts)
	if err != nil {
		return err
	}
	left := make([]int, pool.Len())
	for i := range left {
		left[i] = i
	}
	if s.Test, left, err = s.split(ctx, c, "test", c.Test, own.Test, pool, pool.Len(), left, env, seed); err != nil {
		return err
	}
	whole := pool.Len() // what a fraction for validation is a fraction of
	if c.TrainOn == "normal" {
		if left, err = normal(pool, left, c.Normal); err != nil {
			return err
		}
		whole = len(left) // a tenth of all would take most of a rare class
	}
	amount := c.Validation
	if !amount.IsSet() && own.Validation == nil && !c.MergeSplits {
		amount = configs.Amount{Fraction: 0.1}
	}
	if amount.Text == "test" {
		if s.Test == nil {
			return mistake("data.validation", `"test" wants a test split, and there is none: set data.test`)
		}
		s.Validation = s.Test
	} else if s.Validation, left, err = s.split(ctx, c, "validation", amount, own.Validation, pool, whole, left, env, seed); err != nil {
		return err
	}
	if len(left) == 0 {
		return mistake("data.validation", "nothing is left to train on: of %d examples all are validation or test", pool.Len())
	}
	s.Train = pool
	if len(left) < pool.Len() {
		s.Train = choose(pool, left)
	}
	return nil
}

// limited returns the part that is trained on, and the source's own other parts, with data.limit and data.merge_splits done.
func limited(c *Config, parts *Parts) (pool Source, own Parts, err error) {
	own = *parts
	if own.Train == nil {
		return nil, own, errors.New("the source has no training part")
	}
	if c.MergeSplits {
		all, err := join(parts.all()...)
		if err != nil {
			return nil, own, mistake("data.merge_splits", "%v", err)
		}
		own = Parts{Train: all}
	}
	if c.Limit > 0 {
		own = Parts{Train: first(own.Train, c.Limit), Validation: first(own.Validation, c.Limit), Test: first(own.Test, c.Limit)}
	}
	return own.Train, own, nil
}

// first is the first n examples of s, or s.
func first(s Source, n int) Source {
	if s == nil || s.Len() <= n {
		return s
	}
	at := make([]int, n)
	for i := range at {
		at[i] = i
	}
	return choose(s, at)
}

// split makes one split by its amount, a fraction being one of whole examples, and returns which examples of the pool are left.
func (s *Splits) split(ctx context.Context, c *Config, name string, amount configs.Amount, own, pool Source, whole int, left []int, env Env, seed uint64) (Source, []int, error) {
	switch {
	case !amount.IsSet():
		return own, left, nil
	case amount.None:
		return nil, left, nil
	case amount.Text != "":
		held, err := s.openHeld(ctx, c, name, amount.Text, pool, env)
		return concealed(held, seed), left, err
	}
	n := amount.Count
	if amount.Fraction > 0 {
		n = amount.Of(whole)
	}
	if n > len(left) {
		return nil, left, mistake("data."+name, "%d examples are wanted, there are %d", n, len(left))
	}
	if n == 0 { // a fraction of very few
		return nil, left, nil
	}
	var drawn, rest []int
	switch place, ok := placing(pool); {
	case grouped(pool) != nil:
		drawn, rest = drawGroups(left, n, grouped(pool), seed, name)
	case ok && (inTime(pool) || windowsIn(c.Transforms) >= 0): // windows need neighbours
		drawn, rest = tails(left, n, place)
	default:
		drawn, rest = draw(left, n, seed, name)
	}
	return choose(concealed(pool, seed), drawn), rest, nil
}

// openHeld opens a split from a path of its own, with all parts that the path has.
func (s *Splits) openHeld(ctx context.Context, c *Config, name, path string, pool Source, env Env) (Source, error) {
	kind, ok := c.Source.(pathed)
	if !ok {
		return nil, mistake("data."+name, "%s: this source has no files; a fraction or a count is possible", path)
	}
	if _, file := c.Source.(labelFiler); file {
		env.Label = "" // the file of labels belongs to the training examples
	}
	parts, err := kind.at(path).Open(ctx, env)
	if err != nil {
		return nil, fmt.Errorf("data.%s: %w", name, err)
	}
	s.owned = append(s.owned, parts.all()...)
	held, err := join(parts.all()...)
	if err != nil {
		return nil, fmt.Errorf("data.%s: %w", name, err)
	}
	held = shaped(held, pool.Fields()[0].Spec)
	if a, b := pool.Fields()[0], held.Fields()[0]; !a.Spec.Equal(b.Spec) && !sizedAlike(c.Transforms, pool, held) {
		return nil, mistake("data."+name, "its examples are %v, those of the training part %v", b.Spec, a.Spec)
	}
	return held, nil
}

// draw takes n of the examples by the seed; both lists come back in the order in which they were.
func draw(from []int, n int, seed uint64, name string) (drawn, rest []int) {
	order := philox.New(seed, philox.Stream("data/split/"+name)).Perm(len(from))
	taken := make([]bool, len(from))
	for _, i := range order[:n] {
		taken[i] = true
	}
	for i, example := range from {
		if taken[i] {
			drawn = append(drawn, example)
		} else {
			rest = append(rest, example)
		}
	}
	return drawn, rest
}

// normal keeps the examples whose label is one of the normal ones.
func normal(s Source, among []int, labels Labels) ([]int, error) {
	all, err := readLabels(s, among)
	if err != nil {
		return nil, err
	}
	kept := make([]int, 0, len(among))
	names := labelNamesOf(s)
	for n, i := range among {
		if labels.Has(all[n], names) {
			kept = append(kept, i)
		}
	}
	if len(kept) == 0 {
		return nil, mistake("data.normal", "no example has one of the labels %s", strings.Join(labels, ", "))
	}
	return kept, nil
}

// readLabels reads the field label of these examples.
func readLabels(s Source, indices []int) ([]int32, error) {
	at := FieldIndex(s.Fields(), "label")
	if at < 0 {
		return nil, mistake("data.train_on", `"normal" needs labels, and the source has none: set data.label`)
	}
	return readNumbers(s, at, indices)
}

// readNumbers reads a field of whole numbers of these examples.
func readNumbers(s Source, at int, indices []int) ([]int32, error) {
	const batch = 1024
	labels := make([]int32, 0, len(indices))
	for some := range slices.Chunk(indices, batch) {
		dst := NewBatch(s.Fields(), len(some), nil)
		if err := s.Read(dst, some); err != nil {
			return nil, err
		}
		labels = append(labels, dst[at].Int32s()...)
	}
	return labels, nil
}

// Fields are those of what the network is fed.
func (s *Splits) Fields() []Field { return s.Pipeline.Fields() }

// Named returns a split by its name: train, validation, test, all; "" is the test split, else validation, else train.
// It also returns which one that is.
func (s *Splits) Named(name string) (Source, string, error) {
	switch name {
	case "":
		for _, n := range []string{"test", "validation", "train"} {
			if src := s.byName(n); src != nil {
				return src, n, nil
			}
		}
	case "all":
		parts := []Source{s.Train, s.Validation, s.Test}
		if s.Validation == s.Test {
			parts = parts[:2]
		}
		all, err := join(parts...)
		return all, name, err
	case "train", "validation", "test":
		if src := s.byName(name); src != nil {
			return src, name, nil
		}
		return nil, name, fmt.Errorf("there is no %s split", name)
	}
	return nil, name, fmt.Errorf("no split is called %q: train, validation, test or all", name)
}

func (s *Splits) byName(name string) Source {
	return map[string]Source{"train": s.Train, "validation": s.Validation, "test": s.Test}[name]
}

// Close closes all that Open has opened.
func (s *Splits) Close() error {
	var all []error
	for _, src := range s.owned {
		all = append(all, src.Close())
	}
	s.owned = nil
	return errors.Join(all...)
}

// Columns describes the elements of x where the data is a table, nil where it is none.
func (s *Splits) Columns() []Column { return s.Pipeline.Columns() }

// LabelNames are the names behind the numbers of the field label, nil where labels are numbers of their own.
func (s *Splits) LabelNames() []string { return labelNamesOf(s.Train) }

// FeatureNames are the names of x's elements, where they have any: columns of a table (and their values), items. nil: none.
func (s *Splits) FeatureNames() []string {
	if columns := s.Columns(); columns != nil {
		return column.Names(columns)
	}
	if n, ok := base(s.Train).(interface{ featureNames() []string }); ok && len(s.Pipeline.steps) == 0 {
		return n.featureNames()
	}
	return nil
}

// Vocabulary are the words behind the numbers of x where the data is text, nil where it is not. The first ends and pads, the second
// stands for all that is not in it.
func (s *Splits) Vocabulary() []string {
	if t, ok := base(s.Train).(*tokens); ok {
		return t.by.Words
	}
	return nil
}

// Text is what a row of tokens says, up to its end; an error where the data is no text.
func (s *Splits) Text(row []int32) (string, error) { return Sentence(s.Train, row) }

// IsText reports whether a source's x are tokens of texts.
func IsText(src Source) bool {
	_, is := base(src).(*tokens)
	return is
}

// Sentence is what a row of a source's tokens says, up to its end; an error where the source is no text.
func Sentence(src Source, row []int32) (string, error) {
	t, ok := base(src).(*tokens)
	if !ok {
		return "", errors.New("the data is no text")
	}
	return t.by.text(row)
}
