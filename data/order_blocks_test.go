package data

import (
	"context"
	"slices"
	"testing"

	"aetrain/graph"
)

// labelledImages are images of one pixel with these labels.
func labelledImages(labels ...int32) Source {
	return newImages(graph.Shape{1, 1, 1}, make([]uint8, len(labels)), labels)
}

// Each batch holds an equal, contiguous block of each label, all of the largest label's examples are seen, and the others come
// again; the order belongs to seed and epoch alone.
func TestBlocks(t *testing.T) {
	labels := []int32{2, 0, 0, 1, 0, 2, 0, 0, 1, 0}
	s := labelledImages(labels...)
	o := LoaderOptions{Batch: 6, Seed: 5, Shuffle: true, Epochs: 2, Blocks: "label", MinLast: 2}
	read := func(o LoaderOptions) (all [][]int) {
		l, err := NewLoader(s, o)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if got := l.Sizes(); !slices.Equal(got, []int{6}) || l.Steps() != 3 {
			t.Fatalf("sizes %v, %d steps; want 6 and 3", got, l.Steps())
		}
		for {
			b, err := l.Next(context.Background())
			if err != nil {
				return all
			}
			all = append(all, slices.Clone(b.Indices))
			for row, label := range b.Field("label").Int32s() {
				if int(label) != row/2 || labels[b.Indices[row]] != label {
					t.Fatalf("row %d of batch %d has label %d", row, b.Index, label)
				}
			}
		}
	}
	all := read(o)
	if len(all) != 6 {
		t.Fatalf("%d batches of two epochs, want 6", len(all))
	}
	seen := map[int]bool{}
	for _, b := range all[:3] {
		seen[b[0]], seen[b[1]] = true, true
	}
	if len(seen) != 6 {
		t.Errorf("an epoch shows %d of the 6 examples of label 0", len(seen))
	}
	if slices.EqualFunc(all[:3], all[3:], slices.Equal) {
		t.Error("both epochs have one order")
	}
	o.Workers, o.Epoch, o.Epochs = 3, 1, 1
	if got := read(o); !slices.EqualFunc(got, all[3:], slices.Equal) {
		t.Errorf("the second epoch by itself is %v, before it was %v", got, all[3:])
	}
}

func TestBlocksMistakes(t *testing.T) {
	for _, c := range []struct {
		name  string
		s     Source
		batch int
		want  string
	}{
		{"no multiple", labelledImages(0, 1, 2), 4, "data.batch: 4 is no multiple of 3: each batch holds as many examples of every label"},
		{"a label without examples", labelledImages(0, 2, 2), 3, "no training example has label 1: each of 3 needs some"},
		{"no labels", labelledImages(), 3, "the data has no labels label to share batches out by"},
	} {
		_, err := NewLoader(c.s, LoaderOptions{Batch: c.batch, Blocks: "label"})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v\nwant %s", c.name, err, c.want)
		}
	}
}

// A source under one label keeps the rest as it was; one that has no labels gets them.
func TestWithLabel(t *testing.T) {
	field := Field{Name: "label", Spec: graph.I32(), Classes: 3}
	for name, s := range map[string]Source{"over its own": labelledImages(0, 1, 2), "none of its own": newImages(graph.Shape{1, 1, 1}, []uint8{7, 8, 9}, nil)} {
		l := WithLabel(s, field, 2)
		dst := NewBatch(l.Fields(), 2, nil)
		if err := l.Read(dst, []int{2, 0}); err != nil {
			t.Fatal(err)
		}
		if got := dst[1].Int32s(); len(l.Fields()) != 2 || !slices.Equal(got, []int32{2, 2}) {
			t.Errorf("%s: labels %v of fields %v", name, got, l.Fields())
		}
	}
}
