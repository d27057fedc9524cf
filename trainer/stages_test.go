package trainer_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/checkpoint"
	"aetrain/model"
	"aetrain/trainer"
)

// deep is a small deep sigmoid network on the digits, 6 batches an epoch.
const deep = `
name = "deep"
seed = 5
[data]
source = "digits"
limit = 660
batch = 100
validation = 60
[model]
preset = "deep"
latent_dim = 8
encoder = [{ layer = "dense", units = [48, 32, 24], activation = "sigmoid", init = "xavier" }]
[optimizer]
learning_rate = 1e-2
[train]
epochs = 8
`

// stages train the layers one by one for 15 epochs of the same 23.
const stages = `train.stages=[{name="one",depth=1,epochs=5},{name="two",depth=2,epochs=5},{depth=3,epochs=5,optimizer={name="rmsprop",learning_rate=5e-3}},{name="all"}]`

// A deep sigmoid network learns next to nothing from a random start; pre-trained layer by layer it does.
func TestGreedyPretraining(t *testing.T) {
	final := func(dir string, sets ...string) float64 {
		r, err := prepareText(t, dir, 2, deep, sets...).train(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.Validation["loss"]
	}
	dir := t.TempDir()
	stacked, plain := final(dir, stages, "data.batch=20"), final("", "train.epochs=23", "data.batch=20")
	if !(stacked < 0.97*plain) {
		t.Errorf("pre-trained %v, at once %v", stacked, plain)
	}
	rows, err := trainer.ReadRows(dir)
	if err != nil {
		t.Fatal(err)
	}
	began := map[string]float64{}
	var order []string
	for _, row := range rows {
		if row.Split == "validation" {
			if _, seen := began[row.Stage]; !seen {
				began[row.Stage], order = float64(row.Metrics["loss"]), append(order, row.Stage)
			}
		}
	}
	if got := strings.Join(order, ", "); got != "one, two, stage 3, all" {
		t.Errorf("stages in metrics.jsonl are %s", got)
	}
}

// Only what a stage trains changes in it, and its layers are those of the whole model.
func TestStagesTrainTheirLayers(t *testing.T) {
	at := func(sets ...string) map[string][]float32 {
		r, err := prepareText(t, "", 2, deep, sets...).train(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string][]float32{}
		for _, name := range r.State.Names() {
			if model.Under(name, "encoder") || model.Under(name, "decoder") {
				all[name] = readState(t, r, name)
			}
		}
		return all
	}
	first := at(`train.stages=[{depth=1,epochs=1}]`)
	second := at(`train.stages=[{depth=1,epochs=1},{depth=2,epochs=1}]`)
	for name := range first {
		same := slices.Equal(first[name], second[name])
		trained := strings.HasPrefix(name, "encoder.1.") || strings.HasPrefix(name, "decoder.2.")
		if same == trained {
			t.Errorf("%s: stays the same is %v in the stage of the second layer", name, same)
		}
	}
}

// Interrupted within a stage, at its end and at a later one's beginning, training goes on to the same bits.
func TestResumeBetweenStages(t *testing.T) {
	short := strings.ReplaceAll(stages, "epochs=5", "epochs=1.5")
	sets := []string{short, "train.epochs=1.5", "train.early_stopping=4"}
	whole := t.TempDir()
	if _, err := prepareText(t, whole, 2, deep, sets...).train(t, nil); err != nil {
		t.Fatal(err)
	}
	want := weights(t, whole, "last")
	for _, step := range []int{4, 9, 19} {
		dir := t.TempDir()
		if _, err := prepareText(t, dir, 1, deep, sets...).train(t, func(r *trainer.Run) bool { return r.Step == step }); err != nil {
			t.Fatal(err)
		}
		s := prepareText(t, dir, 2, deep, sets...)
		s.Resume = dir + "/checkpoints/last"
		r, err := s.train(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Stage != 3 || r.Step != 36 || !bytes.Equal(want, weights(t, dir, "last")) {
			t.Errorf("interrupted at step %d: stage %d, step %d, the same weights: %v", step, r.Stage, r.Step, bytes.Equal(want, weights(t, dir, "last")))
		}
		meta, err := checkpoint.ReadMeta(dir + "/checkpoints/last")
		if err != nil || meta.Stage != 3 {
			t.Errorf("state.json says stage %d, %v", meta.Stage, err)
		}
		if got := s.Train.Finished(s.Model.Config, meta, 6); got != trainer.StatusDone {
			t.Errorf("the finished run is %q", got)
		}
	}
}

// A stage that stops early hands over to the next one.
func TestStageStopsEarly(t *testing.T) {
	s := prepareText(t, "", 2, deep, `train.stages=[{depth=1,epochs=50},{}]`, "train.early_stopping=1", "train.epochs=1", "optimizer.learning_rate=0.5")
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Stage != 1 || r.Step >= 50*6 {
		t.Errorf("stage %d, step %d\n%s", r.Stage, r.Step, s.Said.String())
	}
}

func TestStageMistakes(t *testing.T) {
	for name, c := range map[string]struct{ set, want string }{
		"too deep":      {`train.stages=[{depth=4}]`, "train.stages[0].depth: the encoder has 3 layers, not 4"},
		"unknown loss":  {`train.stages=[{},{losses=["lost"]}]`, `train.stages[1].losses[0]: no loss is called lost; did you mean loss?`},
		"nothing to do": {`train.stages=[{trains=["encode"]}]`, "train.stages[0].trains: nothing that the stage's losses train is called so: encode"},
		"misspelt":      {`train.stages=[{trains=["encoder","decodr"]}]`, "train.stages[0].trains[1]: nothing that the stage's losses train is called so: decodr"},
		"no end":        {`train={epochs=0,max_steps=9,stages=[{depth=1},{}]}`, "train.stages[0].epochs: is missing"},
		"own decoder":   {`model.decoder=[{layer="dense"}]`, "train.stages[0].depth: the first layers are trained with their mirror"},
	} {
		t.Run(name, func(t *testing.T) {
			s := prepareText(t, "", 1, deep, "train.stages=[{depth=1}]", c.set)
			err := s.Train.Check(s.Model)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// readState is a float32 state of a training.
func readState(t *testing.T, r *trainer.Run, name string) []float32 {
	t.Helper()
	spec, _, ok := r.State.Spec(name)
	if !ok {
		t.Fatalf("there is no state %s", name)
	}
	h := backend.NewHost(spec)
	if err := r.State.Read(name, h); err != nil {
		t.Fatal(err)
	}
	return h.Float32s()
}
