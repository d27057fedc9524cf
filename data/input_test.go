package data

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"aetrain/graph"
)

// TestOpenInput reads raw data behind transforms that were fitted before, without the data that they were fitted on.
func TestOpenInput(t *testing.T) {
	const transforms = "transforms = [{ kind = \"scale\", to = [0, 2] }]"
	s := openConfig(t, "[data]\nsource = \"mnist\"\ndir = '"+idxFolder(t, 50, 0)+"'\n"+transforms, 1)
	fed, fitted := s.Fields()[0].Spec, s.Pipeline.State()
	npy := writeFiles(t, map[string][]byte{
		"a.npy": npyBytes("|u1", "(1, 1, 1, 2)", false, []byte{0, 51}, little),
		"b.npy": npyBytes("|u1", "(1, 3)", false, []byte{0, 51, 1}, little),
		"c.npy": npyBytes("|u1", "(1, 1, 2)", false, []byte{0, 51}, little),
	})
	folder := idxFolder(t, 3, 2)
	c, err := readConfig(t, "[data]\nsource = \"mnist\"\ndir = '"+folder+"'\n"+transforms)
	if err != nil {
		t.Fatal(err)
	}
	open := func(path string, fitted []Stored) (Source, *Pipeline, error) {
		return OpenInput(context.Background(), c, path, fed, OpenOptions{Seed: 1, Fitted: fitted})
	}
	for _, in := range []struct {
		path string
		want []float32 // of the first example
		n    int
	}{
		{filepath.Join(npy, "a.npy"), []float32{0, 0.4}, 1},
		{filepath.Join(npy, "c.npy"), []float32{0, 0.4}, 1}, // height and width alone
		{folder, []float32{0, 2}, 5},
	} {
		src, p, err := open(in.path, fitted)
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, src); src.Len() != in.n || !near(got[:2], in.want) {
			t.Errorf("%s: got %d examples, the first %v, want %d, %v", in.path, src.Len(), got[:2], in.n, in.want)
		}
		x := Dense(graph.F32(append([]int{1}, fed.Shape...)...))
		copy(x.Float32s(), in.want)
		if err := p.Invert(x, x); err != nil || !near(x.Float32s(), []float32{in.want[0] / 2, in.want[1] / 2}) {
			t.Errorf("%s: %v goes back to %v, %v", in.path, in.want, x.Float32s(), err)
		}
		src.Close()
	}
	var m *Mistake
	if _, _, err := open(filepath.Join(npy, "b.npy"), fitted); !errors.As(err, &m) || !strings.Contains(err.Error(), "its examples are 3, the model was trained on 1x1x2") {
		t.Errorf("another shape: got %v", err)
	}
	if _, _, err := open(folder, nil); err == nil || !strings.Contains(err.Error(), "the checkpoint has no transforms.0.high") {
		t.Errorf("without what was fitted: got %v", err)
	}
	if _, _, err := open(filepath.Join(npy, "none.npy"), fitted); err == nil {
		t.Error("a file that is not there was opened")
	}
}
