package trainer_test

import (
	"bytes"
	"testing"

	"aetrain/trainer"
)

// exactly trains a text's model, small, and returns the rows: it has the same bits on any number of threads, and goes on after an
// interruption at a step as if there had been none.
func exactly(t *testing.T, text string, at int, sets ...string) []trainer.Row {
	t.Helper()
	sets = append(sets, "train.checkpoint_every=0")
	whole, again, stopped := t.TempDir(), t.TempDir(), t.TempDir()
	if _, err := prepareText(t, whole, 2, text, sets...).train(t, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := prepareText(t, again, 1, text, sets...).train(t, nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(weights(t, whole, "last"), weights(t, again, "last")) {
		t.Error("another number of threads gives other weights")
	}
	if _, err := prepareText(t, stopped, 2, text, sets...).train(t, func(r *trainer.Run) bool { return r.Step == at }); err != nil {
		t.Fatal(err)
	}
	s := prepareText(t, stopped, 2, text, sets...)
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
	return rows
}

// A quantum autoencoder of 3 qubits in 1 learns states of a subspace that 1 qubit fits to a fidelity of 0.99, and cannot learn
// random ones, of which about a quarter fits.
func TestQuantumFidelity(t *testing.T) {
	text := `name = "quantum"
seed = 2
[data]
source = "states"
qubits = 3
code_qubits = 1
examples = 300
batch = 30
[model]
preset = "quantum"
encoder = [{ layer = "circuit", qubits = 3, depth = 5, encoding = "amplitude", output = "state", trash = 2 }]
[optimizer]
learning_rate = 0.05
[train]
epochs = 12
`
	for of, within := range map[string][2]float64{"code": {0.99, 1}, "random": {0, 0.5}} {
		rows := exactly(t, text, 25, "data.of="+of)
		last := rows[len(rows)-1].Metrics
		fidelity := 1 - float64(last["reconstruction"])
		t.Logf("%s: fidelity %.4f, in the trash %.4f", of, fidelity, 1-float64(last["trash"]))
		if !(fidelity >= within[0] && fidelity <= within[1]) {
			t.Errorf("fidelity of %s states is %v, wants %v to %v", of, fidelity, within[0], within[1])
		}
		if d := last["trash"] - last["reconstruction"]; d > 1e-5 || d < -1e-5 {
			t.Errorf("what the trash tells, %v, is not what the decoded states lose, %v", last["trash"], last["reconstruction"])
		}
	}
}

// Codes of other kinds, and losses of other kinds, learn and are exact too.
func TestVariantsExactly(t *testing.T) {
	text := `name = "variant"
seed = 3
[data]
source = "random"
shape = [1, 12, 12]
examples = 60
batch = 12
validation = 12
[model]
latent_dim = 4
encoder = [{ layer = "dense", units = 16, activation = "relu" }]
[optimizer]
learning_rate = 0.01
[train]
epochs = 4
log_every_steps = 4
`
	for name, sets := range map[string][]string{
		"hyperspherical": {"model.preset=hyperspherical"},
		"joint":          {"model.preset=joint-vae", "model.penalties.joint-capacity.weight=1.0"},
		"ssim":           {"model.reconstruction={kind=\"ssim\",share=0.9}"},
		"perceptual":     {"model.preset=dfc-vae", "model.reconstruction.unit_norm=true", "model.reconstruction.layers=[{layer=\"conv2d\",filters=3,kernel=3,norm=\"batch\",activation=\"relu\"}]"},
		"warp":           {"model.corruption={kind=\"warp\",grid=3}"},
		"hybrid":         {"model.preset=quantum-hybrid", "model.encoder=[{layer=\"dense\",units=3},{layer=\"circuit\",qubits=3,depth=1}]", "model.decoder=[{layer=\"dense\"}]", "model.latent_dim=0"},
	} {
		t.Run(name, func(t *testing.T) {
			rows := exactly(t, text, 9, sets...)
			var trained []trainer.Number
			for _, row := range rows {
				if row.Split == "train" {
					trained = append(trained, row.Metrics["reconstruction"])
				}
			}
			first, last := trained[0], trained[len(trained)-1]
			if !(last < first) {
				t.Errorf("the reconstruction goes from %v to %v", first, last)
			}
		})
	}
}

// Transformers over the patches that are left, and a decoder of sentences that is told the words before, are exact too.
func TestSequencesExactly(t *testing.T) {
	for name, text := range map[string]string{
		"masked": `
[data]
source = "random"
shape = [1, 12, 12]
examples = 60
batch = 12
validation = 12
[model]
preset = "masked"
encoder = [{ layer = "patch_embed", size = 4, units = 12 }, { layer = "transformer", heads = 2, dropout = 0.1 }]
decoder = [{ layer = "dense", units = 8 }, { layer = "transformer", heads = 2 }, { layer = "dense" }]
`,
		"text-vae": `
[data]
source = "sentences"
examples = 60
batch = 12
validation = 12
[model]
preset = "text-vae"
latent_dim = 4
encoder = [{ layer = "embedding", units = 8 }, { layer = "transformer", heads = 2 }, { layer = "lstm", units = 8, return_sequences = false }]
decoder = [{ layer = "repeat" }, { layer = "teacher_forcing", units = 8, word_dropout = 0.3 }, { layer = "lstm", units = 8 }, { layer = "dense" }]
[model.corruption]
kind = "tokens"
`,
	} {
		t.Run(name, func(t *testing.T) {
			rows := exactly(t, "name = \"sequence\"\nseed = 3\n"+text+"[optimizer]\nlearning_rate = 0.01\n[train]\nepochs = 3\nlog_every_steps = 2\n", 7)
			if first, last := rows[0].Metrics["reconstruction"], rows[len(rows)-1].Metrics["reconstruction"]; !(last < first) {
				t.Errorf("the reconstruction goes from %v to %v", first, last)
			}
		})
	}
}
