package model

import (
	"aetrain/graph"
	"aetrain/internal/column"
	"aetrain/op"
)

// place is where in x a column of a table lies that parts are told; the zero place is that of a field of its own.
type place struct{ from, to int }

func (p place) isColumn() bool { return p.to > p.from }

// conditionField finds a field of the data, or a column of a table as the field that it would be: a category's number, or a number as the
// network is fed it.
func (m *Model) conditionField(name string) (f Field, at place, ok bool) {
	for _, f := range m.Fields {
		if f.Name == name && name != FieldX {
			return f, place{}, true
		}
	}
	from := 0
	for _, c := range m.Columns {
		at := place{from, from + c.Width}
		switch {
		case c.Name == name && c.Kind == column.OneHot:
			return Field{Name: name, Spec: graph.I32(), Classes: c.Width, Words: c.Words}, at, true
		case c.Name == name:
			return Field{Name: name, Spec: graph.F32(1)}, at, true
		}
		from += c.Width
	}
	return Field{}, place{}, false
}

// conditionNames are what a condition may be on.
func (m *Model) conditionNames() []string {
	var names []string
	for _, f := range m.Fields {
		if f.Name != FieldX {
			names = append(names, f.Name)
		}
	}
	for _, c := range m.Columns {
		names = append(names, c.Name)
	}
	return names
}

// IsColumn reports whether a field of the condition is a column of x: where x is known nobody has to give it.
func (m *Model) IsColumn(name string) bool {
	_, at, ok := m.conditionField(name)
	return ok && at.isColumn()
}

// conditionValue is a field of the batch, or a column taken out of x. Where there is no x (decode, sample) a column is an input too.
func (f *Forward) conditionValue(field Field, at place) graph.Value {
	if !at.isColumn() {
		return f.Field(field.Name)
	}
	if !f.X.Valid() {
		return f.scope.Graph().Input(field.Name, graph.Spec{Shape: append(graph.Shape{f.N}, field.Spec.Shape...), DType: field.Spec.DType})
	}
	elements := op.Slice(f.X, 1, at.from, at.to)
	if field.Spec.DType == graph.Int32 {
		return op.ArgMax(elements)
	}
	return elements
}
