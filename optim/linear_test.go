package optim_test

import (
	"context"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/metrics"
	"aetrain/op"
	"aetrain/optim"
	"aetrain/program"
)

// Linear autoencoders have optima in closed form: whole training steps are held against them.

const (
	linearExamples = 1000
	linearFeatures = 16
	linearLatent   = 4
)

// linearData is normal with a spectrum that falls, in axes that are no coordinates, around a mean that is not 0.
func linearData() *tensor.Dense {
	spread := []float64{3, 2.5, 2, 1.6, 0.9, 0.7, 0.6, 0.5, 0.5, 0.4, 0.4, 0.3, 0.3, 0.3, 0.2, 0.2}
	g := graph.New()
	rng := op.RNG{Seed: g.Constant(graph.I32(2), 7, 0), Step: g.Constant(graph.I32(), 0), Row0: g.Constant(graph.I32(), 0)}
	normal := op.Normal(rng, "data", linearExamples, linearFeatures)
	// A product of reflections turns the axes: I - 2·v·vᵀ/|v|².
	x := op.Mul(normal, g.Constant(graph.F32(linearFeatures), spread...))
	for r := range 3 {
		v := op.Normal(rng, "axis"+string(rune('0'+r)), linearFeatures, 1)
		x = op.Sub(x, op.Mul(op.MatMul(op.MatMul(x, v, false, false), v, false, true), op.Div(g.Scalar(2), op.SumAll(op.Square(v)))))
	}
	x = op.Add(x, op.Normal(rng, "mean", linearFeatures))
	ts, err := graph.Evaluate([]graph.Value{x}, nil)
	if err != nil {
		panic(err) // a mistake in this test
	}
	data := backend.NewHost(x.Spec())
	for i, v := range ts[0].Data {
		data.Data().([]float32)[i] = float32(v)
	}
	return data
}

// linear is a model of one dense layer on either side.
type linear struct {
	g      *graph.Graph
	params []*graph.State
}

func (m *linear) param(name string, dims ...int) graph.Value {
	v := m.g.State(graph.Param, name, graph.F32(dims...), func(_ uint64, name string, t graph.Tensor) {
		if len(dims) == 2 {
			copy(t.Data, graph.Example{Args: []graph.Arg{{Spec: t.Spec, From: -0.3, To: 0.3}}}.Draw(uint64(len(name)))[0].Data)
		}
	})
	m.params = append(m.params, m.g.Lookup(name))
	return v
}

func (m *linear) dense(name string, x graph.Value, out int) graph.Value {
	return op.AddBias(op.MatMul(x, m.param(name+".weight", out, x.Dim(1)), false, true), m.param(name+".bias", out))
}

// train runs steps of Adam on the whole data set, the rate falling along a cosine, and returns the state and the last value of out.
func (m *linear) train(t *testing.T, data *tensor.Dense, loss, out graph.Value, steps int, rate float64) (backend.State, float64) {
	t.Helper()
	counter := m.g.State(graph.Buffer, "step", graph.I32(), nil)
	optim.Step(m.g, []optim.Loss{{Name: optim.DefaultLoss, Value: loss, Params: m.params, Config: optim.Defaults()}}, optim.Options{Counter: counter})
	b, err := cpu.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	p, err := program.Compile(m.g, map[string]graph.Value{"out": out}, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	st := b.NewState()
	exes, err := b.Load(st, backend.Options{}, p)
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(exes[0].Feed("x", data))
	for i := range steps {
		lr := backend.NewHost(graph.F32())
		lr.Data().([]float32)[0] = float32(rate * (1 + math.Cos(math.Pi*float64(i)/float64(steps))) / 2)
		check(exes[0].Feed(optim.InputLearningRate, lr))
		check(exes[0].Run(context.Background()))
	}
	h := backend.NewHost(graph.F32())
	check(exes[0].Fetch("out", h))
	return st, float64(h.Data().([]float32)[0])
}

// A linear autoencoder under the mean squared error spans the subspace of the first principal components, and no more of them
// explain less: the error is the variance that they leave.
// Source: Baldi & Hornik 1989, "Neural networks and principal component analysis".
func TestLinearAutoencoderIsPCA(t *testing.T) {
	data := linearData()
	pca, err := metrics.FitPCA(data, linearLatent)
	if err != nil {
		t.Fatal(err)
	}
	m := &linear{g: graph.New()}
	x := m.g.Input("x", graph.F32(linearExamples, linearFeatures))
	loss := op.MSE(m.dense("decoder", m.dense("encoder", x, linearLatent), linearFeatures), x)
	st, got := m.train(t, data, loss, loss, 1500, 0.03)

	weight := backend.NewHost(graph.F32(linearFeatures, linearLatent))
	if err := st.Read("decoder.weight", weight); err != nil {
		t.Fatal(err)
	}
	angles, err := metrics.PrincipalAngles(weight, pca.Subspace())
	if err != nil {
		t.Fatal(err)
	}
	if degrees := angles[0] * 180 / math.Pi; !(degrees < 1) {
		t.Errorf("the largest principal angle is %.3f degrees, want under 1", degrees)
	} else {
		t.Logf("the largest principal angle is %.4f degrees", degrees)
	}
	left := 0.0
	for _, v := range pca.Variances[linearLatent:] {
		left += v * (linearExamples - 1) / linearExamples / linearFeatures
	}
	if math.Abs(got-left) > 1e-3*left {
		t.Errorf("mean squared error is %v, the components leave %v", got, left)
	}
}

// A linear VAE, trained on samples of its posterior, reaches the optimum of probabilistic PCA, with a variance of 1 and with one
// that is learned. The bound is measured in closed form: E|x - W·z - b|² = |x - W·mu - b|² + Σ var·|W column|².
// Source: Lucas et al. 2019, "Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse", section 4.
func TestLinearVAEIsProbabilisticPCA(t *testing.T) {
	data := linearData()
	pca, err := metrics.FitPCA(data, linearLatent)
	if err != nil {
		t.Fatal(err)
	}
	for _, learned := range []bool{false, true} {
		name, best := "variance 1", func() (*metrics.PPCA, error) { return pca.ProbabilisticAt(linearLatent, 1) }
		if learned {
			name, best = "learned variance", func() (*metrics.PPCA, error) { return pca.Probabilistic(linearLatent) }
		}
		t.Run(name, func(t *testing.T) {
			want, err := best()
			if err != nil {
				t.Fatal(err)
			}
			m := &linear{g: graph.New()}
			loss, exact := m.vae(learned)
			_, bound := m.train(t, data, loss, exact, 1800, 0.02)
			got := -bound
			if off := math.Abs(got-want.LogLikelihood) / math.Abs(want.LogLikelihood); !(off < 0.005) {
				t.Errorf("the bound is %.4f nats, the optimum %.4f", got, want.LogLikelihood)
			} else {
				t.Logf("the bound is %.4f nats, the optimum %.4f: %.3f%% apart", got, want.LogLikelihood, 100*off)
			}
		})
	}
}

// vae returns the negative bound of a sample, which is trained, and in closed form.
func (m *linear) vae(learned bool) (sampled, exact graph.Value) {
	x := m.g.Input("x", graph.F32(linearExamples, linearFeatures))
	mu, logVar := m.dense("encoder.mu", x, linearLatent), m.dense("encoder.log_var", x, linearLatent)
	noise := m.g.Constant(graph.F32(), 0) // log of the likelihood's variance
	if learned {
		noise = m.param("noise")
	}
	rng := op.RNG{
		Seed: m.g.Constant(graph.I32(2), 1, 0), Step: m.g.State(graph.Buffer, "step", graph.I32(), nil), Row0: m.g.Constant(graph.I32(), 0),
	}
	z := op.GaussianSample(rng, "z", mu, logVar)
	weight, bias := m.param("decoder.weight", linearFeatures, linearLatent), m.param("decoder.bias", linearFeatures)
	decode := func(z graph.Value) graph.Value { return op.AddBias(op.MatMul(z, weight, false, true), bias) }
	bound := func(squares graph.Value) graph.Value {
		nll := op.Scale(op.Add(op.Mul(squares, op.Exp(op.Neg(noise))), op.Scale(op.AddConst(noise, math.Log(2*math.Pi)), linearFeatures)), 0.5)
		return op.MeanAll(op.Add(nll, op.KLNormal(mu, logVar)))
	}
	distance := func(z graph.Value) graph.Value { return op.SumPerExample(op.SquaredError(decode(z), x)) }
	spread := op.SumPerExample(op.Mul(op.Exp(logVar), op.ReduceSum(op.Square(weight), 0)))
	return bound(distance(z)), bound(op.Add(distance(mu), spread))
}
