package program_test

import (
	"aetrain/graph"
	"aetrain/op"
	"aetrain/optim"
)

// network builds small training steps for listings, comparisons and benchmarks.
type network struct {
	g      *graph.Graph
	params []*graph.State
}

func newNetwork() *network { return &network{g: graph.New()} }

// weight is a parameter whose first values depend on its name alone.
func (w *network) weight(name string, dims ...int) graph.Value {
	v := w.g.State(graph.Param, name, graph.F32(dims...), func(_ uint64, name string, x graph.Tensor) {
		h := uint64(17)
		for _, c := range name {
			h = h*31 + uint64(c)
		}
		copy(x.Data, graph.Example{Args: []graph.Arg{{Spec: x.Spec, From: -0.4, To: 0.4}}}.Draw(h)[0].Data)
	})
	w.params = append(w.params, w.g.Lookup(name))
	return v
}

func (w *network) dense(name string, x graph.Value, units int) graph.Value {
	defer w.g.Enter(name)()
	return op.AddBias(op.MatMul(x, w.weight(name+".weight", units, x.Dim(1)), false, true), w.weight(name+".bias", units))
}

// norm is batch norm with running statistics.
func (w *network) norm(name string, x graph.Value) graph.Value {
	defer w.g.Enter(name)()
	c := x.Dim(1)
	y, mean, variance := op.BatchNorm(x, w.weight(name+".weight", c), w.weight(name+".bias", c), 1e-5)
	running := func(stat string, v graph.Value) {
		s := w.g.State(graph.Buffer, name+stat, graph.F32(c), nil)
		w.g.Assign(s, op.Add(op.Scale(s, 0.9), op.Scale(op.Stop(v), 0.1)))
	}
	running(".running_mean", mean)
	running(".running_var", variance)
	return y
}

func (w *network) rng() op.RNG {
	g := w.g
	return op.RNG{Seed: g.Input("seed", graph.I32(2)), Step: g.State(graph.Buffer, "step", graph.I32(), nil), Row0: g.Input("row0", graph.I32())}
}

// train completes the step: Adam, with the guard.
func (w *network) train(loss graph.Value) map[string]graph.Value {
	step := w.g.State(graph.Buffer, "step", graph.I32(), nil)
	r := optim.Step(w.g, []optim.Loss{{Name: optim.DefaultLoss, Value: loss, Params: w.params, Config: optim.Defaults()}}, optim.Options{Counter: step})
	return map[string]graph.Value{"loss": loss, "norm": r.GradientNorm}
}

// vae is a dense variational autoencoder's step: d-h-z-h-d.
func vae(n, d, h, latentDim int) (*graph.Graph, map[string]graph.Value) {
	w := newNetwork()
	x := w.g.Input("x", graph.F32(n, d))
	e := op.ReLU(w.dense("encoder.0", x, h))
	mu, logVar := w.dense("encoder.mu", e, latentDim), w.dense("encoder.log_var", e, latentDim)
	z := op.GaussianSample(w.rng(), "z", mu, logVar)
	logits := w.dense("decoder.1", op.ReLU(w.dense("decoder.0", z, h)), d)
	loss := op.MeanAll(op.Add(op.SumPerExample(op.BCEWithLogits(logits, x)), op.KLNormal(mu, logVar)))
	return w.g, w.train(loss)
}

// convVAE is a convolutional one with batch norm.
func convVAE(n, size, channels int) (*graph.Graph, map[string]graph.Value) {
	w := newNetwork()
	x := w.g.Input("x", graph.F32(n, 1, size, size))
	down := op.ConvConfig{StrideH: 2, StrideW: 2, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}
	up := down
	up.OutPadH, up.OutPadW = 1, 1
	conv := func(name string, x graph.Value, out int) graph.Value {
		defer w.g.Enter(name)()
		return op.Conv2D(x, w.weight(name+".weight", out, x.Dim(1), 3, 3), down)
	}
	back := func(name string, x graph.Value, out int) graph.Value {
		defer w.g.Enter(name)()
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
	loss := op.MeanAll(op.Add(op.SumPerExample(op.BCEWithLogits(op.Flatten(logits), op.Flatten(x))), op.KLNormal(mu, logVar)))
	return w.g, w.train(loss)
}

// deep is a chain of n dense layers with layer norm.
func deep(layers int) (*graph.Graph, map[string]graph.Value) {
	w := newNetwork()
	x := w.g.Input("x", graph.F32(8, 16))
	h := x
	for i := range layers {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26))
		y := w.dense(name, h, 16)
		h = op.Add(h, op.GELU(op.LayerNorm(y, w.weight(name+".gamma", 16), w.weight(name+".beta", 16), 1e-5)))
	}
	return w.g, w.train(op.MeanAll(op.SquaredError(h, x)))
}
