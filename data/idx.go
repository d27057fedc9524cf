package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"aetrain/graph"
)

// idxArray is an array of unsigned bytes as an IDX file holds it, row-major.
type idxArray struct {
	dims []int
	data []uint8
}

// The only element type of the known data sets.
const idxUnsignedByte = 0x08

// gzipBest is the most that gzip's format can shrink anything. With the size of the file it bounds what a header may ask for,
// so that a damaged one cannot take all memory.
const gzipBest = 1032

// readIDXFile reads an IDX file, gzipped or not, which is known by its first bytes and not by its name.
// Errors name the file and what is wrong with it.
func readIDXFile(name string) (*idxArray, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	a, err := readIDX(f, info.Size()*gzipBest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return a, nil
}

// readIDX reads one array of unsigned bytes with 1 to 4 axes and at most most elements.
//
// Format: two zero bytes, the element type, the number of axes, the size of each as a big-endian 32-bit integer, the elements.
// Source: LeCun, Cortes & Burges, "The MNIST database of handwritten digits", file formats.
func readIDX(r io.Reader, most int64) (*idxArray, error) {
	r, err := gunzipped(r)
	if err != nil {
		return nil, err
	}
	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return nil, fmt.Errorf("not an IDX file: %w", shortRead(err, "its first four bytes"))
	}
	if magic[0] != 0 || magic[1] != 0 {
		return nil, fmt.Errorf("not an IDX file: it begins with % x, not with 00 00", magic)
	}
	if magic[2] != idxUnsignedByte {
		return nil, fmt.Errorf("its elements are of IDX type 0x%02x; only unsigned bytes (0x08) are known", magic[2])
	}
	if magic[3] < 1 || magic[3] > 4 {
		return nil, fmt.Errorf("it has %d axes; 1 to 4 are known", magic[3])
	}
	dims, size, err := idxDims(r, int(magic[3]), most)
	if err != nil {
		return nil, err
	}
	return readIDXBody(r, dims, size)
}

// gunzipped unpacks r if it begins as a gzip stream does.
func gunzipped(r io.Reader) (io.Reader, error) {
	var first [2]byte
	n, err := io.ReadFull(r, first[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	r = io.MultiReader(bytes.NewReader(first[:n]), r)
	if first != [2]byte{0x1f, 0x8b} {
		return r, nil
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("damaged gzip file: %w", err)
	}
	return z, nil
}

// idxDims reads the axes and returns the number of elements.
func idxDims(r io.Reader, axes int, most int64) (dims []int, size int64, err error) {
	var header [4 * 4]byte
	if _, err := io.ReadFull(r, header[:4*axes]); err != nil {
		return nil, 0, fmt.Errorf("truncated: %w", shortRead(err, "the sizes of its axes"))
	}
	size = 1
	for i := range axes {
		d := int64(binary.BigEndian.Uint32(header[4*i:]))
		dims = append(dims, int(d))
		if d == 0 {
			return nil, 0, fmt.Errorf("it is empty: its axes are %v", dims)
		}
		if size > most/d { // also keeps the product from overflowing
			return nil, 0, fmt.Errorf("truncated or damaged: its header promises more than a file of this size can hold")
		}
		size *= d
	}
	return dims, size, nil
}

// readIDXBody reads exactly size bytes.
func readIDXBody(r io.Reader, dims []int, size int64) (*idxArray, error) {
	data := make([]uint8, size)
	if n, err := io.ReadFull(r, data); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("truncated: its header promises %v, %d bytes; it has %d", graph.Shape(dims), size, n)
		}
		return nil, fmt.Errorf("damaged after %d of %d bytes: %w", n, size, err)
	}
	var more [1]byte
	switch _, err := io.ReadFull(r, more[:]); {
	case err == nil:
		return nil, fmt.Errorf("longer than the %v that its header promises", graph.Shape(dims))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("truncated: the end of the gzip file is missing")
	case !errors.Is(err, io.EOF): // gzip verifies its checksum here
		return nil, fmt.Errorf("damaged: %w", err)
	}
	return &idxArray{dims: dims, data: data}, nil
}

// shortRead says what was missing.
func shortRead(err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("it ends before %s", what)
	}
	return err
}

// writeIDX writes an array in the form that readIDX reads.
func writeIDX(w io.Writer, a *idxArray) error {
	header := []byte{0, 0, idxUnsignedByte, byte(len(a.dims))}
	for _, d := range a.dims {
		header = binary.BigEndian.AppendUint32(header, uint32(d))
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	_, err := w.Write(a.data)
	return err
}
