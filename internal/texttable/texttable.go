// Package texttable writes tables for people: columns of text, two spaces apart, each as wide as its widest cell.
package texttable

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Table is the rows of a table; the zero value has none.
type Table struct {
	rows  [][]string
	right []bool
}

// Row adds a line. Lines may have fewer cells than others.
func (t *Table) Row(cells ...string) { t.rows = append(t.rows, cells) }

// AlignRight sets columns to the right, counted from 0; numbers want that.
func (t *Table) AlignRight(columns ...int) {
	for _, c := range columns {
		for len(t.right) <= c {
			t.right = append(t.right, false)
		}
		t.right[c] = true
	}
}

// Write writes the lines, without spaces at their ends. An error is the writer's.
func (t *Table) Write(w io.Writer) error {
	var width []int
	for _, r := range t.rows {
		for i, cell := range r {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, r := range t.rows {
		if _, err := io.WriteString(w, t.line(r, width)+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// line is one line of cells that are padded to these widths.
func (t *Table) line(cells []string, width []int) string {
	var b strings.Builder
	for i, cell := range cells {
		if i > 0 {
			b.WriteString("  ")
		}
		pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
		if i < len(t.right) && t.right[i] {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	return strings.TrimRight(b.String(), " ")
}
