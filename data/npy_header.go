package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"aetrain/graph"
)

// npyHeader describes the array of an NPY file.
//
// sbinet/npyio reads whole arrays into memory; here files may be larger than it, so the header is parsed and the elements stay where they are.
// Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays", versions 1.0 to 3.0.
type npyHeader struct {
	kind    byte // f, i, u or b
	bytes   int  // of an element
	order   binary.ByteOrder
	fortran bool
	dims    []int
	start   int64 // of the first element in the file
}

const npyMagic = "\x93NUMPY"

// longestNPYHeader is far more than NumPy writes; a damaged length must not ask for 4 GB.
const longestNPYHeader = 1 << 20

// readNPYHeader reads and checks the header of a file of size bytes.
func readNPYHeader(r io.ReaderAt, size int64) (*npyHeader, error) {
	var fixed [12]byte
	n, err := r.ReadAt(fixed[:min(size, int64(len(fixed)))], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if n < 10 || string(fixed[:6]) != npyMagic {
		return nil, errors.New("not an NPY file")
	}
	length, start := int64(binary.LittleEndian.Uint16(fixed[8:])), int64(10)
	if major := fixed[6]; major < 1 || major > 3 {
		return nil, fmt.Errorf("its NPY version is %d; 1 to 3 are known", major)
	} else if major > 1 {
		length, start = int64(binary.LittleEndian.Uint32(fixed[8:])), 12
	}
	if length > longestNPYHeader || start+length > size {
		return nil, fmt.Errorf("truncated or damaged: its header would take %d bytes, the file has %d", length, size)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(io.NewSectionReader(r, start, length), text); err != nil {
		return nil, err
	}
	h := &npyHeader{start: start + length}
	if err := h.parse(string(text)); err != nil {
		return nil, err
	}
	return h, h.check(size)
}

// parse reads the header's text, a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 784), }.
func (h *npyHeader) parse(text string) error {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") || !strings.HasSuffix(text, "}") {
		return fmt.Errorf("damaged: its header is %.40q", text)
	}
	descr, err := pythonValue(text, "descr")
	if err != nil {
		return err
	}
	if err := h.parseType(descr); err != nil {
		return err
	}
	order, err := pythonValue(text, "fortran_order")
	if err != nil {
		return err
	}
	if order != "True" && order != "False" {
		return fmt.Errorf("damaged: its fortran_order is %.20q", order)
	}
	h.fortran = order == "True"
	shape, err := pythonValue(text, "shape")
	if err != nil {
		return err
	}
	return h.parseShape(shape)
}

// pythonValue finds the text of a key's value: a quoted string, a tuple or list with its brackets, a word.
func pythonValue(dict, key string) (string, error) {
	_, rest, ok := strings.Cut(dict, "'"+key+"'")
	if !ok {
		return "", fmt.Errorf("damaged: its header has no %s", key)
	}
	rest = strings.TrimSpace(rest)
	rest, ok = strings.CutPrefix(rest, ":")
	rest = strings.TrimSpace(rest)
	if !ok || rest == "" {
		return "", fmt.Errorf("damaged: its header has no value for %s", key)
	}
	end := 0
	switch rest[0] {
	case '\'', '"':
		end = strings.IndexByte(rest[1:], rest[0]) + 2
	case '(':
		end = strings.IndexByte(rest, ')') + 1
	case '[':
		end = strings.IndexByte(rest, ']') + 1
	default:
		end = strings.IndexAny(rest, ", }")
	}
	if end < 1 || (rest[0] == '\'' || rest[0] == '"') && end == 1 {
		return "", fmt.Errorf("damaged: the value of %s in its header has no end", key)
	}
	return rest[:end], nil
}

// parseType reads '<f4': byte order, kind and size of an element.
func (h *npyHeader) parseType(descr string) error {
	if descr[0] == '[' {
		return errors.New("its elements are records; an array of numbers is wanted")
	}
	name := strings.Trim(descr, `'"`)
	if len(name) < 3 {
		return fmt.Errorf("damaged: its element type is %q", name)
	}
	switch name[0] {
	case '<', '|', '=':
		h.order = binary.LittleEndian
	case '>':
		h.order = binary.BigEndian
	default:
		return fmt.Errorf("damaged: its element type is %.20q", name)
	}
	known := map[string]bool{"f2": true, "f4": true, "f8": true, "i1": true, "i2": true, "i4": true, "i8": true, "u1": true, "u2": true, "u4": true, "u8": true, "b1": true}
	if !known[name[1:]] {
		return fmt.Errorf("its elements are of type %.20q; floats, integers and booleans are known", name)
	}
	h.kind, h.bytes = name[1], int(name[2]-'0')
	return nil
}

// parseShape reads (60000, 784), (5,) or ().
func (h *npyHeader) parseShape(text string) error {
	if text[0] != '(' {
		return fmt.Errorf("damaged: its shape is %.40q", text)
	}
	for _, d := range strings.Split(strings.Trim(text, "()"), ",") {
		if d = strings.TrimSpace(d); d == "" {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(d, "L"), 10, 63) // Python 2 wrote 5L
		if err != nil || n < 0 || int64(int(n)) != n {
			return fmt.Errorf("damaged: its shape is %.40q", text)
		}
		h.dims = append(h.dims, int(n))
	}
	return nil
}

// check holds the shape to the size of the file.
func (h *npyHeader) check(size int64) error {
	if len(h.dims) == 0 {
		return errors.New("it holds a single number; an array whose first axis is the example is wanted")
	}
	if len(h.dims) > 8 {
		return fmt.Errorf("it has %d axes; up to 8 are known", len(h.dims))
	}
	there := size - h.start
	need := int64(h.bytes)
	for _, d := range h.dims {
		if d == 0 {
			return fmt.Errorf("it is empty: its shape is %v", graph.Shape(h.dims))
		}
		if need > there/int64(d) {
			return fmt.Errorf("truncated: its header promises %v of %d bytes each, it has %d bytes", graph.Shape(h.dims), h.bytes, there)
		}
		need *= int64(d)
	}
	if need < there {
		return fmt.Errorf("%d bytes follow the %v that its header promises", there-need, graph.Shape(h.dims))
	}
	return nil
}

// exampleShape is that of one example; a vector of numbers has examples of one number.
func (h *npyHeader) exampleShape() graph.Shape {
	if len(h.dims) == 1 {
		return graph.Shape{1}
	}
	return graph.Shape(h.dims[1:]).Clone()
}
