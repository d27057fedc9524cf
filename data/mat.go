package data

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"aetrain/graph"
)

func init() { sources.Add("mat", func() SourceOptions { return &Mat{} }) }

// Mat is numeric arrays in MATLAB 5 files (as MATLAB saves them with -v6 or -v7), read into memory.
type Mat struct {
	arrayKeys
}

func (o *Mat) at(path string) SourceOptions {
	return &Mat{arrayKeys{File: Paths{path}, X: o.X}}
}

// Open implements SourceOptions. data.label is the name of a variable.
func (o *Mat) Open(_ context.Context, env Env) (*Parts, error) {
	return o.openArrays(env.Label, func(name string) (arrayFile, error) {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f, err := readMat(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		f.name = name
		return f, nil
	})
}

// matFile is the numeric variables of a MATLAB 5 file.
type matFile struct {
	name      string
	variables []matVariable
}

// matVariable holds its numbers as MATLAB does, the first axis fastest.
type matVariable struct {
	name   string
	dims   []int
	values []float64
}

func (f *matFile) close() error { return nil }

func (f *matFile) names() []string {
	var names []string
	for _, v := range f.variables {
		names = append(names, v.name)
	}
	return names
}

// array gives a variable in C order. A row of labels, 1×N, is N of them, as is a column.
func (f *matFile) array(name string) (*npyFile, error) {
	for _, v := range f.variables {
		if v.name != name {
			continue
		}
		dims := v.dims
		if len(dims) == 2 && dims[0] == 1 && dims[1] > 1 {
			dims = []int{dims[1]}
		}
		if len(v.values) == 0 {
			return nil, errors.New("it is empty")
		}
		h := &npyHeader{kind: 'f', bytes: 8, order: binary.LittleEndian, dims: dims}
		a := &npyFile{npyHeader: h, name: f.name, from: bytesAt(rowMajor(dims, v.values)), shape: h.exampleShape()}
		a.size = a.shape.Size()
		return a, nil
	}
	return nil, errors.New("no such variable")
}

// rowMajor turns an array from first axis fastest to last axis fastest, as bytes.
func rowMajor(dims []int, values []float64) []byte {
	out := make([]byte, 8*len(values))
	at, strides := make([]int, len(dims)), make([]int, len(dims))
	for i, step := len(dims)-1, 1; i >= 0; i-- {
		strides[i] = step
		step *= dims[i]
	}
	to := 0
	for _, v := range values {
		binary.LittleEndian.PutUint64(out[8*to:], math.Float64bits(v))
		for i := range at {
			at[i]++
			to += strides[i]
			if at[i] < dims[i] {
				break
			}
			to -= at[i] * strides[i]
			at[i] = 0
		}
	}
	return out
}

// Data types and array classes of the format.
// Source: MathWorks, "MAT-File Format", chapter 1, tables 1-1 and 1-3.
const (
	miMatrix     = 14
	miCompressed = 15
	matHeader    = 128
	mxSparse     = 5
	mxDouble     = 6
	mxUint64     = 15
	mostMatBytes = 1 << 31 // of one variable, unpacked
)

// readMat finds the numeric arrays; texts, cells and structures are passed over.
func readMat(b []byte) (*matFile, error) {
	if bytes.HasPrefix(b, []byte("MATLAB 7.3")) || bytes.HasPrefix(b, []byte("\x89HDF")) {
		return nil, errors.New("it is a MATLAB 7.3 file (HDF5): save it with -v7")
	}
	if len(b) < matHeader {
		return nil, errors.New("not a MATLAB 5 file")
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(b[126:128]) {
	case "IM":
	case "MI":
		order = binary.BigEndian
	default:
		return nil, errors.New("not a MATLAB 5 file")
	}
	f := &matFile{}
	for rest := b[matHeader:]; len(rest) > 0; {
		kind, body, next, err := matElement(rest, order)
		if err != nil {
			return nil, err
		}
		rest = next
		if kind == miCompressed {
			if kind, body, err = unpackMat(body, order); err != nil {
				return nil, err
			}
		}
		if kind != miMatrix {
			continue
		}
		v, err := matMatrix(body, order)
		if err != nil {
			return nil, err
		}
		if v != nil {
			f.variables = append(f.variables, *v)
		}
	}
	return f, nil
}

// unpackMat unpacks an element, which may grow to gzip's best and no further.
func unpackMat(body []byte, order binary.ByteOrder) (kind uint32, inner []byte, err error) {
	z, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("damaged: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, min(int64(len(body))*gzipBest, mostMatBytes)))
	if err != nil {
		return 0, nil, fmt.Errorf("damaged: %w", err)
	}
	kind, inner, _, err = matElement(raw, order)
	return kind, inner, err
}

// matElement splits off the first element. Small ones keep their data in the tag.
func matElement(b []byte, order binary.ByteOrder) (kind uint32, body, rest []byte, err error) {
	if len(b) < 8 {
		return 0, nil, nil, errors.New("truncated: it ends within an element")
	}
	kind = order.Uint32(b)
	if small := kind >> 16; small != 0 {
		if small > 4 {
			return 0, nil, nil, errors.New("damaged: a small element of more than 4 bytes")
		}
		return kind & 0xffff, b[4 : 4+small], b[8:], nil
	}
	size := int64(order.Uint32(b[4:]))
	if size > int64(len(b)-8) {
		return 0, nil, nil, fmt.Errorf("truncated: an element of %d bytes, %d are left", size, len(b)-8)
	}
	end := 8 + size
	if kind != miCompressed { // all others are padded to 8 bytes
		end = min((end+7)/8*8, int64(len(b)))
	}
	return kind, b[8 : 8+size], b[end:], nil
}

// matMatrix reads an array; nil for one that is not full and real.
func matMatrix(b []byte, order binary.ByteOrder) (*matVariable, error) {
	var parts [4][]byte // flags, dimensions, name, real part
	var kinds [4]uint32
	for i := range parts {
		kind, body, rest, err := matElement(b, order)
		if err != nil {
			return nil, err
		}
		parts[i], kinds[i], b = body, kind, rest
		if i == 0 {
			if len(body) < 8 {
				return nil, errors.New("damaged: array flags of a few bytes")
			}
			const complexFlag = 1 << 11
			flags := order.Uint32(body)
			if class := flags & 0xff; class < mxDouble || class > mxUint64 || class == mxSparse || flags&complexFlag != 0 {
				return nil, nil
			}
		}
	}
	v := &matVariable{name: string(parts[2])}
	size := int64(1)
	for at := 0; at+4 <= len(parts[1]); at += 4 {
		d := int(int32(order.Uint32(parts[1][at:])))
		if d < 0 || d > 0 && size > mostMatBytes/int64(d) {
			return nil, fmt.Errorf("damaged: %s has axes of %d", v.name, d)
		}
		v.dims, size = append(v.dims, d), size*int64(d)
	}
	values, err := matNumbers(parts[3], kinds[3], order)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", v.name, err)
	}
	if v.values = values; int64(len(values)) != size || len(v.dims) < 2 {
		return nil, fmt.Errorf("damaged: %s is %v and has %d values", v.name, graph.Shape(v.dims), len(values))
	}
	return v, nil
}

// matTypes are the element types by their number: kind and bytes, as NPY files know them.
var matTypes = map[uint32]struct {
	kind  byte
	bytes int
}{1: {'i', 1}, 2: {'u', 1}, 3: {'i', 2}, 4: {'u', 2}, 5: {'i', 4}, 6: {'u', 4}, 7: {'f', 4}, 9: {'f', 8}, 12: {'i', 8}, 13: {'u', 8}}

// matNumbers reads an element's numbers, whatever their own type: MATLAB stores whole doubles as bytes.
func matNumbers(b []byte, kind uint32, order binary.ByteOrder) ([]float64, error) {
	t, ok := matTypes[kind]
	if !ok {
		return nil, fmt.Errorf("damaged: values of type %d", kind)
	}
	reader := npyFile{npyHeader: &npyHeader{kind: t.kind, bytes: t.bytes, order: order}}
	values := make([]float64, len(b)/t.bytes)
	for i := range values {
		values[i] = reader.number(b[i*t.bytes:])
	}
	return values, nil
}
