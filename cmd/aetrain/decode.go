package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"aetrain/configs"
	"aetrain/data"
	"aetrain/internal/grid"
)

var decodeCommand = command{
	name: "decode", args: "[RUN]", summary: "write what codes decode to, in the units of the data",
	help: "Codes are read as encode writes them: .npy (N x code), .csv and .parquet (the column example is passed over) or .jsonl ({\"z\": [...]}).",
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o decodeOptions
		o.add(f)
		f.StringVar(&o.In, "in", "", "codes, `PATH` of a .npy, .csv, .jsonl or .parquet file")
		o.addOutput(f)
		o.addLabel(f, "a conditional model wants one")
		return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			o.Labelled = f.given("label")
			return withArguments(&o, o.take, runDecode)(ctx, args, stdout, stderr)
		}
	},
}

// decodeOptions are the flags of "aetrain decode".
type decodeOptions struct {
	runOptions
	labelOptions
}

// runDecode decodes a file of codes.
func runDecode(ctx context.Context, o decodeOptions, stdout, stderr io.Writer) error {
	if o.In == "" {
		return usagef("-in is missing: a file of codes")
	}
	t := newTalk(stderr, o.talkOptions)
	defer t.done()
	r, err := openRun(o.runOptions, t)
	if err != nil {
		return err
	}
	defer r.Close()
	code := r.Model.Model().Code
	values, err := readCodes(ctx, configs.ResolvePath(o.In), code.Size())
	if err != nil {
		return err
	}
	if err := r.openUnits(ctx); err != nil {
		return err
	}
	n := r.shownRows(len(values)/code.Size(), o.Out)
	z := tensor.New(tensor.WithShape(append([]int{n}, code...)...), tensor.WithBacking(values[:n*code.Size()]))
	given, err := o.given(r, n)
	if err != nil {
		return err
	}
	x, err := r.Decode(ctx, z, given)
	if err != nil {
		return err
	}
	return r.deliverTensor(x, 0, o.runOptions, grid.Options{}, stdout)
}

// readCodes reads codes of a size, one after the other.
func readCodes(ctx context.Context, path string, size int) ([]float32, error) {
	read := map[string]func(context.Context, string, int) ([]float32, error){".npy": npyCodes, ".csv": csvCodes, ".jsonl": jsonlCodes, ".parquet": parquetCodes}[strings.ToLower(filepath.Ext(path))]
	if read == nil {
		return nil, usagef("-in %s: codes are read from .npy, .csv, .jsonl and .parquet files", path)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, usagef("-in: %s", configs.MissingPath(path, "", "file"))
	}
	values, err := read(ctx, path, size)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("%s: there are no codes in it", path)
	}
	return values, nil
}

func npyCodes(ctx context.Context, path string, size int) ([]float32, error) {
	return sourceCodes(ctx, &data.NPY{File: data.Paths{path}}, path, size)
}

func parquetCodes(ctx context.Context, path string, size int) ([]float32, error) {
	p := &data.Parquet{}
	p.File, p.Columns = data.Paths{path}, map[string]string{"example": data.Ignored}
	values, err := sourceCodes(ctx, p, path, size)
	if m := (*data.Mistake)(nil); errors.As(err, &m) { // it has no such column
		p.Columns = nil
		return sourceCodes(ctx, p, path, size)
	}
	return values, err
}

// sourceCodes are the examples of a source.
func sourceCodes(ctx context.Context, from data.SourceOptions, path string, size int) ([]float32, error) {
	parts, err := from.Open(ctx, data.Env{Progress: func(data.Progress) {}})
	if err != nil {
		return nil, err
	}
	defer parts.Train.Close()
	src := parts.Train
	if got := src.Fields()[0].Spec.Shape; got.Size() != size {
		return nil, usagef("-in %s: its codes have %d numbers, the model's %d", path, got.Size(), size)
	}
	batch := data.NewBatch(src.Fields(), src.Len(), nil)
	return batch[0].Float32s(), data.ReadRange(src, 0, src.Len(), batch)
}

func csvCodes(_ context.Context, path string, size int) ([]float32, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c := csv.NewReader(f)
	header, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	skip := 0
	if len(header) > 0 && header[0] == "example" {
		skip = 1
	}
	if len(header)-skip != size {
		return nil, usagef("-in %s: it has %d columns of numbers, the model's codes have %d", path, len(header)-skip, size)
	}
	var values []float32
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for i, cell := range record[skip:] {
			v, err := strconv.ParseFloat(strings.TrimSpace(cell), 32)
			if err != nil {
				line, _ := c.FieldPos(i + skip)
				return nil, fmt.Errorf("%s:%d: %s: %q is not a number", path, line, header[i+skip], cell)
			}
			values = append(values, float32(v))
		}
	}
}

func jsonlCodes(_ context.Context, path string, size int) ([]float32, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<26)
	var values []float32
	for n := 1; s.Scan(); n++ {
		var row struct {
			Z []float32 `json:"z"`
		}
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if len(row.Z) != size {
			return nil, usagef("-in %s: line %d has %d numbers under \"z\", the model's codes have %d", path, n, len(row.Z), size)
		}
		values = append(values, row.Z...)
	}
	return values, s.Err()
}
