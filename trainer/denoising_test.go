package trainer_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aetrain/infer"
)

// denoised trains a text's model and returns its mean squared error to the clean validation examples, which it sees corrupted.
func denoised(t *testing.T, text string, sets ...string) float64 {
	t.Helper()
	s := prepareText(t, "", 2, text, sets...)
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	figures, err := r.Model.Evaluate(context.Background(), s.Splits.Validation, infer.EvaluateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return figures["mse"]
}

// Series whose noise is taken away come closer to the clean ones than the noisy ones are, and than those of a model that never saw noise.
func TestDenoisesSeries(t *testing.T) {
	const text = `
[data]
source = "waves"
length = 40
examples = 1200
noise = 0.0
batch = 50
validation = 200
[model]
preset = "denoising"
latent_dim = 8
encoder = [{ layer = "flatten" }, { layer = "dense", units = 48, activation = "relu" }]
[optimizer]
learning_rate = 4e-3
[train]
epochs = 12
`
	const power = 0.29 // of a sine of amplitude 0.5 to 1: 7/24
	for kind, noisy := range map[string]float64{"gaussian": 0.25, "speckle": 0.25 * power} {
		noise := fmt.Sprintf("model.corruption={kind=%q,sigma=0.5}", kind)
		got := denoised(t, text, noise)
		t.Logf("%s: %.4f of %.4f is left", kind, got, noisy)
		if !(got < 0.5*noisy) {
			t.Errorf("%s: the error is %v, that of the noisy series %v", kind, got, noisy)
		}
	}
}

// Holes in a table of related columns are filled better than by the columns' means, whose error is 1 where columns are standardised.
func TestDenoisesTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("a,b,c,d,e,f\n")
	for range 1200 {
		u, v := rng.NormFloat64(), rng.NormFloat64()
		for j, x := range []float64{u, v, u + v, u - v, 2*u + v, u - 2*v} {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "%.4f", 10+3*(x+0.1*rng.NormFloat64()))
		}
		b.WriteByte('\n')
	}
	file := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	text := "[data]\nsource = \"csv\"\nfile = " + quoted(file) + `
batch = 50
validation = 200
[model]
preset = "denoising"
latent_dim = 4
encoder = [{ layer = "dense", units = 48, activation = "relu" }]
[model.corruption]
kind = "masking"
ratio = 0.3
[optimizer]
learning_rate = 5e-3
[train]
epochs = 15
`
	const means = 0.3 // the share that is lost, each at the variance of a column: 1
	got := denoised(t, text)
	t.Logf("%.4f, means leave %.4f", got, means)
	if !(got < 0.5*means) {
		t.Errorf("the error is %v, columns' means leave %v", got, means)
	}
}
