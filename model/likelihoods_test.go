package model

import (
	"fmt"
	"testing"
)

func init() {
	for _, name := range []string{"iwae", "miwae", "ciwae", "piwae", "mult-vae"} {
		small[name] = "latent_dim = 2\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\n"
	}
	small["mult-dae"] = "latent_dim = 2\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\n"
	small["mult-vae"] += "penalties.kl.beta = 0.2\n"
}

// Every likelihood on images, sequences and vectors: gradients are those of differences, and all functions build.
func TestLikelihoods(t *testing.T) {
	for _, likelihood := range []string{
		`{ kind = "continuous-bernoulli" }`, `{ kind = "categorical", classes = 4 }`, `{ kind = "poisson" }`, `{ kind = "negative-binomial" }`,
		`{ kind = "negative-binomial", zero_inflated = true }`, `{ kind = "discretized-logistic" }`,
		`{ kind = "discretized-logistic", scale = "per-feature", levels = 16 }`, `{ kind = "multinomial" }`,
	} {
		for _, x := range [][]int{{5}, {4, 3}, {2, 3, 4}} {
			t.Run(fmt.Sprint(likelihood, x), func(t *testing.T) {
				m := build(t, "[model]\npreset = \"vae\"\nlatent_dim = 2\nencoder = [{ layer = \"flatten\" }, { layer = \"dense\", units = 3, activation = \"tanh\" }]\nbottleneck.samples = 2\nreconstruction = "+likelihood+"\n", x...)
				checkGradient(t, m)
				if !m.Config.Reconstruction.IsDensity() {
					if _, err := m.NLL(2, 3); err == nil {
						t.Error("nll of what is no density")
					}
					return
				}
				checkFunctions(t, m)
			})
		}
	}
}
