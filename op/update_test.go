package op

import (
	"math"
	"testing"

	"aetrain/graph"
)

// Where ok is 0 every output is the old value, bit by bit, whatever the gradient holds. With ok, something changes.
func TestUpdatesAreGuarded(t *testing.T) {
	for _, o := range All() {
		p, ok := o.(Pointwise)
		if _, isUpdate := o.(interface{ isUpdate() }); !ok || !isUpdate {
			continue
		}
		t.Run(o.Name(), func(t *testing.T) {
			for i, e := range o.Examples() {
				if e.Bench {
					continue
				}
				in := e.Draw(uint64(i))
				tensors, last := p.ScalarInputs(len(in)), len(in)-1
				for _, fill := range []float64{math.NaN(), math.Inf(1), 0.5} {
					for j := range in[tensors-1].Data {
						in[tensors-1].Data[j] = fill
					}
					in[last].Data[0] = 0
					for k, out := range run(t, e.Op, in...) {
						same(t, "output where ok is 0", out, in[k].Data...)
					}
				}
				in[last].Data[0] = 1
				if out := run(t, e.Op, in...); out[0].Data[0] == in[0].Data[0] {
					t.Errorf("example %d: the parameter did not move", i)
				}
			}
		})
	}
}

// The corrections are exact enough where 1 - beta^t would cancel, and in float32 arithmetic.
func TestAdamCorrections(t *testing.T) {
	for _, beta := range []float64{0, 0.5, 0.9, 0.999, 0.99999} {
		for _, step := range []float64{0, 1, 9, 999, 99999, 1e7} {
			g := graph.New()
			c1, _ := AdamCorrections(g.Constant(graph.I32(), step), beta, 0.999)
			got, err := graph.Evaluate([]graph.Value{c1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := -math.Expm1((step + 1) * math.Log(beta))
			// What float32 makes of it: t and log beta rounded, and their product.
			product := float32(step+1) * float32(math.Log(beta))
			single := float32(-math.Expm1(float64(product)))
			if beta == 0 {
				single = 1
			}
			if math.Abs(got[0].Data[0]-want) > 1e-12*want || math.Abs(float64(single)-want) > 1e-6*want {
				t.Errorf("beta %v, step %v: got %v, in float32 %v, want %v", beta, step, got[0].Data[0], single, want)
			}
		}
	}
}

func TestGlobalNorm(t *testing.T) {
	g := graph.New()
	n := GlobalNorm(g.Constant(graph.F32(2), 1, 2), graph.Value{}, g.Constant(graph.F32(1, 2), 2, 4))
	got, err := graph.Evaluate([]graph.Value{n}, nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "norm", got[0], 5)
	if GlobalNorm().Valid() || GlobalNorm(graph.Value{}).Valid() {
		t.Error("the norm of nothing is a value")
	}
}
