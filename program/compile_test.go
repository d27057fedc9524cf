package program_test

import (
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

func TestCompileErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(g *graph.Graph) map[string]graph.Value
		want  string
	}{
		{"the graph's own error", func(g *graph.Graph) map[string]graph.Value {
			x := g.Input("x", graph.F32(2, 3))
			return map[string]graph.Value{"y": op.MatMul(x, x, false, false)}
		}, "MatMul: inner sizes 3 and 2 differ"},
		{"nothing to do", func(g *graph.Graph) map[string]graph.Value {
			g.Input("x", graph.F32(2))
			return nil
		}, "nothing to compute"},
		{"another graph's value", func(g *graph.Graph) map[string]graph.Value {
			return map[string]graph.Value{"y": graph.New().Input("x", graph.F32(2))}
		}, "output y is no value of the graph"},
		{"no value at all", func(g *graph.Graph) map[string]graph.Value {
			return map[string]graph.Value{"y": {}}
		}, "output y is no value of the graph"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := graph.New()
			_, err := program.Compile(g, c.build(g), program.Target{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A node that was tampered with is found by the verifier, and named.
func TestVerifyGraph(t *testing.T) {
	for name, spoil := range map[string]func(n *graph.Node){
		"output 0 is 7, its rule gives 2": func(n *graph.Node) { n.Out[0].Shape = graph.Shape{7} },
		"input 0 is no earlier value":     func(n *graph.Node) { n.In[0] = n.Value(0) },
		"is numbered 5":                   func(n *graph.Node) { n.ID = 5 },
		"has 2 outputs, its rule gives 1": func(n *graph.Node) { n.Out = append(n.Out, n.Out[0]) },
		"wants float32 values, got int32": func(n *graph.Node) {
			n.In[0].Node.Out[0].DType, n.In[0].Node.Op = graph.Int32, graph.Input{Label: "x", Spec: graph.I32(2)}
		},
		"input 0 is no earlier value of the ": func(n *graph.Node) { n.In[0] = graph.New().Input("x", graph.F32(2)) },
	} {
		g := graph.New()
		y := op.Exp(g.Input("x", graph.F32(2)))
		spoil(y.Node)
		if _, err := program.Compile(g, map[string]graph.Value{"y": {Node: g.Nodes()[1]}}, program.Target{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q", err, name)
		}
	}
}

// Composite ops become small ones where there is no kernel, gradients of gradients included, and stay where there is one.
func TestExpand(t *testing.T) {
	g := graph.New()
	x := g.Input("x", graph.F32(3, 4))
	y, _, _ := op.BatchNorm(x, g.Constant(graph.F32(4), 1), g.Constant(graph.F32(4), 0), 1e-3)
	d := graph.Grad(op.SumAll(op.Square(graph.Grad(op.SumAll(op.Tanh(y)), x)[0])), x)[0]
	for _, c := range []struct {
		name   string
		kernel func(graph.Op) bool
		want   bool
	}{
		{"no kernels", func(graph.Op) bool { return false }, false},
		{"the forward op", func(o graph.Op) bool { return o.Name() == "BatchNorm" }, true},
		{"everything", nil, true},
	} {
		p, err := program.Compile(g, map[string]graph.Value{"d": d}, program.Target{Kernel: c.kernel})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(p.String(), "BatchNorm{"); got != c.want {
			t.Errorf("%s: BatchNorm is in the program: %v, want %v", c.name, got, c.want)
		}
		if got := strings.Contains(p.String(), "BatchNormGrad"); got != (c.kernel == nil) {
			t.Errorf("%s: BatchNormGrad is in the program: %v", c.name, got)
		}
	}
}
