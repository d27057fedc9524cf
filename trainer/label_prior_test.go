package trainer_test

import (
	"context"
	"math"
	"testing"

	"aetrain/infer"
)

const labelledCodes = `
name = "labelled"
seed = 1
[data]
source = "digits"
limit = 1500
batch = 50
validation = 300
[model]
preset = "aae"
latent_dim = 2
encoder = [{ layer = "dense", units = [96, 48], activation = "relu" }]
[model.condition]
on = ["label"]
into = ["latent"]
[model.prior]
kind = "by-label"
[model.adversaries.latent]
layers = [{ layer = "dense", units = [64, 64], activation = "relu" }]
optimizer = { learning_rate = 3e-3 }
[optimizer]
learning_rate = 2e-3
betas = [0.5, 0.99]
[train]
epochs = 50
validate_every = 0
sample_every = 0
checkpoint_every = 0
`

// atHome is the share of held-out examples whose code lies nearest to the centre of their own label.
func atHome(t *testing.T, sets ...string) float64 {
	t.Helper()
	s := prepareText(t, "", 2, labelledCodes, sets...)
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	labels, err := infer.Read(context.Background(), s.Splits.Validation, "label", 0)
	if err != nil {
		t.Fatal(err)
	}
	var z []float32
	err = r.Model.Each(context.Background(), s.Splits.Validation, "encode", 0, func(b *infer.Rows) error {
		z = append(z, b.Out["z"].Float32s()...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	home := 0.0
	for i, label := range labels.Int32s() {
		angle := math.Atan2(float64(z[2*i+1]), float64(z[2*i])) / (2 * math.Pi) * 10
		if k := int(math.Round(angle)+10) % 10; k == int(label) {
			home++
		}
	}
	return home / float64(len(labels.Int32s()))
}

// A discriminator that is told the label draws the codes of each label to its own density; one that is not cannot know which.
func TestCodesFollowTheirLabels(t *testing.T) {
	if testing.Short() {
		t.Skip("trains two models")
	}
	told := atHome(t)
	blind := atHome(t, `model.condition.into=["decoder"]`, "train.epochs=5")
	t.Logf("%.2f of held-out codes lie at their label's centre, %.2f without labels for the discriminator", told, blind)
	if told < 0.6 || told < 2*blind {
		t.Errorf("%v of held-out codes lie at their label's centre, %v without labels for the discriminator", told, blind)
	}
}
