package data

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"aetrain/configs"
)

func init() {
	sources.Add("csv", func() SourceOptions { return &CSV{Header: true, tableFiles: newTableFiles()} })
}

// CSV is a table of text: comma-separated values, tab-separated ones, or any other delimiter; .gz or not.
type CSV struct {
	tableFiles
	Delimiter string `toml:"delimiter" doc:"what stands between values; left out: a comma, a tab for .tsv, or what the first line has most of" example:"\";\""`
	Header    bool   `toml:"header" doc:"the first line names the columns; without, they are c0, c1, ..."`
}

// Validate holds keys to what they can be.
func (o *CSV) Validate() error {
	var delimiter error
	if o.Delimiter != "" && (utf8.RuneCountInString(o.Delimiter) != 1 || strings.ContainsAny(o.Delimiter, "\"\r\n")) {
		delimiter = configs.KeyError("delimiter", "%q is not one character", o.Delimiter)
	}
	return errors.Join(delimiter, o.tableKeys.validate())
}

func (o *CSV) at(path string) SourceOptions {
	c := *o
	c.File = Paths{path}
	return &c
}

// Open implements SourceOptions. data.label is the name of a column.
func (o *CSV) Open(ctx context.Context, env Env) (*Parts, error) {
	return o.open(env.Label, func(into *cells) error {
		return o.File.eachFile(func(name string, text io.Reader) error { return o.read(ctx, text, name, into, env) })
	})
}

// read adds a file to cells.
func (o *CSV) read(ctx context.Context, text io.Reader, name string, into *cells, env Env) error {
	in := bufio.NewReaderSize(text, sniffed)
	r := csv.NewReader(in)
	var err error
	if r.Comma, err = o.comma(name, in); err != nil {
		return err
	}
	var header []string
	err = eachRecord(ctx, r, name, env, func(n int, record []string) error {
		if n == 0 {
			if header = slices.Clone(record); !o.Header {
				for i := range header {
					header[i] = fmt.Sprintf("c%d", i)
				}
			}
			if err := into.begin(name, header); err != nil || o.Header {
				return err
			}
		}
		line, _ := r.FieldPos(0)
		return into.add(record, line)
	})
	if err == nil && header == nil {
		return errors.New("it is empty")
	}
	return err
}

// sniffed is how many bytes of a file tell its delimiter.
const sniffed = 1 << 16

// comma finds the delimiter, and steps over a byte order mark.
func (o *CSV) comma(name string, in *bufio.Reader) (rune, error) {
	if mark, err := in.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		if _, err := in.Discard(3); err != nil {
			return 0, err
		}
	}
	if o.Delimiter != "" {
		c, _ := utf8.DecodeRuneInString(o.Delimiter)
		return c, nil
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".gz")
	if strings.HasSuffix(name, ".tsv") || strings.HasSuffix(name, ".tab") {
		return '\t', nil
	}
	head, err := in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	line, _, _ := strings.Cut(string(head), "\n")
	best := ','
	for _, c := range ";\t|" {
		if strings.Count(line, string(c)) > strings.Count(line, string(best)) {
			best = c
		}
	}
	return best, nil
}
