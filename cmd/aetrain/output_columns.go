package main

import (
	"strconv"

	"aetrain/internal/column"
	"aetrain/trainer"
)

// named is how the numbers of a row are shown under names: the columns of a table, in which categories are words again, or features
// with a name each.
type named struct {
	columns []column.Column
}

// inColumns gives rows of the model's x the names of the data's columns; tokens become texts.
func (r *openedRun) inColumns(out rows) rows {
	out = r.inWords(out)
	x := r.Model.Model()
	switch names := r.featureNames(); {
	case out.says != nil:
	case len(x.Columns) > 0 && len(x.X) == 1:
		out.names = &named{x.Columns}
	case len(names) > 0 && len(x.X) == 1 && len(names) == x.X.Size():
		out.names = &named{}
		for _, name := range names {
			out.names.columns = append(out.names.columns, column.Column{Name: name, Kind: column.Numeric, Width: 1})
		}
	}
	return out
}

// featureNames are the names of what the network is fed, where the data is open and has any.
func (r *openedRun) featureNames() []string {
	if r.splits == nil {
		return nil
	}
	return r.splits.FeatureNames()
}

// isTable reports whether x are the columns of a table.
func (r *openedRun) isTable() bool { return len(r.Model.Model().Columns) > 0 }

// header are the names of a row's cells.
func (r rows) header() []string {
	var names []string
	if r.says != nil {
		return []string{r.column}
	}
	if r.names == nil {
		for i := range r.shape.Size() {
			names = append(names, r.column+strconv.Itoa(i))
		}
		return names
	}
	for _, c := range column.Shown(r.names.columns) {
		names = append(names, c.Name)
	}
	return names
}

// cells are what a row says: a text, or float32 numbers, and words.
func (r rows) cells(values []float32) ([]any, error) {
	if r.says != nil {
		text, err := r.says(values)
		return []any{text}, err
	}
	cells := make([]any, 0, len(values))
	if r.names == nil {
		for _, v := range values {
			cells = append(cells, v)
		}
		return cells, nil
	}
	at := 0
	for _, c := range r.names.columns {
		if number, word, isWord := c.Cell(values[at:]); isWord {
			cells = append(cells, word)
		} else if c.Kind != column.Flag {
			cells = append(cells, number)
		}
		at += c.Width
	}
	return cells, nil
}

// object is a row as JSON: a text, its numbers as a list, or its cells under their names.
func (r rows) object(example string, values []float32) (map[string]any, error) {
	o := map[string]any{"example": example}
	if r.names == nil && r.says == nil {
		o[r.column] = finiteOrNull(values)
		return o, nil
	}
	cells, err := r.cells(values)
	if err != nil {
		return nil, err
	}
	if r.says != nil {
		o[r.column] = cells[0]
		return o, nil
	}
	under := map[string]any{}
	for i, name := range r.header() {
		under[name] = cells[i]
		if number, ok := cells[i].(float32); ok {
			under[name] = trainer.Number(number)
		}
	}
	o[r.column] = under
	return o, nil
}
