package model

import (
	"math"
	"sort"
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

func init() { // variants whose gradient is the loss's own, almost everywhere
	small["top-k"] = "latent_dim = 9\nbottleneck = { kind = \"top-k\", k = 3, auxiliary_k = 2, dead_after_steps = 3, center = true }\n"
	small["matryoshka"] = "latent_dim = 9\nbottleneck = { kind = \"top-k\", k = 3, prefixes = [2, 5], auxiliary_k = 0 }\n"
	small["gated"] = "latent_dim = 9\n"
}

// Exactly k of each row, the largest, of equal ones the last.
func TestTopOf(t *testing.T) {
	g := graph.New()
	x := g.Input("x", graph.F32(4, 5))
	fed := map[string]graph.Tensor{"x": {Spec: x.Spec(), Data: []float64{
		3, 1, 2, 5, 4,
		0, 0, 0, 0, 0,
		-1, -2, -1, -3, -1,
		7, 7, 1, 7, 0,
	}}}
	want := map[int][]float64{
		2: {0, 0, 0, 1, 1 /**/, 0, 0, 0, 1, 1 /**/, 0, 0, 1, 0, 1 /**/, 0, 1, 0, 1, 0},
		5: {1, 1, 1, 1, 1 /**/, 1, 1, 1, 1, 1 /**/, 1, 1, 1, 1, 1 /**/, 1, 1, 1, 1, 1},
	}
	for k, w := range want {
		got := evaluate(t, fed, topOf(x, k))
		for i := range w {
			if got.Data[i] != w[i] {
				t.Fatalf("k = %d: %v, want %v", k, got.Data, w)
			}
		}
	}
}

const tinyDictionary = "[model]\nlatent_dim = 40\nencoder = []\n[model.bottleneck]\n"

// Each example has exactly k active units, and they are the largest.
func TestTopKHasExactlyK(t *testing.T) {
	m := build(t, tinyDictionary+"kind = \"top-k\"\nk = 4\n", 30)
	fn, err := m.Train(8)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 2)
	z := evaluate(t, fed, fn.Forward.Code)
	for i := range 8 {
		active := 0
		for _, v := range z.Data[i*40 : (i+1)*40] {
			if v > 0 {
				active++
			}
		}
		if active != 4 {
			t.Errorf("example %d has %d active units, want 4", i, active)
		}
	}
	if got := mean(termOf(t, fn, fed, "active")); got != 4 {
		t.Errorf("the term active is %v", got)
	}
}

// A batch has N·k active units, the largest of all; elsewhere the threshold decides, which training has left.
func TestBatchTopK(t *testing.T) {
	m := build(t, tinyDictionary+"kind = \"batch-top-k\"\nk = 3\n", 30)
	fn, err := m.Train(8)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 2)
	z := evaluate(t, fed, fn.Forward.Code)
	var active []float64
	for _, v := range z.Data {
		if v > 0 {
			active = append(active, v)
		}
	}
	sort.Float64s(active)
	if len(active) != 24 {
		t.Errorf("%d active units in 8 examples, want 24", len(active))
	}
	threshold := number(t, fed, fn.Graph.Lookup("encoder.threshold").Now)
	if threshold != active[0] {
		t.Errorf("the first threshold is %v, the smallest active unit %v", threshold, active[0])
	}
	enc, err := m.Encode(8)
	if err != nil {
		t.Fatal(err)
	}
	again := feed(enc, 2)
	again["x"], again["encoder.threshold"] = fed["x"], graph.Tensor{Spec: graph.F32(), Data: []float64{threshold}}
	code := evaluate(t, again, enc.Forward.Code)
	for i, v := range code.Data {
		if v != z.Data[i] {
			t.Fatalf("unit %d is %v by the threshold, %v by the batch", i, v, z.Data[i])
		}
	}
}

// Silent units are counted, the dead help the code in the auxiliary loss, and get its gradient alone.
func TestDeadUnits(t *testing.T) {
	m := build(t, tinyDictionary+"kind = \"top-k\"\nk = 4\ndead_after_steps = 10\nauxiliary_k = 3\n", 30)
	fn, err := m.Train(8)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 2)
	if got := mean(termOf(t, fn, fed, "auxiliary")); got != 0 {
		t.Errorf("nobody is dead, the auxiliary loss is %v", got)
	}
	silent := fed["encoder.silent_steps"]
	for _, j := range []int{3, 7, 20, 31, 39} { // never among the largest, but above 0 by themselves
		silent.Data[j] = 11
		for i := range 30 {
			fed["encoder.code.weight"].Data[j*30+i] = 1e-3
		}
	}
	silent.Data[5] = 10 // at the edge: alive
	z := evaluate(t, fed, fn.Forward.Code)
	if got := mean(termOf(t, fn, fed, "dead")); got != 5 {
		t.Errorf("%v are dead, want 5", got)
	}
	counted := evaluate(t, fed, fn.Graph.Lookup("encoder.silent_steps").Now)
	for j := range 40 {
		active := false
		for i := range 8 {
			active = active || z.Data[i*40+j] > 0
		}
		want := silent.Data[j] + 1
		if active {
			want = 0
		}
		if counted.Data[j] != want {
			t.Errorf("unit %d is silent for %v steps, want %v", j, counted.Data[j], want)
		}
	}
	for _, term := range fn.Terms {
		if term.Name != "auxiliary" {
			continue
		}
		grad := evaluate(t, fed, graph.Grad(op.MeanAll(term.Value), fn.Graph.Lookup("encoder.code.bias").Leaf)[0])
		helped := 0
		for j, v := range grad.Data {
			if v != 0 {
				helped++
				if silent.Data[j] <= 10 {
					t.Errorf("the auxiliary loss trains unit %d, which is alive", j)
				}
			}
		}
		if helped < 3 {
			t.Errorf("%d dead units learn, want 3 or more (3 of each example)", helped)
		}
	}
}

// The pseudo-gradients of JumpReLU, by its paper's equations.
func TestJumpReLUGradients(t *testing.T) {
	m := build(t, tinyDictionary+"kind = \"jump-relu\"\nthreshold = 0.4\nbandwidth = 0.5\n", 30)
	fn, err := m.Train(8)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 2)
	for i := range fed["encoder.log_threshold"].Data {
		fed["encoder.log_threshold"].Data[i] += 0.02 * float64(i)
	}
	g := fn.Graph
	z := fn.Forward.Code
	logs := g.Lookup("encoder.log_threshold").Leaf
	dz := evaluate(t, fed, graph.Grad(op.SumAll(z), logs)[0])
	dl := evaluate(t, fed, graph.Grad(op.SumAll(fn.Terms[1].Value), logs)[0])
	pre := evaluate(t, fed, op.AddBias(op.MatMul(fn.Forward.X, g.Lookup("encoder.code.weight").Leaf, false, true), g.Lookup("encoder.code.bias").Leaf))
	code, l0 := evaluate(t, fed, z), evaluate(t, fed, fn.Terms[1].Value)
	count := make([]float64, 8)
	for j := range 40 {
		theta := math.Exp(fed["encoder.log_threshold"].Data[j])
		wantZ, wantL := 0.0, 0.0
		for i := range 8 {
			p := pre.Data[i*40+j]
			want := 0.0
			if p > theta {
				want = p
				count[i]++
			}
			if got := code.Data[i*40+j]; !close(got, want, 1e-12) {
				t.Fatalf("example %d, unit %d: %v of %v at threshold %v", i, j, got, p, theta)
			}
			if math.Abs(p-theta) < 0.25 {
				wantZ -= theta / 0.5
				wantL -= 1 / 0.5
			}
		}
		if !close(dz.Data[j], wantZ*theta, 1e-9) || !close(dl.Data[j], wantL*theta, 1e-9) { // d/dlog θ = θ d/dθ
			t.Errorf("unit %d: gradients %v and %v, want %v and %v", j, dz.Data[j], dl.Data[j], wantZ*theta, wantL*theta)
		}
	}
	for i := range count {
		if l0.Data[i] != count[i] {
			t.Errorf("example %d: l0 is %v, want %v", i, l0.Data[i], count[i])
		}
	}
}

// The decoder starts as the encoder's transpose, with atoms of length 1, and a tied one shares the weight.
func TestDictionaryStart(t *testing.T) {
	for _, tied := range []string{"", "tied = true\n"} {
		m := build(t, "[model]\n"+tied+strings.TrimPrefix(tinyDictionary, "[model]\n")+"kind = \"top-k\"\nk = 4\ncenter = true\n", 30)
		fn, err := m.Train(2)
		if err != nil {
			t.Fatal(err)
		}
		fed := feed(fn, 2)
		w := fed["encoder.code.weight"].Data
		d, own := fed["decoder.0.weight"]
		if own != (tied == "") {
			t.Fatalf("tied %q: the decoder has a weight of its own: %v", tied, own)
		}
		sum := 0.0
		for i := range 30 {
			sum += w[i] * w[i]
			if own && d.Data[i*40] != w[i] {
				t.Errorf("decoder[%d,0] is %v, encoder[0,%d] %v", i, d.Data[i*40], i, w[i])
			}
		}
		if !close(sum, 1, 1e-6) {
			t.Errorf("an atom's length is %v", math.Sqrt(sum))
		}
		checkFunctions(t, m)
	}
}

func TestSparseOverfits(t *testing.T) {
	for _, kind := range []string{"kind = \"top-k\"\nk = 6\n", "kind = \"batch-top-k\"\nk = 6\n", "kind = \"jump-relu\"\nsparsity = 1e-3\n",
		"kind = \"gated\"\nsparsity = 1e-3\n", "kind = \"top-k\"\nk = 6\nprefixes = [10, 20]\ndead_after_steps = 5\nauxiliary_k = 4\n"} {
		first, last := overfit(t, build(t, tinyDictionary+kind, 12), 6, 150, 0.02)
		if last > first/10 {
			t.Errorf("%s: reconstruction went from %v to %v", kind, first, last)
		}
	}
}

// A published dictionary's configuration, on the sparse preset, whose own penalty means nothing on it.
func TestSparsePresetWithTopK(t *testing.T) {
	c := read(t, `
[model]
preset = "sparse"
latent_dim = 64
encoder = []
tied = false
[model.bottleneck]
kind = "top-k"
k = 4
center = true
dead_after_steps = 1000
auxiliary_k = 16
[model.reconstruction]
kind = "mse"
`)
	if len(c.Penalties) != 0 {
		t.Errorf("penalties stay: %v", c.Penalties)
	}
	if _, err := New(c, []Field{{Name: FieldX, Spec: graph.F32(20)}}); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		"latent_dim = 3\nbottleneck = { kind = \"top-k\", k = 4 }\n":                           "k = 4 of 3 units: k is at most latent_dim",
		"latent_dim = 9\nbottleneck = { kind = \"top-k\", k = 4, prefixes = [9] }\n":           "a prefix is shorter than latent_dim",
		"latent_dim = 0\nbottleneck = { kind = \"gated\" }\n":                                  "give latent_dim a size above 0",
		"latent_dim = 9\nbottleneck = { kind = \"top-k\", k = 4 }\npenalties = { l1 = {} }\n":  "l1 means nothing on a code that is sparse by itself",
		"latent_dim = 9\nbottleneck = { kind = \"jump-relu\", threshold = 0 }\n":               "threshold",
		"latent_dim = 9\nbottleneck = { kind = \"top-k\", k = 4, dead_after_steps = -1 }\n":    "dead_after_steps",
		"latent_dim = 9\nbottleneck = { kind = \"topk\" }\n":                                   "did you mean top-k?",
		"latent_dim = 9\nbottleneck = { kind = \"gated\" }\nlosses.a.terms = { gaet = 1.0 }\n": "did you mean gate?",
	} {
		c, err := tryRead("[model]\nencoder = []\n" + text)
		if err == nil {
			_, err = New(c, []Field{{Name: FieldX, Spec: graph.F32(20)}})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
