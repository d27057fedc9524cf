package model

import "testing"

// The layer tables of keras.io's convolutional VAE and convolutional autoencoder, and of PyTorch's VAE example.
const kerasConvVAE = `
[model]
preset = "conv-vae"
latent_dim = 2
encoder = [
  { layer = "conv2d", filters = [32, 64], kernel = 3, stride = 2, padding = "same", activation = "relu" },
  { layer = "flatten" },
  { layer = "dense", units = 16, activation = "relu" },
]
decoder = [
  { layer = "dense", units = 3136, activation = "relu" },
  { layer = "reshape", shape = [64, 7, 7] },
  { layer = "conv_transpose2d", filters = [64, 32], kernel = 3, stride = 2, padding = "same", activation = "relu" },
  { layer = "conv_transpose2d", kernel = 3, padding = "same", activation = "sigmoid" },
]
`

const kerasConvAE = `
[model]
preset = "conv-ae"
latent_dim = 0
encoder = [
  { layer = "conv2d", filters = 32, kernel = 3, padding = "same", activation = "relu" },
  { layer = "max_pool2d", kernel = 2 },
  { layer = "conv2d", filters = 32, kernel = 3, padding = "same", activation = "relu" },
  { layer = "max_pool2d", kernel = 2 },
]
decoder = [
  { layer = "conv_transpose2d", filters = [32, 32], kernel = 3, stride = 2, padding = "same", activation = "relu" },
  { layer = "conv2d", kernel = 3, padding = "same", activation = "sigmoid" },
]
[model.reconstruction]
kind = "bce"
reduction = "mean"
`

func TestParameterCounts(t *testing.T) {
	for _, c := range []struct {
		name, text       string
		x                []int
		encoder, decoder int
	}{
		{"Keras convolutional VAE", kerasConvVAE, []int{1, 28, 28}, 69076, 65089},
		{"Keras convolutional autoencoder", kerasConvAE, []int{1, 28, 28}, 9568, 28353 - 9568},
		{"PyTorch VAE", "[model]\npreset = \"vae\"\n", []int{1, 28, 28}, 784*400 + 400 + 2*(400*20+20), 20*400 + 400 + 400*784 + 784},
		{"tied", "[model]\npreset = \"ae\"\ntied = true\nlatent_dim = 3\nencoder = [{ layer = \"dense\", units = 5 }]\n", []int{7}, 7*5 + 5 + 5*3 + 3, 5 + 7},
	} {
		m := build(t, c.text, c.x...)
		encoder, decoder, err := m.Parameters()
		if err != nil || encoder != c.encoder || decoder != c.decoder {
			t.Errorf("%s: %d + %d (%v), want %d + %d", c.name, encoder, decoder, err, c.encoder, c.decoder)
		}
		rows, err := m.Summary()
		sum := 0
		for _, r := range rows {
			sum += r.Parameters
		}
		if err != nil || sum != c.encoder+c.decoder {
			t.Errorf("%s: the table's rows add up to %d (%v), want %d", c.name, sum, err, c.encoder+c.decoder)
		}
	}
}

func TestSummary(t *testing.T) {
	rows, err := build(t, kerasConvVAE, 1, 28, 28).Summary()
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{
		{"encoder.0", "conv2d", []int{32, 14, 14}, 320}, {"encoder.1", "conv2d", []int{64, 7, 7}, 18496}, {"encoder.2", "flatten", []int{3136}, 0},
		{"encoder.3", "dense", []int{16}, 50192}, {"encoder.mu", "gaussian", []int{2}, 34}, {"encoder.log_var", "gaussian", []int{2}, 34},
		{"decoder.0", "dense", []int{3136}, 9408}, {"decoder.1", "reshape", []int{64, 7, 7}, 0}, {"decoder.2", "conv_transpose2d", []int{64, 14, 14}, 36928},
		{"decoder.3", "conv_transpose2d", []int{32, 28, 28}, 18464}, {"decoder.4", "conv_transpose2d", []int{1, 28, 28}, 289},
	}
	for i, w := range want {
		if i >= len(rows) || rows[i].Path != w.Path || rows[i].Kind != w.Kind || !rows[i].Out.Equal(w.Out) || rows[i].Parameters != w.Parameters {
			t.Fatalf("row %d: got %v, want %v", i, rows, w)
		}
	}
}
