package data

import (
	"slices"

	"gorgonia.org/tensor"
)

// WithLabel returns s with the same label for all examples: the field of that name, which is added where s lacks it.
func WithLabel(s Source, field Field, label int32) Source {
	l := &labelled{Source: s, label: label, fields: slices.Clone(s.Fields())}
	if l.at = FieldIndex(l.fields, field.Name); l.at < 0 {
		l.at, l.added = len(l.fields), true
		l.fields = append(l.fields, field)
	}
	return l
}

// labelled is a source that says one label of everything.
type labelled struct {
	Source
	fields []Field
	at     int
	added  bool
	label  int32
}

func (l *labelled) Fields() []Field   { return l.fields }
func (l *labelled) Name(i int) string { return ExampleName(l.Source, i) }

func (l *labelled) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(l, dst, indices); err != nil {
		return err
	}
	own := dst
	if l.added {
		own = dst[:l.at]
	}
	if err := l.Source.Read(own, indices); err != nil {
		return err
	}
	labels := dst[l.at].Int32s()
	for i := range labels {
		labels[i] = l.label
	}
	return nil
}
