package trainer_test

import (
	"context"
	"testing"

	"aetrain/infer"
	"aetrain/model"

	"gorgonia.org/tensor"
)

// single is an autoencoder of the digits without a hidden layer, whose bottleneck a preset chooses.
const single = `
seed = 2
[data]
source = "digits"
limit = 1000
batch = 50
validation = 200
[model]
latent_dim = 30
encoder = []
[optimizer]
learning_rate = 5e-3
[train]
epochs = 8
validate_every = 0
sample_every = 0
checkpoint_every = 0
`

// trainedText trains a text's model.
func trainedText(t *testing.T, text string, sets ...string) (*setup, *infer.Model) {
	t.Helper()
	s := prepareText(t, "", 2, text, sets...)
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, r.Model
}

// held reads a field of the validation examples.
func held(t *testing.T, s *setup, field string) *tensor.Dense {
	t.Helper()
	d, err := infer.Read(context.Background(), s.Splits.Validation, field, 0)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// trainedOn trains a text's model and returns it with the validation examples.
func trainedOn(t *testing.T, text string, sets ...string) (*infer.Model, *tensor.Dense) {
	t.Helper()
	s, m := trainedText(t, text, sets...)
	return m, held(t, s, model.FieldX)
}

// figuresOf evaluates a model on the validation examples.
func figuresOf(t *testing.T, s *setup, m *infer.Model) map[string]float64 {
	t.Helper()
	got, err := m.Evaluate(context.Background(), s.Splits.Validation, infer.EvaluateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// codesOf returns the codes of x, and how many numbers each has.
func codesOf(t *testing.T, m *infer.Model, x *tensor.Dense) (z []float32, width int) {
	t.Helper()
	d, err := m.Encode(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	return d.Float32s(), d.Shape()[1]
}
