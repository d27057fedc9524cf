package trainer_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"aetrain/trainer"
)

// Adversarial trainings, small.
var adversarial = map[string][]string{
	"aae": {"model.preset=aae", "model.reconstruction={kind=\"mse\"}", "model.adversaries.latent.layers=[{layer=\"dense\",units=8,activation=\"relu\"}]",
		"model.adversaries.latent.optimizer={learning_rate=1e-3}"},
	"vae-gan": {"model.preset=vae-gan", "model.adversaries.image.layers=[{layer=\"dense\",name=\"features\",units=8,norm=\"batch\",activation=\"relu\"}]",
		"data.drop_last=true", "model.adversaries.image.every_steps=2"},
	"wae-gan": {"model.preset=wae-gan", "model.adversaries.latent.layers=[{layer=\"dense\",units=8,spectral_norm=true,activation=\"leaky_relu\"}]",
		"model.adversaries.latent.gradient_penalty=1.0", "train.accumulate=2"},
	"factor-vae": {"model.preset=factor-vae", "model.adversaries.factor.layers=[{layer=\"dense\",units=8,activation=\"relu\"}]"},
}

// Adversarial trainings learn, log the discriminator's loss, give the same bits on any number of threads, and go on after an
// interruption as if there had been none.
func TestAdversarialTraining(t *testing.T) {
	for name, sets := range adversarial {
		t.Run(name, func(t *testing.T) {
			sets = append(sets, "train.checkpoint_every=0", "train.epochs=2")
			whole, again, stopped := t.TempDir(), t.TempDir(), t.TempDir()
			if _, err := prepare(t, whole, 2, sets...).train(t, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := prepare(t, again, 1, sets...).train(t, nil); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(weights(t, whole, "last"), weights(t, again, "last")) {
				t.Error("another number of threads gives other weights")
			}
			if _, err := prepare(t, stopped, 2, sets...).train(t, func(r *trainer.Run) bool { return r.Step == 17 }); err != nil {
				t.Fatal(err)
			}
			s := prepare(t, stopped, 2, sets...)
			s.Resume = stopped + "/checkpoints/last"
			if _, err := s.train(t, nil); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(weights(t, whole, "last"), weights(t, stopped, "last")) {
				t.Error("resumed training has other weights")
			}
			rows, err := trainer.ReadRows(whole)
			if err != nil {
				t.Fatal(err)
			}
			first, last := rows[0].Metrics, rows[len(rows)-1].Metrics
			for adversary := range s.Model.Config.Adversaries {
				for _, key := range []string{"adversary." + adversary, "adversary." + adversary + ".fool", "reconstruction", "loss"} {
					if _, ok := last[key]; !ok {
						t.Errorf("rows lack %s: %v", key, last)
					}
				}
			}
			if !(first["learning_rate"] > 0) {
				t.Errorf("the rows' learning rate is %v", first["learning_rate"])
			}
			if name != "vae-gan" && !(last["mse"] < 0.12) {
				t.Errorf("mse is %v", last["mse"])
			}
		})
	}
}

// Codes of adversarial, Wasserstein and information-maximising autoencoders pass for draws from the prior, where those of a plain
// autoencoder do not: the energy distance of the codes of the data and as many normal draws is a few times what two sets of draws have.
func TestCodesFollowThePrior(t *testing.T) {
	if testing.Short() {
		t.Skip("trains five models")
	}
	const text = `
[data]
source = "digits"
limit = 1400
batch = 100
validation = 400
[model]
latent_dim = 2
encoder = [{ layer = "dense", units = 64, activation = "relu" }]
[model.reconstruction]
kind = "mse"
[optimizer]
learning_rate = 2e-3
[train]
epochs = 20
validate_every = 0
`
	judge := "model.adversaries.latent.layers=[{layer=\"dense\",units=64,activation=\"relu\"}]"
	distance := func(sets ...string) float64 {
		m, x := trainedOn(t, text, sets...)
		z, _ := codesOf(t, m, x)
		return energy(z, normals(len(z), 1))
	}
	const times = 4
	two := energy(normals(800, 2), normals(800, 3))
	plain := distance("model.preset=ae")
	t.Logf("two sets of draws %.4f, plain %.4f", two, plain)
	for preset, sets := range map[string][]string{
		"aae":      {judge, "train.epochs=50", "optimizer.betas=[0.5,0.99]", "optimizer.learning_rate=1e-3", "model.adversaries.latent.optimizer={learning_rate=2e-3}"},
		"wae-gan":  {judge, "train.epochs=50", "optimizer.betas=[0.5,0.99]", "optimizer.learning_rate=1e-3", "model.adversaries.latent.optimizer={learning_rate=2e-3}"},
		"wae-mmd":  {"model.penalties.mmd.weight=100", "train.epochs=40"},
		"info-vae": {"model.penalties.mmd.weight=30", "model.penalties.kl.beta=0.02", "train.epochs=40"},
	} {
		got := distance(append(sets, "model.preset="+preset)...)
		t.Logf("%s %.4f", preset, got)
		if !(got < times*two && got < plain/4) {
			t.Errorf("%s: codes are %.4f from the prior; two sets of draws are %.4f, a plain autoencoder's codes %.4f", preset, got, two, plain)
		}
	}
}

func normals(n int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// energy is the energy distance 2E‖a-b‖ - E‖a-a'‖ - E‖b-b'‖ of two sets of points in the plane.
// Source: Székely & Rizzo 2004, "Testing for equal distributions in high dimension".
func energy(a, b []float32) float64 {
	between := func(a, b []float32) float64 {
		sum := 0.0
		for i := 0; i < len(a); i += 2 {
			for j := 0; j < len(b); j += 2 {
				sum += math.Hypot(float64(a[i]-b[j]), float64(a[i+1]-b[j+1]))
			}
		}
		return sum / float64(len(a)/2) / float64(len(b)/2)
	}
	return 2*between(a, b) - between(a, a) - between(b, b)
}
