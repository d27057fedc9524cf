package data

import (
	"fmt"
	"slices"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

// table is a Source of rows in memory: x is its columns (a category is the number of its word), and a label where it has one.
type table struct {
	columns []Column
	values  [][]float32 // by column
	rows    int
	labels  []int32  // nil: none
	names   []string // of labels; nil: they are numbers
	times   []string // the time column; nil: none
	byRow   []string // how a row is called, nil: by its time or its number
	group   []int32  // nil: none
	runs    []int32  // which series each row belongs to: its file, or its group
	at      []int32  // its place there
	fields  []Field
	noted   []string
}

// finish makes the fields.
func (t *table) finish() {
	t.fields = []Field{{Name: "x", Spec: graph.F32(len(t.columns))}}
	if t.labels != nil {
		f := Field{Name: "label", Spec: graph.I32(), Classes: len(t.names)}
		if t.names == nil && !slices.ContainsFunc(t.labels, func(v int32) bool { return v < 0 }) {
			f.Classes = classes(t.labels)
		}
		t.fields = append(t.fields, f)
	}
}

func (t *table) Len() int             { return t.rows }
func (t *table) Fields() []Field      { return t.fields }
func (t *table) Close() error         { return nil }
func (t *table) labelNames() []string { return t.names }
func (t *table) hasTime() bool        { return t.times != nil }
func (t *table) groups() []int32      { return t.group }
func (t *table) notes() []string      { return t.noted }

func (t *table) place(i int) (run int64, at int) { return int64(t.runs[i]), int(t.at[i]) }

// Name is the row's time, or its number in the file.
func (t *table) Name(i int) string {
	switch {
	case t.times != nil:
		return t.times[i]
	case t.byRow != nil:
		return t.byRow[i]
	}
	return fmt.Sprint(i)
}

func (t *table) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(t, dst, indices); err != nil {
		return err
	}
	x, width := dst[0].Float32s(), len(t.columns)
	for c, values := range t.values {
		for n, i := range indices {
			x[n*width+c] = values[i]
		}
	}
	if t.labels != nil {
		label := dst[1].Int32s()
		for n, i := range indices {
			label[n] = t.labels[i]
		}
	}
	return nil
}
