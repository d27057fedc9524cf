package nn

import (
	"math"
	"testing"

	"aetrain/graph"
)

// After some steps the weight's largest singular value is 1, for a weight whose singular values are known: 3, 2.
func TestSpectralNorm(t *testing.T) {
	c, s := math.Cos(0.7), math.Sin(0.7)
	weight := []float64{3 * c, 3 * s, -2 * s, 2 * c} // diag(3, 2) times a rotation
	kept := []float64{0.3, 0.8}
	var got []float64
	for range 30 {
		g := graph.New()
		scope := NewScope(g, ScopeOptions{Training: true})
		w := spectral(scope, scope.Param("weight", nil, 2, 2))
		u := g.Lookup("weight_u")
		out, err := graph.Evaluate([]graph.Value{w, u.Now}, map[string]graph.Tensor{
			"weight":   {Spec: graph.F32(2, 2), Data: weight},
			"weight_u": {Spec: graph.F32(2), Data: kept},
		})
		if err != nil {
			t.Fatal(err)
		}
		got, kept = out[0].Data, out[1].Data
	}
	for i, x := range weight {
		if math.Abs(got[i]-x/3) > 1e-6 {
			t.Errorf("element %d is %v, want %v", i, got[i], x/3)
		}
	}
}

// Layers with the key have the buffer, and evaluation leaves it alone.
func TestSpectralNormInLayers(t *testing.T) {
	for _, training := range []bool{true, false} {
		g := graph.New()
		scope := NewScope(g, ScopeOptions{Training: training})
		d, c := NewDense(3), NewConv2D(2, 3)
		d.SpectralNorm, c.SpectralNorm = true, true
		scope.Within("dense", func(s *Scope) graph.Value { return d.Build(s, g.Input("x", graph.F32(4, 5))) })
		scope.Within("conv", func(s *Scope) graph.Value { return c.Build(s, g.Input("image", graph.F32(1, 2, 6, 6))) })
		for name, size := range map[string]int{"dense.weight_u": 3, "conv.weight_u": 2} {
			u := g.Lookup(name)
			if u == nil || !u.Spec.Shape.Equal(graph.Shape{size}) || u.Kind != graph.Buffer {
				t.Fatalf("training %v: %s is %v", training, name, u)
			}
			if moves := u.Now != u.Leaf; moves != training {
				t.Errorf("training %v: %s moves: %v", training, name, moves)
			}
		}
		if err := g.Err(); err != nil {
			t.Error(err)
		}
	}
}
