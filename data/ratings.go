package data

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"aetrain/internal/registry"
)

func init() {
	sources.Add("ratings", func() SourceOptions { return &Ratings{User: "user", Item: "item", MinItems: 1} })
}

// Ratings is a table of user, item and perhaps a value; an example is a user, a row with an element for each item. Validation and test
// are whole users, a fifth of whose items are hidden: x has the others, target the hidden ones. In training x and target are the same.
// Source of the procedure: Liang, Krishnan, Hoffman & Jebara 2018, "Variational Autoencoders for Collaborative Filtering", section 4.2.
type Ratings struct {
	File     Paths   `toml:"file" required:"true" doc:"tables of ratings, comma- or tab-separated or with ::, .gz or not" example:"\"ratings.csv.gz\""`
	User     string  `toml:"user" doc:"column of users; a number counts columns from 0, for a file without a header" example:"\"user_id\""`
	Item     string  `toml:"item" doc:"column of items, likewise" example:"\"movie_id\""`
	Value    string  `toml:"value" doc:"column of values, likewise; left out: every row is a click" example:"\"rating\""`
	MinValue float64 `toml:"min_value" doc:"values from here on count as 1, others not at all; 0: values count as they are" example:"7"`
	MinItems int     `toml:"min_items" min:"1" doc:"users with fewer items are left out"`

	opened *ratingsFacts
}

// ratingsFacts are the items of the training file, in their order.
type ratingsFacts struct{ Items []string }

func (o *Ratings) at(path string) SourceOptions {
	c := *o
	c.File = Paths{path}
	return &c
}

func (o *Ratings) check(missing func(key, abs, what string)) { o.File.check(missing) }

func (o *Ratings) facts() any {
	if o.opened == nil {
		return nil
	}
	return o.opened
}
func (o *Ratings) recall() any       { return &ratingsFacts{} }
func (o *Ratings) with(recalled any) { o.opened = recalled.(*ratingsFacts) }

// Open implements SourceOptions.
func (o *Ratings) Open(ctx context.Context, env Env) (*Parts, error) {
	c := &clicks{users: map[string]int32{}, items: map[string]int32{}}
	err := o.File.eachFile(func(name string, text io.Reader) error { return o.read(ctx, text, name, c, env) })
	if err != nil {
		return nil, err
	}
	s, err := c.source(o.MinItems, o.opened)
	if err != nil {
		return nil, err
	}
	o.opened = &ratingsFacts{Items: s.items}
	return &Parts{Train: s}, nil
}

// read adds a file to c.
func (o *Ratings) read(ctx context.Context, text io.Reader, name string, c *clicks, env Env) error {
	in := bufio.NewReaderSize(text, sniffed)
	head, err := in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	line, _, _ := strings.Cut(string(head), "\n")
	var lines io.Reader = in
	comma := ','
	switch {
	case strings.Contains(line, "::"): // MovieLens 1M and MovieTweetings
		lines, comma = &colons{in: in}, '\t'
	case strings.Count(line, "\t") > strings.Count(line, ","):
		comma = '\t'
	case strings.Count(line, ";") > strings.Count(line, ","):
		comma = ';'
	}
	r := csv.NewReader(lines)
	r.Comma = comma
	var at [3]int // columns of user, item, value (-1: none)
	return eachRecord(ctx, r, name, env, func(n int, record []string) error {
		if n == 0 {
			if header, err := o.columns(record, &at); err != nil || header {
				return err
			}
		}
		value := 1.0
		if at[2] >= 0 {
			if value, err = strconv.ParseFloat(strings.TrimSpace(record[at[2]]), 32); err != nil {
				row, _ := r.FieldPos(0)
				return fmt.Errorf("line %d: the value %q is not a number", row, record[at[2]])
			}
		}
		if o.MinValue != 0 {
			if value < o.MinValue {
				return nil
			}
			value = 1
		}
		if value != 0 {
			c.add(record[at[0]], record[at[1]], float32(value))
		}
		return nil
	})
}

// columns finds the columns by the first line, and tells whether that is a header.
func (o *Ratings) columns(first []string, at *[3]int) (header bool, err error) {
	names := make([]string, len(first))
	for i, h := range first {
		names[i] = strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))
	}
	for i, k := range []struct{ key, name string }{{"data.user", o.User}, {"data.item", o.Item}, {"data.value", o.Value}} {
		if n, err := strconv.Atoi(k.name); err == nil && n >= 0 && n < len(names) {
			at[i] = n
			continue
		}
		if at[i] = slices.Index(names, k.name); at[i] >= 0 {
			header = true
		} else if k.name != "" || i < 2 {
			return false, mistake(k.key, "no column %s%s", k.name, registry.Suggest(k.name, names))
		}
	}
	return header, nil
}

// colons turns :: into tabs.
type colons struct {
	in   *bufio.Reader
	held []byte
}

func (c *colons) Read(p []byte) (int, error) {
	if len(c.held) == 0 {
		line, err := c.in.ReadString('\n')
		if line == "" {
			return 0, err
		}
		c.held = []byte(strings.ReplaceAll(line, "::", "\t"))
	}
	n := copy(p, c.held)
	c.held = c.held[n:]
	return n, nil
}
