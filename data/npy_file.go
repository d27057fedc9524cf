package data

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"sync"

	"aetrain/graph"
)

// npyFile is an open NPY file whose examples are read where they are, one ReadAt each. (A mapping would be faster by the cost of a
// system call, but a file that another process truncates would then end the program.)
type npyFile struct {
	*npyHeader
	name  string
	file  *os.File // nil: from memory
	from  io.ReaderAt
	shape graph.Shape // of one example
	size  int         // its elements
	pool  sync.Pool   // *[]byte: one example
}

// largestFortran bounds the arrays in Fortran order that are turned in memory: their examples lie scattered over the file.
const largestFortran = 1 << 32

// openNPY opens a file; errors name it.
func openNPY(name string) (*npyFile, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	f, err := newNPYFile(file, name)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

func newNPYFile(file *os.File, name string) (*npyFile, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("not a file")
	}
	header, err := readNPYHeader(file, info.Size())
	if err != nil {
		return nil, err
	}
	f := &npyFile{npyHeader: header, name: name, file: file, from: file, shape: header.exampleShape()}
	f.size = f.shape.Size()
	if header.fortran && len(header.dims) > 1 {
		return f, f.turn()
	}
	return f, nil
}

// turn reads an array in Fortran order and keeps it in C order.
func (f *npyFile) turn() error {
	total := int64(f.dims[0]) * int64(f.size) * int64(f.bytes)
	if total > largestFortran {
		return fmt.Errorf("its %d GB are in Fortran order: save it with numpy.ascontiguousarray", total>>30)
	}
	raw := make([]byte, total)
	if _, err := f.file.ReadAt(raw, f.start); err != nil {
		return err
	}
	turned := make([]byte, total)
	at := make([]int, len(f.dims)) // the element's place, first axis fastest
	strides := make([]int, len(f.dims))
	for i, step := len(f.dims)-1, 1; i >= 0; i-- {
		strides[i] = step
		step *= f.dims[i]
	}
	to := 0
	for from := 0; from < len(raw); from += f.bytes {
		copy(turned[to*f.bytes:], raw[from:from+f.bytes])
		for i := range at {
			at[i]++
			to += strides[i]
			if at[i] < f.dims[i] {
				break
			}
			to -= at[i] * strides[i]
			at[i] = 0
		}
	}
	f.from, f.start = bytesAt(turned), 0
	return nil
}

// bytesAt reads from memory.
type bytesAt []byte

func (b bytesAt) ReadAt(p []byte, at int64) (int, error) { return copy(p, b[at:]), nil }

func (f *npyFile) len() int { return f.dims[0] }

func (f *npyFile) close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// bytesOf reads the bytes of example i into a buffer of f.pool.
func (f *npyFile) bytesOf(i int) (*[]byte, error) {
	buf, _ := f.pool.Get().(*[]byte)
	if buf == nil {
		b := make([]byte, f.size*f.bytes)
		buf = &b
	}
	if n, err := f.from.ReadAt(*buf, f.start+int64(i)*int64(len(*buf))); n < len(*buf) {
		if err == nil || err == io.EOF {
			err = fmt.Errorf("it has become shorter while it was read")
		}
		return nil, fmt.Errorf("%s: example %d: %w", f.name, i, err)
	}
	return buf, nil
}

// storedImages reports whether examples are unsigned bytes with two axes or more.
func (f *npyFile) storedImages() bool { return f.kind == 'u' && f.bytes == 1 && len(f.shape) > 1 }

// readFloats reads example i as float32: stored images (unsigned bytes with two axes or more) as value/255, all else by value.
func (f *npyFile) readFloats(dst []float32, i int) error {
	buf, err := f.bytesOf(i)
	if err != nil {
		return err
	}
	defer f.pool.Put(buf)
	if f.storedImages() {
		unitFloats(dst, *buf)
		return nil
	}
	if f.kind == 'f' && f.bytes == 4 && f.order == binary.LittleEndian {
		for j := range dst {
			dst[j] = math.Float32frombits(binary.LittleEndian.Uint32((*buf)[4*j:]))
		}
		return nil
	}
	for j := range dst {
		dst[j] = float32(f.number((*buf)[j*f.bytes:]))
	}
	return nil
}

// number reads one element; whole numbers beyond 2^53 lose their last digits.
func (f *npyFile) number(b []byte) float64 {
	if f.kind == 'f' {
		switch f.bytes {
		case 2:
			return halfFloat(f.order.Uint16(b))
		case 4:
			return float64(math.Float32frombits(f.order.Uint32(b)))
		}
		return math.Float64frombits(f.order.Uint64(b))
	}
	if f.kind == 'g' { // bfloat16: the upper half of a float32
		return float64(math.Float32frombits(uint32(f.order.Uint16(b)) << 16))
	}
	var u uint64
	switch f.bytes {
	case 1:
		u = uint64(b[0])
	case 2:
		u = uint64(f.order.Uint16(b))
	case 4:
		u = uint64(f.order.Uint32(b))
	case 8:
		u = f.order.Uint64(b)
	}
	if f.kind == 'i' {
		unused := 64 - 8*f.bytes
		return float64(int64(u<<unused) >> unused)
	}
	return float64(u)
}

// halfFloat is the value of an IEEE 754 binary16.
func halfFloat(h uint16) float64 {
	sign, exponent, fraction := 1.0, int(h>>10&31), float64(h&1023)
	if h>>15 == 1 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * fraction * 0x1p-24
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	}
	return sign * math.Ldexp(1+fraction/1024, exponent-15)
}

// readNPYLabels reads a whole file of whole numbers, one an example.
func readNPYLabels(name string) ([]int32, error) {
	f, err := openNPY(name)
	if err != nil {
		return nil, err
	}
	defer f.close()
	return f.labels()
}

// labels reads an array of whole numbers, one an example.
func (f *npyFile) labels() ([]int32, error) {
	if f.size != 1 {
		return nil, fmt.Errorf("%s: its shape is %v; labels are one whole number an example", f.name, graph.Shape(f.dims))
	}
	labels := make([]int32, f.len())
	for i := range labels {
		buf, err := f.bytesOf(i)
		if err != nil {
			return nil, err
		}
		v := f.number(*buf)
		f.pool.Put(buf)
		if labels[i] = int32(v); float64(labels[i]) != v {
			return nil, fmt.Errorf("%s: label %d is %v; labels are whole numbers of 32 bits", f.name, i, v)
		}
	}
	return labels, nil
}
