package program_test

import (
	"slices"
	"testing"

	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestKLBehind: which samples compute the divergence of their distribution in the same pass.
func TestKLBehind(t *testing.T) {
	type parts struct {
		g          *graph.Graph
		mu, logVar graph.Value
		sample     func(mu, logVar graph.Value) graph.Value
	}
	for _, c := range []struct {
		name  string
		build func(p parts) map[string]graph.Value
		want  int // samples that compute a divergence
	}{
		{"a step behind it", func(p parts) map[string]graph.Value {
			return map[string]graph.Value{"z": p.sample(p.mu, p.logVar), "y": op.Exp(op.KLNormal(p.mu, p.logVar))}
		}, 1},
		{"far behind it, and an output", func(p parts) map[string]graph.Value {
			z := p.sample(p.mu, p.logVar)
			return map[string]graph.Value{"y": op.Softmax(op.MatMul(z, z, false, true)), "kl": op.KLNormal(p.mu, p.logVar)}
		}, 1},
		{"no divergence", func(p parts) map[string]graph.Value { return map[string]graph.Value{"z": p.sample(p.mu, p.logVar)} }, 0},
		{"of another distribution", func(p parts) map[string]graph.Value {
			return map[string]graph.Value{"z": p.sample(p.mu, p.logVar), "y": op.KLNormal(p.logVar, p.mu)}
		}, 0},
		{"before it", func(p parts) map[string]graph.Value {
			kl := op.KLNormal(p.mu, p.logVar)
			return map[string]graph.Value{"z": p.sample(op.ScaleRows(p.mu, kl), p.logVar)}
		}, 0},
		{"the means are written in between", func(p parts) map[string]graph.Value {
			mean := p.g.State(graph.Buffer, "mean", p.mu.Spec(), nil)
			z := p.sample(mean, p.logVar)
			p.g.Assign(mean, z)
			return map[string]graph.Value{"y": op.KLNormal(mean, p.logVar)}
		}, 1}, // a state changes at the end of the step: what is read is what it was
		{"it is assigned to a state", func(p parts) map[string]graph.Value {
			p.g.Assign(p.g.State(graph.Buffer, "kl", graph.F32(6), nil), op.KLNormal(p.mu, p.logVar))
			return map[string]graph.Value{"z": p.sample(p.mu, p.logVar)}
		}, 0},
		{"of other rows of the same memory", func(p parts) map[string]graph.Value {
			kl := op.KLNormal(op.Reshape(p.mu, 2, 15), op.Reshape(p.logVar, 2, 15))
			return map[string]graph.Value{"z": p.sample(p.mu, p.logVar), "kl": kl}
		}, 0},
		{"of rows in two axes", func(p parts) map[string]graph.Value {
			z := p.sample(op.Reshape(p.mu, 6, 5, 1), op.Reshape(p.logVar, 6, 5, 1))
			return map[string]graph.Value{"z": z, "kl": op.KLNormal(p.mu, p.logVar)}
		}, 1},
		{"two samples of one distribution", func(p parts) map[string]graph.Value {
			return map[string]graph.Value{"a": p.sample(p.mu, p.logVar), "b": p.sample(p.mu, p.logVar), "kl": op.KLNormal(p.mu, p.logVar)}
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := graph.New()
			p := parts{g: g, mu: g.Input("mu", graph.F32(6, 5)), logVar: g.Input("logVar", graph.F32(6, 5))}
			rng := op.RNG{Seed: g.Input("seed", graph.I32(2)), Step: g.Input("step", graph.I32()), Row0: g.Input("row0", graph.I32())}
			names := []string{"first", "second"}
			p.sample = func(mu, logVar graph.Value) graph.Value {
				z := op.GaussianSample(rng, names[0], mu, logVar)
				names = names[1:]
				return z
			}
			target := program.Target{Kernel: func(o graph.Op) bool { return slices.Contains([]string{"GaussianSample", "KLNormal"}, o.Name()) }}
			compiled, err := program.Compile(g, c.build(p), target)
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for i := range compiled.Steps {
				if s := &compiled.Steps[i]; s.Node != nil && s.Node.Op.Name() == "GaussianSample" {
					if j, ok := compiled.KLBehind(i); ok {
						found++
						if got := compiled.Steps[j].Node.Op.Name(); got != "KLNormal" {
							t.Errorf("step %d behind it is a %s", j, got)
						}
					}
				}
			}
			if found != c.want {
				t.Errorf("%d samples have a divergence behind them, want %d:\n%s", found, c.want, compiled)
			}
		})
	}
}
