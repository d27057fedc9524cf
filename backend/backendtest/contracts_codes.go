package backendtest

import (
	"math"
	"testing"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/op"
)

// codebook: the decoder sees exactly a row of the codebook, its gradient reaches the encoder as it is, and the codebook follows the
// codes as an exponential moving average (van den Oord et al. 2017, appendix A.1). All in one program.
func codebook(t *testing.T, b backend.Backend) {
	const n, d, codes, decay = 6, 2, 3, 0.9
	g := graph.New()
	x := g.Input("x", graph.F32(n, 4))
	z := dense(g, "encoder", x, d)
	start := func(_ uint64, _ string, t graph.Tensor) { copy(t.Data, drawn(5, codes, d).Data) }
	book := g.State(graph.Buffer, "codebook", graph.F32(codes, d), start)
	sums := g.State(graph.Buffer, "sums", graph.F32(codes, d), start)
	counts := g.State(graph.Buffer, "counts", graph.F32(codes), ones)

	distance := op.Sub(op.ReduceSum(op.Square(book), 1), op.Scale(op.MatMul(z, book, false, true), 2)) // N×codes, without |z|²
	index := op.ArgMax(op.Neg(distance))
	row := op.Gather(book, index)
	q := op.StraightThrough(row, z)
	recon := dense(g, "decoder", op.Tanh(q), 4)
	loss := op.Add(op.MeanAll(op.SquaredError(recon, x)), op.Scale(op.MeanAll(op.SquaredError(z, op.Stop(row))), 0.25))

	hot := op.OneHot(index, codes)
	ema := func(old, now graph.Value) graph.Value {
		return op.Add(op.Scale(old, decay), op.Scale(op.Stop(now), 1-decay))
	}
	newSums, newCounts := ema(sums, op.MatMul(hot, z, true, false)), ema(counts, op.ReduceSum(hot, 0))
	g.Assign(sums, newSums)
	g.Assign(counts, newCounts)
	g.Assign(book, op.Div(newSums, op.Reshape(newCounts, codes, 1)))
	dQ, dZ := graph.Grad(loss, q)[0], graph.Grad(loss, z)[0]
	commitment := op.Scale(op.Sub(z, row), 2*0.25/(n*d))
	descend(g, 0.1, loss, denseParams("encoder", "decoder")...)

	s := beginOne(t, b, g, map[string]graph.Value{"q": q, "index": index, "loss": loss, "dQ": dQ, "dZ": dZ, "commitment": commitment})
	for i := range uint64(4) {
		before := s.states()["codebook"]
		out := s.step(map[string]graph.Tensor{"x": drawn(i, n, 4)})
		for j, c := range out["index"].Data {
			same(t, "code", out["q"].Data[j*d:(j+1)*d], before[int(c)*d:(int(c)+1)*d])
		}
		sum := make([]float64, n*d)
		for j := range sum {
			sum[j] = out["dQ"].Data[j] + out["commitment"].Data[j]
		}
		near(t, "the encoder's gradient", out["dZ"].Data, sum, 1e-5)
	}
}

// maskedLoss: what stands in padding, NaN included, changes neither loss nor gradient.
func maskedLoss(t *testing.T, b backend.Backend) {
	const n, steps, d = 2, 4, 3
	g := graph.New()
	x, mask := g.Input("x", graph.F32(n, steps, d)), g.Input("mask", graph.U8(n, steps))
	recon := op.Reshape(dense(g, "decoder", op.Reshape(g.Input("z", graph.F32(n, 2)), n, 2), steps*d), n, steps, d)
	valid := op.BroadcastTo(op.Reshape(op.Cast(mask, graph.Float32), n, steps, 1), n, steps, d)
	diff := op.Select(valid, op.Sub(recon, x), op.Scale(valid, 0))
	loss := op.Div(op.SumAll(op.Square(diff)), op.SumAll(op.Cast(mask, graph.Float32))) // per valid step
	dRecon := graph.Grad(loss, recon)[0]
	descend(g, 0.1, loss, denseParams("decoder")...)

	masked := []float64{1, 1, 1, 0, 1, 0, 0, 0}
	feed := map[string]graph.Tensor{"x": drawn(1, n, steps, d), "z": drawn(2, n, 2), "mask": whole(graph.Uint8, graph.Shape{n, steps}, masked...)}
	for i := range feed["x"].Data {
		if masked[i/d] == 0 {
			feed["x"].Data[i] = math.NaN()
		}
	}
	s := beginOne(t, b, g, map[string]graph.Value{"loss": loss, "dRecon": dRecon})
	for range 3 {
		out := s.step(feed)
		for i, v := range out["dRecon"].Data {
			if masked[i/d] == 0 && v != 0 {
				t.Errorf("padding element %d has the gradient %v", i, v)
			}
		}
	}
}

// labelField: an int32 field one-hot beside features, as planes beside an image's channels, and embedded, where absent labels'
// rows stay as they are.
func labelField(t *testing.T, b backend.Backend) {
	const n, classes = 4, 5
	g := graph.New()
	x, image, label := g.Input("x", graph.F32(n, 3)), g.Input("image", graph.F32(n, 2, 3, 3)), g.Input("label", graph.I32(n))
	hot := op.OneHot(label, classes)
	vector := dense(g, "encoder", op.Concat(1, x, hot, op.Gather(weight(g, "embedding", classes, 2), label)), 4)
	planes := op.BroadcastTo(op.Reshape(hot, n, classes, 1, 1), n, classes, 3, 3)
	maps := op.Conv2D(op.Concat(1, image, planes), weight(g, "conv", 2, 2+classes, 3, 3), op.ConvConfig{PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1})
	loss := op.Add(op.MeanAll(op.Square(op.Tanh(vector))), op.MeanAll(op.Square(op.Tanh(maps))))
	descend(g, 0.2, loss, "embedding", "encoder.weight", "encoder.bias", "conv")

	s := beginOne(t, b, g, map[string]graph.Value{"loss": loss})
	before := s.states()["embedding"]
	for range 3 {
		s.step(map[string]graph.Tensor{"x": drawn(1, n, 3), "image": drawn(2, n, 2, 3, 3), "label": whole(graph.Int32, graph.Shape{n}, 4, 0, 4, 2)})
	}
	after := s.states()["embedding"]
	for _, absent := range []int{1, 3} {
		same(t, "row of an absent label", after[2*absent:2*absent+2], before[2*absent:2*absent+2])
	}
}

// importanceWeighted: k samples of a code are a second axis, decoded as N·k rows; the bound reduces N×k log-weights and equals
// the one written out by hand (Burda, Grosse & Salakhutdinov 2016, eq. 8).
func importanceWeighted(t *testing.T, b backend.Backend) {
	const n, d, latentDim, k = 3, 4, 2, 5
	g := graph.New()
	x := g.Input("x", graph.F32(n, d))
	mu, logVar := dense(g, "encoder.mu", x, latentDim), dense(g, "encoder.log_var", x, latentDim)
	eps := op.Normal(counters(g), "eps", n, k, latentDim)
	each := func(v graph.Value) graph.Value { return op.Reshape(v, n, 1, latentDim) }
	z := op.Add(each(mu), op.Mul(op.Exp(op.Scale(each(logVar), 0.5)), eps)) // N×k×latentDim
	logits := op.Reshape(dense(g, "decoder", op.Reshape(z, n*k, latentDim), d), n, k, d)
	target := op.BroadcastTo(op.Reshape(op.Sigmoid(op.Scale(x, 3)), n, 1, d), n, k, d)

	logPX := op.Neg(op.ReduceSum(op.BCEWithLogits(logits, target), 2))
	logPZ := op.ReduceSum(op.Scale(op.AddConst(op.Square(z), math.Log(2*math.Pi)), -0.5), 2)
	logQZ := op.ReduceSum(op.Scale(op.Add(op.AddConst(op.Square(eps), math.Log(2*math.Pi)), each(logVar)), -0.5), 2)
	logW := op.Sub(op.Add(logPX, logPZ), logQZ) // N×k
	iwae := op.Neg(op.MeanAll(op.AddConst(op.LogSumExp(logW, 1), -math.Log(k))))
	descend(g, 0.1, iwae, denseParams("encoder.mu", "encoder.log_var", "decoder")...)

	s := beginOne(t, b, g, map[string]graph.Value{"iwae": iwae, "mu": mu, "logVar": logVar, "eps": eps, "logits": logits, "target": target})
	for i := range uint64(3) {
		out := s.step(counterFeed(map[string]graph.Tensor{"x": drawn(i, n, d)}, 11, float64(i), 0))
		near(t, "bound", out["iwae"].Data, []float64{iwaeByHand(out, k)}, 1e-5)
	}
}

// iwaeByHand is -1/N Σ log 1/k Σ p(x,z)/q(z|x), densities multiplied out one by one.
func iwaeByHand(out map[string]graph.Tensor, k int) float64 {
	mu, logVar, eps := out["mu"].Data, out["logVar"].Data, out["eps"].Data
	n, latentDim, d := out["mu"].Shape[0], out["mu"].Shape[1], out["logits"].Shape[2]
	normal := func(x, mean, sd float64) float64 {
		return math.Exp(-(x-mean)*(x-mean)/(2*sd*sd)) / (sd * math.Sqrt(2*math.Pi))
	}
	bound := 0.0
	for i := range n {
		sum := 0.0
		for s := range k {
			w := 1.0
			for j := range latentDim {
				m, sd := mu[i*latentDim+j], math.Exp(logVar[i*latentDim+j]/2)
				z := m + sd*eps[(i*k+s)*latentDim+j]
				w *= normal(z, 0, 1) / normal(z, m, sd)
			}
			for j := range d {
				at := (i*k+s)*d + j
				p, y := 1/(1+math.Exp(-out["logits"].Data[at])), out["target"].Data[at]
				w *= math.Pow(p, y) * math.Pow(1-p, 1-y)
			}
			sum += w
		}
		bound -= math.Log(sum/float64(k)) / float64(n)
	}
	return bound
}

// counters are what random ops draw from, fed.
func counters(g *graph.Graph) op.RNG {
	return op.RNG{Seed: g.Input("seed", graph.I32(2)), Step: g.Input("at", graph.I32()), Row0: g.Input("row0", graph.I32())}
}

// counterFeed adds the counters' values to feed.
func counterFeed(feed map[string]graph.Tensor, seed, step, row0 float64) map[string]graph.Tensor {
	feed["seed"], feed["at"], feed["row0"] = whole(graph.Int32, graph.Shape{2}, seed, 0), whole(graph.Int32, nil, step), whole(graph.Int32, nil, row0)
	return feed
}
