package op_test

import (
	"math"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// A gradient penalty is the Grad of a norm of a Grad, here through batch norm: its fused gradient takes its own from its expansion.
// Source: Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", eq. 3.
func TestGradientPenaltyThroughBatchNorm(t *testing.T) {
	const n = 5
	for _, training := range []bool{true, false} {
		g := graph.New()
		x, z := adversaryInputs(g)
		u := g.Input("u", graph.F32(n, 1))
		mixed := op.Add(op.Mul(u, x), op.Mul(op.AddConst(op.Neg(u), 1), generator(g, z)))
		score := critic(g, mixed)
		if !training {
			h := op.BatchNormInference(dense(g, "critic.0", mixed, 3), weight(g, "critic.norm.weight", 3), weight(g, "critic.norm.bias", 3),
				g.Input("mean", graph.F32(3)), g.Input("variance", graph.F32(3)), 1e-3)
			score = dense(g, "critic.1", op.Tanh(h), 1)
		}
		dX := graph.Grad(op.SumAll(score), mixed)[0]
		norm := op.Sqrt(op.SumPerExample(op.Square(dX)))
		penalty := op.MeanAll(op.Square(op.AddConst(norm, -1)))

		feed := run(adversaryFeed).with(map[string]graph.Tensor{
			"u":        {Spec: graph.F32(n, 1), Data: []float64{0.1, 0.9, 0.4, 0.7, 0.3}},
			"mean":     draw(3, 3),
			"variance": {Spec: graph.F32(3), Data: []float64{0.5, 1.5, 0.8}},
		})
		differences(t, feed, penalty, "critic.0.weight", "critic.norm.weight", "critic.1.weight", "x", "z", "generator.0.weight")
	}
}

// A gradient that flows through the batch's statistics themselves.
func TestGradientThroughBatchStatistics(t *testing.T) {
	g := graph.New()
	x := g.Input("x", graph.F32(3, 2, 2, 2))
	y, mean, variance := op.BatchNorm(x, weight(g, "gamma", 2), weight(g, "beta", 2), 1e-3)
	feed := map[string]graph.Tensor{"x": draw(1, 3, 2, 2, 2)}
	differences(t, feed, op.SumAll(op.Square(mean)), "x")
	differences(t, feed, op.SumAll(op.Square(variance)), "x")
	all := op.Add(op.SumAll(op.Square(op.Tanh(y))), op.SumAll(op.Mul(mean, op.Sqrt(variance))))
	differences(t, feed, all, "x", "gamma")
	differences(t, feed, op.SumAll(op.Square(graph.Grad(all, x)[0])), "x", "gamma")
}

// The exact Jacobian of a convolutional encoder: one seeded VJP for each latent dimension over the shared forward pass, all examples
// at once since rows are independent; and its squared norm as a penalty.
// Source: Rifai et al. 2011, "Contractive Auto-Encoders", eq. 6.
func TestJacobianOfConvolutionalEncoder(t *testing.T) {
	const n, latentDim = 2, 3
	g := graph.New()
	x := g.Input("x", graph.F32(n, 1, 5, 5))
	c := op.ConvConfig{StrideH: 2, StrideW: 2, PadBottom: 1, PadRight: 1}
	h := op.Tanh(op.AddBias(op.Conv2D(x, weight(g, "conv.weight", 2, 1, 3, 3), c), weight(g, "conv.bias", 2)))
	z := op.Sigmoid(dense(g, "code", op.Flatten(op.AvgPool2D(h, op.PoolConfig{KH: 2, KW: 2, StrideH: 1, StrideW: 1})), latentDim))

	rows := make([]graph.Value, latentDim)
	for l := range latentDim {
		unit := make([]float64, n*latentDim)
		for i := range n {
			unit[i*latentDim+l] = 1
		}
		rows[l] = graph.VJP([]graph.Value{z}, []graph.Value{g.Constant(z.Spec(), unit...)}, []graph.Value{x})[0]
	}
	penalty := op.Scale(op.SumAll(op.Square(op.Concat(1, rows...))), 1.0/n)

	feed := map[string]graph.Tensor{"x": draw(1, n, 1, 5, 5)}
	jacobian := evaluate(t, feed, rows...)
	const step = 1e-5
	for i := range feed["x"].Data {
		moved := func(by float64) graph.Tensor {
			at := graph.Tensor{Spec: feed["x"].Spec, Data: append([]float64(nil), feed["x"].Data...)}
			at.Data[i] += by
			return evaluate(t, map[string]graph.Tensor{"x": at}, z)[0]
		}
		up, down := moved(step), moved(-step)
		example := i / 25
		for l := range latentDim {
			k := example*latentDim + l
			want := (up.Data[k] - down.Data[k]) / (2 * step)
			if got := jacobian[l].Data[i]; math.Abs(got-want) > 1e-8 {
				t.Errorf("dz%d/dx%d is %v, by differences %v", l, i, got, want)
			}
		}
	}
	differences(t, feed, penalty, "conv.weight", "code.weight", "x")
}

// k samples of a code are a second axis: decoded as N·k rows, log-weights N×k, and the bound reduces them.
// Source: Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders", eq. 8.
func TestImportanceWeightedBound(t *testing.T) {
	const n, d, latentDim, k = 3, 4, 2, 5
	g := graph.New()
	x := g.Input("x", graph.F32(n, d))
	mu, logVar := dense(g, "encoder.mu", x, latentDim), dense(g, "encoder.log_var", x, latentDim)
	rng := op.RNG{Seed: g.Constant(graph.I32(2), 11, 0), Step: g.Constant(graph.I32(), 3), Row0: g.Constant(graph.I32(), 0)}
	eps := op.Normal(rng, "eps", n, k, latentDim)
	each := func(v graph.Value) graph.Value { return op.Reshape(v, n, 1, latentDim) }
	z := op.Add(each(mu), op.Mul(op.Exp(op.Scale(each(logVar), 0.5)), eps)) // N×k×latentDim
	logits := op.Reshape(dense(g, "decoder", op.Reshape(z, n*k, latentDim), d), n, k, d)
	target := op.BroadcastTo(op.Reshape(op.Sigmoid(op.Scale(x, 3)), n, 1, d), n, k, d)

	logPX := op.Neg(op.ReduceSum(op.BCEWithLogits(logits, target), 2))
	logPZ := op.ReduceSum(op.Scale(op.AddConst(op.Square(z), math.Log(2*math.Pi)), -0.5), 2)
	logQZ := op.ReduceSum(op.Scale(op.Add(op.AddConst(op.Square(eps), math.Log(2*math.Pi)), each(logVar)), -0.5), 2)
	logW := op.Sub(op.Add(logPX, logPZ), logQZ) // N×k
	iwae := op.Neg(op.MeanAll(op.AddConst(op.LogSumExp(logW, 1), -math.Log(k))))
	elbo := op.Neg(op.MeanAll(logW))

	feed := map[string]graph.Tensor{"x": draw(1, n, d)}
	out := evaluate(t, feed, mu, logVar, eps, logits, target, iwae, elbo)
	if got, want := out[5].Data[0], iwaeByHand(out[0], out[1], out[2], out[3], out[4]); math.Abs(got-want) > 1e-12*want {
		t.Errorf("the bound is %v, by hand %v", got, want)
	}
	if out[5].Data[0] >= out[6].Data[0] {
		t.Errorf("five samples' bound %v is not tighter than one's %v", out[5].Data[0], out[6].Data[0])
	}
	differences(t, feed, iwae, "encoder.mu.weight", "encoder.log_var.weight", "decoder.weight")
}

// iwaeByHand is -1/N Σ log 1/k Σ p(x,z)/q(z|x), densities multiplied out one by one.
func iwaeByHand(mu, logVar, eps, logits, target graph.Tensor) float64 {
	n, k, latentDim, d := eps.Shape[0], eps.Shape[1], eps.Shape[2], logits.Shape[2]
	normal := func(x, mean, sd float64) float64 {
		return math.Exp(-(x-mean)*(x-mean)/(2*sd*sd)) / (sd * math.Sqrt(2*math.Pi))
	}
	bound := 0.0
	for i := range n {
		sum := 0.0
		for s := range k {
			w := 1.0
			for j := range latentDim {
				m, sd := mu.Data[i*latentDim+j], math.Exp(logVar.Data[i*latentDim+j]/2)
				z := m + sd*eps.Data[(i*k+s)*latentDim+j]
				w *= normal(z, 0, 1) / normal(z, m, sd)
			}
			for j := range d {
				at := (i*k+s)*d + j
				p, y := 1/(1+math.Exp(-logits.Data[at])), target.Data[at]
				w *= math.Pow(p, y) * math.Pow(1-p, 1-y)
			}
			sum += w
		}
		bound -= math.Log(sum/float64(k)) / float64(n)
	}
	return bound
}
