package prob

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// besselRow is a row of testdata/bessel.json, which bessel.py writes with 40 digits.
type besselRow struct {
	Dimensions        int
	X, Log, Ratio, KL float64
}

func besselRows(t *testing.T) (rows []besselRow) {
	t.Helper()
	text, err := os.ReadFile("testdata/bessel.json")
	if err == nil {
		err = json.Unmarshal(text, &rows)
	}
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func near(got, want, tolerance float64) bool {
	return math.Abs(got-want) <= tolerance*(1+math.Abs(want))
}

// Bessel functions, their derivatives and the divergence agree with 40 digits.
func TestBessel(t *testing.T) {
	for _, row := range besselRows(t) {
		g := graph.New()
		x := g.Input("x", graph.F32(1, 1))
		v := float64(row.Dimensions)/2 - 1
		log, ratio := bessel(v, x)
		mu := make([]float64, row.Dimensions)
		mu[0] = 1
		d := VonMisesFisher{Mu: g.Constant(graph.F32(1, row.Dimensions), mu...), Kappa: x}
		kl, ok := KL(d, SphereUniform{Graph: g, Dims: graph.Shape{1, row.Dimensions}})
		if !ok {
			t.Fatal("the divergence has a closed form")
		}
		slope := graph.Grad(op.SumAll(log), x)[0]
		dKL := graph.Grad(op.SumAll(kl), x)[0]
		got, err := graph.Evaluate([]graph.Value{log, ratio, kl, slope, dKL}, map[string]graph.Tensor{"x": {Spec: graph.F32(1, 1), Data: []float64{row.X}}})
		if err != nil {
			t.Fatal(err)
		}
		m := float64(row.Dimensions)
		wants := []float64{row.Log, row.Ratio, row.KL,
			row.Ratio + v/row.X - 1,                                   // d log I_v/dx = I_{v+1}/I_v + v/x
			row.X * (1 - row.Ratio*row.Ratio - (m-1)/row.X*row.Ratio)} // Davidson et al. 2018, appendix B: κ·A'(κ)
		for i, name := range []string{"log I", "ratio", "kl", "d log I", "d kl"} {
			if tolerance := 2e-8 * (1 + row.X*1e-3); !near(got[i].Data[0], wants[i], tolerance) {
				t.Errorf("%d dimensions, x = %v: %s is %v, want %v", row.Dimensions, row.X, name, got[i].Data[0], wants[i])
			}
		}
	}
}

// Draws lie on the sphere, their mean along mu is A(κ) with the variance 1 - A² - (D-1)·A/κ, across it 0; and the mean of their
// log-density is that of the divergence.
func TestVonMisesFisherSamples(t *testing.T) {
	const n = 4000
	for _, row := range besselRows(t) {
		if row.Dimensions > 10 || row.X < 1 || row.X > 100 {
			continue
		}
		g := graph.New()
		rng := op.RNG{Seed: g.Input("seed", graph.I32(2)), Step: g.Input("step", graph.I32()), Row0: g.Input("row0", graph.I32())}
		size := row.Dimensions
		mu := make([]float64, size)
		mu[size-1], mu[0] = 0.8, 0.6
		d := VonMisesFisher{Mu: op.BroadcastTo(g.Constant(graph.F32(1, size), mu...), n, size), Kappa: g.Constant(graph.F32(n, 1), row.X)}
		z := d.Sample(rng, "z")
		got, err := graph.Evaluate([]graph.Value{z, op.SumPerExample(d.LogProb(z))}, map[string]graph.Tensor{
			"seed": graph.NewTensor(graph.I32(2)), "step": graph.NewTensor(graph.I32()), "row0": graph.NewTensor(graph.I32())})
		if err != nil {
			t.Fatal(err)
		}
		along, squares, across, density := 0.0, 0.0, 0.0, 0.0
		for i := range n {
			v := got[0].Data[i*size : (i+1)*size]
			w, length := 0.0, 0.0
			for k, x := range v {
				w += x * mu[k]
				length += x * x
			}
			if math.Abs(length-1) > 1e-9 {
				t.Fatalf("a draw has squared length %v", length)
			}
			along += w / n
			squares += w * w / n
			across += (v[0]*0.8 - v[size-1]*0.6) / n
			density += got[1].Data[i] / n
		}
		variance := 1 - row.Ratio*row.Ratio - float64(size-1)*row.Ratio/row.X
		bound := 5 * math.Sqrt(variance/n)
		if math.Abs(along-row.Ratio) > bound {
			t.Errorf("%d dimensions, κ = %v: the mean along mu is %v, want %v ± %v", size, row.X, along, row.Ratio, bound)
		}
		if got := squares - along*along; math.Abs(got-variance) > 0.15*variance {
			t.Errorf("%d dimensions, κ = %v: the variance along mu is %v, want %v", size, row.X, got, variance)
		}
		if math.Abs(across) > 5/math.Sqrt(n) {
			t.Errorf("%d dimensions, κ = %v: the mean across mu is %v", size, row.X, across)
		}
		if want := row.KL - logArea(size); math.Abs(density-want) > row.X*bound {
			t.Errorf("%d dimensions, κ = %v: the mean log-density is %v, want %v", size, row.X, density, want)
		}
	}
}

// A product's mean, density and divergence are those of its parts.
func TestProduct(t *testing.T) {
	s := newBench()
	q := Product{Parts: []Distribution{Normal{Mu: s.a, LogVar: s.b}, Laplace{Mu: s.a, LogScale: s.b}}, Sizes: []int{3, 3}}
	both := op.Concat(1, s.x, s.a)
	got := s.eval(t, q.LogProb(both))
	first, second := s.eval(t, q.Parts[0].LogProb(s.x)), s.eval(t, q.Parts[1].LogProb(s.a))
	for i := range 2 {
		for k := range 3 {
			if got[i*6+k] != first[i*3+k] || got[i*6+3+k] != second[i*3+k] {
				t.Fatalf("row %d: %v; the parts have %v and %v", i, got, first, second)
			}
		}
	}
	normals := Product{Parts: []Distribution{Normal{Mu: s.a, LogVar: s.b}, Normal{Mu: s.b, LogVar: s.a}}, Sizes: []int{3, 3}}
	standard := Standard{Graph: s.g, Dims: graph.Shape{2, 3}}
	kl, ok := KL(normals, Product{Parts: []Distribution{standard, standard}, Sizes: []int{3, 3}})
	if !ok {
		t.Fatal("the divergence has a closed form")
	}
	one, _ := KL(normals.Parts[0], standard)
	two, _ := KL(normals.Parts[1], standard)
	sum, a, b := s.eval(t, kl), s.eval(t, one), s.eval(t, two)
	for i := range sum {
		if math.Abs(sum[i]-a[i]-b[i]) > 1e-12 {
			t.Errorf("the divergence is %v, of the parts %v and %v", sum, a, b)
		}
	}
	if _, ok := KL(q, Product{Parts: []Distribution{standard, standard}, Sizes: []int{3, 3}}); ok {
		t.Error("a Laplace distribution has no closed form")
	}
}
