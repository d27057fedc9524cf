//go:build gpu && cgo

package driver

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// openDnn opens cuDNN for a test, which is skipped where it is missing.
func openDnn(t *testing.T) *Dnn {
	t.Helper()
	d, err := OpenDnn()
	if err != nil {
		t.Skip("no cuDNN: ", err)
	}
	return d
}

// convolved is the reference of all passes: every product x·w that belongs to an element of y is added to what the pass
// computes, in float64, with the sizes of the terms beside.
func convolved(c Conv, x, w, y []float32) (out, scale []float64) {
	c = c.defaults()
	n := [...]int{len(y), len(x), len(w)}[c.Pass]
	out, scale = make([]float64, n), make([]float64, n)
	cg, kg := c.C/c.Groups, c.K/c.Groups
	add := func(i int, product float64) { out[i] += product; scale[i] += math.Abs(product) }
	for n := range c.N {
		for k := range c.K {
			for p := range c.P {
				for q := range c.Q {
					for ci := range cg {
						for r := range c.R {
							for s := range c.S {
								h, v := p*c.StrideH-c.PadH+r*c.DilationH, q*c.StrideW-c.PadW+s*c.DilationW
								if h < 0 || h >= c.H || v < 0 || v >= c.W {
									continue
								}
								xi := ((n*c.C+k/kg*cg+ci)*c.H+h)*c.W + v
								wi := ((k*cg+ci)*c.R+r)*c.S + s
								yi := ((n*c.K+k)*c.P+p)*c.Q + q
								switch c.Pass {
								case Forward:
									add(yi, float64(x[xi])*float64(w[wi]))
								case BackwardData:
									add(xi, float64(y[yi])*float64(w[wi]))
								case BackwardFilter:
									add(wi, float64(x[xi])*float64(y[yi]))
								}
							}
						}
					}
				}
			}
		}
	}
	return out, scale
}

// checkConv runs a plan twice and compares with the reference and, where it is deterministic, with itself.
func checkConv(t *testing.T, c Conv, plan *ConvPlan) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	full := c.defaults()
	operands := [3]operand{
		random(r, full.N*full.C*full.H*full.W, c.Precision),
		random(r, full.K*full.C/full.Groups*full.R*full.S, c.Precision),
		random(r, full.N*full.K*full.P*full.Q, c.Precision),
	}
	want, scale := convolved(c, operands[0].values, operands[1].values, operands[2].values)
	var at [3]Ptr
	for i, o := range operands {
		at[i] = o.put(t)
	}
	s, out := stream(t), at[[...]int{2, 0, 1}[c.Pass]]
	work, err := Alloc(plan.Workspace())
	ok(t, err)
	var first []float32
	for range 2 {
		ok(t, plan.Run(s, at[0], at[1], at[2], work))
		ok(t, s.Synchronize())
		got := make([]float32, len(want))
		if c.Precision == BF16 {
			for i, b := range download[uint16](t, out, len(want)) {
				got[i] = float(b)
			}
		} else {
			got = download[float32](t, out, len(want))
		}
		for i := range got {
			bound := roundoff(c.Precision) * scale[i]
			if c.Precision == BF16 {
				bound += math.Abs(want[i]) / (1 << 8) // the result is rounded
			}
			if math.Abs(float64(got[i])-want[i]) > bound+1e-6 {
				t.Fatalf("%v, %s: element %d is %g, want %g", c, plan.Algorithm(), i, got[i], want[i])
			}
		}
		if first != nil && plan.Deterministic() && !slices.Equal(got, first) {
			t.Errorf("%v, %s: other bits the second time", c, plan.Algorithm())
		}
		first = got
	}
	for _, p := range append(at[:], work) {
		ok(t, Free(p))
	}
	ok(t, s.Destroy())
}

// convs are shapes of every kind.
var convs = []struct {
	name string
	Conv
}{
	{"1x1", Conv{N: 2, C: 8, H: 5, W: 6, K: 4, R: 1, S: 1, P: 5, Q: 6}},
	{"3x3 padded", Conv{N: 2, C: 3, H: 9, W: 8, K: 4, R: 3, S: 3, P: 9, Q: 8, PadH: 1, PadW: 1}},
	{"stride 2", Conv{N: 3, C: 4, H: 10, W: 9, K: 8, R: 4, S: 3, P: 5, Q: 5, PadH: 1, PadW: 1, StrideH: 2, StrideW: 2}},
	{"dilated", Conv{N: 1, C: 2, H: 11, W: 12, K: 3, R: 3, S: 3, P: 7, Q: 8, DilationH: 2, DilationW: 2}},
	{"groups", Conv{N: 2, C: 8, H: 6, W: 6, K: 12, R: 3, S: 3, P: 6, Q: 6, PadH: 1, PadW: 1, Groups: 4}},
	{"depthwise", Conv{N: 2, C: 6, H: 7, W: 7, K: 6, R: 3, S: 3, P: 4, Q: 4, PadH: 1, PadW: 1, StrideH: 2, StrideW: 2, Groups: 6}},
	{"uneven", Conv{N: 1, C: 1, H: 8, W: 13, K: 2, R: 2, S: 5, P: 4, Q: 4, PadW: 1, StrideH: 2, StrideW: 3}},
}

func TestConv(t *testing.T) {
	onDevice(t, func(*Context) {
		d := openDnn(t)
		for _, tt := range convs {
			for _, pass := range []Pass{Forward, BackwardData, BackwardFilter} {
				for _, precision := range []Precision{Float32, TF32, BF16} {
					c := tt.Conv
					c.Pass, c.Precision, c.Deterministic, c.WorkspaceLimit = pass, precision, true, 32<<20
					plan, err := d.Plan(c, 0)
					if errors.Is(err, ErrNoAlgorithm) && precision == BF16 {
						t.Logf("none for %s: %v", tt.name, c)
						continue
					}
					ok(t, err)
					if !plan.Deterministic() {
						t.Errorf("%v: %s is not deterministic", c, plan.Algorithm())
					}
					if name := plan.Algorithm(); precision == Float32 && (strings.HasPrefix(name, "fft") || strings.HasPrefix(name, "winograd")) {
						t.Errorf("%v: %s is less exact than float32 is to be", c, name)
					}
					checkConv(t, c, plan)
					ok(t, plan.Destroy())
				}
			}
		}
		ok(t, d.Close())
		ok(t, d.Close())
	})
}

func TestConvPlans(t *testing.T) {
	onDevice(t, func(*Context) {
		d := openDnn(t)
		for _, pass := range []Pass{Forward, BackwardData, BackwardFilter} {
			c := convs[1].Conv
			c.Pass, c.WorkspaceLimit = pass, 64<<20
			seen := map[string]bool{}
			for rank := range 16 {
				plan, err := d.Plan(c, rank)
				if rank > 0 && errors.Is(err, ErrNoAlgorithm) {
					break
				}
				ok(t, err)
				t.Logf("%v: %s, deterministic %v, %d bytes", pass, plan.Algorithm(), plan.Deterministic(), plan.Workspace())
				if seen[plan.Algorithm()] {
					t.Errorf("%v: %s comes twice", pass, plan.Algorithm())
				}
				seen[plan.Algorithm()] = true
				checkConv(t, c, plan)
				ok(t, plan.Destroy())
				ok(t, plan.Destroy())
			}
		}
		ok(t, (*ConvPlan)(nil).Destroy())
	})
}

func TestConvErrors(t *testing.T) {
	onDevice(t, func(*Context) {
		d := openDnn(t)
		base := convs[1].Conv
		change := func(f func(*Conv)) Conv { c := base; f(&c); return c }
		for _, tt := range []struct {
			name string
			c    Conv
			want string
		}{
			{"output", change(func(c *Conv) { c.P = 7 }), "the output would be 9×8"},
			{"groups", change(func(c *Conv) { c.Groups = 2 }), "2 groups do not divide the channels"},
			{"empty", change(func(c *Conv) { c.N = 0 }), "have to be positive"},
			{"pad", change(func(c *Conv) { c.PadH = -1 }), "padding"},
			{"large", change(func(c *Conv) { c.N = 1 << 28 }), "2³¹ elements"},
			{"pass", change(func(c *Conv) { c.Pass = 3 }), "pass 3"},
			{"precision", change(func(c *Conv) { c.Precision = 3 }), "precision 3"},
		} {
			_, err := d.Plan(tt.c, 0)
			t.Run(tt.name, func(t *testing.T) { wantError(t, err, tt.want) })
		}
	})
}
