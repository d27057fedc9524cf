package trainer_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"aetrain/infer"
	"aetrain/model"
	"aetrain/trainer"
)

// svdd is Deep SVDD on the digits.
const svdd = `
name = "svdd"
seed = 4
[data]
source = "digits"
limit = 440
batch = 50
validation = 40
[model]
preset = "deep-svdd"
encoder = [{ layer = "dense", units = [32, 8], activation = "leaky_relu", bias = false }]
[optimizer]
learning_rate = 5e-3
[train]
epochs = 3
stages = [{ name = "autoencoder", losses = ["autoencoder"], epochs = 2 }, { name = "svdd", losses = ["svdd"] }]
`

// The centre is the mean of the codes as the autoencoder has left them, the stage that follows draws codes to it without the decoder,
// and a run that goes on in it finds no other centre.
func TestDeepSVDD(t *testing.T) {
	ctx, whole := context.Background(), t.TempDir()
	first, err := prepareText(t, "", 2, svdd, `train.stages=[{losses=["autoencoder"],epochs=2}]`).train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := prepareText(t, whole, 2, svdd)
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, err := infer.Read(ctx, s.Splits.Train, model.FieldX, 0)
	if err != nil {
		t.Fatal(err)
	}
	z, err := first.Model.Encode(ctx, x)
	if err != nil {
		t.Fatal(err)
	}
	spread := 0.0
	for j, c := range readState(t, r, "penalties.svdd.center") {
		want, variance := moments(z.Float32s(), j, 8)
		spread += variance
		if math.Abs(float64(c)-want) > 1e-4*(1+math.Abs(want)) {
			t.Errorf("centre %d is %v, the mean of the codes %v", j, c, want)
		}
	}
	if !slices.Equal(readState(t, first, "decoder.0.weight"), readState(t, r, "decoder.0.weight")) {
		t.Error("the decoder has changed in a stage that does not train it")
	}
	rows, err := trainer.ReadRows(whole)
	if err != nil {
		t.Fatal(err)
	}
	var distances []float64
	for _, row := range rows {
		_, reconstructs := row.Metrics["reconstruction"]
		if reconstructs == (row.Stage == "svdd") {
			t.Errorf("a row of stage %s has %v", row.Stage, row.Metrics)
		}
		if row.Stage == "svdd" && row.Split == "validation" {
			distances = append(distances, float64(row.Metrics["svdd"]))
		}
	}
	if len(distances) != 3 || !(distances[2] < 0.8*spread) {
		t.Errorf("squared distances to the centre are %v, before %v", distances, spread)
	}
	dir := t.TempDir()
	if _, err := prepareText(t, dir, 1, svdd).train(t, func(r *trainer.Run) bool { return r.Step == 19 }); err != nil {
		t.Fatal(err)
	}
	again := prepareText(t, dir, 2, svdd)
	again.Resume = dir + "/checkpoints/last"
	if _, err := again.train(t, nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(weights(t, whole, "last"), weights(t, dir, "last")) || strings.Contains(again.Said.String(), "init pass") {
		t.Errorf("resumed in the second stage it comes to other weights\n%s", again.Said.String())
	}
}

// The soft boundary's ball holds the share of the codes that it is to hold.
func TestSoftBoundary(t *testing.T) {
	s := prepareText(t, "", 2, svdd, "model.penalties.svdd.objective=soft-boundary", "model.penalties.svdd.nu=0.2", "train.epochs=8")
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	radius2, outside := readState(t, r, "penalties.svdd.radius2")[0], 0
	err = r.Model.Each(context.Background(), s.Splits.Train, "distance", 0, func(b *infer.Rows) error {
		for _, d := range b.Out["score"].Float32s() {
			if d > radius2 {
				outside++
			}
		}
		return nil
	})
	if share := float64(outside) / float64(s.Splits.Train.Len()); err != nil || share < 0.1 || share > 0.3 {
		t.Errorf("%v of the codes lie outside, want about 0.2 (%v)", share, err)
	}
}

// Centres of dictionaries, pseudo-inputs and a likelihood's bias start from the data.
func TestStartsFromData(t *testing.T) {
	const text = "[data]\nsource = \"digits\"\nlimit = 220\nbatch = 30\nvalidation = 20\nshuffle = false\n[train]\nmax_steps = 1\n[optimizer]\nlearning_rate = 0\n"
	ctx := context.Background()
	s := prepareText(t, "", 2, text, "model.preset=top-k", "model.latent_dim=40", "model.bottleneck.k=4", "model.bottleneck.center=true")
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, err := infer.Read(ctx, s.Splits.Train, model.FieldX, 0)
	if err != nil {
		t.Fatal(err)
	}
	pixels := floats(x.Data())
	center := readState(t, r, "encoder.center")
	for _, j := range []int{300, 400, 500} {
		if want, _ := moments(pixels, j, 784); math.Abs(float64(center[j])-want) > 1e-4 {
			t.Errorf("centre of pixel %d is %v, its mean %v", j, center[j], want)
		}
	}
	s = prepareText(t, "", 2, text, "model.preset=vamp", "model.prior.components=40", "model.prior.start=data", "model.encoder=[{layer=\"dense\",units=8}]")
	if r, err = s.train(t, nil); err != nil {
		t.Fatal(err)
	}
	inputs := readState(t, r, "prior.inputs")
	for _, at := range []int{5*784 + 400, 39*784 + 300} {
		want := math.Min(0.99, math.Max(0.01, float64(pixels[at])))
		if got := 1 / (1 + math.Exp(-float64(inputs[at]))); math.Abs(got-want) > 1e-3 {
			t.Errorf("pseudo-input %d has %v, the example %v", at/784, got, want)
		}
	}
	s = prepareText(t, "", 2, text, "model.preset=vae", "model.latent_dim=2", "model.reconstruction.start=data", "model.encoder=[{layer=\"dense\",units=8}]")
	if r, err = s.train(t, nil); err != nil {
		t.Fatal(err)
	}
	bias := readState(t, r, "decoder.1.bias")
	for _, j := range []int{0, 300, 400, 500} {
		mean, _ := moments(pixels, j, 784)
		want := math.Min(0.999, math.Max(0.001, mean))
		if got := 1 / (1 + math.Exp(-float64(bias[j]))); math.Abs(got-want) > 1e-4 {
			t.Errorf("the bias of pixel %d stands for %v, its mean is %v", j, got, want)
		}
	}
}

// Weights that another run has trained do not start again.
func TestStartFromKeepsTrainedBias(t *testing.T) {
	const text = "[data]\nsource = \"digits\"\nlimit = 90\nbatch = 30\nvalidation = 30\n[model]\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 4 }]\n" +
		"[model.reconstruction]\nkind = \"bce\"\n[train]\nmax_steps = 2\n"
	old := t.TempDir()
	first, err := prepareText(t, old, 2, text, "optimizer.learning_rate=0.1").train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := prepareText(t, "", 2, text, "optimizer.learning_rate=0", "model.reconstruction.start=data", "train.start_from="+old)
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(readState(t, r, "decoder.1.bias"), readState(t, first, "decoder.1.bias")) || strings.Contains(s.Said.String(), "init pass") {
		t.Errorf("the bias is not the old run's\n%s", s.Said.String())
	}
}

// floats are stored pixels as the network sees them.
func floats(data any) []float32 {
	if x, ok := data.([]float32); ok {
		return x
	}
	var x []float32
	for _, b := range data.([]uint8) {
		x = append(x, float32(b)/255)
	}
	return x
}
