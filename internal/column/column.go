// Package column says what the numbers of one row of a table are: which of them belong to which column, and what its words are.
// Sources make a list of [Column], checkpoints keep it, likelihoods and results read it.
package column

import "slices"

// What the elements of a column are.
const (
	Numeric     = "numeric"     // a number; missing ones are NaN until they are imputed
	Categorical = "categorical" // the number of one of Words, until it is one-hot
	OneHot      = "one-hot"     // an element for each of Words, one of which is 1
	Flag        = "flag"        // 0 or 1: where impute has filled a hole
)

// Column is one column of a table: Width neighbouring elements of a row.
type Column struct {
	Name  string   `json:"name"`
	Kind  string   `json:"kind"`
	Width int      `json:"width"`
	Words []string `json:"words,omitempty"` // of a category
}

// Width is how many elements columns take.
func Width(columns []Column) int {
	n := 0
	for _, c := range columns {
		n += c.Width
	}
	return n
}

// Names are the names of columns' elements: a category's values behind its name, country=DE.
func Names(columns []Column) []string {
	var names []string
	for _, c := range columns {
		if c.Kind != OneHot {
			names = append(names, c.Name)
			continue
		}
		for _, w := range c.Words {
			names = append(names, c.Name+"="+w)
		}
	}
	return names
}

// Shown are the columns that a table for people has: all but flags, which say something about the others.
func Shown(columns []Column) []Column {
	return slices.DeleteFunc(slices.Clone(columns), func(c Column) bool { return c.Kind == Flag })
}

// Cell is what a column says in a row that begins at its first element: a number, or the word of a category (the likeliest one).
func (c Column) Cell(row []float32) (number float32, word string, isWord bool) {
	switch c.Kind {
	case OneHot:
		best := 0
		for i, v := range row[:c.Width] {
			if v > row[best] {
				best = i
			}
		}
		return 0, c.Words[best], true
	case Categorical:
		if at := int(row[0]); row[0] == row[0] && at >= 0 && at < len(c.Words) {
			return 0, c.Words[at], true
		}
		return 0, "", true
	}
	return row[0], "", false
}
