package model

import "testing"

// Attention goes with bottlenecks, penalties and corruptions as other layers do: the gradient of each loss is that of differences, and
// that of a Jacobian's norm is of second order through attention, layer norm and residual blocks.
func TestAttentionComposes(t *testing.T) {
	const transformer = "encoder = [{ layer = \"dense\", units = 4 }, { layer = \"transformer\", heads = 2, positions = \"learned\", causal = true }]\n"
	for name, text := range map[string]string{
		"gaussian, kl":        "[model]\npreset = \"vae\"\nlatent_dim = 2\n" + transformer + "[model.reconstruction]\nkind = \"gaussian\"\n",
		"jacobian":            "[model]\nlatent_dim = 2\n" + transformer + "[model.penalties.jacobian]\nweight = 0.1\n",
		"jacobian, residual":  "[model]\nlatent_dim = 2\nencoder = [{ layer = \"residual\", layers = [{ layer = \"layer_norm\" }, { layer = \"attention\" }, { layer = \"conv1d\", kernel = 2, padding = \"causal\" }] }]\n[model.penalties.jacobian]\nweight = 0.1\n",
		"denoising, l1":       "[model]\npreset = \"denoising\"\nlatent_dim = 2\n" + transformer + "[model.penalties.l1]\nweight = 0.1\n",
		"a code at each time": "[model]\nlatent_dim = 0\n" + transformer,
		"tcn":                 "[model]\npreset = \"tcn\"\nlatent_dim = 2\nencoder = [{ layer = \"conv1d\", filters = [2, 3], kernel = 2, stride = 2, padding = \"causal\", activation = \"gelu\" }]\n",
	} {
		t.Run(name, func(t *testing.T) {
			m := build(t, text, 4, 2)
			checkGradient(t, m)
			checkFunctions(t, m)
		})
	}
}
