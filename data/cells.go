package data

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"aetrain/internal/registry"
)

// cells collects the rows of tables and finds out what their columns are.
type cells struct {
	keys    *tableKeys
	label   string
	facts   *tableFacts // of an earlier table; nil: this is the first
	missing map[string]bool
	header  []string
	order   []*cellColumn // by place in the file that is read
	columns []*cellColumn // in the order of the first file
	files   []string
	fileOf  []int32 // by row
	rows    int
}

// cellColumn is one column as it grows: its values as numbers and as words, as long as it may be either.
type cellColumn struct {
	name      string
	kind      string           // "": not known yet
	values    []float32        // NaN: missing, or no number
	codes     []int32          // places in words, -1: missing; nil: it has too many to be a category
	words     []string         //
	place     map[string]int32 // of words
	texts     int              // values that are no numbers
	firstText string           //
	textLine  int              //
	present   int              // values that are not missing
	lists     bool             // it is ignored because an example has any number of values
}

// mostWords is how many different values a column of numbers may have to be a category at all; those of texts have no limit but memory.
const mostWords = 1 << 16

func newCells(keys *tableKeys, label string, facts *tableFacts) *cells {
	c := &cells{keys: keys, label: label, facts: facts, missing: map[string]bool{}}
	for _, m := range keys.Missing {
		c.missing[m] = true
	}
	return c
}

// begin starts a file with these columns.
func (c *cells) begin(name string, header []string) error {
	for i, h := range header {
		header[i] = strings.TrimSpace(h)
		if slices.Contains(header[:i], header[i]) {
			return fmt.Errorf("two columns are called %q", header[i])
		}
	}
	c.files, c.order, c.header = append(c.files, name), nil, header
	if c.columns == nil {
		if err := c.checkNames(header); err != nil {
			return err
		}
		for _, h := range header {
			c.columns = append(c.columns, c.column(h))
		}
	}
	for _, h := range header {
		at := slices.IndexFunc(c.columns, func(k *cellColumn) bool { return k.name == h })
		if at < 0 {
			c.order = append(c.order, nil) // the first file does not have it
			continue
		}
		c.order = append(c.order, c.columns[at])
	}
	for _, k := range c.columns {
		if !slices.Contains(header, k.name) && k.kind != Ignored {
			return fmt.Errorf("it has no column %s, %s has", k.name, c.files[0])
		}
	}
	return nil
}

// checkNames holds the columns that the config names to those that there are. A later table may lack the label, and what it is not
// fed with.
func (c *cells) checkNames(header []string) error {
	need := func(key, name string, optional bool) error {
		if name == "" || slices.Contains(header, name) || optional && c.facts != nil {
			return nil
		}
		return mistake(key, "no column %s%s", name, registry.Suggest(name, header))
	}
	for name, kind := range c.keys.Columns {
		if err := need("data.columns."+name, name, kind == Ignored); err != nil {
			return err
		}
	}
	for _, k := range []struct {
		key, name string
		optional  bool
	}{{"data.label", c.label, true}, {"data.time", c.keys.Time, false}, {"data.group", c.keys.Group, true}} {
		if err := need(k.key, k.name, k.optional); err != nil {
			return err
		}
	}
	if c.facts == nil {
		return nil
	}
	for _, f := range c.facts.Columns {
		if !slices.Contains(header, f.Name) {
			return fmt.Errorf("it has no column %s, the training data has", f.Name)
		}
	}
	return nil
}

// special reports whether a column is not an input by its role.
func (c *cells) special(name string) bool {
	return name == c.label || name == c.keys.Time || name == c.keys.Group
}

// column prepares for one.
func (c *cells) column(name string) *cellColumn {
	k := &cellColumn{name: name, kind: c.keys.Columns[name]}
	if c.facts != nil {
		if f := c.facts.find(name); f != nil {
			k.kind = f.Kind
		} else {
			k.kind = Ignored
		}
	}
	if c.special(name) {
		k.kind = Categorical
	}
	if k.kind == Categorical || k.kind == "" {
		k.place = map[string]int32{}
	}
	return k
}

// add takes in one row, which begins at a line of the file.
func (c *cells) add(record []string, line int) error {
	if len(record) != len(c.order) {
		return fmt.Errorf("line %d has %d values, the first line %d", line, len(record), len(c.order))
	}
	for i, k := range c.order {
		if k == nil || k.kind == Ignored {
			continue
		}
		cell := strings.TrimSpace(record[i])
		k.add(cell, c.missing[cell], line)
	}
	c.addRows(1)
	return nil
}

// typed says of the columns of the file that has begun which are numbers by their type. Where nothing else is known of such a column its
// values are no candidates for words.
func (c *cells) typed(numbers []bool) {
	for i, k := range c.order {
		if k != nil && numbers[i] && k.kind == "" && c.rows == 0 {
			k.place, k.codes = nil, nil
		}
	}
}

// addRows counts rows whose values were added column by column.
func (c *cells) addRows(n int) {
	for range n {
		c.fileOf = append(c.fileOf, int32(len(c.files)-1))
	}
	c.rows += n
}

// addNumber takes in a value that is a number by its type, NaN where it is missing; text is how it is written as a word.
func (k *cellColumn) addNumber(v float64, text func() string) {
	missing, code := math.IsNaN(v), int32(-1)
	if !missing {
		k.present++
	}
	if k.kind != Categorical {
		k.values = append(k.values, float32(v))
	}
	if k.place != nil {
		if !missing {
			code = k.word(text())
		}
		k.codes = append(k.codes, code)
	}
}

func (k *cellColumn) add(cell string, missing bool, line int) {
	value, code := float32(math.NaN()), int32(-1)
	if !missing {
		k.present++
		if k.kind != Categorical {
			value = k.number(cell, line)
		}
		if k.place != nil {
			code = k.word(cell)
		}
	}
	if k.kind != Categorical {
		k.values = append(k.values, value)
	}
	if k.place != nil {
		k.codes = append(k.codes, code)
		if k.kind == "" && len(k.words) > mostWords && k.texts == 0 { // measurements: no category
			k.place, k.codes, k.words = nil, nil, nil
		}
	}
}

// number reads a value; texts are counted.
func (k *cellColumn) number(cell string, line int) float32 {
	v, err := strconv.ParseFloat(cell, 64)
	if err == nil || math.IsInf(v, 0) { // what is too large is infinite, and told later
		return float32(v)
	}
	if k.texts++; k.texts == 1 {
		k.firstText, k.textLine = strings.Clone(cell), line
	}
	return float32(math.NaN())
}

func (k *cellColumn) word(cell string) int32 {
	if at, ok := k.place[cell]; ok {
		return at
	}
	cell = strings.Clone(cell) // the reader's line goes away
	at := int32(len(k.words))
	k.place[cell] = at
	k.words = append(k.words, cell)
	return at
}
