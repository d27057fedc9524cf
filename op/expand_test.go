package op

import (
	"fmt"
	"testing"

	"aetrain/graph"
)

// cubic is a composite op, a²b. Its gradient is its expansion's, or an op of its own where fused is set.
type cubic struct {
	pointwise
	fused bool
}

func (cubic) Name() string { return "cubic" }

func (cubic) Expand(n *graph.Node) []graph.Value { return one(Mul(Square(n.In[0]), n.In[1])) }

func (o cubic) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	if o.fused {
		return graph.Apply(cubicGrad{}, n.In[0], n.In[1], dOut[0])
	}
	return expandVJP(n, dOut)
}

func (cubic) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return a * a * b })
}

func (cubic) Examples() []graph.Example { return nil }

// cubicGrad makes both gradients of a cubic from a, b and dy.
type cubicGrad struct{}

func (cubicGrad) Name() string { return "cubicGrad" }

func (cubicGrad) Infer(in []graph.Spec) ([]graph.Spec, error) { return in[:2], nil }

func (cubicGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value { return expandVJP(n, dOut) }

func (cubicGrad) Expand(n *graph.Node) []graph.Value {
	return expandGrad(n, cubic{}, n.In[:2], n.In[2:])
}

func (cubicGrad) Eval(out, in []graph.Tensor) {
	for i, a := range in[0].Data {
		b, dy := in[1].Data[i], in[2].Data[i]
		out[0].Data[i], out[1].Data[i] = dy*2*a*b, dy*a*a
	}
}

func (cubicGrad) Examples() []graph.Example { return nil }

// An op may read one value twice, or a value and what that is computed from: the generic rule keeps them apart,
// in gradients of any order.
func TestExpandVJPKeepsInputsApart(t *testing.T) {
	for _, fused := range []bool{false, true} {
		g := graph.New()
		x := g.Input("x", graph.F32())
		o := cubic{fused: fused}
		for _, c := range []struct {
			name string
			y    graph.Value
			want [4]float64 // at 2: value, first, second and third derivative
		}{
			{"x³", apply(o, x, x), [4]float64{8, 12, 12, 6}},
			{"x⁴", apply(o, x, Square(x)), [4]float64{16, 32, 48, 48}},
			{"x⁵", apply(o, Square(x), x), [4]float64{32, 80, 160, 240}},
		} {
			d := graph.Grad(c.y, x)[0]
			dd := graph.Grad(d, x)[0]
			ddd := graph.Grad(dd, x)[0]
			if got := evaluate(t, map[string]float64{"x": 2}, c.y, d, dd, ddd); fmt.Sprint(got) != fmt.Sprint(c.want[:]) {
				t.Errorf("%s, fused %v: got %v, want %v", c.name, fused, got, c.want)
			}
		}
	}
}
