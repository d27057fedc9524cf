package data

import (
	"archive/tar"
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cifarBytes are records of one label each, all of whose pixels are the label times 20.
func cifarBytes(labels ...byte) []byte {
	var b []byte
	for _, l := range labels {
		b = append(b, l)
		b = append(b, bytes.Repeat([]byte{l * 20}, cifarRecord-1)...)
	}
	return b
}

func TestCIFARFolder(t *testing.T) {
	dir := writeFiles(t, map[string][]byte{
		"data_batch_2.bin": cifarBytes(3), "data_batch_1.bin": cifarBytes(1, 2), "data_batch_1.bin.gz": gzipped(t, cifarBytes(9)),
		"test_batch.bin.gz": gzipped(t, cifarBytes(4)), "batches.meta.txt": []byte("airplane\n"),
	})
	p, err := (&CIFAR10{Dir: dir}).Open(context.Background(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	labels, err := readLabels(p.Train, []int{0, 1, 2})
	if err != nil || labels[0] != 1 || labels[1] != 2 || labels[2] != 3 || p.Train.Len() != 3 || p.Test.Len() != 1 {
		t.Errorf("got labels %v, %v, %d and %d examples", labels, err, p.Train.Len(), p.Test.Len())
	}
	if got := p.Train.Fields()[0].Spec.String(); got != "3x32x32" {
		t.Errorf("got images of %s", got)
	}
}

func TestCIFARErrors(t *testing.T) {
	for _, c := range []struct {
		name, file string
		b          []byte
		want       string
	}{
		{"nothing there", "a.txt", nil, "neither data_batch_*.bin nor test_batch.bin"},
		{"truncated", "data_batch_1.bin", cifarBytes(1)[:100], "no multiple of 3073"},
		{"label", "data_batch_1.bin", cifarBytes(11), "label 11"},
		{"empty", "test_batch.bin", nil, "it is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeFiles(t, map[string][]byte{c.file: c.b})
			if _, err := openCIFAR(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v, want the folder's name and %q", err, c.want)
			}
		})
	}
}

func TestCIFARArchive(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		name string
		b    []byte
	}{{"cifar-10-batches-bin/data_batch_1.bin", cifarBytes(1)}, {"cifar-10-batches-bin/test_batch.bin", cifarBytes(2, 3)}, {"cifar-10-batches-bin/readme.html", []byte("x")}} {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.b)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir := writeFiles(t, map[string][]byte{"a.tar": b.Bytes()})
	p, err := openCIFARTar(filepath.Join(dir, "a.tar"))
	if err != nil || p.Train.Len() != 1 || p.Test.Len() != 2 {
		t.Errorf("got %v, %v", p, err)
	}
}

func FuzzCIFAR(f *testing.F) {
	f.Add(cifarBytes(1, 2))
	f.Add(cifarBytes(200)[:77])
	f.Fuzz(func(t *testing.T, b []byte) {
		var all cifarBatches
		if err := all.add(bytes.NewReader(b)); err == nil && (len(all.labels)*cifarRecord != len(b) || len(all.pixels) != len(all.labels)*(cifarRecord-1)) {
			t.Fatalf("%d bytes gave %d labels and %d pixels", len(b), len(all.labels), len(all.pixels))
		}
	})
}

func TestRealCIFAR(t *testing.T) {
	p, err := openCIFAR(realData(t, "cifar10"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := Measure(context.Background(), p.Train, "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	// The set's published mean is 0.473; this is a part of it.
	if p.Train.Len() != 2500 || p.Test.Len() != 500 || math.Abs(st.Mean-0.473) > 0.01 || st.Labels[3] != 250 {
		t.Errorf("got %d and %d examples, mean %v, labels %v", p.Train.Len(), p.Test.Len(), st.Mean, st.Labels)
	}
}

// realData is a folder of real data; the test skips where AETRAIN_DATA names none.
func realData(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("AETRAIN_DATA")
	if root == "" {
		t.Skip("AETRAIN_DATA names no folder with " + name)
	}
	return filepath.Join(root, name)
}
