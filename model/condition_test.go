package model

import (
	"slices"
	"strings"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
)

// labelled is the model of a text for x of this shape with a label of three classes and two numbers beside it.
func labelled(t *testing.T, text string, x ...int) *Model {
	t.Helper()
	m, err := New(read(t, text), labelledFields(x))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return m
}

func labelledFields(x []int) []Field {
	return []Field{{Name: FieldX, Spec: graph.F32(x...)}, {Name: "label", Spec: graph.I32(), Classes: 3}, {Name: "pose", Spec: graph.F32(2)}}
}

const smallConditional = "[model]\npreset = \"conditional\"\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\n"

// What is told stands beside the input of each part, in the shape that the part's layers take.
func TestConditionShapes(t *testing.T) {
	conv := "[model]\npreset = \"conv-vae\"\nlatent_dim = 2\nencoder = [{ layer = \"conv2d\", filters = 4, kernel = 3, stride = 2, padding = \"same\" }]\n"
	for _, c := range []struct {
		name, text string
		x          []int
		want       map[string]graph.Shape
	}{
		{"image that is flattened", smallConditional, []int{1, 4, 4}, map[string]graph.Shape{"encoder.0.weight": {5, 19}, "decoder.0.weight": {5, 5}, "decoder.1.weight": {16, 5}}},
		{"decoder alone", smallConditional + "[model.condition]\ninto = [\"decoder\"]\n", []int{6}, map[string]graph.Shape{"encoder.0.weight": {5, 6}, "decoder.0.weight": {5, 5}}},
		{"planes of an image", conv + "[model.condition]\non = [\"label\", \"pose\"]\n", []int{2, 6, 6}, map[string]graph.Shape{"encoder.0.weight": {4, 7, 3, 3}, "decoder.0.weight": {36, 7}}},
		{"embedding", smallConditional + "[model.condition]\nembedding = 2\n", []int{6}, map[string]graph.Shape{"encoder.0.weight": {5, 8}, "condition.label.weight": {3, 2}}},
		{"sequences", "[model]\nlatent_dim = 2\nencoder = [{ layer = \"lstm\", units = 3 }]\n[model.condition]\non = [\"label\"]\ninto = [\"encoder\"]\n", []int{5, 2}, nil},
		{"prior", smallConditional + "[model.condition]\ninto = [\"encoder\", \"decoder\", \"prior\"]\n", []int{6}, map[string]graph.Shape{"prior.mu.weight": {2, 3}, "prior.log_var.bias": {2}}},
		{"discriminator", "[model]\npreset = \"aae\"\nlatent_dim = 2\n[model.condition]\non = [\"label\"]\ninto = [\"latent\"]\n", []int{6}, map[string]graph.Shape{"adversaries.latent.0.weight": {512, 5}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := labelled(t, c.text, c.x...)
			states := map[string]graph.Shape{}
			for phase := range m.Phases() {
				fn, err := m.TrainPhase(3, phase)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range fn.Graph.States() {
					states[s.Name] = s.Spec.Shape
				}
			}
			for name, want := range c.want {
				if !states[name].Equal(want) {
					t.Errorf("%s is %v, want %v", name, states[name], want)
				}
			}
			if !slices.Contains(m.FieldNames(), "label") {
				t.Errorf("training reads %v", m.FieldNames())
			}
		})
	}
}

// Gradients reach embeddings and the told prior, and the label changes what is decoded.
func TestConditionIsUsed(t *testing.T) {
	m := labelled(t, smallConditional+"[model.condition]\nembedding = 2\ninto = [\"encoder\", \"decoder\", \"prior\"]\n", 6)
	checkGradient(t, m)
	for name, make := range map[string]func(int) (*Function, error){"decode": m.Decode, "sample": m.Sample, "reconstruct": m.Reconstruct, "encode": m.Encode} {
		fn, err := make(2)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(fn.Inputs, "label") {
			t.Errorf("%s takes %v", name, fn.Inputs)
			continue
		}
		output := "recon"
		if name == "encode" {
			output = "z"
		}
		fed := feed(fn, 3)
		before := evaluate(t, fed, fn.Outputs[output]).Data
		fed["label"].Data[1] = 2
		after := evaluate(t, fed, fn.Outputs[output]).Data
		half := len(before) / 2
		if !slices.Equal(before[:half], after[:half]) || slices.Equal(before[half:], after[half:]) {
			t.Errorf("%s: the second example's label changes %v to %v", name, before, after)
		}
	}
}

// Several draws of an example are told the same.
func TestConditionUnderManySamples(t *testing.T) {
	m := labelled(t, smallConditional+"[model.bottleneck]\nbound = \"iwae\"\nsamples = 3\n", 6)
	checkGradient(t, m)
	if _, err := m.NLL(2, 4); err != nil {
		t.Error(err)
	}
}

func TestConditionMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no such field", smallConditional + "[model.condition]\non = [\"lable\"]\n", "t.toml:6: model.condition.on[0]: the data has no field lable; did you mean label?: it has label, pose"},
		{"no such part", smallConditional + "[model.condition]\ninto = [\"encodr\"]\n", "t.toml:6: model.condition.into[0]: no part is called encodr; did you mean encoder?: there are encoder, decoder, prior"},
		{"tied", smallConditional + "tied = true\n", "t.toml:5: model.tied: the encoder sees the condition, so its weights have no mirror: into = [\"decoder\"], or leave tied out"},
		{"prior of a plain code", "[model]\n[model.condition]\non = [\"label\"]\ninto = [\"prior\"]\n", "t.toml:4: model.condition.into: only the prior of a gaussian bottleneck and an autoregressive one can be told: choose one of them, or leave prior out"},
		{"into nothing", smallConditional + "[model.condition]\ninto = []\n", "t.toml:6: model.condition.into: nothing is told the condition: name encoder, decoder, prior or an adversary"},
	} {
		cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte(c.text), Presets: Presets(), DefaultPreset: DefaultPreset})
		if cfg == nil {
			t.Fatal(err)
		}
		mc, _ := Read(cfg)
		if cfg.Err() == nil {
			_, err = New(mc, labelledFields([]int{6}))
			_ = Report(cfg, err)
		}
		if got := cfg.Err(); got == nil || !strings.Contains(got.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", c.name, got, c.want)
		}
	}
}

// A column that parts are told is taken out of x where there is one, and given where there is none.
func TestConditionOnColumns(t *testing.T) {
	text := smallConditional + "[model.reconstruction]\nkind = \"mixed\"\n[model.condition]\non = [\"country\", \"amount\"]\n"
	m := buildTable(t, text)
	checkGradient(t, m)
	train, err := m.Train(2)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(train.Inputs, "country") || !slices.Contains(train.Inputs, FieldX) {
		t.Errorf("training reads %v", train.Inputs)
	}
	sample, err := m.Sample(2)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(sample.Inputs, "country") || !slices.Contains(sample.Inputs, "amount") {
		t.Errorf("sampling reads %v", sample.Inputs)
	}
	fields := m.ConditionFields()
	if fields[0].Classes != 3 || fields[0].Words[1] != "FR" || !m.IsColumn("amount") || m.IsColumn("label") || m.Condition.size != 4 {
		t.Errorf("fields are %+v of %d numbers", fields, m.Condition.size)
	}
	fn, err := m.Encode(2)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 1)
	copy(fed[FieldX].Data, []float64{0.3, -1, 0, 1, 0, 1, 2, 0.4, 1, 0, 0, 0})
	got := evaluate(t, fed, fn.Forward.condition())
	if want := []float64{0, 1, 0, 0.3, 1, 0, 0, 2}; !slices.Equal(got.Data, want) {
		t.Errorf("told is %v, want %v", got.Data, want)
	}
	_, err = New(read(t, text), []Field{{Name: FieldX, Spec: graph.F32(4, 6), Columns: payments}})
	if err == nil || !strings.Contains(err.Error(), "examples are windows") {
		t.Errorf("of windows: %v", err)
	}
}
