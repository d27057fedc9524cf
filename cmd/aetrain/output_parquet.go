package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"aetrain/internal/column"
	"aetrain/tasks"
)

// parquetRows is how many rows a row group has: what is held in memory.
const parquetRows = 1 << 14

// parquetColumn is a column of a Parquet file that is written.
type parquetColumn struct {
	name string
	node parquet.Node
}

// What columns are of.
var (
	parquetText   = parquet.String
	parquetFloat  = func() parquet.Node { return parquet.Leaf(parquet.FloatType) }
	parquetDouble = func() parquet.Node { return parquet.Leaf(parquet.DoubleType) }
	parquetInt    = func() parquet.Node { return parquet.Leaf(parquet.Int32Type) }
)

// parquetSchema are columns in their order, which a parquet.Group has by name; a name that stands twice is numbered.
type parquetSchema struct {
	parquet.Group
	order []parquet.Field
}

// Fields implements parquet.Node.
func (s *parquetSchema) Fields() []parquet.Field { return s.order }

func newParquetSchema(columns []parquetColumn) *parquetSchema {
	s := &parquetSchema{Group: parquet.Group{}}
	var names []string
	for _, c := range columns {
		name := c.name
		for n := 2; s.Group[name] != nil; n++ {
			name = c.name + "_" + strconv.Itoa(n)
		}
		s.Group[name] = c.node
		names = append(names, name)
	}
	fields := map[string]parquet.Field{}
	for _, f := range s.Group.Fields() {
		fields[f.Name()] = f
	}
	for _, name := range names {
		s.order = append(s.order, fields[name])
	}
	return s
}

// writeParquet writes rows of cells: string, float32, float64 or int32 as the column is, nil in an optional one.
func writeParquet(w io.Writer, columns []parquetColumn, each func(emit func(cells []any) error) error) error {
	p := parquet.NewWriter(w, parquet.NewSchema("rows", newParquetSchema(columns)), parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(parquetRows))
	row := make(parquet.Row, len(columns))
	err := each(func(cells []any) error {
		for i, cell := range cells {
			level := 0
			if columns[i].node.Optional() && cell != nil {
				level = 1
			}
			row[i] = parquetValue(cell).Level(0, level, i)
		}
		_, err := p.WriteRows([]parquet.Row{row})
		return err
	})
	if err != nil {
		return err
	}
	return p.Close()
}

func parquetValue(cell any) parquet.Value {
	switch v := cell.(type) {
	case nil:
		return parquet.NullValue()
	case float32:
		return parquet.FloatValue(v)
	case float64:
		return parquet.DoubleValue(v)
	case int32:
		return parquet.Int32Value(v)
	}
	return parquet.ByteArrayValue([]byte(fmt.Sprint(cell)))
}

// parquet writes a row's name and its cells.
func (r rows) parquet(w io.Writer) error {
	columns := []parquetColumn{{"example", parquetText()}}
	for i, name := range r.header() {
		node := parquetFloat()
		switch {
		case r.says != nil:
			node = parquetText()
		case r.names != nil:
			switch column.Shown(r.names.columns)[i].Kind {
			case column.OneHot, column.Categorical:
				node = parquetText()
			}
		}
		columns = append(columns, parquetColumn{name, node})
	}
	return writeParquet(w, columns, func(emit func([]any) error) error {
		return r.each(func(name string, values []float32) error {
			cells, err := r.cells(values)
			if err != nil {
				return err
			}
			return emit(append([]any{name}, cells...))
		})
	})
}

// anomalyParquet writes what anomalyTable does, with types.
func anomalyParquet(w io.Writer, found *tasks.Anomalies) error {
	columns := []parquetColumn{{"example", parquetText()}, {"score", parquetDouble()}, {"anomaly", parquetInt()}}
	if found.Labelled {
		columns = append(columns, parquetColumn{"label", parquet.Optional(parquetInt())})
	}
	if anomaliesFeatured(found) {
		columns = append(columns, parquetColumn{"features", parquetText()})
	}
	return writeParquet(w, columns, func(emit func([]any) error) error {
		for _, r := range found.Rows {
			cells := []any{r.Name, r.Score, int32(flag01(r.Anomaly))}
			if found.Labelled {
				var label any
				if r.Label >= 0 {
					label = r.Label
				}
				cells = append(cells, label)
			}
			if len(cells) < len(columns) {
				cells = append(cells, strengths(r.Strength))
			}
			if err := emit(cells); err != nil {
				return err
			}
		}
		return nil
	})
}

// recommendationParquet writes what recommendationTable does, with types.
func recommendationParquet(w io.Writer, found *tasks.Recommendations) error {
	columns := []parquetColumn{{"example", parquetText()}}
	for i := range recommendationPlaces(found) {
		place := strconv.Itoa(i + 1)
		columns = append(columns, parquetColumn{"item" + place, parquet.Optional(parquetText())}, parquetColumn{"score" + place, parquet.Optional(parquetDouble())})
	}
	return writeParquet(w, columns, func(emit func([]any) error) error {
		for _, u := range found.Users {
			cells := make([]any, len(columns))
			cells[0] = u.User
			for i, item := range u.Items {
				cells[1+2*i], cells[2+2*i] = item.Name, item.Score
			}
			if err := emit(cells); err != nil {
				return err
			}
		}
		return nil
	})
}
