package vec

import (
	"math"
	"slices"
	"testing"

	"aetrain/internal/philox"
)

// updateCase is an optimiser in a common form: state is p and its buffers.
type updateCase struct {
	name  string
	state int
	run   func(k *Kernels, out, in [][]float32, g []float32)
	exact func(x []float64, g float64) []float64 // float64, written as PyTorch's documentation has it
}

const lr, wd = 1e-2, 0.1

func adamExact(step int, l2, decoupled float64) func(x []float64, g float64) []float64 {
	return func(x []float64, g float64) []float64 {
		p, m, v := x[0], x[1], x[2]
		g += l2 * p
		p -= lr * decoupled * p
		m = 0.9*m + 0.1*g
		v = 0.999*v + 0.001*g*g
		mHat, vHat := m/(1-math.Pow(0.9, float64(step))), v/(1-math.Pow(0.999, float64(step)))
		return []float64{p - lr*mHat/(math.Sqrt(vHat)+1e-8), m, v}
	}
}

var (
	adamArgs     = NewAdamArgs(lr, 0.9, 0.999, 1e-8, wd, 3)
	sgdArgs      = SGDArgs{lr, wd}
	heavyArgs    = NewMomentumArgs(lr, 0.9, wd, false)
	nesterovArgs = NewMomentumArgs(lr, 0.9, wd, true)
	rmspropArgs  = NewRMSpropArgs(lr, 0.99, 1e-8, wd)
)

func momentumCase(name string, h *MomentumArgs, nesterov bool) updateCase {
	return updateCase{name, 2, func(k *Kernels, o, x [][]float32, g []float32) { k.Momentum(o[0], o[1], x[0], x[1], g, h) },
		func(x []float64, g float64) []float64 {
			g += wd * x[0]
			buf := 0.9*x[1] + g
			d := buf
			if nesterov {
				d = g + 0.9*buf
			}
			return []float64{x[0] - lr*d, buf}
		}}
}

var updates = []updateCase{
	{"Adam", 3, func(k *Kernels, o, x [][]float32, g []float32) {
		k.Adam(o[0], o[1], o[2], x[0], x[1], x[2], g, &adamArgs)
	}, adamExact(3, wd, 0)},
	{"AdamW", 3, func(k *Kernels, o, x [][]float32, g []float32) {
		k.AdamW(o[0], o[1], o[2], x[0], x[1], x[2], g, &adamArgs)
	}, adamExact(3, 0, wd)},
	{"SGD", 1, func(k *Kernels, o, x [][]float32, g []float32) { k.SGD(o[0], x[0], g, &sgdArgs) },
		func(x []float64, g float64) []float64 { return []float64{x[0] - lr*(g+wd*x[0])} }},
	momentumCase("Momentum", &heavyArgs, false),
	momentumCase("Nesterov", &nesterovArgs, true),
	{"RMSprop", 2, func(k *Kernels, o, x [][]float32, g []float32) { k.RMSprop(o[0], o[1], x[0], x[1], g, &rmspropArgs) },
		func(x []float64, g float64) []float64 {
			g += wd * x[0]
			v := 0.99*x[1] + 0.01*g*g
			return []float64{x[0] - lr*g/(math.Sqrt(v)+1e-8), v}
		}},
}

// TestUpdates checks each optimiser against float64, out of place and in place.
func TestUpdates(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		for _, c := range updates {
			r := philox.New(7, philox.Stream(c.name))
			for _, n := range lengths {
				g := normals(n, r)
				var in, out [][]float32
				for i := range c.state {
					in, out = append(in, normals(n, r)), append(out, make([]float32, n))
					if i == c.state-1 && i > 0 && c.name != "Momentum" && c.name != "Nesterov" {
						k.Square(in[i], in[i]) // second moments
					}
				}
				c.run(k, out, in, g)
				for i := range n {
					x := make([]float64, c.state)
					for j := range x {
						x[j] = float64(in[j][i])
					}
					for j, want := range c.exact(x, float64(g[i])) {
						if got := float64(out[j][i]); math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
							t.Fatalf("%s, n=%d: state %d of element %d (%v, gradient %v) becomes %v, want %v", c.name, n, j, i, x, g[i], got, want)
						}
					}
				}
				c.run(k, in, in, g)
				for j := range in {
					if !slices.Equal(in[j], out[j]) {
						t.Fatalf("%s, n=%d: state %d in place is %v, out of place %v", c.name, n, j, in[j], out[j])
					}
				}
			}
		}
	})
}
