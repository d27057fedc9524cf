package model

import (
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func train(t *testing.T, m *Model, batch int) (*Function, map[string]graph.Tensor) {
	t.Helper()
	fn, err := m.Train(batch)
	if err != nil {
		t.Fatal(err)
	}
	return fn, feed(fn, 4)
}

func termOf(t *testing.T, fn *Function, fed map[string]graph.Tensor, name string) graph.Tensor {
	t.Helper()
	for _, term := range fn.Terms {
		if term.Name == name {
			return evaluate(t, fed, term.Value)
		}
	}
	t.Fatalf("no term %s", name)
	return graph.Tensor{}
}

// Every reconstruction against its formula, summed and as a mean.
func TestReconstructions(t *testing.T) {
	for _, c := range []struct {
		kind string
		each func(x, y float64) float64 // y: the mean
	}{
		{`kind = "mse"`, func(x, y float64) float64 { return (x - y) * (x - y) }},
		{`kind = "mae"`, func(x, y float64) float64 { return math.Abs(x - y) }},
		{`kind = "bce"`, func(x, y float64) float64 { return -x*math.Log(y) - (1-x)*math.Log(1-y) }},
		{`kind = "gaussian"`, func(x, y float64) float64 { return -logNormal(x, y, 0) }},
		{`{ kind = "gaussian", variance = 0.25 }`, func(x, y float64) float64 { return -logNormal(x, y, math.Log(0.25)) }},
		{`{ kind = "gaussian", variance = "learned" }`, func(x, y float64) float64 { return -logNormal(x, y, 0) }},
		{`kind = "laplace"`, func(x, y float64) float64 { return math.Abs(x-y) + math.Ln2 }},
		{`{ kind = "laplace", scale = 2.0 }`, func(x, y float64) float64 { return math.Abs(x-y)/2 + math.Log(4) }},
	} {
		for _, reduction := range []string{"sum", "mean"} {
			kind := strings.Trim(c.kind, "{ }")
			m := build(t, "[model]\nencoder = []\nlatent_dim = 2\nreconstruction = { weight = 2.0, reduction = \""+reduction+"\", "+kind+" }\n", 1, 2, 3)
			fn, fed := train(t, m, 2)
			y, x, want := evaluate(t, fed, fn.Forward.Recon.Mean()), fed["x"], 0.0
			for i, v := range x.Data {
				want += c.each(v, y.Data[i]) / 2
			}
			if reduction == "mean" {
				want /= 6
			}
			if got := mean(termOf(t, fn, fed, "reconstruction")); !close(got, want, 1e-7) {
				t.Errorf("%s, %s: got %v, want %v", c.kind, reduction, got, want)
			}
			if got := number(t, fed, fn.Loss); !close(got, 2*want, 1e-7) {
				t.Errorf("%s, %s: loss %v, want %v", c.kind, reduction, got, 2*want)
			}
			checkGradient(t, m)
		}
	}
}

// A variance for each feature doubles the decoder's channels; means are the first half.
func TestVariancePerFeature(t *testing.T) {
	for _, x := range [][]int{{1, 4, 5}, {7}, {3, 4}} {
		m := build(t, "[model]\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 4 }]\nreconstruction = { kind = \"gaussian\", variance = \"per-feature\" }\n", x...)
		fn, fed := train(t, m, 2)
		if !fn.Forward.Recon.Mean().Shape()[1:].Equal(x) {
			t.Errorf("recon of %v is %v", x, fn.Forward.Recon.Mean().Shape())
		}
		q := fn.Forward.Recon.(prob.Normal)
		mu, logVar, want := evaluate(t, fed, q.Mu), evaluate(t, fed, q.LogVar), 0.0
		for i, v := range fed["x"].Data {
			want -= logNormal(v, mu.Data[i], logVar.Data[i]) / 2
		}
		if got := number(t, fed, fn.Loss); !close(got, want, 1e-9) {
			t.Errorf("%v: loss %v, want %v", x, got, want)
		}
		checkGradient(t, m)
	}
	text := "[model]\nlatent_dim = 2\nreconstruction = { kind = \"gaussian\", variance = \"per-feature\" }\nencoder = []\n" +
		"decoder = [{ layer = \"dense\", units = 49 }, { layer = \"reshape\", shape = [1, 7, 7] }, { layer = \"conv2d\", filters = 3, kernel = 1 }]\n"
	if got, want := sentence(text, 3, 7, 7), "t.toml:5: model.decoder[2]: gives 3x7x7, the input is 3x7x7, for which gaussian needs 6x7x7: leave out filters, or add a layer that gives 6"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// A sigmoid at the end of a written decoder is the likelihood's own under bce, and stays under mse.
func TestFinalSigmoid(t *testing.T) {
	decoders := []string{
		`[{ layer = "dense" }]`, `[{ layer = "dense", activation = "sigmoid" }]`, `[{ layer = "dense" }, { layer = "activation", kind = "sigmoid" }]`,
	}
	recon := func(kind, decoder string) float64 {
		m := build(t, "[model]\nencoder = []\nlatent_dim = 2\ndecoder = "+decoder+"\n[model.reconstruction]\nkind = \""+kind+"\"\n", 1, 2, 2)
		fn, fed := train(t, m, 2)
		return evaluate(t, fed, fn.Forward.Recon.Mean()).Data[0]
	}
	logits := recon("mse", decoders[0])
	want := 1 / (1 + math.Exp(-logits))
	for _, d := range decoders {
		if got := recon("bce", d); !close(got, want, 1e-12) {
			t.Errorf("bce, %s: output %v, want %v", d, got, want)
		}
	}
	for _, d := range decoders[1:] {
		if got := recon("mse", d); !close(got, want, 1e-12) {
			t.Errorf("mse, %s: output %v, want %v", d, got, want)
		}
	}
}

func TestCorruptions(t *testing.T) {
	for _, c := range []struct {
		kind  string
		check func(x, y float64) bool
		share float64 // of elements that change
	}{
		{`kind = "gaussian", sigma = 0.2`, func(x, y float64) bool { return math.Abs(y-x) < 1.2 }, 1},
		{`kind = "gaussian", sigma = 0.5, clip = [0.25, 0.75]`, func(x, y float64) bool { return y >= 0.25 && y <= 0.75 }, 1},
		{`kind = "speckle", sigma = 0.2`, func(x, y float64) bool { return math.Abs(y/x-1) < 1.2 }, 1},
		{`kind = "masking", ratio = 0.3`, func(x, y float64) bool { return y == 0 || y == x }, 0.3},
		{`kind = "dropout", ratio = 0.5`, func(x, y float64) bool { return y == 0 || close(y, 2*x, 1e-6) }, 1},
		{`kind = "salt-and-pepper", ratio = 0.2`, func(x, y float64) bool { return y == 0 || y == 1 || y == x }, 0.2},
	} {
		m := build(t, "[model]\nlatent_dim = 2\nencoder = []\ncorruption = { "+c.kind+" }\n", 50)
		fn, fed := train(t, m, 40)
		y, changed := evaluate(t, fed, fn.Forward.Input), 0
		for i, x := range fed["x"].Data {
			if !c.check(x, y.Data[i]) {
				t.Fatalf("%s: %v became %v", c.kind, x, y.Data[i])
			}
			if x != y.Data[i] {
				changed++
			}
		}
		if got := float64(changed) / 2000; math.Abs(got-c.share) > 0.04 {
			t.Errorf("%s: %v of the elements changed, want %v", c.kind, got, c.share)
		}
		clean, err := m.Reconstruct(2)
		if err != nil || clean.Forward.Input != clean.Forward.X {
			t.Errorf("%s: reconstruct corrupts (%v)", c.kind, err)
		}
		if noisy, err := m.Evaluate(2, 0); err != nil || noisy.Forward.Input == noisy.Forward.X {
			t.Errorf("%s: evaluate does not corrupt (%v)", c.kind, err)
		}
	}
}

// on = "corrupted" counts the elements that were lost, and a mean divides by their number.
func TestReconstructionOfCorruptedElements(t *testing.T) {
	m := build(t, "[model]\nlatent_dim = 2\nencoder = []\ncorruption = { kind = \"masking\", ratio = 0.5 }\nreconstruction = { kind = \"mse\", on = \"corrupted\", reduction = \"mean\" }\n", 20)
	fn, fed := train(t, m, 3)
	in, y, got := evaluate(t, fed, fn.Forward.Input), evaluate(t, fed, fn.Forward.Recon.Mean()), termOf(t, fn, fed, "reconstruction")
	for n := range 3 {
		sum, count := 0.0, 0.0
		for i := n * 20; i < (n+1)*20; i++ {
			if in.Data[i] == 0 {
				sum, count = sum+(fed["x"].Data[i]-y.Data[i])*(fed["x"].Data[i]-y.Data[i]), count+1
			}
		}
		if !close(got.Data[n], sum/count, 1e-9) {
			t.Errorf("example %d: %v, want %v", n, got.Data[n], sum/count)
		}
	}
}

// The field mask leaves elements out of the likelihood, whatever they hold: NaN too.
func TestMaskedLoss(t *testing.T) {
	c := read(t, "[model]\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 3 }]\n")
	m, err := New(c, []Field{{Name: FieldX, Spec: graph.F32(4, 2)}, {Name: FieldMask, Spec: graph.U8(4)}, {Name: "label", Spec: graph.I32()}})
	if err != nil {
		t.Fatal(err)
	}
	fn, fed := train(t, m, 2)
	fed[FieldMask] = graph.Tensor{Spec: graph.U8(2, 4), Data: []float64{1, 1, 0, 0, 1, 1, 1, 1}}
	y, want := evaluate(t, fed, fn.Forward.Recon.Mean()), 0.0
	for i, x := range fed["x"].Data {
		if fed[FieldMask].Data[i/2] == 1 {
			want += (x - y.Data[i]) * (x - y.Data[i]) / 2
		}
	}
	if got := number(t, fed, fn.Loss); !close(got, want, 1e-9) {
		t.Errorf("loss is %v, want %v", got, want)
	}
	if _, err := New(c, []Field{{Name: FieldX, Spec: graph.F32(4, 2)}, {Name: FieldMask, Spec: graph.U8(3)}}); err == nil || err.Error() != "model: mask is 3 and does not fit x, 4x2" {
		t.Errorf("mask that does not fit: %v", err)
	}
	if _, err := New(c, []Field{{Name: "y", Spec: graph.F32(4)}}); err == nil || err.Error() != "model: the model reads the field x, the data has y" {
		t.Errorf("no x: %v", err)
	}
}

// Stored bytes are brought to [0, 1] in the graph.
func TestStoredBytes(t *testing.T) {
	m, err := New(read(t, "[model]\npreset = \"vae\"\n"), []Field{{Name: FieldX, Spec: graph.U8(1, 2, 2)}})
	if err != nil {
		t.Fatal(err)
	}
	fn, fed := train(t, m, 1)
	fed["x"] = graph.Tensor{Spec: fed["x"].Spec, Data: []float64{0, 51, 102, 255}}
	x := evaluate(t, fed, fn.Forward.X)
	for i, want := range []float64{0, 0.2, 0.4, 1} {
		if !close(x.Data[i], want, 1e-12) {
			t.Errorf("x[%d] is %v, want %v", i, x.Data[i], want)
		}
	}
	if err := m.CheckRange(0, 255, ""); err != nil {
		t.Error(err)
	}
}

func TestPenalties(t *testing.T) {
	vae := "[model]\npreset = \"vae\"\nlatent_dim = 3\nencoder = []\n[model.penalties.kl]\n"
	klEach := func(t *testing.T, fn *Function, fed map[string]graph.Tensor) (rows [][]float64) {
		q := fn.Forward.Latents[0].Posterior.(prob.Normal)
		mu, logVar := evaluate(t, fed, q.Mu), evaluate(t, fed, q.LogVar)
		for n := range 2 {
			row := make([]float64, 3)
			for j := range row {
				m, v := mu.Data[n*3+j], logVar.Data[n*3+j]
				row[j] = (math.Exp(v) + m*m - 1 - v) / 2
			}
			rows = append(rows, row)
		}
		return rows
	}
	sum := func(xs []float64) (s float64) {
		for _, x := range xs {
			s += x
		}
		return s
	}
	for _, c := range []struct {
		name, text string
		want       func(kl [][]float64) float64 // share of the loss
	}{
		{"beta", "beta = 3.0", func(kl [][]float64) float64 { return 3 * (sum(kl[0]) + sum(kl[1])) / 2 }},
		{"schedule", "beta = { from = 0.0, to = 2.0, epochs = 3 }", func(kl [][]float64) float64 { return 2 * (sum(kl[0]) + sum(kl[1])) / 2 }},
		{"capacity", "capacity = 5.0", func(kl [][]float64) float64 { return (math.Abs(sum(kl[0])-5) + math.Abs(sum(kl[1])-5)) / 2 }},
		{"free bits", "free_bits = 0.05", func(kl [][]float64) (s float64) {
			for j := range 3 {
				s += max(0.05, (kl[0][j]+kl[1][j])/2)
			}
			return s
		}},
	} {
		m := build(t, vae+c.text+"\n", 5)
		fn, fed := train(t, m, 2)
		want := c.want(klEach(t, fn, fed)) + mean(termOf(t, fn, fed, "reconstruction"))
		if got := number(t, fed, fn.Loss); !close(got, want, 1e-9) {
			t.Errorf("%s: loss %v, want %v", c.name, got, want)
		}
		if c.name == "schedule" && (len(fn.Scalars) != 1 || fn.Scalars[0].Input != "schedule.penalties.kl.beta" || !strings.Contains(strings.Join(fn.Inputs, " "), fn.Scalars[0].Input)) {
			t.Errorf("scheduled inputs are %v of %v", fn.Scalars, fn.Inputs)
		}
		checkGradient(t, m)
	}
}

func TestSparsityAndDecay(t *testing.T) {
	m := build(t, `
[model]
latent_dim = 3
encoder = [{ layer = "dense", units = 4, activation = "tanh", name = "features" }]
[model.bottleneck]
activation = "sigmoid"
[model.penalties.l1]
weight = 0.5
on = "features"
[model.penalties.kl-sparsity]
rho = 0.1
[model.penalties.weights]
kind = "decay"
norm = 1
on = "decoder"
[model.penalties.decay]
weight = 0.25
`, 5)
	fn, fed := train(t, m, 2)
	want := mean(termOf(t, fn, fed, "reconstruction"))
	features, _ := fn.Scope.Output("features")
	l1 := 0.0
	for _, v := range evaluate(t, fed, features).Data {
		l1 += math.Abs(v) / 2
	}
	z, sparsity := evaluate(t, fed, fn.Forward.Code), 0.0
	for j := range 3 {
		rho := (z.Data[j] + z.Data[3+j]) / 2
		sparsity += 0.1*math.Log(0.1/rho) + 0.9*math.Log(0.9/(1-rho))
	}
	l2, abs := 0.0, 0.0
	for name, v := range fed {
		for _, w := range v.Data {
			if strings.HasSuffix(name, ".weight") {
				l2 += w * w
				if strings.HasPrefix(name, "decoder.") {
					abs += math.Abs(w)
				}
			}
		}
	}
	for name, w := range map[string]float64{"l1": l1, "kl-sparsity": sparsity, "decay": l2, "weights": abs} {
		if got := mean(termOf(t, fn, fed, name)); !close(got, w, 1e-6) {
			t.Errorf("%s is %v, want %v", name, got, w)
		}
	}
	if got, want := number(t, fed, fn.Loss), want+0.5*l1+sparsity+1e-4*abs+0.25*l2; !close(got, want, 1e-6) {
		t.Errorf("loss is %v, want %v", got, want)
	}
	checkGradient(t, m)
}

// The same row draws the same noise in whatever batch it stands, with several samples too.
func TestNoiseBelongsToTheRow(t *testing.T) {
	for _, samples := range []int{1, 3} {
		m := build(t, "[model]\npreset = \"vae\"\nlatent_dim = 2\nencoder = []\n", 3)
		code := func(batch, row0 int) graph.Tensor {
			fn, err := m.Evaluate(batch, samples)
			if err != nil {
				t.Fatal(err)
			}
			fed := feed(fn, 5)
			for i := range fed["x"].Data {
				fed["x"].Data[i] = 0.5
			}
			fed[InputRow0].Data[0] = float64(row0)
			return evaluate(t, fed, fn.Forward.Code)
		}
		whole, part := code(4, 0), code(2, 2)
		for i, v := range part.Data {
			if want := whole.Data[2*2*samples+i]; v != want {
				t.Fatalf("%d samples: element %d is %v in a batch of its own, %v in the whole", samples, i, v, want)
			}
		}
	}
}

// Encoding again takes the same weights and other noise; no two draws share a stream.
func TestEncodeAgain(t *testing.T) {
	m := build(t, "[model]\npreset = \"vae\"\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 3, dropout = 0.5 }]\n", 3)
	fn, fed := train(t, m, 4)
	again := fn.Forward.Encode(fn.Forward.X)
	other := fn.Forward.Decode(again[0].Z)
	if err := fn.Graph.Err(); err != nil {
		t.Fatal(err)
	}
	a, b := evaluate(t, fed, fn.Forward.Code), evaluate(t, fed, again[0].Z)
	if a.Data[0] == b.Data[0] {
		t.Error("the same noise")
	}
	if !other.Mean().Shape().Equal(fn.Forward.Recon.Mean().Shape()) {
		t.Errorf("decoded again: %v", other.Mean().Shape())
	}
}

// An encoder of the user's own drops the preset's decoder.
func TestOwnEncoderDropsThePresetsDecoder(t *testing.T) {
	presets := fstest.MapFS{"p.toml": {Data: []byte("[model]\nencoder = [{ layer = \"dense\", units = 3 }]\ndecoder = [{ layer = \"dense\", units = 9 }, { layer = \"dense\" }]\n")}}
	for _, c := range []struct {
		text   string
		layers int
	}{
		{"[model]\npreset = \"p\"\n", 2},
		{"[model]\npreset = \"p\"\nencoder = [{ layer = \"dense\", units = 4 }]\n", 0},
		{"[model]\npreset = \"p\"\nencoder = []\ndecoder = [{ layer = \"dense\" }]\n", 1},
	} {
		cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte(c.text), Presets: presets})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(cfg)
		if err != nil || len(got.Decoder) != c.layers {
			t.Errorf("%q: %d layers in the decoder (%v), want %d", c.text, len(got.Decoder), err, c.layers)
		}
	}
}

// The Jacobian of a convolutional encoder and the gradient of a gradient's norm build on what Forward offers.
func TestForwardCarriesSecondOrder(t *testing.T) {
	m := build(t, "[model]\npreset = \"conv-ae\"\nlatent_dim = 2\nencoder = [{ layer = \"conv2d\", filters = 2, kernel = 3, stride = 2, padding = \"same\", activation = \"tanh\", norm = \"batch\" }]\n", 1, 4, 4)
	fn, fed := train(t, m, 3)
	f := fn.Forward
	var norm []graph.Value
	for j := range 2 {
		seed := make([]float64, 3*2)
		for n := range 3 {
			seed[n*2+j] = 1
		}
		row := graph.VJP([]graph.Value{f.Code}, []graph.Value{fn.Graph.Constant(graph.F32(3, 2), seed...)}, []graph.Value{f.Input})[0]
		norm = append(norm, op.SumAll(op.Square(row)))
	}
	penalty := graph.SumOf(norm...)
	weight := fn.Graph.Lookup("encoder.0.weight")
	grad := graph.Grad(penalty, weight.Leaf)[0]
	want, step := evaluate(t, fed, grad), 1e-5
	for i := range want.Data {
		ahead, behind := clone(fed), clone(fed)
		ahead[weight.Name].Data[i] += step
		behind[weight.Name].Data[i] -= step
		got := (number(t, ahead, penalty) - number(t, behind, penalty)) / (2 * step)
		if !close(got, want.Data[i], 1e-5) {
			t.Errorf("weight %d: difference %v, gradient %v", i, got, want.Data[i])
		}
	}
}

// The choices that keys offer are the registered ones.
func TestActivationsOfTheCode(t *testing.T) {
	for _, name := range nn.Activations.Names() {
		if _, err := tryRead("[model]\n[model.bottleneck]\nkind = \"deterministic\"\nactivation = \"" + name + "\"\n"); err != nil {
			t.Error(err)
		}
	}
}
