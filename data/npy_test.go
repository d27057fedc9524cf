package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// npyBytes builds an NPY file, version 1.0.
func npyBytes(descr, shape string, fortran bool, data any, order binary.ByteOrder) []byte {
	word := "False"
	if fortran {
		word = "True"
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, word, shape)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	var b bytes.Buffer
	b.WriteString(npyMagic + "\x01\x00")
	binary.Write(&b, binary.LittleEndian, uint16(len(header)))
	b.WriteString(header)
	binary.Write(&b, order, data)
	return b.Bytes()
}

var little, big = binary.LittleEndian, binary.BigEndian

func TestNPYTypes(t *testing.T) {
	half := math.Float32bits(0.5)
	for _, c := range []struct {
		descr string
		data  any
		order binary.ByteOrder
		want  []float32
	}{
		{"<f4", []float32{1.5, -2}, little, []float32{1.5, -2}},
		{">f4", []float32{1.5, -2}, big, []float32{1.5, -2}},
		{"<f8", []float64{1.5, -2}, little, []float32{1.5, -2}},
		{"<f2", []uint16{0x3c00, 0xc000}, little, []float32{1, -2}},
		{"<i8", []int64{1 << 20, -3}, little, []float32{1 << 20, -3}},
		{">i4", []int32{7, -3}, big, []float32{7, -3}},
		{"<i2", []int16{7, -3}, little, []float32{7, -3}},
		{"|i1", []int8{7, -3}, little, []float32{7, -3}},
		{"<u8", []uint64{7, 3}, little, []float32{7, 3}},
		{"<u4", []uint32{half, 3}, little, []float32{float32(half), 3}},
		{">u2", []uint16{7, 3}, big, []float32{7, 3}},
		{"|u1", []uint8{255, 51}, little, []float32{255, 51}},
		{"|b1", []uint8{1, 0}, little, []float32{1, 0}},
	} {
		t.Run(c.descr, func(t *testing.T) {
			dir := writeFiles(t, map[string][]byte{"a.npy": npyBytes(c.descr, "(1, 2)", false, c.data, c.order)})
			s := openNPYSource(t, "", filepath.Join(dir, "a.npy"))
			dst := NewBatch(s.Fields(), 1, nil)
			if err := s.Read(dst, []int{0}); err != nil || !slices.Equal(dst[0].Float32s(), c.want) {
				t.Errorf("got %v, %v, want %v", dst[0].Float32s(), err, c.want)
			}
		})
	}
}

// openNPYSource opens files as the source npy does.
func openNPYSource(t testing.TB, label string, files ...string) Source {
	t.Helper()
	p, err := (&NPY{File: files}).Open(context.Background(), Env{Label: label})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Train.Close() })
	return p.Train
}

func TestHalfFloat(t *testing.T) {
	for bits, want := range map[uint16]float64{0: 0, 1: 0x1p-24, 0x03ff: 1023 * 0x1p-24, 0x0400: 0x1p-14, 0x3555: 0.333251953125, 0x7bff: 65504, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1), 0xc500: -5} {
		if got := halfFloat(bits); got != want {
			t.Errorf("%04x: got %v, want %v", bits, got, want)
		}
	}
	if !math.IsNaN(halfFloat(0x7e00)) {
		t.Error("7e00 is NaN")
	}
}

// TestNPYOrder reads the same array, element (n,i,j) = 100n+10i+j, in C and in Fortran order.
func TestNPYOrder(t *testing.T) {
	var c, f []float32
	for n := range 4 {
		for i := range 3 {
			for j := range 2 {
				c = append(c, float32(100*n+10*i+j))
			}
		}
	}
	for j := range 2 {
		for i := range 3 {
			for n := range 4 {
				f = append(f, float32(100*n+10*i+j))
			}
		}
	}
	dir := writeFiles(t, map[string][]byte{
		"c.npy": npyBytes("<f4", "(4, 3, 2)", false, c, little), "f.npy": npyBytes("<f4", "(4, 3, 2)", true, f, little)})
	for _, name := range []string{"c.npy", "f.npy"} {
		s := openNPYSource(t, "", filepath.Join(dir, name))
		if got := s.Fields()[0].Spec.String(); s.Len() != 4 || got != "3x2" {
			t.Errorf("%s: got %d examples of %s", name, s.Len(), got)
		}
		dst := NewBatch(s.Fields(), 2, nil)
		if err := s.Read(dst, []int{3, 1}); err != nil {
			t.Fatal(err)
		}
		if got, want := dst[0].Float32s(), []float32{300, 301, 310, 311, 320, 321, 100, 101, 110, 111, 120, 121}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestNPYFiles(t *testing.T) {
	file := func(from float32) []byte {
		return npyBytes("<f4", "(2, 1)", false, []float32{from, from + 1}, little)
	}
	dir := writeFiles(t, map[string][]byte{
		"b.npy": file(2), "a.npy": file(0), "c/labels.npy": npyBytes("<i8", "(4,)", false, []int64{5, 6, 7, 8}, little),
		"c/few.npy": npyBytes("<i8", "(1,)", false, []int64{5}, little), "c/broken.npy": npyBytes("<f4", "(1,)", false, []float32{0.5}, little),
		"c/wide.npy": npyBytes("<f4", "(1, 3)", false, []float32{1, 2, 3}, little)})
	for _, c := range []struct {
		name  string
		files []string
	}{
		{"glob", []string{"*.npy"}},
		{"list, in the order of names", []string{"b.npy", "a.npy"}},
		{"list and glob, each once", []string{"b.npy", "?.npy"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range c.files {
				c.files[i] = filepath.Join(dir, c.files[i])
			}
			s := openNPYSource(t, filepath.Join(dir, "c/labels.npy"), c.files...)
			dst := NewBatch(s.Fields(), s.Len(), nil)
			if err := s.Read(dst, []int{0, 1, 2, 3}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(dst[0].Float32s(), []float32{0, 1, 2, 3}) || !slices.Equal(dst[1].Int32s(), []int32{5, 6, 7, 8}) {
				t.Errorf("got %v, labels %v", dst[0].Float32s(), dst[1].Int32s())
			}
			if got := ExampleName(s, 3); got != "b.npy:1" {
				t.Errorf("example 3 is called %s", got)
			}
		})
	}
	for _, c := range []struct {
		name, label, file, want string
	}{
		{"too few labels", "c/few.npy", "a.npy", "1 labels for 2 examples"},
		{"labels that are fractions", "c/broken.npy", "a.npy", "label 0 is 0.5"},
		{"labels that are vectors", "c/wide.npy", "a.npy", "its shape is 1x3"},
		{"no such labels", "c/none.npy", "a.npy", "no such file"},
		{"no such file", "", "z.npy", "no such file"},
		{"a folder", "", "c", "not a file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			label := ""
			if c.label != "" {
				label = filepath.Join(dir, c.label)
			}
			_, err := (&NPY{File: Paths{filepath.Join(dir, c.file)}}).Open(context.Background(), Env{Label: label})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %q", err, c.want)
			}
		})
	}
	_, err := (&NPY{File: Paths{filepath.Join(dir, "a.npy"), filepath.Join(dir, "c/wide.npy")}}).Open(context.Background(), Env{})
	if err == nil || !strings.Contains(err.Error(), "examples of 1, ") || !strings.Contains(err.Error(), "wide.npy of 3") {
		t.Errorf("files of different shapes: got %v", err)
	}
}

func TestNPYStoredImages(t *testing.T) {
	dir := writeFiles(t, map[string][]byte{"a.npy": npyBytes("|u1", "(1, 1, 1, 2)", false, []uint8{255, 51}, little)})
	s := openNPYSource(t, "", filepath.Join(dir, "a.npy"))
	dst := NewBatch(s.Fields(), 1, nil)
	if err := s.Read(dst, []int{0}); err != nil || !slices.Equal(dst[0].Float32s(), []float32{1, 51. / 255}) {
		t.Errorf("got %v, %v", dst[0].Float32s(), err)
	}
}

func TestNPYErrors(t *testing.T) {
	good := npyBytes("<f4", "(2, 1)", false, []float32{1, 2}, little)
	with := func(descr, shape string) []byte { return npyBytes(descr, shape, false, []float32{1, 2}, little) }
	version := slices.Clone(good)
	version[6] = 9
	long := slices.Clone(good)
	long[6] = 2
	copy(long[8:], []byte{255, 255, 255, 255})
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "not an NPY file"},
		{"text", []byte("1,2,3\n4,5,6\n7,8,9\n"), "not an NPY file"},
		{"version", version, "NPY version is 9"},
		{"header of 4 GB", long, "truncated or damaged"},
		{"header cut", good[:40], "truncated or damaged"},
		{"body cut", good[:len(good)-1], "truncated: its header promises 2x1"},
		{"longer", append(slices.Clone(good), 1), "1 bytes follow"},
		{"complex", with("<c8", "(2,)"), `type "<c8"`},
		{"objects", with("|O", "(2,)"), "element type"},
		{"giant", with("<f4", "(9223372036854775807, 9223372036854775807)"), "damaged"},
		{"giant product", with("<f4", "(4000000000000000000, 4000000000000000000)"), "truncated"},
		{"negative", with("<f4", "(-2, 1)"), "its shape is"},
		{"no numbers", with("<f4", "(a, b)"), "its shape is"},
		{"no shape", with("<f4", "2"), "its shape is"},
		{"scalar", npyBytes("<f4", "()", false, []float32{1}, little), "single number"},
		{"nothing in it", npyBytes("<f4", "(0, 3)", false, []float32{}, little), "it is empty"},
		{"nine axes", with("<f4", "(1,1,1,1,1,1,1,1,2)"), "9 axes"},
		{"order", bytes.Replace(good, []byte("False"), []byte("Maybe"), 1), "fortran_order"},
		{"no descr", bytes.Replace(good, []byte("descr"), []byte("xescr"), 1), "no descr"},
		{"records", bytes.Replace(good, []byte("'<f4'"), []byte("[...]"), 1), "records"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeFiles(t, map[string][]byte{"a.npy": c.file})
			_, err := (&NPY{File: Paths{filepath.Join(dir, "a.npy")}}).Open(context.Background(), Env{})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got error %v, want the file's name and %q", err, c.want)
			}
		})
	}
}

// TestNPYShrinks has the file become shorter while it is open.
func TestNPYShrinks(t *testing.T) {
	dir := writeFiles(t, map[string][]byte{"a.npy": npyBytes("<f4", "(2, 1)", false, []float32{1, 2}, little)})
	name := filepath.Join(dir, "a.npy")
	s := openNPYSource(t, "", name)
	if err := os.Truncate(name, 20); err != nil {
		t.Fatal(err)
	}
	err := s.Read(NewBatch(s.Fields(), 1, nil), []int{1})
	if err == nil || !strings.Contains(err.Error(), "example 1") || !strings.Contains(err.Error(), name) {
		t.Errorf("got %v", err)
	}
}

func FuzzNPYHeader(f *testing.F) {
	f.Add(npyBytes("<f4", "(2, 1)", false, []float32{1, 2}, little))
	f.Add(npyBytes("|u1", "(3,)", true, []uint8{1, 2, 3}, little))
	f.Add([]byte(npyMagic + "\x01\x00\x05\x00{'de}"))
	f.Add([]byte(npyMagic + "\x02\x00\xff\xff\x00\x00{'descr': '', 'shape': (,), 'fortran_order': "))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readNPYHeader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		size := h.bytes
		for _, d := range h.dims {
			size *= d
		}
		if h.start+int64(size) != int64(len(b)) {
			t.Fatalf("%v of %d bytes from %d on in a file of %d", h.dims, h.bytes, h.start, len(b))
		}
	})
}
