package data

import (
	"fmt"
	"slices"

	"aetrain/graph"
	"aetrain/internal/column"
	"aetrain/internal/registry"
)

// What the elements of a column are.
const (
	Numeric     = column.Numeric     // a number; missing ones are NaN until they are imputed
	Categorical = column.Categorical // the number of one of Words, until it is one-hot
	OneHotGroup = column.OneHot      // an element for each of Words, one of which is 1
	Flag        = column.Flag        // 0 or 1: where impute has filled a hole
)

// Column is one column of a table in x: Width neighbouring elements of it.
type Column = column.Column

// columnsOf are the columns of a table, nil for other sources.
func columnsOf(s Source) []Column {
	switch v := s.(type) {
	case *subset:
		return columnsOf(v.Source)
	case *joined:
		return columnsOf(v.sources[0])
	case *table:
		return v.columns
	}
	return nil
}

// tableDefaults are the transforms of a table where the config gives none.
func tableDefaults() []Transform {
	return []Transform{newImpute(), newStandardize(), newOneHot()}
}

// OnColumns is the key of transforms that work on some columns of a table.
type OnColumns struct {
	Columns []string `toml:"columns" doc:"which columns of a table; left out: all that it fits" example:"[\"amount\"]"`
}

func (o OnColumns) named() []string { return o.Columns }

// columnLister is a transform that may name columns.
type columnLister interface{ named() []string }

// columnTransform is a Transform that knows tables. It returns the columns that there are after it.
type columnTransform interface {
	bindColumns(in []Column) (Step, []Column, error)
}

// pick returns the places in x of the columns that a transform works on: those named, or all of a kind.
func (o OnColumns) pick(in []Column, kinds ...string) (elements []int, chosen []int, err error) {
	names := make([]string, len(in))
	for i, c := range in {
		names[i] = c.Name
	}
	for _, name := range o.Columns {
		at := slices.Index(names, name)
		if at < 0 {
			return nil, nil, fmt.Errorf("no column %s%s", name, registry.Suggest(name, names))
		}
		if !slices.Contains(kinds, in[at].Kind) {
			return nil, nil, fmt.Errorf("is for %s columns, %s is %s", kinds[0], name, in[at].Kind)
		}
	}
	at := 0
	for i, c := range in {
		if slices.Contains(kinds, c.Kind) && (len(o.Columns) == 0 || slices.Contains(o.Columns, c.Name)) {
			chosen = append(chosen, i)
			for e := range c.Width {
				elements = append(elements, at+e)
			}
		}
		at += c.Width
	}
	return elements, chosen, nil
}

// bindNumbers binds a transform of vectors to the numeric columns that o picks, and leaves the others as they are.
func (o OnColumns) bindNumbers(in []Column, bind func(graph.Spec) (Step, error)) (Step, []Column, error) {
	at, chosen, err := o.pick(in, Numeric)
	if err != nil {
		return nil, nil, err
	}
	s := columnStep{sameShape: sameShape{graph.F32(column.Width(in))}, at: at}
	if len(at) == 0 {
		return s, in, nil
	}
	if s.Step, err = bind(graph.F32(len(at))); err != nil {
		return nil, nil, err
	}
	if n, ok := s.Step.(namesFeatures); ok {
		var names []string
		for _, i := range chosen {
			names = append(names, in[i].Name)
		}
		n.nameFeatures(names)
	}
	if f, ok := s.Step.(Fitter); ok {
		return fittedColumns{s, f}, in, nil
	}
	return s, in, nil
}

// namesFeatures is a Step whose errors name features: of a table, by their columns.
type namesFeatures interface{ nameFeatures(names []string) }

// columnStep applies a step to some elements of x.
type columnStep struct {
	sameShape
	Step
	at []int
}

func (s columnStep) Out() graph.Spec { return s.sameShape.spec }

func (s columnStep) gather(x []float32) []float32 {
	some := make([]float32, len(s.at))
	for i, at := range s.at {
		some[i] = x[at]
	}
	return some
}

func (s columnStep) Apply(dst, src []float32, d Draw) {
	copy(dst, src)
	if len(s.at) == 0 {
		return
	}
	some := s.gather(src)
	s.Step.Apply(some, some, d)
	for i, at := range s.at {
		dst[at] = some[i]
	}
}

// fittedColumns is a columnStep that learns.
type fittedColumns struct {
	columnStep
	Fitter
}

func (s fittedColumns) Observe(x []float32) { s.Fitter.Observe(s.gather(x)) }

// columnInverter is a Step of vectors whose elements go back one by one.
type columnInverter interface {
	invertAt(i int, v float32) float32
}

// invertTable brings examples of the pipeline's last columns, one after the other, back to data units: numbers element by element,
// through the steps that worked on their column. Categories stay as they are.
func (p *Pipeline) invertTable(d []float32) {
	columns := p.Columns()
	width := column.Width(columns)
	at := 0
	for _, c := range columns {
		if c.Kind == Numeric {
			for _, undo := range slices.Backward(p.undoing(c.Name)) {
				for i := at; i < len(d); i += width {
					d[i] = undo(d[i])
				}
			}
		}
		at += c.Width
	}
}

// FedAs is the number that the network is fed for v, in data units, in a numeric column of a table.
func (p *Pipeline) FedAs(name string, v float32) (float32, error) {
	row := &table{columns: p.columns, rows: 1}
	for _, c := range p.columns {
		value := float32(0)
		if c.Name == name {
			value = v
		}
		row.values = append(row.values, []float32{value})
	}
	row.finish()
	fed := p.transform(row)
	x := NewBatch(fed.Fields(), 1, nil)
	at := elementOf(p.Columns(), name)
	if at < 0 {
		return 0, fmt.Errorf("data: there is no column %s", name)
	}
	if err := fed.Read(x, []int{0}); err != nil {
		return 0, err
	}
	return x[0].Float32s()[at], nil
}

// undoing lists how each step's effect on a column is undone, in the steps' order.
func (p *Pipeline) undoing(name string) []func(float32) float32 {
	var all []func(float32) float32
	before := p.columns
	for _, s := range p.steps {
		var c columnStep
		switch v := s.Step.(type) {
		case columnStep:
			c = v
		case fittedColumns:
			c = v.columnStep
		}
		inverter, ok := c.Step.(columnInverter)
		if ok {
			if i := slices.Index(c.at, elementOf(before, name)); i >= 0 {
				all = append(all, func(v float32) float32 { return inverter.invertAt(i, v) })
			}
		}
		before = s.columns
	}
	return all
}

// elementOf is the first element of a column, -1 where there is none of that name.
func elementOf(columns []Column, name string) int {
	at := 0
	for _, c := range columns {
		if c.Name == name {
			return at
		}
		at += c.Width
	}
	return -1
}
