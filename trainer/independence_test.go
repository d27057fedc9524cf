package trainer_test

import (
	"context"
	"math"
	"testing"

	"aetrain/infer"
	"aetrain/model"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"
)

// correlated is a VAE whose divergence weighs so little that nothing keeps its numbers from saying the same.
const correlated = `
seed = 1
[data]
source = "digits"
limit = 2200
batch = 100
validation = 700
[model]
latent_dim = 4
encoder = [{ layer = "dense", units = 64, activation = "relu" }]
[model.penalties.kl]
beta = 0.1
[optimizer]
learning_rate = 5e-3
[train]
epochs = 10
validate_every = 0
sample_every = 0
checkpoint_every = 0
`

// totalCorrelation is that of the normal distribution with the covariance of a model's codes over x, cov(mu) + E[diag(sigma²)]:
// -log det(correlations)/2, in nats.
func totalCorrelation(t *testing.T, m *infer.Model, x *tensor.Dense) float64 {
	t.Helper()
	mu, logVar, err := m.Posterior(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	n, d := mu.Shape()[0], mu.Shape()[1]
	mean, cov := make([]float64, d), mat.NewSymDense(d, nil)
	for i, v := range mu.Float32s() {
		mean[i%d] += float64(v) / float64(n)
	}
	for i := range n {
		for j := range d {
			at := i*d + j
			cov.SetSym(j, j, cov.At(j, j)+math.Exp(float64(logVar.Float32s()[at]))/float64(n))
			for k := j; k < d; k++ {
				cov.SetSym(j, k, cov.At(j, k)+(float64(mu.Float32s()[at])-mean[j])*(float64(mu.Float32s()[i*d+k])-mean[k])/float64(n))
			}
		}
	}
	tc := 0.0
	for j := range d {
		tc += math.Log(cov.At(j, j)) / 2
	}
	return tc - math.Log(mat.Det(cov))/2
}

// Penalties and a discriminator that are there for it make the numbers of a code independent, and leave a code: one that says nothing of
// x has independent numbers, too.
func TestCodesBecomeIndependent(t *testing.T) {
	if testing.Short() {
		t.Skip("trains five models")
	}
	measure := func(sets ...string) (tc, mse float64) {
		s, m := trainedText(t, correlated, sets...)
		return totalCorrelation(t, m, held(t, s, model.FieldX)), figuresOf(t, s, m)["mse"]
	}
	plain, own := measure("model.preset=vae")
	t.Logf("plain %.4f nats, mse %.4f", plain, own)
	for _, sets := range [][]string{
		{"model.preset=factor-vae", "model.adversaries.factor={layers=[{layer=\"dense\",units=[64,64],activation=\"leaky_relu\"}],weight=20,optimizer={learning_rate=5e-3}}"},
		{"model.preset=beta-tcvae", "model.penalties.total-correlation.weight=10"},
		{"model.preset=dip-vae-i"},
		{"model.preset=dip-vae-ii"},
	} {
		got, mse := measure(sets...)
		t.Logf("%s: %.4f nats, mse %.4f", sets[0], got, mse)
		if !(got < plain/3 && mse < 1.25*own) {
			t.Errorf("%s: the total correlation is %v nats and mse %v, without it %v and %v", sets[0], got, mse, plain, own)
		}
	}
}
