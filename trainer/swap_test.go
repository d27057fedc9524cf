package trainer_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/data"
	"aetrain/infer"
)

// patterns are the identities of a tiny face swap: a frame and a disc of 4×4 pixels, alike in outline, which lie anywhere on a canvas.
var patterns = [2][]string{{"####", "#..#", "#..#", "####"}, {".##.", "####", "####", ".##."}}

const (
	canvas = 10
	places = canvas - 4 + 1
)

// drawPatterns writes every pattern at every place, `copies` times, as x.npy and y.npy; image (identity, place) is identity·places²+place.
func drawPatterns(t *testing.T, dir string, copies int) []float32 {
	t.Helper()
	var x []float32
	var y []int32
	for identity, pattern := range patterns {
		for place := range places * places {
			image := make([]float32, canvas*canvas)
			for row, line := range pattern {
				for column, c := range line {
					if c == '#' {
						image[(place/places+row)*canvas+place%places+column] = 1
					}
				}
			}
			x, y = append(x, image...), append(y, int32(identity))
		}
	}
	once, onceLabels := x, y
	for range copies - 1 {
		x, y = append(x, once...), append(y, onceLabels...)
	}
	for name, a := range map[string]*tensor.Dense{
		"x.npy": tensor.New(tensor.WithShape(len(y), 1, canvas, canvas), tensor.WithBacking(x)),
		"y.npy": tensor.New(tensor.WithShape(len(y)), tensor.WithBacking(y)),
	} {
		f, err := os.Create(filepath.Join(dir, name))
		if err == nil {
			err = a.WriteNpy(f)
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return once
}

// nearest is the identity and place of the pattern that an image is closest to.
func nearest(image, all []float32) (identity, place int) {
	best := float32(1e9)
	for i := range len(all) / len(image) {
		sum := float32(0)
		for k, v := range image {
			d := v - all[i*len(image)+k]
			sum += d * d
		}
		if sum < best {
			best, identity, place = sum, i/(places*places), i%(places*places)
		}
	}
	return identity, place
}

// A swapped image is of the other identity, at the place where it was, though no such pair was ever shown.
func TestFaceSwap(t *testing.T) {
	dir := t.TempDir()
	all := drawPatterns(t, dir, 4)
	text := fmt.Sprintf(`name = "swap"
seed = 1
[data]
source = "npy"
file = %q
label = %q
batch = 28
validation = 0
[model]
preset = "face-swap"
latent_dim = 12
encoder = [{ layer = "dense", units = 64, activation = "relu" }]
[optimizer]
learning_rate = 5e-3
[train]
epochs = 40
`, filepath.Join(dir, "x.npy"), filepath.Join(dir, "y.npy"))
	exactly(t, text, 5, "train.epochs=1")
	s := prepareText(t, t.TempDir(), 2, text)
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	n := len(all) / (canvas * canvas)
	right := 0
	for other := range 2 {
		x := tensor.New(tensor.WithShape(n, 1, canvas, canvas), tensor.WithBacking(append([]float32{}, all...)))
		swapped, err := r.Model.Reconstruct(ctx, x, infer.Labels("label", other, n))
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			identity, place := nearest(swapped.Float32s()[i*canvas*canvas:][:canvas*canvas], all)
			if identity == other && place == i%(places*places) {
				right++
			}
		}
	}
	share := float64(right) / float64(2*n)
	t.Logf("%.1f%% of the images, own and swapped, are of the wanted identity at their place", 100*share)
	if share < 0.95 {
		t.Errorf("only %d of %d", right, 2*n)
	}
	if _, err := data.NewLoader(s.Splits.Train, data.LoaderOptions{Batch: 27, Blocks: "label"}); err == nil {
		t.Error("27 rows cannot be shared by two labels")
	}
}

// Any number of labels may have decoders: here the ten of the digits.
func TestManyDecoders(t *testing.T) {
	s := prepareText(t, "", 2, `
[data]
source = "digits"
limit = 400
batch = 20
[model]
preset = "face-swap"
latent_dim = 4
encoder = [{ layer = "dense", units = 12, activation = "relu" }]
[train]
max_steps = 2
`)
	if _, err := s.train(t, nil); err != nil {
		t.Fatal(err)
	}
}
