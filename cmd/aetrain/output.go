package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/cachedir"
	"aetrain/internal/grid"
	"aetrain/trainer"
)

// rows are what a command writes: n rows of one shape.
type rows struct {
	n      int
	from   int         // inputs that they come from; 0: n
	shape  graph.Shape // of one row
	column string      // name of the value: columns are z0, z1, ...
	names  *named      // what columns are called otherwise; nil: nothing
	says   saying      // what a row of tokens says; nil: rows are numbers
	grid   grid.Options
	// produce calls emit with batches of rows (their names, and N×shape), in order.
	produce func(emit func(names []string, x *tensor.Dense) error) error
}

// pictureRows is how many rows of a split or a file a picture shows at most.
const pictureRows = 64

// extensions are the forms of -out; the last is for texts.
var extensions = []string{".npy", ".csv", ".jsonl", ".parquet", ".png", ".txt"}

// checkOut refuses a form that cannot be written, before any work is done.
func checkOut(out string) error {
	ext := strings.ToLower(filepath.Ext(out))
	if out == "" || ext == "" || strings.HasSuffix(out, "/") {
		return nil
	}
	for _, known := range extensions {
		if ext == known {
			return nil
		}
	}
	return usagef("-out %s: %s files are not written; it is %s, or a folder for images", out, ext, strings.Join(extensions, ", "))
}

// isPicture reports whether rows go into one picture.
func isPicture(out string) bool { return strings.EqualFold(filepath.Ext(out), ".png") }

// write writes rows in the form that the path's extension names: whole, or not at all.
func (r rows) write(out string) error {
	path := configs.ResolvePath(out)
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npy":
		return cachedir.WriteFile(path, r.npy)
	case ".csv":
		return cachedir.WriteFile(path, r.csv)
	case ".jsonl":
		return cachedir.WriteFile(path, r.jsonl)
	case ".parquet":
		return cachedir.WriteFile(path, r.parquet)
	case ".png":
		return cachedir.WriteFile(path, r.png)
	case ".txt":
		if r.says == nil {
			return usagef("-out %s: rows of numbers are not written as text; it is %s", out, strings.Join(extensions[:len(extensions)-1], ", "))
		}
		return cachedir.WriteFile(path, r.txt)
	}
	return r.folder(path)
}

// npy writes float32, little-endian, in C order.
// Source: NumPy's "A simple file format for NumPy arrays", version 1.0.
func (r rows) npy(w io.Writer) error {
	var dims strings.Builder
	fmt.Fprintf(&dims, "%d,", r.n)
	for _, d := range r.shape {
		fmt.Fprintf(&dims, " %d,", d)
	}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", dims.String())
	const prefix, align = 10, 64
	header += strings.Repeat(" ", (align-(prefix+len(header)+1)%align)%align) + "\n"
	if _, err := io.WriteString(w, "\x93NUMPY\x01\x00"); err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint16(len(header))); err != nil {
		return err
	}
	if _, err := io.WriteString(w, header); err != nil {
		return err
	}
	return r.produce(func(_ []string, x *tensor.Dense) error { return binary.Write(w, binary.LittleEndian, x.Float32s()) })
}

// csv writes a row's name and its numbers, with a header.
func (r rows) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(append([]string{"example"}, r.header()...)); err != nil {
		return err
	}
	var record []string
	err := r.each(func(name string, values []float32) error {
		record = append(record[:0], name)
		cells, err := r.cells(values)
		if err != nil {
			return err
		}
		for _, cell := range cells {
			if number, ok := cell.(float32); ok {
				cell = strconv.FormatFloat(float64(number), 'g', -1, 32)
			}
			record = append(record, fmt.Sprint(cell))
		}
		return c.Write(record)
	})
	c.Flush()
	if err == nil {
		err = c.Error()
	}
	return err
}

// jsonl writes an object a line.
func (r rows) jsonl(w io.Writer) error {
	b := bufio.NewWriter(w)
	err := r.each(func(name string, values []float32) error {
		o, err := r.object(name, values)
		if err != nil {
			return err
		}
		line, err := json.Marshal(o)
		if err != nil {
			return err
		}
		_, err = b.Write(append(line, '\n'))
		return err
	})
	if err == nil {
		err = b.Flush()
	}
	return err
}

// objects returns the rows as JSON objects, for a result without a file.
func (r rows) objects() ([]map[string]any, error) {
	var all []map[string]any
	err := r.each(func(name string, values []float32) error {
		o, err := r.object(name, values)
		all = append(all, o)
		return err
	})
	return all, err
}

// finiteOrNull makes numbers that JSON can hold.
func finiteOrNull(values []float32) []trainer.Number {
	out := make([]trainer.Number, len(values))
	for i, v := range values {
		out[i] = trainer.Number(v)
	}
	return out
}

// each visits rows one by one.
func (r rows) each(visit func(name string, values []float32) error) error {
	size := r.shape.Size()
	return r.produce(func(names []string, x *tensor.Dense) error {
		all := x.Float32s()
		for i, name := range names {
			if err := visit(name, all[i*size:(i+1)*size]); err != nil {
				return err
			}
		}
		return nil
	})
}

// png draws the rows as one picture.
func (r rows) png(w io.Writer) error {
	x, err := r.gather()
	if err != nil {
		return err
	}
	o := r.grid
	if o.Low == 0 && o.High == 0 {
		o.Low, o.High = greyRange(x)
	}
	return grid.Write(w, x, o)
}

// gather puts the rows together.
func (r rows) gather() (*tensor.Dense, error) {
	var all []float32
	err := r.produce(func(_ []string, x *tensor.Dense) error {
		all = append(all, x.Float32s()...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return tensor.New(tensor.WithShape(append([]int{r.n}, r.shape...)...), tensor.WithBacking(all)), nil
}

// greyRange is [0,1] for values that lie in it but for a few that a squared error lets overshoot, else their own range.
func greyRange(xs ...*tensor.Dense) (low, high float64) {
	const slack, few = 0.05, 0.1
	low, high = 0, 1
	outside, all := 0, 0
	for _, x := range xs {
		for _, v := range x.Float32s() {
			f := float64(v)
			if f < -slack || f > 1+slack {
				outside++
			}
			low, high = min(low, f), max(high, f)
		}
		all += len(x.Float32s())
	}
	if float64(outside) <= few*float64(all) {
		return 0, 1
	}
	return low, high
}

// folder writes a picture a row, under its example's name.
func (r rows) folder(dir string) error {
	if len(r.shape) != 3 {
		return usagef("-out %s: a folder is for images, and one row is %v; it is %s", dir, r.shape, strings.Join(extensions, ", "))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	taken := map[string]int{}
	return r.each(func(name string, values []float32) error {
		x := tensor.New(tensor.WithShape(append([]int{1}, r.shape...)...), tensor.WithBacking(append([]float32(nil), values...)))
		o := grid.Options{Columns: 1, Scale: 1}
		o.Low, o.High = greyRange(x)
		var png bytes.Buffer
		if err := grid.Write(&png, x, o); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, pictureName(name, taken)), png.Bytes(), 0o644)
	})
}

// pictureName is the file's name for an example: its number with leading zeros, or the name of its own file.
func pictureName(example string, taken map[string]int) string {
	base := filepath.Base(example)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	if n, err := strconv.Atoi(base); err == nil {
		base = fmt.Sprintf("%06d", n)
	}
	base = strings.Map(func(c rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, c) || c < ' ' {
			return '_'
		}
		return c
	}, base)
	taken[base]++
	if n := taken[base]; n > 1 {
		base += "-" + strconv.Itoa(n)
	}
	return base + ".png"
}
