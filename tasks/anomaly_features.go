package tasks

import (
	"cmp"
	"fmt"
	"slices"

	"aetrain/data"
	"aetrain/internal/column"
	"aetrain/model"
)

// Feature is a column, or another number of an example, with its share of the score, 0 to 1.
type Feature struct {
	Name  string  `json:"name"`
	Share float64 `json:"share"`
}

// features groups the elements of a row into what has a name.
type features struct {
	names  []string
	of     []int // by element: which of names
	perRow int   // elements
}

// mostFeatures is how many features are told of a row.
const mostFeatures = 3

// newFeatures names the elements of a row: columns of tables (a category's words together), others by their number. nil for images, and
// where there is but one.
func newFeatures(m *model.Model, splits *data.Splits) *features {
	if len(m.X) > 2 {
		return nil
	}
	f := &features{perRow: m.X[len(m.X)-1]}
	columns := m.Columns
	if columns == nil {
		var names []string
		if splits != nil {
			names = splits.FeatureNames()
		}
		for i := range f.perRow {
			name := fmt.Sprintf("x%d", i)
			if len(names) == f.perRow {
				name = names[i]
			}
			columns = append(columns, column.Column{Name: name, Width: 1})
		}
	}
	if len(columns) < 2 {
		return nil
	}
	for i, c := range columns {
		f.names = append(f.names, c.Name)
		for range c.Width {
			f.of = append(f.of, i)
		}
	}
	return f
}

// strongest are the features with the largest shares of a row's losses. Losses below 0, of densities, count as none.
func (f *features) strongest(losses []float32) []Feature {
	if len(losses) != f.perRow {
		return nil
	}
	all, total := make([]Feature, len(f.names)), 0.0
	for i, name := range f.names {
		all[i].Name = name
	}
	for i, v := range losses {
		if v > 0 {
			all[f.of[i]].Share += float64(v)
			total += float64(v)
		}
	}
	if total == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b Feature) int { return cmp.Compare(b.Share, a.Share) })
	all = all[:min(mostFeatures, len(all))]
	for i := range all {
		all[i].Share /= total
	}
	return all
}
