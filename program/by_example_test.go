package program_test

import (
	"fmt"
	"slices"
	"testing"

	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestByExample changes the last part of what ops read by example: the first part of their outputs stays as it is.
func TestByExample(t *testing.T) {
	tried := map[string]bool{}
	for _, o := range op.All() {
		for i, e := range o.Examples() {
			if e.Bench { // large
				continue
			}
			g := graph.New()
			var args []graph.Value
			for k, a := range e.Args {
				args = append(args, g.Input(fmt.Sprint("in", k), a.Spec))
			}
			vs := g.Apply(e.Op, args...)
			if g.Err() != nil {
				continue
			}
			n := vs[0].Node
			inputs, outputs, ok := program.ByExample(n)
			if !ok || !outputs {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d", o.Name(), i), func(t *testing.T) {
				if checkByExample(t, e, n, inputs) {
					tried[n.Op.Name()] = true
				}
			})
		}
	}
	if len(tried) < 15 {
		t.Errorf("only %d ops were tried: %v", len(tried), tried)
	}
}

// checkByExample reports whether there are examples to tell apart.
func checkByExample(t *testing.T, e graph.Example, n *graph.Node, inputs []int) bool {
	parts := 0
	for _, k := range inputs {
		parts = gcd(parts, n.In[k].Shape()[0])
	}
	for _, s := range n.Out {
		parts = gcd(parts, s.Shape.Size())
	}
	if parts < 2 {
		return false
	}
	eval := func(changed bool) []graph.Tensor {
		in := e.Draw(3)
		for k, x := range e.Draw(4) {
			if from := len(x.Data) / parts * (parts - 1); changed && slices.Contains(inputs, k) {
				copy(in[k].Data[from:], x.Data[from:])
			}
		}
		out := make([]graph.Tensor, len(n.Out))
		for i, s := range n.Out {
			out[i] = graph.NewTensor(s)
		}
		n.Op.Eval(out, in)
		return out
	}
	want, got := eval(false), eval(true)
	for i := range want {
		first := len(want[i].Data) / parts * (parts - 1)
		if !slices.Equal(got[i].Data[:first], want[i].Data[:first]) {
			t.Errorf("output %d of %v: the first %d of %d parts depend on the last", i, e.Args[0].Spec, parts-1, parts)
		}
	}
	return true
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
