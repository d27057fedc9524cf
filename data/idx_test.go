package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// idxBytes builds an IDX file.
func idxBytes(kind byte, dims []int, data []byte) []byte {
	b := []byte{0, 0, kind, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, uint32(d))
	}
	return append(b, data...)
}

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// writeFiles writes files below a new folder.
func writeFiles(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadIDX(t *testing.T) {
	good := idxBytes(8, []int{2, 3}, []byte{1, 2, 3, 4, 5, 6})
	packed := gzipped(t, good)
	for _, c := range []struct {
		name string
		file []byte
		want string // part of the error; "" is none
	}{
		{"plain", good, ""},
		{"gzipped", packed, ""},
		{"empty file", nil, "it ends before its first four bytes"},
		{"one byte", good[:1], "it ends before its first four bytes"},
		{"text", []byte("hello, world"), "not an IDX file"},
		{"floats", idxBytes(0x0D, []int{1}, make([]byte, 4)), "IDX type 0x0d"},
		{"no axes", idxBytes(8, nil, nil), "0 axes"},
		{"many axes", idxBytes(8, []int{1, 1, 1, 1, 1}, []byte{1}), "5 axes"},
		{"header cut", good[:7], "it ends before the sizes of its axes"},
		{"body cut", good[:len(good)-1], "truncated: its header promises 2x3, 6 bytes; it has 5"},
		{"longer", append(slices.Clone(good), 7), "longer than the 2x3"},
		{"empty axis", idxBytes(8, []int{0, 3}, nil), "it is empty"},
		{"giant", idxBytes(8, []int{1 << 31, 1 << 31, 1 << 31}, []byte{1}), "more than a file of this size can hold"},
		{"gzip cut", packed[:len(packed)-9], "truncated"},
		{"gzip damaged", append(slices.Clone(packed[:len(packed)-8]), 0, 0, 0, 0, 6, 0, 0, 0), "damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeFiles(t, map[string][]byte{"file": c.file})
			a, err := readIDXFile(filepath.Join(dir, "file"))
			if c.want == "" {
				if err != nil || !slices.Equal(a.dims, []int{2, 3}) || !slices.Equal(a.data, good[12:]) {
					t.Errorf("got %v, %v", a, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got error %v, want the file's name and %q", err, c.want)
			}
		})
	}
}

func FuzzReadIDX(f *testing.F) {
	f.Add(idxBytes(8, []int{2, 3}, []byte{1, 2, 3, 4, 5, 6}))
	f.Add(gzipped(f, idxBytes(8, []int{2, 1, 1}, []byte{1, 2})))
	f.Add(idxBytes(8, []int{1 << 30, 1 << 30}, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := readIDX(bytes.NewReader(b), int64(len(b))*gzipBest)
		if err != nil {
			return
		}
		size := 1
		for _, d := range a.dims {
			size *= d
		}
		if size != len(a.data) {
			t.Fatalf("axes %v, %d bytes", a.dims, len(a.data))
		}
		var again bytes.Buffer
		if err := writeIDX(&again, a); err != nil {
			t.Fatal(err)
		}
		b2, err := readIDX(&again, int64(size))
		if err != nil || !slices.Equal(b2.data, a.data) {
			t.Fatalf("written and read again: %v", err)
		}
	})
}

// idxFolder is a small set in MNIST's form: images of 1×2 pixels with value = place in the part (tests from 100).
func idxFolder(t testing.TB, train, test int) string {
	t.Helper()
	files := map[string][]byte{}
	add := func(prefix string, n, from int) {
		var x, y []byte
		for i := range n {
			x = append(x, byte(from+i), 255)
			y = append(y, byte(i%3))
		}
		files[prefix+"-images-idx3-ubyte"] = idxBytes(8, []int{n, 1, 2}, x)
		files[prefix+"-labels-idx1-ubyte.gz"] = gzipped(t, idxBytes(8, []int{n}, y))
	}
	add("train", train, 0)
	if test > 0 {
		add("t10k", test, 100)
	}
	return writeFiles(t, files)
}

func TestMNISTFolder(t *testing.T) {
	p, err := (&MNIST{IDXFolder{Dir: idxFolder(t, 5, 2)}}).Open(context.Background(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Train.Len() != 5 || p.Test.Len() != 2 || p.Validation != nil {
		t.Fatalf("got %d, %d examples, validation %v", p.Train.Len(), p.Test.Len(), p.Validation)
	}
	dst := NewBatch(p.Test.Fields(), 2, nil)
	if err := p.Test.Read(dst, []int{1, 0}); err != nil {
		t.Fatal(err)
	}
	if got, want := dst[0].Float32s(), []float32{101. / 255, 1, 100. / 255, 1}; !slices.Equal(got, want) {
		t.Errorf("x: got %v, want %v", got, want)
	}
	if got, want := dst[1].Int32s(), []int32{1, 0}; !slices.Equal(got, want) {
		t.Errorf("label: got %v, want %v", got, want)
	}
}

func TestMNISTFolderErrors(t *testing.T) {
	image := idxBytes(8, []int{2, 1, 1}, []byte{1, 2})
	for _, c := range []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"nothing there", nil, "neither train-images-idx3-ubyte nor t10k-images-idx3-ubyte"},
		{"labels of another set", map[string][]byte{"train-images-idx3-ubyte": image, "train-labels-idx1-ubyte": idxBytes(8, []int{3}, []byte{1, 2, 3})}, "has 2 images"},
		{"sizes differ", map[string][]byte{"train-images-idx3-ubyte": image, "t10k-images-idx3-ubyte": idxBytes(8, []int{1, 1, 2}, []byte{1, 2})}, "do not fit together"},
		{"labels of one part", map[string][]byte{"train-images-idx3-ubyte": image, "t10k-images-idx3-ubyte": image, "t10k-labels-idx1-ubyte": idxBytes(8, []int{2}, []byte{1, 2})},
			"has labels for t10k-images, and no train-labels-idx1-ubyte: add it, or take t10k-labels away"},
		{"four axes", map[string][]byte{"train-images-idx3-ubyte": idxBytes(8, []int{1, 1, 1, 1}, []byte{1})}, "images are N×height×width"},
		{"truncated", map[string][]byte{"train-images-idx3-ubyte": image[:len(image)-1]}, "truncated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeFiles(t, c.files)
			if _, err := openIDX(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got error %v, want the folder's name and %q", err, c.want)
			}
		})
	}
}

// TestRealMNIST reads the real files where AETRAIN_DATA says they are.
func TestRealMNIST(t *testing.T) {
	root := os.Getenv("AETRAIN_DATA")
	if root == "" {
		t.Skip("AETRAIN_DATA names no folder with mnist")
	}
	dir := filepath.Join(root, "mnist")
	p, err := openIDX(dir)
	if err != nil {
		t.Fatal(err)
	}
	if p.Train.Len() != 60000 || p.Test.Len() != 10000 {
		t.Errorf("got %d and %d examples", p.Train.Len(), p.Test.Len())
	}
	st, err := Measure(context.Background(), p.Train, "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	// The figures that everybody normalises MNIST with.
	if d := st.Mean - 0.1307; d > 1e-4 || d < -1e-4 {
		t.Errorf("mean %v, want 0.1307", st.Mean)
	}
	if d := st.Std - 0.3081; d > 1e-4 || d < -1e-4 {
		t.Errorf("deviation %v, want 0.3081", st.Std)
	}
	if st.Labels[5] != 5421 || len(st.Labels) != 10 {
		t.Errorf("labels %v, want 5421 fives", st.Labels)
	}
}

// TestOffline asks for a set where no mirror answers.
func TestOffline(t *testing.T) {
	t.Setenv("AETRAIN_CACHE", t.TempDir())
	set := idxSet{name: "mnist", mirrors: []string{"http://127.0.0.1:1/"}, files: mnistFiles.files}
	_, err := set.fetch(context.Background(), func(Progress) {})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"train-images-idx3-ubyte.gz cannot be downloaded", "127.0.0.1:1", "t10k-labels-idx1-ubyte.gz", "data.dir", os.Getenv("AETRAIN_CACHE")} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
}
