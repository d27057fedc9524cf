package op

import (
	"math"
	"testing"

	_ "go4.org/unsafe/assume-no-moving-gc" // gorgonia's own pin is too old for this Go
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"aetrain/graph"
)

// An independent engine agrees with our gradients, on what it can differentiate: one loss over a graph.
func TestGradientsAgreeWithGorgonia(t *testing.T) {
	type layer struct{ in, out int }
	for _, c := range []struct {
		name       string
		layers     []layer
		ours       func(x graph.Value) graph.Value
		theirs     func(x *gorgonia.Node) (*gorgonia.Node, error)
		batch      int
		squareLast bool
	}{
		{"tanh 3-4-2", []layer{{3, 4}, {4, 2}}, Tanh, gorgonia.Tanh, 5, false},
		{"sigmoid 6-3-6, an autoencoder", []layer{{6, 3}, {3, 6}}, Sigmoid, gorgonia.Sigmoid, 4, false},
		{"softplus 4-5-3-1", []layer{{4, 5}, {5, 3}, {3, 1}}, Softplus, gorgonia.Softplus, 7, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			feed := map[string]graph.Tensor{}
			arg := func(name string, seed uint64, dims ...int) graph.Spec {
				e := graph.Example{Args: []graph.Arg{{Spec: graph.F32(dims...), From: -1, To: 1}}}
				feed[name] = e.Draw(seed)[0]
				return feed[name].Spec
			}
			g, gg := graph.New(), gorgonia.NewGraph()
			matrix := func(name string) *gorgonia.Node {
				x := feed[name]
				d := tensor.New(tensor.WithShape(x.Shape...), tensor.WithBacking(append([]float64(nil), x.Data...)))
				return gorgonia.NewMatrix(gg, tensor.Float64, gorgonia.WithName(name), gorgonia.WithShape(x.Shape...), gorgonia.WithValue(d))
			}
			x, gx := g.Input("x", arg("x", 1, c.batch, c.layers[0].in)), matrix("x")
			target := g.Input("target", arg("target", 2, c.batch, c.layers[len(c.layers)-1].out))
			gtarget := matrix("target")
			var weights []graph.Value
			var gweights gorgonia.Nodes
			for i, l := range c.layers {
				name := string(rune('a' + i))
				w := g.Input(name, arg(name, uint64(3+i), l.in, l.out))
				gw := matrix(name)
				weights, gweights = append(weights, w), append(gweights, gw)
				x = c.ours(MatMul(x, w, false, false))
				gx = gorgonia.Must(c.theirs(gorgonia.Must(gorgonia.Mul(gx, gw))))
			}
			loss := MSE(x, target)
			gloss := gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(gx, gtarget))))))
			if c.squareLast {
				loss, gloss = Square(loss), gorgonia.Must(gorgonia.Square(gloss))
			}
			theirs, err := gorgonia.Grad(gloss, gweights...)
			if err != nil {
				t.Fatal(err)
			}
			vm := gorgonia.NewTapeMachine(gg)
			defer vm.Close()
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			ours, err := graph.Evaluate(graph.Grad(loss, weights...), feed)
			if err != nil {
				t.Fatal(err)
			}
			for i := range ours {
				want := theirs[i].Value().Data().([]float64)
				for j, got := range ours[i].Data {
					if math.Abs(got-want[j]) > 1e-10*math.Max(1e-3, math.Abs(want[j])) {
						t.Errorf("weight %d, element %d: got %.12g, gorgonia has %.12g", i, j, got, want[j])
					}
				}
			}
		})
	}
}

// Two losses over shared values each have their own gradient. Gorgonia keeps one derivative a node and gives the first one's
// for both, which is why it can be an oracle of single losses only.
func TestTwoLossesOverSharedValues(t *testing.T) {
	g := graph.New()
	x := g.Constant(graph.F32(3), 1, 2, 3)
	w := g.State(graph.Param, "w", graph.F32(3), func(_ uint64, _ string, t graph.Tensor) {
		for i := range t.Data {
			t.Data[i] = 1
		}
	})
	y := Mul(x, w)
	first, second := SumAll(y), SumAll(Square(y)) // Σ xw and Σ (xw)²
	grads := append(graph.Grad(first, w), graph.Grad(second, w)...)
	got, err := graph.Evaluate(grads, nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "gradient of the first loss", got[0], 1, 2, 3)
	same(t, "gradient of the second loss", got[1], 2, 8, 18)
}
