package vec

import (
	"flag"
	"math"
	"testing"
)

var step = flag.Uint64("step", 4099, "TestAccuracy takes each step-th float32 argument; 1 takes them all, in minutes")

// The bounds that vec.go states.
var accuracy = []struct {
	name  string
	f     func(k *Kernels) Unary
	exact func(float64) float64
	ulp   float64
	abs   float64 // allowed besides: of |x|, where a result is small beside its argument
}{
	{"Exp", func(k *Kernels) Unary { return k.Exp }, math.Exp, 1.1, 0},
	{"Expm1", func(k *Kernels) Unary { return k.Expm1 }, math.Expm1, 2, 0},
	{"Log", func(k *Kernels) Unary { return k.Log }, math.Log, 1, 0},
	{"Tanh", func(k *Kernels) Unary { return k.Tanh }, math.Tanh, 3, 0},
	{"Sigmoid", func(k *Kernels) Unary { return k.Sigmoid }, sigmoid, 3, 0},
	{"Softplus", func(k *Kernels) Unary { return k.Softplus }, softplus, 3, 0},
	{"Erf", func(k *Kernels) Unary { return k.Erf }, math.Erf, 2, 0},
	{"Rsqrt", func(k *Kernels) Unary { return k.Rsqrt }, func(x float64) float64 { return 1 / math.Sqrt(x) }, 1.5, 0},
	{"GELU", func(k *Kernels) Unary { return k.GELU }, func(x float64) float64 { return x * normalCDF(x) }, 6, 5e-8},
	{"SiLU", func(k *Kernels) Unary { return k.SiLU }, func(x float64) float64 { return max(x, -200) * sigmoid(x) }, 4, 3e-45},
}

func TestAccuracy(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		for _, c := range accuracy {
			t.Run(c.name, func(t *testing.T) {
				worst, at := sweep(c.f(k), func(x float32, got float32) float64 {
					want := c.exact(float64(x))
					if math.Abs(float64(got)-want) <= c.abs*math.Abs(float64(x)) {
						return 0
					}
					return ulps(got, want)
				})
				if worst > c.ulp {
					t.Errorf("%s(%v) is %.3g ulp away, want at most %v", c.name, at, worst, c.ulp)
				}
				t.Logf("at most %.3f ulp", worst)
			})
		}
	})
}

// sweep returns the largest distance over arguments of all magnitudes and signs, and its argument.
func sweep(f Unary, distance func(x, got float32) float64) (worst float64, at float32) {
	x, y := make([]float32, 4096), make([]float32, 4096)
	for b := uint64(0); b < 1<<32; {
		n := 0
		for ; n < len(x) && b < 1<<32; n++ {
			x[n] = math.Float32frombits(uint32(b))
			b += *step
		}
		f(y[:n], x[:n])
		for i, v := range x[:n] {
			if d := distance(v, y[i]); d > worst {
				worst, at = d, v
			}
		}
	}
	return worst, at
}
