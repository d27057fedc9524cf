package prob

import (
	"math"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

func TestLogGamma(t *testing.T) {
	g := graph.New()
	values := []float64{1e-3, 0.1, 0.5, 1, 1.5, 2, 3, 7, 12.25, 100, 1e4, 1e6}
	x := g.Input("x", graph.F32(len(values)))
	y := LogGamma(x)
	out, err := graph.Evaluate([]graph.Value{y, graph.Grad(op.SumAll(y), x)[0]}, map[string]graph.Tensor{"x": {Spec: x.Spec(), Data: values}})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		want, _ := math.Lgamma(v)
		if math.Abs(out[0].Data[i]-want) > 1e-9*(1+math.Abs(want)) {
			t.Errorf("log Γ(%v) is %v, want %v", v, out[0].Data[i], want)
		}
		step := 1e-4 * v
		up, _ := math.Lgamma(v + step)
		down, _ := math.Lgamma(v - step)
		if slope := (up - down) / (2 * step); math.Abs(out[1].Data[i]-slope) > 1e-5*(1+math.Abs(slope)) {
			t.Errorf("its slope at %v is %v, want %v", v, out[1].Data[i], slope)
		}
	}
}

// Probabilities of counts and levels add up to 1, densities integrate to 1, and the mean is the expected value.
func TestLikelihoodsAreDistributions(t *testing.T) {
	one := func(v float64) func(*graph.Graph, int) graph.Value {
		return func(g *graph.Graph, n int) graph.Value { return g.Constant(graph.F32(n, 1), v) }
	}
	counts := func(n int) (x []float64, weight float64) {
		for i := range n {
			x = append(x, float64(i))
		}
		return x, 1
	}
	grey := func(levels int) ([]float64, float64) {
		x, _ := counts(levels)
		for i := range x {
			x[i] /= float64(levels - 1)
		}
		return x, 1
	}
	line := func() (x []float64, weight float64) {
		const n = 20000
		for i := range n {
			x = append(x, (float64(i)+0.5)/n)
		}
		return x, 1.0 / n
	}
	for _, c := range []struct {
		name   string
		make   func(g *graph.Graph, n int) Distribution
		points func() ([]float64, float64)
		noMean bool
	}{
		{"poisson", func(g *graph.Graph, n int) Distribution { return Poisson{one(1.2)(g, n)} }, func() ([]float64, float64) { return counts(60) }, false},
		{"negative-binomial", func(g *graph.Graph, n int) Distribution {
			return NegativeBinomial{LogMean: one(1)(g, n), LogDispersion: g.Scalar(0.3)}
		}, func() ([]float64, float64) { return counts(400) }, false},
		{"zero-inflated", func(g *graph.Graph, n int) Distribution {
			return NegativeBinomial{LogMean: one(1)(g, n), LogDispersion: g.Scalar(0.3), Zero: one(-0.4)(g, n)}
		}, func() ([]float64, float64) { return counts(400) }, false},
		{"continuous-bernoulli", func(g *graph.Graph, n int) Distribution { return ContinuousBernoulli{one(2.5)(g, n)} }, line, false},
		{"continuous-bernoulli, below", func(g *graph.Graph, n int) Distribution { return ContinuousBernoulli{one(-30)(g, n)} }, line, false},
		{"continuous-bernoulli, near 0", func(g *graph.Graph, n int) Distribution { return ContinuousBernoulli{one(0.29)(g, n)} }, line, false},
		{"discretized-logistic", func(g *graph.Graph, n int) Distribution {
			return DiscretizedLogistic{Mu: one(0.4)(g, n), LogScale: g.Scalar(-2.5), Levels: 256}
		}, func() ([]float64, float64) { return grey(256) }, true},
		{"discretized-logistic, narrow", func(g *graph.Graph, n int) Distribution {
			return DiscretizedLogistic{Mu: one(1.2)(g, n), LogScale: g.Scalar(-6), Levels: 16}
		}, func() ([]float64, float64) { return grey(16) }, true},
		{"levels", func(g *graph.Graph, n int) Distribution {
			return Levels{op.BroadcastTo(g.Constant(graph.F32(5), 1, -1, 0.5, 2, 0), n, 1, 5)}
		}, func() ([]float64, float64) { return grey(5) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := graph.New()
			points, weight := c.points()
			x := g.Input("x", graph.F32(len(points), 1))
			d := c.make(g, len(points))
			out, err := graph.Evaluate([]graph.Value{d.LogProb(x), d.Mean()}, map[string]graph.Tensor{"x": {Spec: x.Spec(), Data: points}})
			if err != nil {
				t.Fatal(err)
			}
			sum, mean := 0.0, 0.0
			for i, lp := range out[0].Data {
				sum += math.Exp(lp) * weight
				mean += math.Exp(lp) * weight * points[i]
			}
			if math.Abs(sum-1) > 1e-5 {
				t.Errorf("the probabilities add up to %v", sum)
			}
			if !c.noMean && math.Abs(mean-out[1].Data[0]) > 1e-4*(1+mean) {
				t.Errorf("the expected value is %v, Mean says %v", mean, out[1].Data[0])
			}
			if wide := d.Repeat(3); !wide.Mean().Shape().Equal(graph.Shape{len(points), 3, 1}) {
				t.Errorf("repeated it is %v", wide.Mean().Shape())
			}
		})
	}
}

// The constant near 0 is continuous with its formula elsewhere.
func TestContinuousBernoulliSeries(t *testing.T) {
	g := graph.New()
	l := g.Input("l", graph.F32(2, 1))
	d := ContinuousBernoulli{l}
	out, err := graph.Evaluate([]graph.Value{d.logConstant(), d.Mean()}, map[string]graph.Tensor{"l": {Spec: l.Spec(), Data: []float64{0.3 - 1e-9, 0.3 + 1e-9}}})
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if d := math.Abs(o.Data[0] - o.Data[1]); d > 1e-6 {
			t.Errorf("output %d jumps by %v", i, d)
		}
	}
}

func TestMultinomial(t *testing.T) {
	s := newBench()
	m := Multinomial{s.a}
	p, lp, z := s.eval(t, m.Mean()), s.eval(t, m.LogProb(s.x)), s.eval(t, m.Sample(s.rng, "z"))
	for row := range 2 {
		sum, total, drawn := 0.0, 0.0, 0.0
		for j := range 3 {
			sum += math.Exp(s.fed["a"].Data[row*3+j])
		}
		for j := range 3 {
			i := row*3 + j
			want := s.fed["a"].Data[i] - math.Log(sum)
			if math.Abs(p[i]-math.Exp(want)) > 1e-12 || math.Abs(lp[i]-s.fed["x"].Data[i]*want) > 1e-12 {
				t.Errorf("element %d: %v and %v, want %v", i, p[i], lp[i], want)
			}
			total, drawn = total+p[i], drawn+z[i]
		}
		if math.Abs(total-1) > 1e-12 || drawn != 1 {
			t.Errorf("row %d: probabilities add up to %v, %v are drawn", row, total, drawn)
		}
	}
	wide := m.Repeat(2)
	if got := s.eval(t, wide.Mean()); got[3] != p[0] || !wide.Mean().Shape().Equal(graph.Shape{2, 2, 3}) {
		t.Errorf("repeated it is %v", got)
	}
}
