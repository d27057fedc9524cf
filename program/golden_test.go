package program_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"aetrain/backend/backendtest"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/optim"
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
		{"vae", func() (*graph.Graph, map[string]graph.Value) { return train(backendtest.VAE(128, 784, 400, 20)) }},
		{"conv_vae", func() (*graph.Graph, map[string]graph.Value) { return train(backendtest.ConvVAE(16, 8, 4)) }},
		{"deep", func() (*graph.Graph, map[string]graph.Value) { return train(backendtest.Deep(2)) }},
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

// train completes a step: gradients, Adam, and the guard.
func train(n *backendtest.Network) (*graph.Graph, map[string]graph.Value) {
	step := n.Graph.State(graph.Buffer, "step", graph.I32(), nil)
	loss := optim.Loss{Name: optim.DefaultLoss, Value: n.Loss, Params: n.Params, Config: optim.Defaults()}
	r := optim.Step(n.Graph, []optim.Loss{loss}, optim.Options{Counter: step})
	return n.Graph, map[string]graph.Value{"loss": n.Loss, "norm": r.GradientNorm}
}

// tied is an autoencoder whose decoder's weight is the encoder's, transposed, with plain gradient descent.
func tied() (*graph.Graph, map[string]graph.Value) {
	g := graph.New()
	x, weight := g.Input("x", graph.F32(32, 12)), g.State(graph.Param, "weight", graph.F32(5, 12), nil)
	recon := op.MatMul(op.Tanh(op.MatMul(x, op.Transpose(weight), false, false)), weight, false, false)
	loss := op.MSE(recon, x)
	g.Assign(weight, op.Sub(weight, op.Scale(graph.Grad(loss, weight)[0], 0.1)))
	return g, map[string]graph.Value{"loss": loss}
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
		g, outs := train(backendtest.VAE(3, 64, 7, 2))
		checkEqual(t, g, outs, feed(graph.Tensor{Spec: graph.F32(3, 64), Data: image.Data}))
	})
	t.Run("conv_vae", func(t *testing.T) {
		g, outs := train(backendtest.ConvVAE(3, 8, 2))
		checkEqual(t, g, outs, feed(image))
	})
	t.Run("deep", func(t *testing.T) {
		g, outs := train(backendtest.Deep(3))
		checkEqual(t, g, outs, feed(graph.Tensor{Spec: graph.F32(8, 16), Data: image.Data[:128]}))
	})
	t.Run("tied", func(t *testing.T) {
		g, outs := tied()
		x := graph.Example{Args: []graph.Arg{{Spec: graph.F32(32, 12), From: -1, To: 1}}}.Draw(1)[0]
		weight := graph.Example{Args: []graph.Arg{{Spec: graph.F32(5, 12), From: -1, To: 1}}}.Draw(2)[0]
		checkEqual(t, g, outs, map[string]graph.Tensor{"x": x, "weight": weight})
	})
}

// BenchmarkCompile is the time to compile steps of growing size: it should grow about as they do.
func BenchmarkCompile(b *testing.B) {
	for _, c := range []struct {
		name  string
		build func() (*graph.Graph, map[string]graph.Value)
	}{
		{"vae", func() (*graph.Graph, map[string]graph.Value) { return train(backendtest.VAE(128, 784, 400, 20)) }},
		{"deep25", func() (*graph.Graph, map[string]graph.Value) { return train(backendtest.Deep(25)) }},
		{"deep100", func() (*graph.Graph, map[string]graph.Value) { return train(backendtest.Deep(100)) }},
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
