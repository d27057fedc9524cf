package trainer_test

import (
	"slices"
	"testing"

	"aetrain/model"
)

// The choice of a joint code finds the kinds of cells, which nobody told it: of the cells of a class most are of one kind. Where the
// choice has no capacity its likeliest class tells much less.
func TestJointCodeFindsClasses(t *testing.T) {
	if testing.Short() {
		t.Skip("trains two models")
	}
	const kinds, text = 5, `
seed = 1
[data]
source = "counts"
features = 40
kinds = 5
examples = 2000
batch = 50
validation = 400
[model]
preset = "joint-vae"
input = "log1p"
latent_dim = 2
encoder = [{ layer = "dense", units = 64, activation = "relu" }]
[model.bottleneck]
classes = 5
[model.reconstruction]
kind = "poisson"
[model.penalties.joint-capacity]
weight = 20.0
gaussian = 0.5
categorical = { from = 0.0, to = 1.6, epochs = 25 }
[optimizer]
learning_rate = 3e-3
[train]
epochs = 30
validate_every = 0
sample_every = 0
checkpoint_every = 0
`
	purity := func(sets ...string) float64 {
		s, m := trainedText(t, text, sets...)
		x, labels := held(t, s, model.FieldX), held(t, s, "label")
		z, width := codesOf(t, m, x)
		var count [kinds][kinds]int // of a class, by kind
		for i, label := range labels.Int32s() {
			for class, chosen := range z[(i+1)*width-kinds : (i+1)*width] {
				if chosen == 1 {
					count[class][label]++
				}
			}
		}
		most := 0
		for _, of := range count {
			most += slices.Max(of[:])
		}
		return float64(most) / float64(len(labels.Int32s()))
	}
	with, without := purity(), purity("model.penalties.joint-capacity.categorical=0.0")
	t.Logf("%.3f of the cells are of their class's kind, %.3f without a capacity", with, without)
	if !(with >= 0.75 && with >= without+0.2) {
		t.Errorf("%.3f of the cells are of their class's kind, %.3f without a capacity", with, without)
	}
}
