package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/graph"
)

// npy writes an array of ramps from low to high.
func (l *lab) npy(name string, n int, shape graph.Shape, low, high float64) string {
	l.t.Helper()
	values := make([]float32, n*shape.Size())
	for i := range values {
		values[i] = float32(low + (high-low)*float64((i*7919)%len(values))/float64(len(values)-1))
	}
	r := rows{n: n, shape: shape, produce: func(emit func([]string, *tensor.Dense) error) error {
		return emit(numbered(n), tensor.New(tensor.WithShape(append([]int{n}, shape...)...), tensor.WithBacking(values)))
	}}
	var b bytes.Buffer
	if err := r.npy(&b); err != nil {
		l.t.Fatal(err)
	}
	return l.write(name, b.String())
}

// A config with several mistakes lists all of them, and nothing is written.
func TestEveryMistake(t *testing.T) {
	l := newLab(t)
	l.write("bad.toml", `name = "bad"
[data]
source = "digitz"
batch = -3
validation = 1.5
[model]
preset = "vea"
laten_dim = 3
[optimizer]
learning_rate = "x"
[train]
device = "gpu"
[kernels]
conv3d = "direct"
matmul = "gem"
`)
	for _, args := range [][]string{{"train", "bad.toml"}, {"check", "bad.toml"}, {"-config", "bad.toml", "-dry-run"}} {
		o := l.run(append(args, "-set", "data.batch=-5", "-set", "train.epochs=many")...)
		if o.code != 2 || o.stdout != "" {
			t.Errorf("%v: exit code %d, stdout %q", args, o.code, o.stdout)
		}
		golden(t, "mistakes.txt", o.stderr)
	}
	if entries, _ := os.ReadDir(l.dir); len(entries) != 1 {
		t.Errorf("something was written: %v", entries)
	}
}

// The sentences that a first-time user needs, each with its place.
func TestSentences(t *testing.T) {
	l := newLab(t)
	l.write("experiments/mnist/here", "")
	l.npy("x.npy", 40, graph.Shape{5}, -2, 8)
	for _, c := range []struct {
		name, config string
		want         string
	}{
		{"folder beside the config", "[data]\nsource = \"mnist\"\ndir = \"mnist\"\n",
			"experiments/e.toml:3: data.dir: no such folder: " + l.dir + "/mnist (there is one beside the config: experiments/mnist)"},
		{"range", "[data]\nsource = \"npy\"\nfile = \"x.npy\"\ntransforms = [{ kind = \"standardize\" }]\n[model]\npreset = \"vae\"\n",
			"model.reconstruction: bce wants values in [0,1], the data has "},
		{"after which transform", "[data]\nsource = \"npy\"\nfile = \"x.npy\"\ntransforms = [{ kind = \"standardize\" }]\n[model]\npreset = \"vae\"\n",
			"(after standardize): use gaussian or mse"},
		{"decoder ends elsewhere", tinyImages + `encoder = [{ layer = "conv2d", filters = 4, kernel = 3, padding = "same" }]
decoder = [{ layer = "dense", units = 36 }, { layer = "reshape", shape = [1, 6, 6] }, { layer = "conv2d", filters = 64, kernel = 3, padding = "same" }]
`, "experiments/e.toml:8: model.decoder[2]: gives 64x6x6, the input is 1x6x6: leave out filters, or add a layer that gives 1"},
		{"dense on a feature map", tinyImages + `encoder = [{ layer = "conv2d", filters = 7, kernel = 3, padding = "same" }, { layer = "dense", units = 3 }]
`, `experiments/e.toml:7: model.encoder[1] (dense): its input is a feature map, 7x6x6: add { layer = "flatten" } before it`},
		{"not a number", "[optimizer]\nlearning_rate = \"x\"\n", `experiments/e.toml:2: optimizer.learning_rate: "x" is not a number`},
		{"validation", "[data]\nvalidation = 1.5\n", "experiments/e.toml:2: data.validation: 1.5 is neither a fraction below 1 nor a count"},
		{"unknown key", "[model]\nlaten_dim = 3\n", "experiments/e.toml:2: model.laten_dim: unknown key; did you mean latent_dim?"},
		{"too much held out", "[data]\nsource = \"npy\"\nfile = \"x.npy\"\nvalidation = 50\n", "experiments/e.toml:4: data.validation: 50 examples are wanted, there are 40"},
		{"start from nothing", "[data]\nsource = \"npy\"\nfile = \"x.npy\"\n[train]\nstart_from = \"runs/none\"\n",
			"experiments/e.toml:5: train.start_from: no such folder: " + l.dir + "/runs/none"},
		{"not measured", "[data]\nsource = \"npy\"\nfile = \"x.npy\"\n[train]\nmonitor = \"los\"\n", `experiments/e.toml:5: train.monitor: "los" is not measured; did you mean loss?`},
		{"syntax", "[data\n", "experiments/e.toml:1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			l.write("experiments/e.toml", c.config)
			o := l.run("train", "experiments/e.toml", "-quiet")
			if o.code != 2 || !strings.Contains(o.stderr, c.want) {
				t.Errorf("exit code %d, stderr\n%s\nwant in it\n%s", o.code, o.stderr, c.want)
			}
		})
	}
	if l.exists("runs") {
		t.Error("something was written under runs/")
	}
}

// tinyImages begins a config of 1x6x6 images up to its layers, which stand on line 7.
const tinyImages = "[data]\nsource = \"random\"\nshape = [1, 6, 6]\nexamples = 50\n[model]\npreset = \"conv-ae\"\n"

func TestSetForms(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	l.npy("ours.npy", 30, graph.Shape{4}, 0, 1)
	type dry struct {
		Splits map[string]int
		Layers []dryLayer
	}
	for _, c := range []struct {
		name string
		sets []string
		ok   func(d dry) bool
	}{
		{"number", []string{"data.examples=200"}, func(d dry) bool { return d.Splits["train"] == 100 }},
		{"word without quotes", []string{"model.bottleneck.kind=deterministic"}, func(d dry) bool { return d.Layers[1].Path == "encoder.code" }},
		{"word with quotes", []string{`model.bottleneck.kind="deterministic"`}, func(d dry) bool { return d.Layers[1].Path == "encoder.code" }},
		{"item of a list", []string{"model.encoder.0.units=9"}, func(d dry) bool { return d.Layers[0].Output[0] == 9 }},
		{"list", []string{`model.encoder=[{ layer = "dense", units = [9, 8] }]`}, func(d dry) bool { return d.Layers[1].Output[0] == 8 }},
		{"the last one wins", []string{"data.examples=200", "data.examples=250"}, func(d dry) bool { return d.Splits["train"] == 150 }},
		{"another source and its keys", []string{"data.source=npy", "data.file=ours.npy", "data.validation=5", "data.test=5"}, func(d dry) bool { return d.Splits["train"] == 20 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &lab{t, l.dir}
			args := []string{"train", "tiny.toml", "-dry-run", "-quiet"}
			for _, s := range c.sets {
				if strings.HasPrefix(s, "data.source=npy") {
					l.write("plain.toml", strings.NewReplacer(`shape = [1, 6, 6]`, "", "examples = 300", "").Replace(tiny))
					args[1] = "plain.toml"
				}
				args = append(args, "-set", s)
			}
			var d dry
			l.json(&d, args...)
			if !c.ok(d) {
				t.Errorf("got %+v", d)
			}
		})
	}
	o := l.run("train", "tiny.toml", "-set", "nonsense", "-set", "data.batch=0")
	if o.code != 2 || !strings.Contains(o.stderr, "-set nonsense: not of the form KEY=VALUE") || !strings.Contains(o.stderr, "-set data.batch=0: must be at least 1") {
		t.Errorf("exit code %d, %s", o.code, o.stderr)
	}
}

// Files that are damaged are refused with their name and the reason, with exit code 1.
func TestDamagedFiles(t *testing.T) {
	l := newLab(t)
	whole := l.npy("x.npy", 40, graph.Shape{5}, 0, 1)
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	l.write("short.npy", string(text[:len(text)-8]))
	l.write("idx/train-images-idx3-ubyte", "\x00\x00\x08\x03\x00\x00\x00\x02\x00\x00\x00\x04\x00\x00\x00\x04abc")
	for _, c := range []struct{ name, config, want string }{
		{"npy", "[data]\nsource = \"npy\"\nfile = \"short.npy\"\n", "short.npy"},
		{"idx", "[data]\nsource = \"mnist\"\ndir = \"idx\"\n", filepath.Join("idx", "train-images-idx3-ubyte") + ": truncated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l.write("e.toml", c.config)
			o := l.run("train", "e.toml")
			if o.code != 1 || !strings.Contains(o.stderr, c.want) || strings.Contains(o.stderr, "panic") || l.exists("runs") {
				t.Errorf("exit code %d, stderr\n%s\nwant in it %s", o.code, o.stderr, c.want)
			}
		})
	}
}
