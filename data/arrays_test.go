package data

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aetrain/internal/safetensors"
)

// matMatrixBytes is a variable of bytes as doubles, which MATLAB stores so.
func matMatrixBytes(name string, dims []int32, values []byte) []byte {
	element := func(kind uint32, body []byte) []byte {
		b := binary.LittleEndian.AppendUint32(nil, kind)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
		b = append(b, body...)
		return append(b, make([]byte, (8-len(body)%8)%8)...)
	}
	var shape []byte
	for _, d := range dims {
		shape = binary.LittleEndian.AppendUint32(shape, uint32(d))
	}
	small := append([]byte{1, 0, byte(len(name)), 0}, append([]byte(name), make([]byte, 4-len(name))...)...)
	return element(miMatrix, slices.Concat(element(6, []byte{mxDouble, 0, 0, 0, 0, 0, 0, 0}), element(5, shape), small, element(2, values)))
}

// matBytes is a file; every second variable is packed.
func matBytes(t testing.TB, variables ...[]byte) []byte {
	b := append([]byte("MATLAB 5.0 MAT-file"), make([]byte, 105)...)
	b = append(b, 0, 1, 'I', 'M')
	for i, v := range variables {
		if i%2 == 0 {
			var packed bytes.Buffer
			z := zlib.NewWriter(&packed)
			z.Write(v)
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			v = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, miCompressed), uint32(packed.Len()))
			v = append(v, packed.Bytes()...)
		}
		b = append(b, v...)
	}
	return b
}

func TestMat(t *testing.T) {
	b := matBytes(t, matMatrixBytes("X", []int32{3, 2}, []byte{1, 2, 3, 4, 5, 6}), matMatrixBytes("y", []int32{3, 1}, []byte{0, 1, 0}))
	dir := writeFiles(t, map[string][]byte{"a.mat": b})
	p, err := (&Mat{arrayKeys{File: Paths{filepath.Join(dir, "a.mat")}}}).Open(context.Background(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Train.Close()
	if got := readAll(t, p.Train); !slices.Equal(got, []float32{1, 4, 2, 5, 3, 6}) {
		t.Errorf("got %v", got)
	}
	if labels, err := readLabels(p.Train, []int{0, 1, 2}); err != nil || !slices.Equal(labels, []int32{0, 1, 0}) {
		t.Errorf("got labels %v, %v", labels, err)
	}
}

func TestSafetensorsSource(t *testing.T) {
	bf16 := safetensors.Tensor{Name: "half", DType: safetensors.BF16, Shape: []int{2, 1}, Data: []byte{0x80, 0x3f, 0x00, 0xc0}}
	var b bytes.Buffer
	if err := safetensors.Write(&b, []safetensors.Tensor{safetensors.FromFloat32("X", []int{2, 2}, []float32{1, 2, 3, 4}), safetensors.FromInt32("y", []int{2}, []int32{7, 8}), bf16}, nil); err != nil {
		t.Fatal(err)
	}
	dir := writeFiles(t, map[string][]byte{"a.safetensors": b.Bytes()})
	for _, c := range []struct {
		keys string
		want []float32
		err  string
	}{
		{"", []float32{1, 2, 3, 4}, ""},
		{"x = \"half\"", []float32{1, -2}, ""},
		{"x = \"halv\"", nil, "has no array halv; did you mean half?"},
		{"label = \"z\"", nil, "data.label: "},
	} {
		cfg, err := readConfig(t, "[data]\nsource = \"safetensors\"\nvalidation = 0\nfile = '"+dir+"/*'\n"+c.keys)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(context.Background(), cfg, OpenOptions{})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: got %v, want %q", c.keys, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if got := readAll(t, s.Train); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.keys, got, c.want)
		}
	}
}

func TestMatErrors(t *testing.T) {
	good := matBytes(t, matMatrixBytes("a", []int32{1, 2}, []byte{1, 2}), matMatrixBytes("b", []int32{1, 2}, []byte{1, 2}))
	for _, c := range []struct {
		name, want string
		b          []byte
	}{
		{"text", "not a MATLAB 5 file", bytes.Repeat([]byte("hello "), 40)},
		{"HDF5", "save it with -v7", []byte("MATLAB 7.3 MAT-file")},
		{"truncated", "truncated", good[:len(good)-20]},
		{"dims", "has 2 values", matBytes(t, matMatrixBytes("a", []int32{2, 2}, []byte{1, 2}))},
	} {
		if _, err := readMat(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func FuzzMat(f *testing.F) {
	f.Add(matBytes(f, matMatrixBytes("X", []int32{3, 2}, []byte{1, 2, 3, 4, 5, 6}), matMatrixBytes("y", []int32{3, 1}, []byte{0, 1, 0})))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readMat(b)
		if err != nil {
			return
		}
		for _, name := range m.names() {
			if a, err := m.array(name); err == nil {
				if err := a.readFloats(make([]float32, a.size), a.len()-1); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// TestRealODDS reads the sets whose figures are known.
func TestRealODDS(t *testing.T) {
	dir := realData(t, "odds")
	for name, want := range map[string][3]int{"arrhythmia": {452, 274, 66}, "cardio": {1831, 21, 176}, "glass": {214, 9, 9}, "ionosphere": {351, 33, 126}, "letter": {1600, 32, 100},
		"lympho": {148, 18, 6}, "mnist": {7603, 100, 700}, "musk": {3062, 166, 97}, "pendigits": {6870, 16, 156}, "vowels": {1456, 12, 50}} {
		p, err := (&Mat{arrayKeys{File: Paths{filepath.Join(dir, name+".mat")}}}).Open(context.Background(), Env{})
		if err != nil {
			t.Error(err)
			continue
		}
		st, err := Measure(context.Background(), p.Train, "x", 0)
		if got := [3]int{p.Train.Len(), st.Spec.Shape.Size(), st.Labels[1]}; err != nil || got != want || !st.Finite || math.IsNaN(st.Mean) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
}
