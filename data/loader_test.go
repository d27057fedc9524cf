package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

// counting is n images of one pixel with value = place, and the place as label.
func counting(n int) *images {
	pixels, labels := make([]uint8, n), make([]int32, n)
	for i := range n {
		pixels[i], labels[i] = uint8(i), int32(i)
	}
	return newImages(graph.Shape{1, 1, 1}, pixels, labels)
}

// newLoader makes a loader that the test closes.
func newLoader(t testing.TB, s Source, o LoaderOptions) *Loader {
	t.Helper()
	l, err := NewLoader(s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// run writes what a loader gives until its end: epoch, index, row0, labels.
func run(t testing.TB, l *Loader) []string {
	t.Helper()
	var all []string
	for {
		b, err := l.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		labels := b.Field("label").Int32s()
		x := b.Field("x").Float32s()
		for i, at := range b.Indices {
			if labels[i] != int32(at) || x[i] != float32(uint8(at))/255 {
				t.Fatalf("epoch %d, batch %d: example %d has label %d, x %v", b.Epoch, b.Index, at, labels[i], x[i])
			}
		}
		if len(labels) != b.Size || b.Size != len(b.Indices) {
			t.Fatalf("size %d, %d indices, %d labels", b.Size, len(b.Indices), len(labels))
		}
		all = append(all, fmt.Sprint(b.Epoch, b.Index, b.Last, b.Row0, labels))
	}
}

func TestLoaderBatches(t *testing.T) {
	for _, c := range []struct {
		name  string
		n     int
		o     LoaderOptions
		want  []string
		sizes []int
	}{
		{"in order", 5, LoaderOptions{Batch: 2, Epochs: 1}, []string{"0 0 false 0 [0 1]", "0 1 false 2 [2 3]", "0 2 true 4 [4]"}, []int{2, 1}},
		{"two epochs", 2, LoaderOptions{Batch: 2, Epochs: 2}, []string{"0 0 true 0 [0 1]", "1 0 true 0 [0 1]"}, []int{2}},
		{"training counts rows in the batch", 4, LoaderOptions{Batch: 2, Epochs: 1, Training: true}, []string{"0 0 false 0 [0 1]", "0 1 true 0 [2 3]"}, []int{2}},
		{"the last one dropped", 5, LoaderOptions{Batch: 2, Epochs: 1, DropLast: true}, []string{"0 0 false 0 [0 1]", "0 1 true 2 [2 3]"}, []int{2}},
		{"a single one left out", 5, LoaderOptions{Batch: 2, Epochs: 1, MinLast: 2}, []string{"0 0 false 0 [0 1]", "0 1 true 2 [2 3]"}, []int{2}},
		{"fewer than a batch", 3, LoaderOptions{Batch: 8, Epochs: 2}, []string{"0 0 true 0 [0 1 2]", "1 0 true 0 [0 1 2]"}, []int{3}},
		{"a batch beyond any", 3, LoaderOptions{Batch: 1 << 60, Epochs: 1}, []string{"0 0 true 0 [0 1 2]"}, []int{3}},
		{"from the middle", 5, LoaderOptions{Batch: 2, Epochs: 2, Epoch: 3, Index: 2}, []string{"3 2 true 4 [4]", "4 0 false 0 [0 1]", "4 1 false 2 [2 3]", "4 2 true 4 [4]"}, []int{2, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLoader(t, counting(c.n), c.o)
			if got := run(t, l); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if !slices.Equal(l.Sizes(), c.sizes) {
				t.Errorf("sizes: got %v, want %v", l.Sizes(), c.sizes)
			}
			if _, err := l.Next(context.Background()); !errors.Is(err, io.EOF) {
				t.Errorf("after the end: got %v", err)
			}
		})
	}
}

// TestLoaderWorkers wants the same batches from any number of workers, whatever each takes.
func TestLoaderWorkers(t *testing.T) {
	src := counting(101)
	want := run(t, newLoader(t, src, LoaderOptions{Batch: 7, Shuffle: true, Seed: 5, Epochs: 4, Workers: 1}))
	for _, workers := range []int{0, 2, 3, 8} {
		for _, held := range []int{0, 3} {
			l := newLoader(t, &jittery{src}, LoaderOptions{Batch: 7, Shuffle: true, Seed: 5, Epochs: 4, Workers: workers, Held: held})
			if got := run(t, l); !slices.Equal(got, want) {
				t.Errorf("%d workers, %d held: other batches", workers, held)
			}
		}
	}
}

// jittery is a source whose reads take random time.
type jittery struct{ Source }

func (j *jittery) Read(dst []*tensor.Dense, indices []int) error {
	time.Sleep(time.Duration(time.Now().UnixNano()%7) * 100 * time.Microsecond)
	return j.Source.Read(dst, indices)
}

func TestLoaderShuffle(t *testing.T) {
	src := counting(50)
	order := func(seed uint64, epoch int) []int {
		l := newLoader(t, src, LoaderOptions{Batch: 50, Shuffle: true, Seed: seed, Epoch: epoch})
		b, err := l.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(b.Indices)
	}
	first := order(1, 0)
	if sorted := slices.Sorted(slices.Values(first)); sorted[0] != 0 || sorted[49] != 49 || len(slices.Compact(sorted)) != 50 {
		t.Errorf("not a permutation: %v", first)
	}
	if slices.Equal(first, order(1, 1)) || slices.Equal(first, order(2, 0)) {
		t.Error("another epoch or seed gives the same order")
	}
	if !slices.Equal(first, order(1, 0)) {
		t.Error("the same seed and epoch give another order")
	}
}

// TestLoaderResume starts in every place of an endless run and wants its rest.
func TestLoaderResume(t *testing.T) {
	src := counting(20)
	o := LoaderOptions{Batch: 6, Shuffle: true, Seed: 9, Epochs: 3, Training: true, Workers: 2}
	whole := run(t, newLoader(t, src, o))
	l := newLoader(t, src, o)
	for at := range whole {
		epoch, index := at/l.Steps(), at%l.Steps()
		r := o
		r.Epoch, r.Index, r.Epochs = epoch, index, 3-epoch
		if got := run(t, newLoader(t, src, r)); !slices.Equal(got, whole[at:]) {
			t.Fatalf("from epoch %d, batch %d: got %q", epoch, index, got)
		}
	}
	for range 3 { // one loader again and again, as validation does; also from the middle of a pass
		if _, err := l.Next(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := l.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
		if got := run(t, l); !slices.Equal(got, whole) {
			t.Fatalf("sought: got %q", got)
		}
		if err := l.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range [][2]int{{-1, 0}, {0, -1}, {0, l.Steps()}} {
		if err := l.Seek(bad[0], bad[1]); err == nil {
			t.Errorf("epoch %d, batch %d is accepted", bad[0], bad[1])
		}
	}
}

// TestLoaderHeld keeps batches for as long as it was promised.
func TestLoaderHeld(t *testing.T) {
	l := newLoader(t, counting(200), LoaderOptions{Batch: 4, Held: 3, Workers: 2})
	var held []*Batch
	var want [][]int32
	for range 150 {
		b, err := l.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		held, want = append(held, b), append(want, slices.Clone(b.Field("label").Int32s()))
		if len(held) > 3 {
			held, want = held[1:], want[1:]
		}
		for i, b := range held {
			if !slices.Equal(b.Field("label").Int32s(), want[i]) {
				t.Fatalf("a held batch has changed from %v to %v", want[i], b.Field("label").Int32s())
			}
		}
	}
}

func TestLoaderFields(t *testing.T) {
	var asked []string
	alloc := func(s graph.Spec) *tensor.Dense {
		asked = append(asked, s.String())
		return Dense(s)
	}
	l := newLoader(t, counting(5), LoaderOptions{Batch: 2, Fields: []string{"label"}, Alloc: alloc, Workers: 1})
	b, err := l.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Fields) != 1 || b.Field("x") != nil || !slices.Equal(b.Fields[0].Int32s(), []int32{0, 1}) {
		t.Errorf("got %d fields", len(b.Fields))
	}
	if want := []string{"2 int32", "1 int32", "2 int32", "1 int32", "2 int32", "1 int32"}; !slices.Equal(asked, want) {
		t.Errorf("memory was asked for %q, want %q", asked, want)
	}
	if _, err := NewLoader(counting(5), LoaderOptions{Batch: 2, Fields: []string{"mask"}}); err == nil || !strings.Contains(err.Error(), "no field mask; it has [x label]") {
		t.Errorf("a field that is not there: got %v", err)
	}
	if _, err := NewLoader(counting(1), LoaderOptions{Batch: 2, DropLast: true}); err == nil {
		t.Error("a loader without batches is made")
	}
	if _, err := NewLoader(counting(1), LoaderOptions{}); err == nil {
		t.Error("a batch of 0 is accepted")
	}
}

// failing is a source with a bad example.
type failing struct {
	Source
	bad int
}

func (f *failing) Read(dst []*tensor.Dense, indices []int) error {
	if slices.Contains(indices, f.bad) {
		return fmt.Errorf("example %d is damaged", f.bad)
	}
	return f.Source.Read(dst, indices)
}

func TestLoaderError(t *testing.T) {
	l := newLoader(t, &failing{counting(20), 13}, LoaderOptions{Batch: 4, Workers: 3})
	for n := range 10 {
		_, err := l.Next(context.Background())
		if (n < 3) != (err == nil) {
			t.Fatalf("batch %d: got %v", n, err)
		}
		if err != nil && err.Error() != "epoch 1, batch 4: example 13 is damaged" {
			t.Fatalf("got %v", err)
		}
	}
}

// blocked is a source that does not come back until it is let go.
type blocked struct {
	Source
	let chan struct{}
}

func (b *blocked) Read(dst []*tensor.Dense, indices []int) error {
	<-b.let
	return b.Source.Read(dst, indices)
}

func TestLoaderCancelled(t *testing.T) {
	src := &blocked{counting(20), make(chan struct{})}
	l := newLoader(t, src, LoaderOptions{Batch: 4})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := l.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(src.let)
	if b, err := l.Next(context.Background()); err != nil || b.Index != 0 {
		t.Errorf("afterwards: got %v, want the first batch", err)
	}
	l.Close()
	if _, err := l.Next(context.Background()); err == nil {
		t.Error("a closed loader goes on")
	}
}

// TestLoaderAllocates runs many batches, of both sizes, in shuffled epochs behind transforms.
func TestLoaderAllocates(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector sync.Pool forgets at random")
	}
	src := newVectors(graph.Shape{1, 4, 4}, make([]float32, 16*1000))
	file := writeFiles(t, map[string][]byte{"a.npy": npyBytes("<f4", "(1000, 16)", false, make([]float32, 16000), little)})
	for _, c := range []struct {
		name string
		src  Source
	}{
		{"memory", counting(1000)},
		{"files", openNPYSource(t, "", filepath.Join(file, "a.npy"))},
		{"chosen examples", choose(counting(1100), newOrder(1000, false, 0).at)},
		{"transforms", pipelineOver(t, src, &Standardize{Axis: "feature"}, &Noise{Sigma: 0.1}).transform(src)},
		{"transforms that reshape", pipelineOver(t, src, &Pad{Size: []int{8}}, &Flip{Axis: "horizontal", Probability: 0.5}, &Resize{Size: []int{3}, Fit: "crop"}).transform(src)},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLoader(t, c.src, LoaderOptions{Batch: 48, Shuffle: true, Training: true, Workers: 2})
			next := func(n int) {
				for range n {
					if _, err := l.Next(context.Background()); err != nil {
						t.Fatal(err)
					}
				}
			}
			next(3 * l.Steps())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			const epochs = 5
			next(epochs * l.Steps())
			runtime.ReadMemStats(&after)
			// A few an epoch (its order, and memory of a pool that the collector has emptied), none a batch.
			if got := after.Mallocs - before.Mallocs; got >= uint64(epochs*l.Steps()) {
				t.Errorf("%d allocations in %d batches", got, epochs*l.Steps())
			}
		})
	}
}

// BenchmarkLoader reads batches of 128 images of 784 pixels, shuffled, as training on MNIST does.
func BenchmarkLoader(b *testing.B) {
	const n, size = 54000, 784
	src := newImages(graph.Shape{1, 28, 28}, make([]uint8, n*size), make([]int32, n))
	floats := newVectors(graph.Shape{size}, make([]float32, 10000*size))
	for _, c := range []struct {
		name string
		src  Source
	}{
		{"stored", src},
		{"stored-standardize", pipelineOver(b, src, &Standardize{Axis: "channel"}).transform(src)},
		{"stored-binarize", pipelineOver(b, src, &Binarize{Dynamic: true}).transform(src)},
		{"float32", floats},
	} {
		b.Run(c.name, func(b *testing.B) {
			l := newLoader(b, c.src, LoaderOptions{Batch: 128, Shuffle: true, Training: true, Workers: 1})
			images := 0
			b.ReportAllocs()
			for b.Loop() {
				batch, err := l.Next(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				images += batch.Size
			}
			b.ReportMetric(float64(images)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

// BenchmarkNPY reads examples of 768 numbers from a file in place.
func BenchmarkNPY(b *testing.B) {
	const n, size = 20000, 768
	dir := writeFiles(b, map[string][]byte{"a.npy": npyBytes("<f4", fmt.Sprintf("(%d, %d)", n, size), false, make([]float32, n*size), little)})
	defer os.Remove(filepath.Join(dir, "a.npy"))
	l := newLoader(b, openNPYSource(b, "", filepath.Join(dir, "a.npy")), LoaderOptions{Batch: 128, Shuffle: true, Workers: 1})
	for b.Loop() {
		if _, err := l.Next(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(128*float64(b.N)/b.Elapsed().Seconds(), "examples/s")
}
