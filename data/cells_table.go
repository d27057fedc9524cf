package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// table makes a table of the collected cells. facts are those of the set: read where an earlier table left them, else written.
func (c *cells) table(facts **tableFacts) (*table, error) {
	if c.rows == 0 {
		return nil, fmt.Errorf("%s: it has no rows", strings.Join(c.files, ", "))
	}
	found := c.facts
	if found == nil {
		found = &tableFacts{}
	}
	t := &table{rows: c.rows}
	for _, k := range c.columns {
		if c.special(k.name) {
			continue
		}
		if err := c.decide(k); err != nil {
			return nil, err
		}
		if k.kind == Ignored {
			t.noted = append(t.noted, "column "+k.name+" is left out")
			continue
		}
		if c.facts == nil {
			found.Columns = append(found.Columns, columnFact{Name: k.name, Kind: k.kind, Words: k.sortedWords()})
		}
	}
	if len(found.Columns) == 0 {
		return nil, mistake("data.columns", "no column is left as an input")
	}
	for _, f := range found.Columns { // in the order of the first table
		k := c.find(f.Name)
		t.columns = append(t.columns, Column{Name: f.Name, Kind: f.Kind, Width: 1, Words: f.Words})
		if f.Kind == Categorical {
			t.values = append(t.values, k.coded(f.Words))
		} else {
			t.values = append(t.values, k.values)
		}
		k.codes = nil
	}
	if err := c.roles(t, found); err != nil {
		return nil, err
	}
	t.finish()
	*facts = found
	return t, nil
}

// find is the column of a name, nil where there is none.
func (c *cells) find(name string) *cellColumn {
	at := slices.IndexFunc(c.columns, func(k *cellColumn) bool { return name != "" && k.name == name })
	if at < 0 {
		return nil
	}
	return c.columns[at]
}

// decide guesses what a column is: numbers are numeric; words that return are a category, others (names, remarks) are left out.
func (c *cells) decide(k *cellColumn) error {
	if k.kind == Numeric && k.texts > 0 {
		many := fmt.Sprintf("%d values are text", k.texts)
		if k.texts == 1 {
			many = "1 value is text"
		}
		return mistake("data.columns."+k.name, `%s (%q in row %d): make it categorical or ignore`, many, k.firstText, k.textLine)
	}
	if k.kind != "" {
		return nil
	}
	const fewWords, share = 50, 20
	switch {
	case k.present == 0:
		k.kind = Ignored
	case k.texts == 0:
		k.kind = Numeric
	case len(k.words) <= max(fewWords, k.present/share) && len(k.words) < k.present:
		k.kind = Categorical
	default:
		k.kind = Ignored
	}
	return nil
}

// sortedWords are a category's words; numbers among them in their order.
func (k *cellColumn) sortedWords() []string {
	if k.kind != Categorical {
		return nil
	}
	words := slices.Clone(k.words)
	slices.SortFunc(words, func(a, b string) int {
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		if errX == nil && errY == nil && x != y {
			return cmp.Compare(x, y)
		}
		return strings.Compare(a, b)
	})
	return words
}

// coded are the values of a category as numbers of these words; len(words) is any other word.
func (k *cellColumn) coded(words []string) []float32 {
	place := map[string]float32{}
	for i, w := range words {
		place[w] = float32(i)
	}
	number := make([]float32, len(k.words))
	for i, w := range k.words {
		at, known := place[w]
		if number[i] = at; !known {
			number[i] = float32(len(words))
		}
	}
	values := make([]float32, len(k.codes))
	for i, code := range k.codes {
		if values[i] = float32(math.NaN()); code >= 0 {
			values[i] = number[code]
		}
	}
	return values
}

// roles gives the table its labels, times, groups and series.
func (c *cells) roles(t *table, found *tableFacts) error {
	if k := c.find(c.keys.Time); k != nil {
		t.times = k.texted()
	}
	if k := c.find(c.keys.Group); k != nil {
		t.group = k.codes
	}
	if k := c.find(c.label); k != nil {
		if err := c.labels(t, k, found); err != nil {
			return err
		}
	}
	if c.keys.LabelWindows != "" {
		if c.label != "" {
			return mistake("data.label_windows", "data.label names the labels already: leave one of them out")
		}
		if err := c.windowLabels(t); err != nil {
			return err
		}
	}
	c.series(t)
	return nil
}

// texted are the words of each row.
func (k *cellColumn) texted() []string {
	texts := make([]string, len(k.codes))
	for i, code := range k.codes {
		if code >= 0 {
			texts[i] = k.words[code]
		}
	}
	return texts
}

// labels reads whole numbers as they are; words are counted in the order of their spelling. A missing or unknown one is -1.
func (c *cells) labels(t *table, k *cellColumn, found *tableFacts) error {
	number, whole := make([]int32, len(k.words)), true
	for i, w := range k.words {
		v, err := strconv.ParseFloat(w, 64)
		if number[i] = int32(v); err != nil || float64(number[i]) != v {
			whole = false
		}
	}
	if c.facts != nil {
		whole = found.Labels == nil
	}
	if !whole {
		if c.facts == nil {
			found.Labels = slices.Sorted(slices.Values(k.words))
		}
		t.names = found.Labels
		for i, w := range k.words {
			if number[i] = -1; slices.Contains(found.Labels, w) {
				number[i] = int32(slices.Index(found.Labels, w))
			}
		}
	}
	t.labels = make([]int32, len(k.codes))
	for i, code := range k.codes {
		if t.labels[i] = -1; code >= 0 {
			t.labels[i] = number[code]
		}
	}
	return nil
}

// series says which rows follow one another: those of a file, or of a group in it.
func (c *cells) series(t *table) {
	t.runs, t.at = make([]int32, t.rows), make([]int32, t.rows)
	type run struct{ file, group int32 }
	number, length := map[run]int32{}, []int32{}
	for i := range t.rows {
		r := run{file: c.fileOf[i]}
		if t.group != nil {
			r.group = t.group[i]
		}
		n, ok := number[r]
		if !ok {
			n = int32(len(length))
			number[r], length = n, append(length, 0)
		}
		t.runs[i], t.at[i] = n, length[n]
		length[n]++
	}
}
