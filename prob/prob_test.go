package prob

import (
	"math"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// bench holds a graph with random numbers, two parameters a and b of 2×3, and a place x.
type bench struct {
	g       *graph.Graph
	rng     op.RNG
	a, b, x graph.Value
	fed     map[string]graph.Tensor
}

func newBench() *bench {
	g := graph.New()
	s := &bench{g: g, a: g.Input("a", graph.F32(2, 3)), b: g.Input("b", graph.F32(2, 3)), x: g.Input("x", graph.F32(2, 3))}
	s.rng = op.RNG{Seed: g.Input("seed", graph.I32(2)), Step: g.Input("step", graph.I32()), Row0: g.Input("row0", graph.I32())}
	of := func(values ...float64) graph.Tensor { return graph.Tensor{Spec: graph.F32(2, 3), Data: values} }
	s.fed = map[string]graph.Tensor{
		"a": of(0.5, -1, 2, 0, 1, -0.25), "b": of(0.3, -0.7, 0, 1, -2, 0.1), "x": of(1, 0, 0.25, 0.75, 0.5, 1),
		"seed": graph.NewTensor(graph.I32(2)), "step": graph.NewTensor(graph.I32()), "row0": graph.NewTensor(graph.I32()),
	}
	return s
}

func (s *bench) eval(t *testing.T, v graph.Value) []float64 {
	t.Helper()
	out, err := graph.Evaluate([]graph.Value{v}, s.fed)
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Data
}

// densities of one number, by the textbook.
func normal(x, mu, logVar float64) float64 {
	return math.Exp(-(x-mu)*(x-mu)/(2*math.Exp(logVar))) / math.Sqrt(2*math.Pi*math.Exp(logVar))
}
func laplace(x, mu, logScale float64) float64 {
	b := math.Exp(logScale)
	return math.Exp(-math.Abs(x-mu)/b) / (2 * b)
}

func TestLogProb(t *testing.T) {
	s := newBench()
	for _, c := range []struct {
		name string
		d    Distribution
		want func(x, a, b float64) float64
	}{
		{"normal", Normal{Mu: s.a, LogVar: s.b}, func(x, a, b float64) float64 { return math.Log(normal(x, a, b)) }},
		{"normal, one variance", Normal{Mu: s.a, LogVar: s.g.Scalar(0.4)}, func(x, a, _ float64) float64 { return math.Log(normal(x, a, 0.4)) }},
		{"standard", Standard{Graph: s.g, Dims: graph.Shape{2, 3}}, func(x, _, _ float64) float64 { return math.Log(normal(x, 0, 0)) }},
		{"laplace", Laplace{Mu: s.a, LogScale: s.b}, func(x, a, b float64) float64 { return math.Log(laplace(x, a, b)) }},
		{"bernoulli", Bernoulli{Logits: s.a}, func(x, a, _ float64) float64 {
			p := 1 / (1 + math.Exp(-a))
			return x*math.Log(p) + (1-x)*math.Log(1-p)
		}},
	} {
		got := s.eval(t, c.d.LogProb(s.x))
		for i, v := range got {
			if want := c.want(s.fed["x"].Data[i], s.fed["a"].Data[i], s.fed["b"].Data[i]); math.Abs(v-want) > 1e-12 {
				t.Errorf("%s[%d]: %v, want %v", c.name, i, v, want)
			}
		}
		if wide := c.d.Repeat(4); !wide.Mean().Shape().Equal(graph.Shape{2, 4, 3}) {
			t.Errorf("%s repeated is %v", c.name, wide.Mean().Shape())
		}
	}
}

// The closed forms against integrals of q·(log q - log p).
func TestKL(t *testing.T) {
	s := newBench()
	integral := func(q, p func(float64) float64) float64 {
		sum, step := 0.0, 1e-3
		for x := -30.0; x < 30; x += step {
			if d := q(x); d > 1e-40 {
				sum += d * (math.Log(d) - math.Log(p(x))) * step
			}
		}
		return sum
	}
	for _, c := range []struct {
		name string
		q, p Distribution
		logp func(i int) func(float64) float64
	}{
		{"standard", Normal{s.a, s.b}, Standard{s.g, graph.Shape{2, 3}}, func(int) func(float64) float64 {
			return func(x float64) float64 { return normal(x, 0, 0) }
		}},
		{"normal", Normal{s.a, s.b}, Normal{s.x, s.a}, func(i int) func(float64) float64 {
			return func(x float64) float64 { return normal(x, s.fed["x"].Data[i], s.fed["a"].Data[i]) }
		}},
	} {
		each, ok := KLEach(c.q, c.p)
		sum, ok2 := KL(c.q, c.p)
		if !ok || !ok2 {
			t.Fatalf("%s: no closed form", c.name)
		}
		total := []float64{0, 0}
		for i, v := range s.eval(t, each) {
			want := integral(func(x float64) float64 { return normal(x, s.fed["a"].Data[i], s.fed["b"].Data[i]) }, c.logp(i))
			if math.Abs(v-want) > 1e-6 {
				t.Errorf("%s[%d]: %v, want %v", c.name, i, v, want)
			}
			total[i/3] += v
		}
		for i, v := range s.eval(t, sum) {
			if math.Abs(v-total[i]) > 1e-12 {
				t.Errorf("%s: example %d has %v, its elements %v", c.name, i, v, total[i])
			}
		}
	}
	if _, ok := KL(Laplace{s.a, s.b}, Standard{s.g, graph.Shape{2, 3}}); ok {
		t.Error("laplace: a closed form that nobody has written")
	}
}

// Samples have the mean and the variance of their distribution.
func TestSamples(t *testing.T) {
	const n = 20000
	for _, c := range []struct {
		name           string
		make           func(s *bench, dims graph.Shape) Distribution
		mean, variance float64
	}{
		{"normal", func(s *bench, d graph.Shape) Distribution {
			return Normal{Mu: s.g.Constant(graph.F32(d...), 2), LogVar: s.g.Scalar(math.Log(4))}
		}, 2, 4},
		{"standard", func(s *bench, d graph.Shape) Distribution { return Standard{s.g, d} }, 0, 1},
		{"laplace", func(s *bench, d graph.Shape) Distribution {
			return Laplace{Mu: s.g.Constant(graph.F32(d...), -1), LogScale: s.g.Scalar(math.Log(0.5))}
		}, -1, 0.5},
		{"bernoulli", func(s *bench, d graph.Shape) Distribution {
			return Bernoulli{Logits: s.g.Constant(graph.F32(d...), math.Log(0.2/0.8))}
		}, 0.2, 0.16},
	} {
		s := newBench()
		x := s.eval(t, c.make(s, graph.Shape{n / 4, 4}).Sample(s.rng, "z"))
		sum, squares := 0.0, 0.0
		for _, v := range x {
			sum, squares = sum+v, squares+v*v
		}
		mean := sum / n
		variance := squares/n - mean*mean
		if math.Abs(mean-c.mean) > 5*math.Sqrt(c.variance/n) || math.Abs(variance/c.variance-1) > 0.07 {
			t.Errorf("%s: mean %v and variance %v, want %v and %v", c.name, mean, variance, c.mean, c.variance)
		}
	}
}
