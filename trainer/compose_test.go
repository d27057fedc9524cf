package trainer_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/configs"
	"aetrain/cpu"
	"aetrain/data"
	"aetrain/infer"
	"aetrain/model"
	"aetrain/trainer"
	"aetrain/trainer/trainertest"
)

var update = flag.Bool("update", false, "rewrite golden files")

// part is a choice for one of an autoencoder's parts, as -set would make it.
type part struct {
	name string
	sets []string
	code string // the bottleneck that it wants, taken where it does not meet one
}

// one makes a part of a single kind of a section.
func one(section string, names ...string) (parts []part) {
	for _, n := range names {
		parts = append(parts, part{name: n, sets: []string{fmt.Sprintf("%s={kind=%q}", section, n)}})
	}
	return parts
}

// Bottlenecks that some parts want.
const (
	gaussian = `model.bottleneck={kind="gaussian"}`
	sigmoid  = `model.bottleneck={kind="deterministic",activation="sigmoid"}`
)

// kinds are the parts that meet each other in TestPairs, by section: each kind that the registries know, once.
var kinds = []struct {
	section string
	names   func() []string // of the registry that must be complete here; nil: there is none
	parts   []part
}{
	{"corruption", model.Corruptions.Names, append(one("model.corruption", "none", "gaussian", "speckle", "masking", "salt-and-pepper", "dropout"),
		part{name: "patches", sets: []string{`model.corruption={kind="patches",size=1,ratio=0.3}`}},
		part{name: "tokens", sets: []string{`model.corruption={kind="tokens",ratio=0.3}`}},
		part{name: "warp", sets: []string{`model.corruption={kind="warp",grid=2}`}},
	)},
	{"encoder", nil, []part{
		{name: "dense", sets: []string{`model.encoder=[{layer="dense",units=10,activation="tanh",norm="layer"}]`}},
		{name: "conv", sets: []string{`model.encoder=[{layer="conv2d",filters=4,kernel=3,stride=2,padding=1,activation="relu",norm="batch"}]`}},
		{name: "attention", sets: []string{"data.shape=[1,6,4]", `model.encoder=[{layer="patch_embed",size=2,units=8},{layer="transformer",heads=2}]`}},
		{name: "recurrent", sets: []string{"data.shape=[5,3]", `model.encoder=[{layer="lstm",units=6,return_sequences=false}]`,
			`model.decoder=[{layer="repeat",times=5},{layer="gru",units=6},{layer="dense"}]`}},
	}},
	{"bottleneck", model.Bottlenecks.Names, append(one("model.bottleneck", "deterministic", "gaussian", "gated", "jump-relu", "hyperspherical"),
		part{name: "categorical", sets: []string{`model.bottleneck={kind="categorical",classes=3}`}},
		part{name: "joint", sets: []string{`model.bottleneck={kind="joint",classes=3}`}},
		part{name: "top-k", sets: []string{`model.bottleneck={kind="top-k",k=2}`}},
		part{name: "batch-top-k", sets: []string{`model.bottleneck={kind="batch-top-k",k=2}`}},
		part{name: "vq", sets: []string{`model.bottleneck={kind="vq",codes=8}`}},
		part{name: "residual-vq", sets: []string{`model.bottleneck={kind="residual-vq",codes=8,levels=2}`}},
		part{name: "fsq", sets: []string{`model.bottleneck={kind="fsq",levels=[5,4,3]}`}},
	)},
	{"reconstruction", model.Reconstructions.Names, append(one("model.reconstruction", "mse", "mae", "bce", "continuous-bernoulli", "gaussian", "laplace",
		"discretized-logistic", "categorical", "multinomial", "poisson", "negative-binomial"),
		part{name: "perceptual", sets: []string{"data.shape=[1,12,12]", `model.reconstruction={kind="perceptual",layers=[{layer="conv2d",filters=3,kernel=3}]}`}},
		part{name: "ssim", sets: []string{"data.shape=[1,12,12]", `model.reconstruction={kind="ssim"}`}},
		part{name: "fidelity", sets: []string{"data.shape=[16]", `model.reconstruction={kind="fidelity"}`}},
		part{name: "adversary", sets: []string{`model.reconstruction={kind="adversary",adversary="image",feature="features"}`,
			`model.adversaries.image={on="output",layers=[{layer="flatten"},{layer="dense",name="features",units=8,activation="relu"}]}`}},
	)},
	{"penalty", model.Penalties.Names, []part{
		{name: "kl", sets: []string{"model.penalties.kl={beta=0.5}"}, code: gaussian},
		{name: "l1", sets: []string{"model.penalties.l1={weight=0.01}"}},
		{name: "l2", sets: []string{"model.penalties.l2={weight=0.01}"}},
		{name: "kl-sparsity", sets: []string{"model.penalties.kl-sparsity={weight=0.1,rho=0.2}"}, code: sigmoid},
		{name: "jacobian", sets: []string{"model.penalties.jacobian={weight=0.01}"}},
		{name: "mmd", sets: []string{"model.penalties.mmd={weight=0.5}"}},
		{name: "total-correlation", sets: []string{"model.penalties.total-correlation={weight=0.5}"}, code: gaussian},
		{name: "dip", sets: []string{"model.penalties.dip={weight=0.5}"}, code: gaussian},
		{name: "joint-capacity", sets: []string{"model.penalties.joint-capacity={}"}, code: `model.bottleneck={kind="joint",classes=3}`},
		{name: "svdd", sets: []string{"model.penalties.svdd={weight=0.1}"}},
		{name: "trash", sets: []string{"data.shape=[16]", "model.tied=true", "model.latent_dim=0", `model.encoder=[{layer="circuit",qubits=3,depth=1,encoding="amplitude",output="state",trash=1}]`,
			`model.penalties.trash={weight=1.0,on="encoder.0"}`}},
		{name: "decay", sets: []string{"model.penalties.decay={weight=0.001}"}},
	}},
	{"prior", model.Priors.Names, append(one("model.prior", "normal"),
		part{name: "vamp", sets: []string{`model.prior={kind="vamp",components=4}`}, code: gaussian},
		part{name: "flow", sets: []string{`model.prior={kind="flow",steps=2,hidden=6}`}, code: gaussian},
		part{name: "gaussian-mixture", sets: []string{`model.prior={kind="gaussian-mixture",components=2}`}},
		part{name: "autoregressive", sets: []string{`model.prior={kind="autoregressive",layers=[{layer="gru",units=6}],epochs=2}`}, code: `model.bottleneck={kind="fsq",levels=[5,4,3]}`},
	)},
	{"ensemble", nil, []part{
		{name: "two", sets: []string{`model.ensemble={members=2,connections=0.7}`}},
	}},
	{"adversary", nil, []part{
		{name: "latent", sets: []string{`model.adversaries.latent={on="latent",layers=[{layer="dense",units=6,activation="relu"}]}`}},
		{name: "output", sets: []string{`model.adversaries.output={on="output",weight=0.1,layers=[{layer="flatten"},{layer="dense",units=6,activation="relu",spectral_norm=true}]}`}},
	}},
}

// apart are kinds that want data of another form than noise, and the tests that train them.
var apart = map[string]string{"mixed": "cmd/aetrain, TestTable", "by-label": "TestCodesFollowTheirLabels"}

// composed is what two parts meet in: one batch of noise, so that each step sees the same examples.
const composed = `
name = "pair"
seed = 5
[data]
source = "random"
shape = [1, 5, 5]
examples = 32
batch = 32
validation = 0
[model]
preset = "ae"
latent_dim = 3
encoder = [{ layer = "dense", units = 10, activation = "tanh" }]
[optimizer]
learning_rate = 1e-2
[train]
max_steps = 15
sample_every = 0
checkpoint_every = 0
`

// TestPairs: each two choices for different parts build, train with a loss that falls, and give the same output when they are read
// back, or are refused with a reason. testdata/refused.txt lists the pairs that are refused, for review.
func TestPairs(t *testing.T) {
	if testing.Short() {
		t.Skip("trains some hundred models")
	}
	dev, err := cpu.Open(cpu.Threads(1))
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	var refused []string
	for i, a := range kinds {
		complete(t, a.section, a.names, a.parts)
		for _, b := range kinds[i+1:] {
			var reasons [][]string // by part of a, by part of b
			for _, p := range a.parts {
				var row []string
				for _, q := range b.parts {
					reason := ""
					t.Run(fmt.Sprintf("%s %s, %s %s", a.section, p.name, b.section, q.name), func(t *testing.T) {
						stored := a.section == "encoder" && b.section == "bottleneck" // the disk is slow
						reason = pair(t, dev, together(p, q, a.section == "bottleneck" || b.section == "bottleneck"), stored)
					})
					row = append(row, reason)
				}
				reasons = append(reasons, row)
			}
			refused = append(refused, listed(a.section, a.parts, b.section, b.parts, reasons)...)
		}
	}
	got := strings.Join(refused, "\n") + "\n"
	golden := filepath.Join("testdata", "refused.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || got != string(want) {
		t.Errorf("other pairs are refused, or for other reasons, than %s says (%v); go test -update rewrites it. Now:\n%s", golden, err, got)
	}
}

// listed names refused pairs, a line each; parts that all of the other section refuse for one reason are a line only.
func listed(a string, as []part, b string, bs []part, reasons [][]string) (lines []string) {
	done := make([]bool, len(bs))
	for j, q := range bs {
		column := make([]string, len(as))
		for i := range as {
			column[i] = reasons[i][j]
		}
		if done[j] = alike(column); done[j] {
			lines = append(lines, fmt.Sprintf("any %s, %s %s: %s", a, b, q.name, column[0]))
		}
	}
	for i, p := range as {
		if alike(reasons[i]) {
			lines = append(lines, fmt.Sprintf("%s %s, any %s: %s", a, p.name, b, reasons[i][0]))
			continue
		}
		for j, q := range bs {
			if reasons[i][j] != "" && !done[j] {
				lines = append(lines, fmt.Sprintf("%s %s, %s %s: %s", a, p.name, b, q.name, reasons[i][j]))
			}
		}
	}
	return lines
}

// alike reports whether all have one reason.
func alike(reasons []string) bool {
	return reasons[0] != "" && len(slices.Compact(slices.Clone(reasons))) == 1
}

// together are the sets of two parts, and the bottleneck that one of them wants if neither is one.
func together(p, q part, isBottleneck bool) []string {
	var sets []string
	for _, code := range []string{p.code, q.code} {
		if code != "" && !isBottleneck && len(sets) == 0 {
			sets = []string{code}
		}
	}
	return slices.Concat(sets, p.sets, q.sets)
}

// complete fails where a registry has kinds that the table lacks.
func complete(t *testing.T, section string, names func() []string, parts []part) {
	t.Helper()
	if names == nil {
		return
	}
	var have []string
	for _, p := range parts {
		have = append(have, p.name)
	}
	sort.Strings(have)
	want := slices.DeleteFunc(slices.Clone(names()), func(name string) bool { return apart[name] != "" })
	if !slices.Equal(have, want) {
		t.Errorf("%s: the table has %v, the registry %v", section, have, want)
	}
}

// pair trains two parts' model and, if it is to be stored, reads it back. The reason is that for which a model was refused, as the
// user is told it.
func pair(t *testing.T, dev backend.Backend, sets []string, stored bool) (reason string) {
	t.Helper()
	p, err := trainertest.Read(t, composed, sets...)
	if err != nil {
		return told(t, err)
	}
	if stored {
		p.Dir = t.TempDir()
		render(t, p.Config, filepath.Join(p.Dir, "config.toml"))
	}
	p.Backend = dev
	r, err := trainer.New(p.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before := loss(t, r, p.Splits.Train)
	if err := r.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	after := loss(t, r, p.Splits.Train)
	moving := len(p.Model.Config.Adversaries) > 0 || r.StageName() != "" // the goal moves with the discriminator, and with the stage
	if math.IsNaN(after) || math.IsInf(after, 0) || !moving && after >= before {
		t.Errorf("the loss goes from %v to %v", before, after)
	}
	if stored {
		same(t, p.Dir, dev, r.Model, p.Splits.Train)
	}
	return ""
}

// render writes the complete config.
func render(t *testing.T, cfg *configs.Config, path string) {
	t.Helper()
	var b bytes.Buffer
	if err := cfg.Render(&b, configs.RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// loss is the model's on src.
func loss(t *testing.T, r *trainer.Run, src data.Source) float64 {
	t.Helper()
	got, err := r.Model.Evaluate(context.Background(), src, infer.EvaluateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return got["loss"]
}

// told is the user's sentence, without the places of this test's text.
func told(t *testing.T, err error) string {
	t.Helper()
	var lines []string
	for _, l := range strings.Split(strings.TrimSpace(err.Error()), "\n") {
		if _, rest, ok := strings.Cut(l, ": model."); ok {
			l = "model." + rest
		}
		if strings.Count(l, " ") < 4 {
			t.Errorf("this is no reason: %s", l)
		}
		lines = append(lines, l)
	}
	return strings.Join(lines, "; ")
}

// same holds a run that is read back to the model that was trained.
func same(t *testing.T, dir string, dev backend.Backend, live *infer.Model, src data.Source) {
	t.Helper()
	ctx := context.Background()
	x, err := infer.Read(ctx, src, model.FieldX, 8)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := infer.Open(dir, dev, infer.OpenOptions{Checkpoint: "last"})
	if err != nil {
		t.Fatal(err)
	}
	defer stored.Close()
	want, err := live.Reconstruct(ctx, x)
	if err != nil {
		t.Fatal(err)
	}
	got, err := stored.Reconstruct(ctx, x)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Float32s(), want.Float32s()) {
		t.Error("read back, it reconstructs other values")
	}
}
