package trainer_test

import (
	"context"
	"testing"

	"aetrain/infer"
	"aetrain/metrics"
	"aetrain/model"
)

// An LSTM finds that waves are a few numbers, where the best linear code of as many leaves most of them.
func TestLSTMBeatsPCA(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	const text = `
seed = 1
[data]
source = "waves"
length = 24
examples = 2400
noise = 0.0
batch = 32
validation = 200
[model]
preset = "lstm"
latent_dim = 3
encoder = [{ layer = "lstm", units = 24, return_sequences = false }]
[optimizer]
learning_rate = 1e-2
schedule = { kind = "cosine", warmup = 1 }
[train]
epochs = 24
clip_norm = 1.0
validate_every = 0
sample_every = 0
checkpoint_every = 0
`
	s, m := trainedText(t, text)
	got := figuresOf(t, s, m)
	known, err := infer.Read(context.Background(), s.Splits.Train, model.FieldX, 0)
	if err != nil {
		t.Fatal(err)
	}
	x := held(t, s, model.FieldX)
	pca, err := metrics.FitPCA(known, 3)
	if err != nil {
		t.Fatal(err)
	}
	linear, err := pca.Reconstruct(x)
	if err != nil {
		t.Fatal(err)
	}
	left := 0.0
	for i, v := range linear.Float64s() {
		d := v - float64(x.Float32s()[i])
		left += d * d / float64(len(x.Float32s()))
	}
	t.Logf("mse %.4f, PCA leaves %.4f", got["mse"], left)
	if !(got["mse"] < left/2) {
		t.Errorf("mse is %v from 3 numbers, PCA leaves %v", got["mse"], left)
	}
}
