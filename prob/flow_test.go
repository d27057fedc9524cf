package prob

import (
	"math"
	"math/rand/v2"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// Log-determinants are those of numeric Jacobians, for vectors and for several samples of each.
func TestFlowsJacobians(t *testing.T) {
	const n, d, hidden = 2, 3, 7
	r := rand.New(rand.NewPCG(3, 3))
	for name, make := range map[string]func(in func(dims ...int) graph.Value) Step{
		"planar": func(in func(dims ...int) graph.Value) Step { return Planar{in(n, d), in(n, d), in(n, 1)} },
		"radial": func(in func(dims ...int) graph.Value) Step { return Radial{in(n, d), in(n, 1), in(n, 1)} },
		"iaf": func(in func(dims ...int) graph.Value) Step {
			return IAF{In: in(hidden, d), MeanOut: in(d, hidden), GateOut: in(d, hidden), MeanBias: in(d), GateBias: in(d), Context: in(n, hidden)}
		},
		"iaf, reversed": func(in func(dims ...int) graph.Value) Step {
			return IAF{In: in(hidden, d), MeanOut: in(d, hidden), GateOut: in(d, hidden), MeanBias: in(d), GateBias: in(d), Context: in(n, hidden), Reverse: true}
		},
	} {
		for _, dims := range []graph.Shape{{n, d}, {n, 4, d}} {
			g := graph.New()
			step := make(func(dims ...int) graph.Value {
				c := graph.NewTensor(graph.F32(dims...))
				for i := range c.Data {
					c.Data[i] = r.NormFloat64()
				}
				return g.Constant(c.Spec, c.Data...)
			})
			z := g.Input("z", graph.F32(dims...))
			out, logDet := step.Apply(z)
			at := graph.NewTensor(z.Spec())
			for i := range at.Data {
				at.Data[i] = r.NormFloat64()
			}
			eval := func(v graph.Value) []float64 {
				o, err := graph.Evaluate([]graph.Value{v}, map[string]graph.Tensor{"z": at})
				if err != nil {
					t.Fatal(err)
				}
				return o[0].Data
			}
			got := eval(logDet)
			for row := range len(at.Data) / d {
				var jacobian [d][d]float64
				const h = 1e-5
				for j := range d {
					at.Data[row*d+j] += h
					up := append([]float64(nil), eval(out)[row*d:row*d+d]...)
					at.Data[row*d+j] -= 2 * h
					down := eval(out)[row*d : row*d+d]
					at.Data[row*d+j] += h
					for i := range d {
						jacobian[i][j] = (up[i] - down[i]) / (2 * h)
					}
				}
				if want := math.Log(math.Abs(det3(jacobian))); math.Abs(got[row]-want) > 1e-6 {
					t.Errorf("%s of %v: row %d: log-determinant %v, want %v", name, dims, row, got[row], want)
				}
			}
		}
	}
}

func det3(m [3][3]float64) float64 {
	return m[0][0]*(m[1][1]*m[2][2]-m[1][2]*m[2][1]) - m[0][1]*(m[1][0]*m[2][2]-m[1][2]*m[2][0]) + m[0][2]*(m[1][0]*m[2][1]-m[1][1]*m[2][0])
}

// A flow remembers its draw, for its density; before, there is none.
func TestFlowDensity(t *testing.T) {
	s := newBench()
	f := &Flow{Base: Normal{s.a, s.b}, Steps: []Step{Planar{s.x, s.a, s.g.Constant(graph.F32(2, 1), 0.3)}}}
	z := f.Sample(s.rng, "z")
	lp := s.eval(t, op.SumPerExample(f.LogProb(z)))
	base, det := s.eval(t, op.SumPerExample(f.Base.LogProb(f.z0))), s.eval(t, f.logDet)
	for i := range lp {
		if math.Abs(lp[i]-base[i]+det[i]) > 1e-12 {
			t.Errorf("example %d: %v, want %v", i, lp[i], base[i]-det[i])
		}
	}
	if f.Repeat(3) != f.Repeat(3) {
		t.Error("repeated twice, it forgets its draw")
	}
	bare := &Flow{Base: Normal{s.a, s.b}}
	bare.LogProb(s.x)
	if s.g.Err() == nil {
		t.Error("a density of what was not drawn")
	}
}

// Gumbel's samples have the categorical's frequencies, hard ones exactly one-hot, soft ones nearly so at a low temperature; the
// divergence from the uniform prior is that of the textbook.
func TestCategorical(t *testing.T) {
	const n = 20000
	p := []float64{0.5, 0.3, 0.15, 0.05}
	for _, hard := range []bool{true, false} {
		s := newBench()
		logits := make([]float64, 4)
		for i, v := range p {
			logits[i] = math.Log(v) + 0.7
		}
		c := Categorical{Logits: op.BroadcastTo(s.g.Constant(graph.F32(4), logits...), n, 1, 4), Temperature: s.g.Scalar(0.05), Hard: hard}
		x := s.eval(t, c.Sample(s.rng, "z"))
		count := make([]float64, 4)
		near := 0
		for row := range n {
			best := 0
			for j := range 4 {
				if x[row*4+j] > x[row*4+best] {
					best = j
				}
			}
			count[best]++
			if x[row*4+best] > 0.95 {
				near++
			}
		}
		for j, v := range p {
			if got := count[j] / n; math.Abs(got-v) > 5*math.Sqrt(v*(1-v)/n) {
				t.Errorf("hard %v: class %d has frequency %v, want %v", hard, j, got, v)
			}
		}
		if hard && near != n || near < n*85/100 {
			t.Errorf("hard %v: %d of %d samples are nearly one-hot", hard, near, n)
		}
		uniform := Categorical{Logits: s.g.Constant(c.Logits.Spec(), 0)}
		kl, ok := KL(c, uniform)
		want := math.Log(4)
		for _, v := range p {
			want += v * math.Log(v)
		}
		if got := s.eval(t, kl)[0]; !ok || math.Abs(got-want) > 1e-9 {
			t.Errorf("the divergence is %v (%v), want %v", got, ok, want)
		}
		if _, ok := KL(c, Standard{s.g, graph.Shape{n, 4}}); ok {
			t.Error("a divergence of a categorical from a normal distribution")
		}
	}
}
