package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func sample() ([]Tensor, map[string]string) {
	return []Tensor{
		FromFloat32("encoder.0.weight", []int{2, 3}, []float32{1, -2, 0.5, float32(math.Inf(1)), math.MaxFloat32, math.SmallestNonzeroFloat32}),
		FromInt32("steps", nil, []int32{-7}),
		{Name: "pixels", DType: U8, Shape: []int{3}, Data: []byte{0, 128, 255}},
		{Name: "empty", DType: F32, Shape: []int{0, 4}},
		{Name: `odd "name" <é>`, DType: F64, Shape: []int{1}, Data: make([]byte, 8)},
	}, map[string]string{"version": "1", "a": "x < y & \"z\""}
}

func write(t *testing.T, tensors []Tensor, metadata map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, tensors, metadata); err != nil {
		t.Fatalf("Write: %v", err)
	}
	return b.Bytes()
}

func open(b []byte) (*File, error) {
	return NewFile(bytes.NewReader(b), int64(len(b)), "model.safetensors")
}

func TestRoundTrip(t *testing.T) {
	tensors, metadata := sample()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := os.WriteFile(path, write(t, tensors, metadata), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer f.Close()
	if got := f.Metadata(); !reflect.DeepEqual(got, metadata) {
		t.Errorf("metadata: got %v, want %v", got, metadata)
	}
	if got, want := len(f.Tensors()), len(tensors); got != want {
		t.Fatalf("%d tensors, want %d", got, want)
	}
	for _, want := range tensors {
		got, err := f.Read(want.Name)
		if err != nil {
			t.Errorf("Read(%q): %v", want.Name, err)
		}
		if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%q: got %v, want %v", want.Name, got, want)
		}
		if got.Digest() != want.Digest() {
			t.Errorf("%q: digests differ", want.Name)
		}
		dst := make([]byte, len(want.Data))
		if err := f.ReadInto(want.Name, dst); err != nil || !bytes.Equal(dst, want.Data) {
			t.Errorf("ReadInto(%q): got %v (%v), want %v", want.Name, dst, err, want.Data)
		}
	}
	if _, err := f.Read("nothing"); err == nil || f.Has("nothing") {
		t.Error("a tensor that is not there was read")
	}
	if err := f.ReadInto("pixels", make([]byte, 2)); err == nil {
		t.Error("ReadInto took a destination that is too short")
	}
}

func TestSameContentGivesSameBytes(t *testing.T) {
	tensors, metadata := sample()
	want := write(t, tensors, metadata)
	slices.Reverse(tensors)
	if got := write(t, tensors, metadata); !bytes.Equal(got, want) {
		t.Errorf("the order of tensors shows in the file:\n%q\n%q", got, want)
	}
	if n := binary.LittleEndian.Uint64(want); n%8 != 0 {
		t.Errorf("header length %d is no multiple of 8", n)
	}
	f, err := open(want)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range f.tensors {
		if (f.start+e.begin)%int64(e.DType.Size()) != 0 {
			t.Errorf("%q (%s) begins at byte %d", e.Name, e.DType, f.start+e.begin)
		}
	}
}

func TestNoTensors(t *testing.T) { // the optimiser state of plain SGD
	f, err := open(write(t, nil, nil))
	if err != nil || len(f.Tensors()) != 0 || len(f.Metadata()) != 0 {
		t.Errorf("got %v, %v", f, err)
	}
}

// testdata/python.py made the file with the format's own library.
func TestReadsPython(t *testing.T) {
	f, err := Open("testdata/python.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := f.Metadata()["note"]; got != "a <b> & c" {
		t.Errorf("metadata: got %q", got)
	}
	floats := map[string][]float32{
		"encoder.0.weight": {-0.5, -0.25, 0, 0.25, 0.5, 0.75},
		"encoder.0.bias":   {1.5, -2.5},
		"half":             {1, -2, 0.0999755859375, 1.0 / (1 << 24), 65504, float32(math.Inf(1))},
		"empty":            {},
	}
	for name, want := range floats {
		x, err := f.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := x.Float32(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v (%v), want %v", name, got, err, want)
		}
	}
	ints := map[string][]int32{"steps": {7}, "codes": {-1, 2, math.MaxInt32}, "mask": {1, 0, 1}, "pixels": {0, 128, 255}}
	var all []Tensor
	for name, want := range ints {
		x, err := f.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := x.Int32(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v (%v), want %v", name, got, err, want)
		}
		if _, err := x.Float32(); err == nil {
			t.Errorf("%s: integers were taken as floating point", name)
		}
	}
	for _, info := range f.Tensors() { // and Write gives the very file again
		x, err := f.Read(info.Name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	want, err := os.ReadFile("testdata/python.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if got := write(t, all, f.Metadata()); !bytes.Equal(got, want) {
		t.Errorf("Write differs from the format's own writer:\n%q\n%q", got, want)
	}
}

func TestWriteRefuses(t *testing.T) {
	ok := FromFloat32("w", []int{1}, []float32{1})
	cases := []struct {
		name    string
		tensors []Tensor
		meta    map[string]string
		want    string
	}{
		{"name twice", []Tensor{ok, ok}, nil, `"w": name given twice`},
		{"no name", []Tensor{FromFloat32("", nil, []float32{1})}, nil, "not a usable name"},
		{"reserved name", []Tensor{FromFloat32("__metadata__", nil, []float32{1})}, nil, "not a usable name"},
		{"name not UTF-8", []Tensor{FromFloat32("\xff", nil, []float32{1})}, nil, "UTF-8"},
		{"metadata not UTF-8", nil, map[string]string{"k": "\xff"}, "UTF-8"},
		{"short data", []Tensor{FromFloat32("w", []int{2}, []float32{1})}, nil, "takes 8 bytes, data has 4"},
		{"unknown type", []Tensor{{Name: "w", DType: "C64", Data: make([]byte, 8)}}, nil, `unknown type "C64"`},
		{"negative dimension", []Tensor{{Name: "w", DType: U8, Shape: []int{-1}}}, nil, "negative"},
		{"overflow", []Tensor{{Name: "w", DType: U8, Shape: []int{1 << 40, 1 << 40}}}, nil, "too large"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			err := Write(&b, c.tensors, c.meta)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if b.Len() > 0 {
				t.Errorf("%d bytes were written", b.Len())
			}
		})
	}
}

// frame puts a header and data of n bytes into a file.
func frame(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func TestOpenRefuses(t *testing.T) {
	cases := []struct {
		name string
		file []byte
		want string
	}{
		{"empty file", nil, "too short"},
		{"huge header", binary.LittleEndian.AppendUint64(nil, 1<<60), "over the format's limit"},
		{"cut in the header", frame(`{"w":{}}`, 0)[:10], "only 2 follow"},
		{"not JSON", frame(`hello`, 0), "does not begin with {"},
		{"broken JSON", frame(`{"w":`, 0), "header:"},
		{"not UTF-8", frame("{\"\xff\":1}", 0), "UTF-8"},
		{"something behind", frame(`{} {}`, 0), "closing brace"},
		{"name twice", frame(`{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "twice"},
		{"unknown type", frame(`{"w":{"dtype":"X8","shape":[1],"data_offsets":[0,1]}}`, 1), `tensor "w": unknown type`},
		{"unknown key", frame(`{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}`, 1), "unknown field"},
		{"no shape", frame(`{"w":{"dtype":"U8","data_offsets":[0,1]}}`, 1), "wants dtype"},
		{"three offsets", frame(`{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}`, 1), "wants dtype"},
		{"negative shape", frame(`{"w":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, 1), "negative"},
		{"fractional shape", frame(`{"w":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}`, 1), `tensor "w"`},
		{"shape overflows", frame(`{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "too large"},
		{"size disagrees", frame(`{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "takes 8 bytes"},
		{"offsets reversed", frame(`{"w":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}`, 1), "takes 1 bytes"},
		{"truncated data", frame(`{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 7), "ends at byte 8, the file has 7"},
		{"far outside", frame(`{"w":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}`, 4), "truncated"},
		{"hole", frame(`{"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "begins at byte 1"},
		{"overlap", frame(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), "overlap"},
		{"bytes left over", frame(`{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 3), "2 bytes behind"},
		{"metadata of numbers", frame(`{"__metadata__":{"a":1}}`, 0), "__metadata__"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := open(c.file)
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "model.safetensors: ") {
				t.Errorf("got %v, want an ErrCorrupt that names the file and says %q", err, c.want)
			}
		})
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	file := write(t, []Tensor{FromFloat32("w", []int{2}, []float32{1, 2})}, map[string]string{"k": "v"})
	for n := range file {
		if _, err := open(file[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut to %d of %d bytes: got %v", n, len(file), err)
		}
	}
}

// A file may lose its end after it has been opened.
func TestReadOfAFileCutAfterOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cut.safetensors")
	file := write(t, []Tensor{FromFloat32("w", []int{2}, []float32{1, 2})}, nil)
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, int64(len(file)-1)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read("w"); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), path) {
		t.Errorf("Read: got %v", err)
	}
	if _, err := f.Digest(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Digest: got %v", err)
	}
}

func TestOpenOfNoFile(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: got %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder was opened")
	}
}

func TestFileDigest(t *testing.T) {
	f, err := open(frame(`{}`, 0))
	if err != nil {
		t.Fatal(err)
	}
	// printf '\2\0\0\0\0\0\0\0{}' | sha256sum
	want := "411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"
	if got, err := f.Digest(); err != nil || got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

func TestInt32Overflow(t *testing.T) {
	x := Tensor{Name: "steps", DType: U64, Shape: []int{1}, Data: bytes.Repeat([]byte{255}, 8)}
	if _, err := x.Int32(); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("got %v", err)
	}
}

// FuzzOpen: no file makes Open or Read panic; what is accepted reads, and written again it keeps its content.
func FuzzOpen(f *testing.F) {
	tensors, metadata := sample()
	var b bytes.Buffer
	if err := Write(&b, tensors, metadata); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(frame(`{}`, 0))
	f.Add(frame(`{"w":{"dtype":"U8","shape":[1,2],"data_offsets":[0,2]},"e":{"dtype":"F64","shape":[0],"data_offsets":[2,2]}}   `, 2))
	f.Fuzz(func(t *testing.T, in []byte) {
		file, err := open(in)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("error without ErrCorrupt: %v", err)
			}
			return
		}
		var all []Tensor
		for _, info := range file.Tensors() {
			x, err := file.Read(info.Name)
			if err != nil {
				t.Fatalf("Read(%q): %v", info.Name, err)
			}
			if info.Name != "" { // readable, but never written
				all = append(all, x)
			}
		}
		again, err := open(write(t, all, file.Metadata()))
		if err != nil {
			t.Fatalf("written again: %v", err)
		}
		for _, x := range all {
			if y, err := again.Read(x.Name); err != nil || y.Digest() != x.Digest() {
				t.Fatalf("%q changed: %v", x.Name, err)
			}
		}
	})
}
