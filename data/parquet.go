package data

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

func init() {
	sources.Add("parquet", func() SourceOptions { return &Parquet{newTableFiles()} })
}

// Parquet is a table in Parquet files, read a column of a row group at a time. Numbers and booleans are numeric columns (a boolean is 0
// or 1), text is guessed as in CSV, dates and times are text for data.time; nulls are missing. A column within a struct is called by its
// path, struct.field; columns of lists are left out.
type Parquet struct {
	tableFiles
}

// Validate holds keys to what they can be.
func (o *Parquet) Validate() error { return o.tableKeys.validate() }

func (o *Parquet) at(path string) SourceOptions {
	c := *o
	c.File = Paths{path}
	return &c
}

// Open implements SourceOptions. data.label is the name of a column.
func (o *Parquet) Open(ctx context.Context, env Env) (*Parts, error) {
	return o.open(env.Label, func(into *cells) error {
		return o.File.each(func(name string) error {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			st, err := f.Stat()
			if err != nil {
				return err
			}
			return readParquet(ctx, f, st.Size(), name, into, env.Progress)
		})
	})
}

// readParquet adds a file to cells.
func readParquet(ctx context.Context, r io.ReaderAt, size int64, name string, into *cells, progress func(Progress)) (err error) {
	defer func() {
		if p := recover(); p != nil { // the library indexes by what damaged files say
			err = fmt.Errorf("it is damaged: %v", p)
		}
	}()
	if err := checkParquetEnd(r, size); err != nil {
		return err
	}
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	if err := checkParquetCodecs(f.Metadata()); err != nil {
		return err
	}
	columns := parquetColumns(f.Root())
	for i, e := range parquetLeaves(f) {
		if n := slices.IndexFunc(columns, func(c parquetColumn) bool { return c.leaf == i }); n >= 0 && e.LogicalType.Value != nil {
			if number, text := parquetLogical(columns[n].kind, &e.LogicalType); text != nil { // the library does not know them all
				columns[n].number, columns[n].text = number, text
			}
		}
	}
	var header []string
	var numbers []bool
	for _, c := range columns {
		header, numbers = append(header, c.name), append(numbers, c.number != nil)
	}
	if len(header) == 0 {
		return errors.New("it has no columns")
	}
	if err := into.begin(name, header); err != nil {
		return err
	}
	into.typed(numbers)
	done := int64(0)
	for _, group := range f.RowGroups() {
		chunks, read := group.ColumnChunks(), false
		for i, c := range columns {
			c.missing(into.missing)
			if err := c.read(ctx, chunks[c.leaf], group.NumRows(), into.order[i], done); err != nil {
				return fmt.Errorf("column %s: %w", c.name, err)
			}
			read = read || into.order[i] != nil && into.order[i].kind != Ignored
		}
		if !read { // how many rows there are is what a damaged file says, and nobody has counted them
			return mistake("data.columns", "no column of %s is left to read", name)
		}
		into.addRows(int(group.NumRows()))
		done += group.NumRows()
		progress(Progress{What: "reading " + filepath.Base(name), Done: done, Total: f.NumRows(), Unit: "rows"})
	}
	return nil
}

// checkParquetEnd holds the size of a file's last part, which stands before its last four bytes, to the file: the library asks for as
// much memory as it says.
func checkParquetEnd(r io.ReaderAt, size int64) error {
	var end [8]byte
	if size < int64(len(end)) {
		return errors.New("it is no Parquet file: it is too short")
	}
	if _, err := r.ReadAt(end[:], size-int64(len(end))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if n := binary.LittleEndian.Uint32(end[:]); int64(n) > size-int64(len(end)) {
		return fmt.Errorf("it is damaged, or no Parquet file: its last part would have %d bytes, the file has %d", n, size)
	}
	return nil
}

// checkParquetCodecs refuses LZ4: of a damaged block the library's decoder asks for twice the memory again and again, without end.
func checkParquetCodecs(m *format.FileMetaData) error {
	for _, group := range m.RowGroups {
		for _, c := range group.Columns {
			if c.MetaData.Codec == format.Lz4Raw {
				return fmt.Errorf("column %s: is compressed by %v, which is not read: write the file with zstd or snappy", strings.Join(c.MetaData.PathInSchema, "."), c.MetaData.Codec)
			}
		}
	}
	return nil
}

// parquetLeaves are the elements of a file's schema that have values, in their order.
func parquetLeaves(f *parquet.File) []format.SchemaElement {
	return slices.DeleteFunc(slices.Clone(f.Metadata().Schema), func(e format.SchemaElement) bool { return !e.Type.Valid })
}

// parquetColumn is one leaf of a schema.
type parquetColumn struct {
	name   string
	leaf   int
	kind   parquet.Kind
	lists  bool                        // an example has any number of values
	holes  map[string]bool             // texts that stand for a missing value
	gaps   map[float32][]float64       // those of them that are numbers, by what a table keeps of them
	number func(parquet.Value) float64 // nil: it is no number
	text   func(parquet.Value) string
}

// missing says which texts stand for a missing value; a number does where one of them is written for it.
func (c *parquetColumn) missing(texts map[string]bool) {
	c.holes, c.gaps = texts, map[float32][]float64{}
	if c.number == nil {
		return
	}
	for text := range texts {
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			c.gaps[float32(v)] = append(c.gaps[float32(v)], v)
		}
	}
}

// isGap reports whether a number stands for a missing value. What is written counts: -999.9 is another number in float32 than in
// float64, and long identifiers are all one in float32.
func (c *parquetColumn) isGap(number float64, v parquet.Value) bool {
	near := c.gaps[float32(number)]
	if near == nil {
		return false
	}
	written, err := strconv.ParseFloat(c.text(v), 64)
	return err == nil && slices.Contains(near, written)
}

// parquetColumns are the leaves below a node, in their order.
func parquetColumns(node *parquet.Column) []parquetColumn {
	if !node.Leaf() {
		var all []parquetColumn
		for _, c := range node.Columns() {
			for _, leaf := range parquetColumns(c) {
				if n := len(all); n == 0 || !leaf.lists || leaf.name != all[n-1].name {
					all = append(all, leaf)
				}
			}
		}
		return all
	}
	c := parquetColumn{name: strings.Join(node.Path(), "."), leaf: node.Index(), kind: node.Type().Kind(), lists: node.MaxRepetitionLevel() > 0}
	if c.lists {
		c.name = node.Path()[0] // one column, whatever its lists are of
	}
	c.number, c.text = parquetForm(node.Type())
	return []parquetColumn{c}
}

// parquetValues is how many values are decoded at once.
const parquetValues = 1024

// read adds a column of a row group; done are the rows before it.
func (c *parquetColumn) read(ctx context.Context, chunk parquet.ColumnChunk, rows int64, into *cellColumn, done int64) error {
	switch {
	case into != nil && into.lists && !c.lists:
		return errors.New("holds lists in a file before, and none here: make it ignore")
	case into == nil || into.kind == Ignored:
		return nil
	case c.lists && (into.kind != "" || into.present > 0): // asked for, or a file before has values
		return errors.New("holds lists, which are no column of a table: make it ignore")
	case c.lists:
		into.kind, into.lists = Ignored, true
		return nil
	}
	pages := chunk.Pages()
	defer pages.Close()
	have, values := int64(0), make([]parquet.Value, parquetValues)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		n, err := c.readPage(page, values, rows-have, into, done+have)
		parquet.Release(page)
		if err != nil {
			return err
		}
		have += n
	}
	if have != rows {
		return fmt.Errorf("it has %d values for %d rows: the file is damaged", have, rows)
	}
	return nil
}

// readPage adds at most so many values.
func (c *parquetColumn) readPage(page parquet.Page, values []parquet.Value, most int64, into *cellColumn, row int64) (int64, error) {
	r, n := page.Values(), int64(0)
	for {
		got, err := r.ReadValues(values)
		if n+int64(got) > most {
			return n, errors.New("it has more values than rows: the file is damaged")
		}
		for _, v := range values[:got] {
			c.add(v, into, int(row+n))
			n++
		}
		if errors.Is(err, io.EOF) || err == nil && got == 0 {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// add adds one value.
func (c *parquetColumn) add(v parquet.Value, into *cellColumn, row int) {
	switch {
	case v.IsNull():
		into.add("", true, row)
	case c.number != nil:
		number := c.number(v)
		if c.isGap(number, v) {
			number = math.NaN()
		}
		into.addNumber(number, func() string { return c.text(v) })
	default:
		cell := strings.TrimSpace(c.text(v))
		into.add(cell, c.holes[cell], row)
	}
}
