//go:build gpu && cgo

package driver

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// openLt opens cuBLASLt for a test, which is skipped where it is missing.
func openLt(t *testing.T) *Lt {
	t.Helper()
	l, err := OpenLt()
	if err != nil {
		t.Skip("no cuBLASLt: ", err)
	}
	return l
}

// multiplied is the reference: the product in float64, and the sum of its terms' sizes, by which errors are judged.
func multiplied(m MatMul, a, b, bias []float32) (c, scale []float64) {
	m = m.defaults()
	for n := range m.Batch {
		a, b := a[n*int(m.StrideA):], b[n*int(m.StrideB):]
		for i := range m.M {
			for j := range m.N {
				var sum, size float64
				for k := range m.K {
					ai, bi := i*m.K+k, k*m.N+j
					if m.TransA {
						ai = k*m.M + i
					}
					if m.TransB {
						bi = j*m.K + k
					}
					product := float64(a[ai]) * float64(b[bi])
					sum, size = sum+product, size+math.Abs(product)
				}
				if m.Epilogue == Bias || m.Epilogue == BiasReLU {
					sum, size = sum+float64(bias[j]), size+math.Abs(float64(bias[j]))
				}
				if m.Epilogue == ReLU || m.Epilogue == BiasReLU {
					sum = max(sum, 0)
				}
				c, scale = append(c, sum), append(scale, size)
			}
		}
	}
	return c, scale
}

// checkMatMul runs a plan twice and compares with the reference and with itself.
func checkMatMul(t *testing.T, m MatMul, plan *MatMulPlan) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	batch := max(m.Batch, 1)
	a := random(r, int(m.StrideA)*(batch-1)+m.M*m.K, m.Precision)
	b := random(r, int(m.StrideB)*(batch-1)+m.K*m.N, m.Precision)
	bias := random(r, m.N, Float32)
	want, scale := multiplied(m, a.values, b.values, bias.values)
	if m.StrideC != 0 && int(m.StrideC) != m.M*m.N {
		t.Fatal("tests have C without gaps")
	}
	s := stream(t)
	pa, pb, pc, pBias := a.put(t), b.put(t), upload(t, make([]float32, len(want))), bias.put(t)
	if m.Epilogue == None || m.Epilogue == ReLU {
		pBias = 0
	}
	work, err := Alloc(plan.Workspace())
	ok(t, err)
	var first []float32
	for range 2 {
		ok(t, plan.Run(s, pa, pb, pc, pBias, work))
		ok(t, s.Synchronize())
		got := download[float32](t, pc, len(want))
		for i := range got {
			if math.Abs(float64(got[i])-want[i]) > roundoff(m.Precision)*scale[i] {
				t.Fatalf("%v, algorithm %s: element %d is %g, want %g", m, plan.Algorithm(), i, got[i], want[i])
			}
		}
		if first != nil && !slices.Equal(got, first) {
			t.Errorf("%v, algorithm %s: other bits the second time", m, plan.Algorithm())
		}
		first = got
	}
	for _, p := range []Ptr{pa, pb, pc, pBias, work} {
		ok(t, Free(p))
	}
	ok(t, s.Destroy())
}

func TestMatMul(t *testing.T) {
	onDevice(t, func(*Context) {
		l := openLt(t)
		for _, size := range [][3]int{{1, 1, 1}, {5, 7, 3}, {33, 20, 65}, {128, 40, 96}} {
			for _, trans := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
				for _, epilogue := range []Epilogue{None, Bias, ReLU, BiasReLU} {
					for _, precision := range []Precision{Float32, TF32, BF16} {
						m := MatMul{
							M: size[0], N: size[1], K: size[2], TransA: trans[0], TransB: trans[1],
							Precision: precision, Epilogue: epilogue, WorkspaceLimit: 4 << 20,
						}
						plan, err := l.Plan(m, 0)
						if errors.Is(err, ErrNoAlgorithm) && precision != Float32 {
							t.Logf("none for %v", m) // the library wants some alignment of rows
							continue
						}
						ok(t, err)
						checkMatMul(t, m, plan)
						ok(t, plan.Destroy())
					}
				}
			}
		}
		ok(t, l.Close())
		ok(t, l.Close())
	})
}

// Batches: with strides, and with an operand that all products share.
func TestMatMulBatch(t *testing.T) {
	onDevice(t, func(c *Context) {
		l := openLt(t)
		const m, n, k, batch = 12, 10, 16, 3
		for _, tt := range []struct {
			name             string
			strideA, strideB int64
		}{{"own", m * k, k * n}, {"gaps", m*k + 8, k*n + 4}, {"A shared", 0, k * n}, {"B shared", m * k, 0}} {
			for _, trans := range [][2]bool{{false, false}, {true, true}} {
				p := MatMul{
					Batch: batch, M: m, N: n, K: k, TransA: trans[0], TransB: trans[1], Epilogue: Bias,
					StrideA: tt.strideA, StrideB: tt.strideB, StrideC: m * n,
				}
				t.Run(fmt.Sprint(tt.name, trans), func(t *testing.T) {
					ok(t, c.Do(func() error { // a subtest has a thread of its own
						plan, err := l.Plan(p, 0)
						ok(t, err)
						if plan.Workspace() != 0 {
							t.Errorf("a workspace of %d bytes, where none was allowed", plan.Workspace())
						}
						checkMatMul(t, p, plan)
						return plan.Destroy()
					}))
				})
			}
		}
	})
}

// All algorithms that are offered agree; each plan lives on its own.
func TestMatMulPlans(t *testing.T) {
	onDevice(t, func(*Context) {
		l := openLt(t)
		m := MatMul{M: 64, N: 48, K: 512, TransB: true, Epilogue: BiasReLU, WorkspaceLimit: 32 << 20}
		for rank := range 8 {
			plan, err := l.Plan(m, rank)
			if rank > 1 && errors.Is(err, ErrNoAlgorithm) {
				break // there are several
			}
			ok(t, err)
			t.Logf("%s, %d bytes", plan.Algorithm(), plan.Workspace())
			checkMatMul(t, m, plan)
			ok(t, plan.Destroy())
			ok(t, plan.Destroy())
		}
		ok(t, (*MatMulPlan)(nil).Destroy())
	})
}

func TestMatMulErrors(t *testing.T) {
	onDevice(t, func(*Context) {
		l := openLt(t)
		for _, tt := range []struct {
			name string
			m    MatMul
			want string
		}{
			{"empty", MatMul{M: 0, N: 1, K: 1}, "0×1 of 1, float32: the batch, M, N and K have to be positive"},
			{"overlap", MatMul{Batch: 2, M: 1, N: 1, K: 1}, "StrideC is 0"},
			{"alignment", MatMul{M: 1, N: 1, K: 1, Alignment: 12}, "12 is no power of two"},
			{"epilogue", MatMul{M: 1, N: 1, K: 1, Epilogue: 9}, "epilogue 9"},
			{"precision", MatMul{M: 1, N: 1, K: 1, Precision: 9}, "precision 9"},
		} {
			_, err := l.Plan(tt.m, 0)
			t.Run(tt.name, func(t *testing.T) { wantError(t, err, tt.want) })
		}
		plan, err := l.Plan(MatMul{M: 8, N: 8, K: 8}, 0)
		ok(t, err)
		wantError(t, plan.Run(Stream{}, 4, 0, 0, 0, 0), "multiples of 16")
		ok(t, plan.Destroy())
	})
}

// A captured product is the same as one that is run, also after another bias was set.
func TestMatMulCapture(t *testing.T) {
	onDevice(t, func(*Context) {
		l := openLt(t)
		m := MatMul{M: 8, N: 4, K: 8, Epilogue: Bias}
		plan, err := l.Plan(m, 0)
		ok(t, err)
		ones := slices.Repeat([]float32{1}, 64)
		s, a, c, d := stream(t), upload(t, ones), upload(t, ones), upload(t, ones)
		one, two := upload(t, ones), upload(t, slices.Repeat([]float32{2}, 64))
		ok(t, plan.Run(s, a, a, c, one, 0)) // libraries load kernels at the first call, which a capture does not allow
		ok(t, s.Synchronize())
		g, err := Capture(s, func() error {
			return errors.Join(plan.Run(s, a, a, c, one, 0), plan.Run(s, a, a, d, two, 0))
		})
		ok(t, err)
		ok(t, Fill(c, 0, 32))
		ok(t, g.Launch(s))
		ok(t, s.Synchronize())
		if gotC, gotD := download[float32](t, c, 32), download[float32](t, d, 32); gotC[31] != 9 || gotD[31] != 10 {
			t.Errorf("got %g and %g, want 9 and 10", gotC[31], gotD[31])
		}
		ok(t, g.Destroy())
		ok(t, plan.Destroy())
	})
}
