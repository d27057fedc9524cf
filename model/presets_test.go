package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
)

// small shrinks a preset's layers, so that the reference evaluation is quick. Tests of a variant whose gradient is the loss's
// own add theirs.
var small = map[string]string{
	"ae":           "latent_dim = 2\nencoder = [{ layer = \"dense\", units = [5, 4], activation = \"tanh\" }]\n",
	"overcomplete": "latent_dim = 20\n",
	"denoising":    "latent_dim = 2\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\n",
	"sparse":       "latent_dim = 6\n",
	"conv-ae":      "latent_dim = 3\nencoder = [{ layer = \"conv2d\", filters = [2, 3], kernel = 3, stride = 2, padding = \"same\", activation = \"tanh\", norm = \"batch\" }]\n",
	"vae":          "latent_dim = 2\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\n",
	"beta-vae":     "latent_dim = 2\nencoder = [{ layer = \"dense\", units = [5, 4], activation = \"tanh\" }]\n",
	"conv-vae":     "latent_dim = 3\nencoder = [{ layer = \"conv2d\", filters = [2, 3], kernel = 3, stride = 2, padding = \"same\", activation = \"tanh\" }]\n",
}

func TestPresetsAreAllThere(t *testing.T) {
	have := PresetNames()
	for _, name := range []string{"ae", "beta-vae", "conv-ae", "conv-vae", "denoising", "overcomplete", "sparse", "vae"} {
		if !slices.Contains(have, name) {
			t.Errorf("there is no preset %s", name)
		}
	}
	for _, name := range have {
		if d := DescribePreset(name); !strings.HasSuffix(strings.TrimSuffix(d, "."), ")") && len(d) < 20 {
			t.Errorf("%s is described as %q", name, d)
		}
	}
}

// Each preset, small: every function builds, and the loss's gradient is that of differences, in random directions.
func TestPresetGradients(t *testing.T) {
	for name, layers := range small {
		t.Run(name, func(t *testing.T) {
			m := build(t, fmt.Sprintf("[model]\npreset = %q\n%s", name, layers), 1, 5, 6)
			checkGradient(t, m)
			checkFunctions(t, m)
		})
	}
}

// checkGradient differences the training loss along random directions of all parameters.
func checkGradient(t *testing.T, m *Model) {
	t.Helper()
	for phase := range m.Phases() {
		fn, err := m.TrainPhase(3, phase)
		if err != nil {
			t.Fatal(err)
		}
		for _, loss := range fn.Losses {
			checkLoss(t, fn, loss)
		}
	}
}

// checkLoss differences one of the losses.
func checkLoss(t *testing.T, fn *Function, loss Loss) {
	t.Helper()
	fed := feed(fn, 4)
	params := loss.Parameters(fn.Graph)
	leaves := make([]graph.Value, len(params))
	for i, p := range params {
		leaves[i] = p.Leaf
	}
	grads := graph.Grad(loss.Value, leaves...)
	for i, g := range grads {
		if !g.Valid() {
			t.Fatalf("no gradient of %s reaches %s", loss.Name, params[i].Name)
		}
	}
	values, err := graph.Evaluate(grads, fed)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(8, 8))
	for trial := range 3 {
		want, step := 0.0, 1e-5
		ahead, behind := clone(fed), clone(fed)
		for i, p := range params {
			for j := range fed[p.Name].Data {
				d := rng.NormFloat64()
				want += d * values[i].Data[j]
				ahead[p.Name].Data[j] += step * d
				behind[p.Name].Data[j] -= step * d
			}
		}
		got := (number(t, ahead, loss.Value) - number(t, behind, loss.Value)) / (2 * step)
		if math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
			t.Errorf("%s, direction %d: difference %v, gradient %v", loss.Name, trial, got, want)
		}
	}
}

func clone(fed map[string]graph.Tensor) map[string]graph.Tensor {
	c := map[string]graph.Tensor{}
	for name, t := range fed {
		c[name] = graph.Tensor{Spec: t.Spec, Data: append([]float64(nil), t.Data...)}
	}
	return c
}

// checkFunctions builds all functions and evaluates their outputs.
func checkFunctions(t *testing.T, m *Model) {
	t.Helper()
	prior, posterior := m.probeDrawn(t)
	for name, c := range map[string]struct {
		make    func() (*Function, error)
		outputs string
		inputs  string
	}{
		"evaluate":    {func() (*Function, error) { return m.Evaluate(2, 0) }, "recon", "x"},
		"encode":      {func() (*Function, error) { return m.Encode(2) }, "z", "x"},
		"reconstruct": {func() (*Function, error) { return m.Reconstruct(2) }, "recon", "x"},
		"denoise":     {func() (*Function, error) { return m.Denoise(2) }, "input recon", ""},
		"decode":      {func() (*Function, error) { return m.Decode(2) }, "recon", "z"},
		"sample":      {func() (*Function, error) { return m.Sample(2) }, "recon z", "seed row0 repetition"},
		"nll":         {func() (*Function, error) { return m.NLL(2, 3) }, "log_likelihood log_weights", "x"},
	} {
		fn, err := c.make()
		if !prior && name == "sample" || (!posterior || !m.Config.Reconstruction.IsDensity()) && name == "nll" {
			if err == nil {
				t.Errorf("%s: a deterministic code has it", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		fed := feed(fn, 1)
		for _, output := range strings.Fields(c.outputs) {
			v, ok := fn.Outputs[output]
			if !ok {
				t.Errorf("%s: no output %s", name, output)
				continue
			}
			for _, x := range evaluate(t, fed, v).Data {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					t.Fatalf("%s: %s is %v", name, output, x)
				}
			}
			if output == "recon" && !v.Shape()[1:].Equal(m.X) {
				t.Errorf("%s: recon is %v, x is %v", name, v.Shape(), m.X)
			}
		}
		for _, input := range strings.Fields(c.inputs) {
			if !slices.Contains(fn.Inputs, input) {
				t.Errorf("%s takes %v, not %s", name, fn.Inputs, input)
			}
		}
		if (name == "encode" || name == "reconstruct" || name == "decode") && len(fn.Inputs) != 1 {
			t.Errorf("%s takes %v: nothing in it is random", name, fn.Inputs)
		}
	}
}

func (m *Model) probeDrawn(t *testing.T) (prior, posterior bool) {
	t.Helper()
	fn, err := m.Encode(1)
	if err != nil {
		t.Fatal(err)
	}
	l := fn.Forward.Latents[0]
	return l.Prior != nil, l.Posterior != nil
}

// A preset is overridden key by key, lists whole; an own encoder drops a preset's decoder, an own bottleneck its penalties.
func TestOverridingPresets(t *testing.T) {
	c := read(t, "[model]\npreset = \"beta-vae\"\nlatent_dim = 3\n")
	if kl := c.Penalties["kl"].(*KL); kl.Beta.Final() != 4 || c.LatentDim != 3 {
		t.Errorf("beta is %v and latent_dim %d", kl.Beta.Final(), c.LatentDim)
	}
	c = read(t, "[model]\npreset = \"vae\"\n[model.bottleneck]\nkind = \"deterministic\"\n")
	if len(c.Penalties) != 0 {
		t.Errorf("penalties that mean nothing on the own bottleneck stay: %v", c.Penalties)
	}
	c = read(t, "[model]\npreset = \"vae\"\n[model.penalties.kl]\nenabled = false\n")
	if len(c.Penalties) != 0 {
		t.Errorf("enabled = false leaves %v", c.Penalties)
	}
	if _, err := tryRead("[model]\npreset = \"vea\"\n"); err == nil || !strings.Contains(err.Error(), "did you mean vae?") {
		t.Errorf("unknown preset: %v", err)
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	for _, key := range configs.Undocumented() {
		t.Errorf("%s has no doc", key)
	}
}
