package program_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

var update = flag.Bool("update", false, "write testdata anew")

// device is a target as a real backend has it.
var device = program.Target{
	Epilogue: func(o graph.Op) bool {
		return o.Name() == "MatMul" || o.Name() == "Conv2D" || o.Name() == "ConvTranspose2D"
	},
	Kernel: func(o graph.Op) bool { return o.Name() != "LayerNorm" && o.Name() != "LayerNormGrad" },
}

// The listings show what the passes make of a training step: read them when a pass changes.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func() (*graph.Graph, map[string]graph.Value)
	}{
		{"vae", func() (*graph.Graph, map[string]graph.Value) { return vae(128, 784, 400, 20) }},
		{"conv_vae", func() (*graph.Graph, map[string]graph.Value) { return convVAE(16, 8, 4) }},
		{"deep", func() (*graph.Graph, map[string]graph.Value) { return deep(2) }},
		{"tied", tied},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, outs := c.build()
			p, err := program.Compile(g, outs, device)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", c.name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(p.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.String(); got != string(want) {
				t.Errorf("the listing has changed (run with -update to accept it):\n%s", got)
			}
		})
	}
}

// tied is an autoencoder whose decoder's weight is the encoder's, transposed, with plain gradient descent.
func tied() (*graph.Graph, map[string]graph.Value) {
	w := newNetwork()
	x := w.g.Input("x", graph.F32(32, 12))
	weight := w.weight("weight", 5, 12)
	recon := op.MatMul(op.Tanh(op.MatMul(x, op.Transpose(weight), false, false)), weight, false, false)
	loss := op.MSE(recon, x)
	w.g.Assign(weight, op.Sub(weight, op.Scale(graph.Grad(loss, weight)[0], 0.1)))
	return w.g, map[string]graph.Value{"loss": loss}
}

// Networks in the small, step after step, against the definition.
func TestNetworks(t *testing.T) {
	image := graph.Example{Args: []graph.Arg{{Spec: graph.F32(3, 1, 8, 8), From: 0, To: 1}}}.Draw(1)[0]
	feed := func(x graph.Tensor) map[string]graph.Tensor {
		return map[string]graph.Tensor{
			"x": x, "learning_rate": {Data: []float64{1e-3}},
			"seed": {Spec: graph.I32(2), Data: []float64{5, 7}}, "row0": {Spec: graph.I32(), Data: []float64{0}},
		}
	}
	t.Run("vae", func(t *testing.T) {
		g, outs := vae(3, 64, 7, 2)
		checkEqual(t, g, outs, feed(graph.Tensor{Spec: graph.F32(3, 64), Data: image.Data}))
	})
	t.Run("conv_vae", func(t *testing.T) {
		g, outs := convVAE(3, 8, 2)
		checkEqual(t, g, outs, feed(image))
	})
	t.Run("deep", func(t *testing.T) {
		g, outs := deep(3)
		checkEqual(t, g, outs, feed(graph.Tensor{Spec: graph.F32(8, 16), Data: image.Data[:128]}))
	})
	t.Run("tied", func(t *testing.T) {
		g, outs := tied()
		x := graph.Example{Args: []graph.Arg{{Spec: graph.F32(32, 12), From: -1, To: 1}}}.Draw(1)[0]
		checkEqual(t, g, outs, map[string]graph.Tensor{"x": x})
	})
}

// BenchmarkCompile is the time to compile steps of growing size: it should grow about as they do.
func BenchmarkCompile(b *testing.B) {
	for _, c := range []struct {
		name  string
		build func() (*graph.Graph, map[string]graph.Value)
	}{
		{"vae", func() (*graph.Graph, map[string]graph.Value) { return vae(128, 784, 400, 20) }},
		{"deep25", func() (*graph.Graph, map[string]graph.Value) { return deep(25) }},
		{"deep100", func() (*graph.Graph, map[string]graph.Value) { return deep(100) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			g, outs := c.build()
			var p *program.Program
			for b.Loop() {
				var err error
				if p, err = program.Compile(g, outs, device); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(p.NodesBefore), "nodes")
		})
	}
}
