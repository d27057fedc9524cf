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

// coded is a small VQ model on the digits with a prior over its codes that comes later.
const coded = `
name = "coded"
seed = 4
[data]
source = "digits"
limit = 330
batch = 50
validation = 30
[model]
preset = "vq-vae"
latent_dim = 8
encoder = [{ layer = "conv2d", filters = [4, 8], kernel = 4, stride = 2, padding = 1, activation = "relu" }]
[model.bottleneck]
codes = 16
start = "k-means"
[model.prior]
kind = "autoregressive"
layers = [{ layer = "gru", units = 16 }]
epochs = 3
[optimizer]
learning_rate = 5e-3
[train]
epochs = 2
`

// The prior learns over codes that stay as they are, its rows stand in metrics.jsonl, and all of it resumes to the same bits.
func TestAutoregressivePrior(t *testing.T) {
	ctx, whole := context.Background(), t.TempDir()
	r, err := prepareText(t, whole, 2, coded).train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := trainer.ReadRows(whole)
	if err != nil {
		t.Fatal(err)
	}
	var nats []float64
	for _, row := range rows {
		if row.Split == "validation" && row.Stage == "prior" {
			nats = append(nats, float64(row.Metrics["prior"]))
		}
	}
	const blind = 49 * 2.7725887 // 49 positions, log 16 each
	if len(nats) != 3 || !(nats[2] < nats[0]) || !(nats[2] < 0.9*blind) {
		t.Errorf("nats of the codes are %v, a blind prior's %v", nats, blind)
	}
	one, err := r.Model.Sample(ctx, 3, 7)
	if err != nil {
		t.Fatal(err)
	}
	more, err := r.Model.Sample(ctx, 60, 7) // two batches
	if err != nil {
		t.Fatal(err)
	}
	other, _ := r.Model.Sample(ctx, 3, 8)
	if !slices.Equal(one.Float32s(), more.Float32s()[:len(one.Float32s())]) || slices.Equal(one.Float32s(), other.Float32s()) {
		t.Error("draws do not belong to seed and place")
	}
	for _, step := range []int{5, 19} {
		dir := t.TempDir()
		if _, err := prepareText(t, dir, 1, coded).train(t, func(r *trainer.Run) bool { return r.Step == step }); err != nil {
			t.Fatal(err)
		}
		s := prepareText(t, dir, 2, coded)
		s.Resume = dir + "/checkpoints/last"
		if _, err := s.train(t, nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(weights(t, whole, "last"), weights(t, dir, "last")) || !bytes.Equal(weights(t, whole, "best"), weights(t, dir, "best")) {
			t.Errorf("interrupted at step %d it comes to other weights", step)
		}
		if strings.Contains(s.Said.String(), "init pass") {
			t.Errorf("step %d: the init pass is made again\n%s", step, s.Said.String())
		}
	}
}

// A codebook that starts with k-means quantises the first outputs better than one of random vectors.
func TestKMeansStart(t *testing.T) {
	commitment := func(start string) float64 {
		r, err := prepareText(t, "", 2, coded, "train.max_steps=1", "optimizer.learning_rate=0", "model.prior={kind=\"normal\"}", "model.bottleneck.start="+start).train(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.EpochRow["commitment"]
	}
	drawn, means := commitment("batch"), commitment("k-means")
	if !(means < 0.8*drawn) {
		t.Errorf("squared distance to the codes is %v after k-means, %v of random ones", means, drawn)
	}
}

// A mixture that is fitted to the codes makes better samples than the normal prior: drawn codes have the spread of the data's.
func TestGaussianMixturePrior(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	text := strings.Replace(deep, `preset = "deep"`, `preset = "ae"`, 1)
	sets := []string{`model.prior={kind="gaussian-mixture",components=3}`, "train.epochs=3", "model.latent_dim=3"}
	s := prepareText(t, dir, 2, text, sets...)
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, err := infer.Read(ctx, s.Splits.Train, model.FieldX, 600)
	if err != nil {
		t.Fatal(err)
	}
	z, err := r.Model.Encode(ctx, x)
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := r.Model.SampleCodes(ctx, 600, 1)
	if err != nil {
		t.Fatal(err)
	}
	for j := range 3 {
		m0, v0 := moments(z.Float32s(), j, 3)
		m1, v1 := moments(drawn.Float32s(), j, 3)
		if math.Abs(m0-m1) > 0.25*math.Sqrt(v0) || v1 > 1.4*v0 || v1 < 0.7*v0 {
			t.Errorf("dimension %d: codes %v ± %v, drawn %v ± %v", j, m0, math.Sqrt(v0), m1, math.Sqrt(v1))
		}
	}
	for _, name := range []string{"best", "last"} {
		if !bytes.Contains(weights(t, dir, name), []byte("prior.factors")) {
			t.Errorf("checkpoint %s has no mixture", name)
		}
	}
	if _, err := r.Model.WithPrior(ctx, "gausian-mixture", nil); err == nil || !strings.Contains(err.Error(), `"gausian-mixture"`) {
		t.Errorf("a prior that nobody knows: %v", err)
	}
	normal, err := r.Model.WithPrior(ctx, "normal", nil)
	if err == nil && normal.HasPrior() {
		t.Error("a plain code has a normal prior")
	}
}

// moments are mean and variance of the j-th of every d numbers.
func moments(x []float32, j, d int) (mean, variance float64) {
	n := float64(len(x) / d)
	for i := j; i < len(x); i += d {
		mean += float64(x[i]) / n
	}
	for i := j; i < len(x); i += d {
		variance += (float64(x[i]) - mean) * (float64(x[i]) - mean) / n
	}
	return mean, variance
}
