package trainer_test

import (
	"cmp"
	"context"
	"slices"
	"testing"

	"aetrain/infer"
	"aetrain/model"
)

// conditional is experiments/conditional.toml, smaller.
const conditional = `
name = "conditional"
seed = 1
[data]
source = "digits"
limit = 5000
batch = 100
[model]
preset = "conditional"
latent_dim = 2
encoder = [{ layer = "dense", units = 128, activation = "relu" }]
[model.penalties.kl]
beta = 4.0
[optimizer]
learning_rate = 2e-3
[train]
epochs = 14
sample_every = 0
checkpoint_every = 0
validate_every = 0
`

// Samples of a conditional VAE have the label that was asked for, by the nearest of real digits, in 95 of 100 cases.
func TestConditionalSamples(t *testing.T) {
	s := prepareText(t, t.TempDir(), 2, conditional)
	real, err := infer.Read(context.Background(), s.Splits.Train, model.FieldX, 0)
	if err != nil {
		t.Fatal(err)
	}
	labels, err := infer.Read(context.Background(), s.Splits.Train, "label", 0)
	if err != nil {
		t.Fatal(err)
	}
	held, err := infer.Read(context.Background(), s.Splits.Validation, model.FieldX, 60)
	if err != nil {
		t.Fatal(err)
	}
	heldLabels, err := infer.Read(context.Background(), s.Splits.Validation, "label", 60)
	if err != nil {
		t.Fatal(err)
	}
	classify := fiveNearest(pixels(real.Data()), labels.Int32s())
	right := 0.0
	for i, want := range heldLabels.Int32s() {
		if classify(pixels(held.Data())[i*784:(i+1)*784]) == want {
			right++
		}
	}
	if right /= 60; right < 0.85 {
		t.Fatalf("the classifier knows %.3f of real digits", right)
	}
	run, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	const each = 10
	hits := 0.0
	for label := range 10 {
		x, err := run.Model.Sample(context.Background(), each, uint64(label), infer.Labels("label", label, each))
		if err != nil {
			t.Fatal(err)
		}
		for i := range each {
			if classify(pixels(x.Data())[i*784:(i+1)*784]) == int32(label) {
				hits++
			}
		}
	}
	if hits /= 10 * each; hits < 0.95 {
		t.Errorf("%.3f of the samples have their label, want 0.95", hits)
	}
	t.Logf("of real digits %.3f, of samples %.3f", right, hits)
}

// pixels are numbers in [0, 1].
func pixels(v any) []float64 {
	var all []float64
	switch v := v.(type) {
	case []uint8:
		for _, b := range v {
			all = append(all, float64(b)/255)
		}
	case []float32:
		for _, f := range v {
			all = append(all, float64(f))
		}
	}
	return all
}

// fiveNearest classifies by the majority of the five nearest examples.
func fiveNearest(x []float64, labels []int32) func([]float64) int32 {
	type neighbour struct {
		distance float64
		label    int32
	}
	return func(of []float64) int32 {
		all := make([]neighbour, len(labels))
		for i, label := range labels {
			all[i].label = label
			for j, v := range x[i*len(of) : (i+1)*len(of)] {
				all[i].distance += (v - of[j]) * (v - of[j])
			}
		}
		slices.SortFunc(all, func(a, b neighbour) int { return cmp.Compare(a.distance, b.distance) })
		var votes [10]int
		best := int32(0)
		for _, n := range all[:5] {
			if votes[n.label]++; votes[n.label] > votes[best] {
				best = n.label
			}
		}
		return best
	}
}
