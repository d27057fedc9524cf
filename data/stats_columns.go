package data

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// ColumnStats are figures of one column of a table, as its file has it, over the training split.
type ColumnStats struct {
	Column
	Missing        int     // rows without a value
	Min, Max, Mean float64 // of numbers
	Guessed        bool    // the config does not say what it is
}

// ColumnStats measures the columns of a table before any transform; nil where the data is no table.
func (s *Splits) ColumnStats() ([]ColumnStats, error) {
	src := untransformed(s.Train)
	columns := columnsOf(src)
	if columns == nil {
		return nil, nil
	}
	all, sums := make([]ColumnStats, len(columns)), make([]moments, len(columns))
	for c := range all {
		all[c].Column, all[c].Guessed = columns[c], s.guessed(columns[c].Name)
	}
	const batch = 1024
	for from := 0; from < src.Len(); from += batch {
		n := min(batch, src.Len()-from)
		dst := NewBatch(src.Fields(), n, nil)
		if err := ReadRange(src, from, from+n, dst); err != nil {
			return nil, err
		}
		for i, v := range dst[0].Float32s() {
			c := i % len(columns)
			if v != v {
				all[c].Missing++
				continue
			}
			f := float64(v)
			if sums[c].n == 0 {
				all[c].Min, all[c].Max = f, f
			}
			all[c].Min, all[c].Max = min(all[c].Min, f), max(all[c].Max, f)
			sums[c].add(f)
		}
	}
	for c := range all {
		if sums[c].n > 0 {
			all[c].Mean, _ = sums[c].meanStd()
		}
	}
	return all, nil
}

// guessed reports whether the config leaves open what a column is.
func (s *Splits) guessed(name string) bool {
	_, named := s.named[name]
	return !named
}

// untransformed is the split before any transform.
func untransformed(s Source) Source {
	for {
		switch v := s.(type) {
		case *transformed:
			s = v.Source
		case *windowed:
			s = v.rows
		default:
			return s
		}
	}
}

// Notes tell what was left out of the files.
func (s *Splits) Notes() []string {
	if n, ok := base(s.Train).(noter); ok {
		return n.notes()
	}
	return nil
}

// describeColumns writes a line for each column of a table.
func describeColumns(b *strings.Builder, s *Splits) error {
	columns, err := s.ColumnStats()
	if err != nil || columns == nil {
		return err
	}
	b.WriteString("\n")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "column\ttype\tmissing\tvalues")
	for _, c := range columns {
		kind := c.Kind
		if c.Guessed {
			kind += " (guessed)"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", c.Name, kind, c.Missing, describeValues(c))
	}
	return w.Flush()
}

// describeValues is a column's range, or its first words.
func describeValues(c ColumnStats) string {
	if c.Kind == Numeric {
		return fmt.Sprintf("%.4g to %.4g, mean %.4g", c.Min, c.Max, c.Mean)
	}
	const shown = 6
	text := fmt.Sprintf("%d: %s", len(c.Words), strings.Join(c.Words[:min(shown, len(c.Words))], ", "))
	if len(c.Words) > shown {
		text += ", ..."
	}
	return text
}
