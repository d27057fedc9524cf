package backendtest

import (
	"fmt"

	"aetrain/graph"
	"aetrain/op"
)

// Network is a small model for tests and benchmarks: a loss and the parameters that it trains. Inputs are "x" and, where it draws,
// "seed" and "row0"; "step" is an int32 state.
type Network struct {
	Graph  *graph.Graph
	Loss   graph.Value
	Params []*graph.State
}

func newNetwork() *Network { return &Network{Graph: graph.New()} }

// weight is a parameter whose first values depend on its name alone.
func (w *Network) weight(name string, dims ...int) graph.Value {
	v := w.Graph.State(graph.Param, name, graph.F32(dims...), func(_ uint64, name string, x graph.Tensor) {
		h := uint64(17)
		for _, c := range name {
			h = h*31 + uint64(c)
		}
		copy(x.Data, graph.Example{Args: []graph.Arg{{Spec: x.Spec, From: -0.4, To: 0.4}}}.Draw(h)[0].Data)
	})
	w.Params = append(w.Params, w.Graph.Lookup(name))
	return v
}

func (w *Network) dense(name string, x graph.Value, units int) graph.Value {
	defer w.Graph.Enter(name)()
	return op.AddBias(op.MatMul(x, w.weight(name+".weight", units, x.Dim(1)), false, true), w.weight(name+".bias", units))
}

// norm is batch norm with running statistics.
func (w *Network) norm(name string, x graph.Value) graph.Value {
	defer w.Graph.Enter(name)()
	c := x.Dim(1)
	y, mean, variance := op.BatchNorm(x, w.weight(name+".weight", c), w.weight(name+".bias", c), 1e-5)
	running := func(stat string, v graph.Value) {
		s := w.Graph.State(graph.Buffer, name+stat, graph.F32(c), nil)
		w.Graph.Assign(s, op.Add(op.Scale(s, 0.9), op.Scale(op.Stop(v), 0.1)))
	}
	running(".running_mean", mean)
	running(".running_var", variance)
	return y
}

func (w *Network) rng() op.RNG {
	g := w.Graph
	return op.RNG{Seed: g.Input("seed", graph.I32(2)), Step: g.State(graph.Buffer, "step", graph.I32(), nil), Row0: g.Input("row0", graph.I32())}
}

// VAE is a dense variational autoencoder d-h-latentDim-h-d of n examples.
func VAE(n, d, h, latentDim int) *Network {
	w := newNetwork()
	x := w.Graph.Input("x", graph.F32(n, d))
	e := op.ReLU(w.dense("encoder.0", x, h))
	mu, logVar := w.dense("encoder.mu", e, latentDim), w.dense("encoder.log_var", e, latentDim)
	z := op.GaussianSample(w.rng(), "z", mu, logVar)
	logits := w.dense("decoder.1", op.ReLU(w.dense("decoder.0", z, h)), d)
	w.Loss = op.MeanAll(op.Add(op.SumPerExample(op.BCEWithLogits(logits, x)), op.KLNormal(mu, logVar)))
	return w
}

// ConvVAE is a convolutional one of n images of one channel, with batch norm. size is a multiple of 4.
func ConvVAE(n, size, channels int) *Network {
	w := newNetwork()
	x := w.Graph.Input("x", graph.F32(n, 1, size, size))
	down := op.ConvConfig{StrideH: 2, StrideW: 2, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}
	up := down
	up.OutPadH, up.OutPadW = 1, 1
	conv := func(name string, x graph.Value, out int) graph.Value {
		defer w.Graph.Enter(name)()
		return op.Conv2D(x, w.weight(name+".weight", out, x.Dim(1), 3, 3), down)
	}
	back := func(name string, x graph.Value, out int) graph.Value {
		defer w.Graph.Enter(name)()
		return op.AddBias(op.ConvTranspose2D(x, w.weight(name+".weight", x.Dim(1), out, 3, 3), up), w.weight(name+".bias", out))
	}
	h := op.ReLU(w.norm("encoder.1", conv("encoder.0", x, channels)))
	h = op.ReLU(w.norm("encoder.3", conv("encoder.2", h, 2*channels)))
	flat := op.Flatten(h)
	mu, logVar := w.dense("encoder.mu", flat, 2), w.dense("encoder.log_var", flat, 2)
	z := op.GaussianSample(w.rng(), "z", mu, logVar)
	d := op.Reshape(op.ReLU(w.dense("decoder.0", z, flat.Dim(1))), h.Shape()...)
	d = op.ReLU(w.norm("decoder.2", back("decoder.1", d, channels)))
	logits := back("decoder.3", d, 1)
	w.Loss = op.MeanAll(op.Add(op.SumPerExample(op.BCEWithLogits(op.Flatten(logits), op.Flatten(x))), op.KLNormal(mu, logVar)))
	return w
}

// Deep is a chain of dense layers of 16 units with layer norm and residual connections, for 8 examples.
func Deep(layers int) *Network {
	w := newNetwork()
	x := w.Graph.Input("x", graph.F32(8, 16))
	h := x
	for i := range layers {
		name := fmt.Sprint(i)
		y := w.dense(name, h, 16)
		h = op.Add(h, op.GELU(op.LayerNorm(y, w.weight(name+".gamma", 16), w.weight(name+".beta", 16), 1e-5)))
	}
	w.Loss = op.MeanAll(op.SquaredError(h, x))
	return w
}
