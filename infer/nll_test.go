package infer

import (
	"context"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/graph"
)

// linearVAE is p(z) = N(0, 1), p(x|z) = N(wz + b, vI): x is gaussian with mean b and covariance ww' + vI.
const linearVAE = `
[model]
preset = "vae"
latent_dim = 1
encoder = []
decoder = [{ layer = "dense" }]
[model.reconstruction]
kind = "gaussian"
variance = 0.5
`

const linearVariance = 0.5

// set writes a state.
func set(t *testing.T, m *Model, name string, shape []int, v ...float64) {
	t.Helper()
	f := make([]float32, len(v))
	for i, x := range v {
		f[i] = float32(x)
	}
	if err := m.state.Write(name, graph.Param, tensor.New(tensor.WithShape(shape...), tensor.WithBacking(f))); err != nil {
		t.Fatal(err)
	}
}

// linear4 is a linear VAE of 4 numbers and its exact NLL on a source. spread widens the posterior: 1 is the true one.
func linear4(t *testing.T, src *table, spread float64, batch int) (m *Model, exact float64) {
	m = live(t, linearVAE, src, batch)
	return m, setLinear4(t, m, "", src, spread)
}

// setLinear4 writes the weights of a linear VAE whose states' names begin with member, and returns its exact NLL.
func setLinear4(t *testing.T, m *Model, member string, src *table, spread float64) (exact float64) {
	w, b, v := []float64{0.9, -0.4, 0.3, 1.1}, []float64{0.2, 0.5, -0.1, 0.7}, linearVariance
	ww, wb := 0.0, 0.0
	for i := range w {
		ww += w[i] * w[i]
		wb += w[i] * b[i]
	}
	s := 1 / (1 + ww/v) // of the posterior, whose mean is s/v·w'(x-b)
	set(t, m, member+"decoder.0.weight", []int{4, 1}, w...)
	set(t, m, member+"decoder.0.bias", []int{4}, b...)
	set(t, m, member+"encoder.mu.weight", []int{1, 4}, s/v*w[0], s/v*w[1], s/v*w[2], s/v*w[3])
	set(t, m, member+"encoder.mu.bias", []int{1}, -s/v*wb)
	set(t, m, member+"encoder.log_var.weight", []int{1, 4}, 0, 0, 0, 0)
	set(t, m, member+"encoder.log_var.bias", []int{1}, math.Log(s*spread))
	x := src.values[0].Float32s()
	n := src.Len()
	for i := range n {
		dd, wd := 0.0, 0.0
		for j := range w {
			d := float64(x[i*4+j]) - b[j]
			dd += d * d
			wd += w[j] * d
		}
		// by the matrix determinant lemma and Sherman & Morrison's formula
		logDet := 4*math.Log(v) + math.Log(1+ww/v)
		exact += (4*math.Log(2*math.Pi) + logDet + dd/v - wd*wd/(v*v)/(1+ww/v)) / 2 / float64(n)
	}
	return exact
}

// The mixture of members that are alike is each of them.
func TestNLLOfEnsemble(t *testing.T) {
	src := noise(7, 4)
	m := live(t, linearVAE+"[model.ensemble]\nmembers = 3\n", src, 3)
	want := 0.0
	for _, member := range []string{"member.0.", "member.1.", "member.2."} {
		want = setLinear4(t, m, member, src, 1)
	}
	for _, samples := range []int{1, 120} { // of the true posterior: every weight is p(x) itself
		if got, err := m.NLL(context.Background(), src, EvaluateOptions{Samples: samples}); err != nil || !near(got, want, 1e-5) {
			t.Errorf("%d samples: got %v, %v, want %v", samples, got, err, want)
		}
	}
}

func TestNLL(t *testing.T) {
	ctx := context.Background()
	src := noise(7, 4)
	for _, c := range []struct {
		name      string
		spread    float64
		samples   int
		tolerance float64
	}{
		{"true posterior, one sample", 1, 1, 1e-5}, // every weight is p(x) itself
		{"true posterior, several chunks", 1, 120, 1e-5},
		{"wide posterior", 1.5, 2000, 0.01},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, want := linear4(t, src, c.spread, 3)
			got, err := m.NLL(ctx, src, EvaluateOptions{Samples: c.samples})
			if err != nil {
				t.Fatal(err)
			}
			if !near(got, want, c.tolerance) {
				t.Errorf("got %v, want %v", got, want)
			}
			all, err := m.Evaluate(ctx, src, EvaluateOptions{Samples: c.samples, Metrics: []string{"nll"}})
			if err != nil || all["nll"] != got {
				t.Errorf("evaluate says %v, %v", all["nll"], err)
			}
		})
	}
}

// With the true posterior the ELBO is the log-likelihood; many draws average its noise away.
func TestDraws(t *testing.T) {
	src := noise(7, 4)
	m, want := linear4(t, src, 1, 3)
	got, err := m.Evaluate(context.Background(), src, EvaluateOptions{Draws: 2000})
	if err != nil || !near(got["loss"], want, 0.005) {
		t.Errorf("loss is %v (%v), want %v", got["loss"], err, want)
	}
}

// Neither batches nor chunks change which codes are drawn.
func TestNLLBatches(t *testing.T) {
	ctx := context.Background()
	src := noise(7, 4)
	small, _ := linear4(t, src, 2, 2)
	large, _ := linear4(t, src, 2, 7)
	o := EvaluateOptions{Samples: 70}
	a, err := small.NLL(ctx, src, o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := large.NLL(ctx, src, o)
	if err != nil {
		t.Fatal(err)
	}
	if !near(a, b, 1e-6) {
		t.Errorf("%v in batches of 2, %v in one", a, b)
	}
	o.Repetition = 1
	if other, err := large.NLL(ctx, src, o); err != nil || other == b {
		t.Errorf("another repetition gives %v, %v", other, err)
	}
}

func TestLogSums(t *testing.T) {
	inf := math.Inf(1)
	cases := []struct {
		name string
		add  []float32
		want float64
	}{
		{"one", []float32{-3}, -3},
		{"two", []float32{0, 0}, math.Log(2)},
		{"far apart", []float32{-1000, 1000, -1000}, 1000},
		{"rising", []float32{1, 2, 3}, 3 + math.Log(1+math.Exp(-1)+math.Exp(-2))},
		{"probability 0", []float32{float32(-inf), float32(-inf)}, -inf},
		{"one of them 0", []float32{float32(-inf), 5}, 5},
		{"no number", []float32{1, float32(math.NaN()), 2}, math.NaN()},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newLogSums(2)
			s.add(append(append([]float32(nil), c.add...), c.add...))
			if got := s[1].value(); got != c.want && !near(got, c.want, 1e-12) && !(math.IsNaN(got) && math.IsNaN(c.want)) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// A run's memory is bounded: a model that is large for its batch gets smaller ones.
func TestNLLSizes(t *testing.T) {
	src := noise(2, 1, 64, 64)
	m := live(t, `
[model]
preset = "vae"
latent_dim = 2
encoder = [{ layer = "dense", units = 2 }]
decoder = [{ layer = "dense", units = 4096 }, { layer = "reshape", shape = [1, 64, 64] }, { layer = "conv2d", filters = 16, kernel = 3, padding = 1, activation = "relu" }, { layer = "conv2d", kernel = 3, padding = 1 }]
`, src, 128)
	batch, chunk, err := m.nllSizes(200, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if chunk != chunkSamples || batch < 1 || batch > 32 {
		t.Errorf("batches of %d with %d codes each", batch, chunk)
	}
	_, p, err := m.compile(request{function: nll, batch: batch, samples: chunk})
	if err != nil || p.ArenaBytes > nllBytes {
		t.Errorf("a run takes %d bytes, %v", p.ArenaBytes, err)
	}
}
