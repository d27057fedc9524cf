package backendtest

import (
	"testing"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/op"
)

// critic is a small discriminator with batch norm: its running mean is a buffer, updated by each application in build order.
func critic(g *graph.Graph, x graph.Value) graph.Value {
	const units, momentum = 3, 0.1
	y, mean, _ := op.BatchNorm(dense(g, "critic.0", x, units), weight(g, "critic.norm.weight", units), weight(g, "critic.norm.bias", units), 1e-2)
	running := g.State(graph.Buffer, "critic.norm.running_mean", graph.F32(units), nil)
	g.Assign(running, op.Add(op.Scale(running, 1-momentum), op.Scale(op.Stop(mean), momentum)))
	return dense(g, "critic.1", op.Tanh(y), 1)
}

func generator(g *graph.Graph, z graph.Value) graph.Value {
	return dense(g, "generator.1", op.Tanh(dense(g, "generator.0", z, 3)), 4)
}

var (
	criticParams    = append(denseParams("critic.0", "critic.1"), "critic.norm.weight", "critic.norm.bias")
	generatorParams = denseParams("generator.0", "generator.1")
)

func bce(logits graph.Value, target float64) graph.Value {
	return op.MeanAll(op.BCEWithLogits(logits, logits.Graph().Constant(logits.Spec(), target)))
}

func criticLoss(g *graph.Graph, real, fake graph.Value) graph.Value {
	onReal, onFake := critic(g, real), critic(g, op.Stop(fake))
	return op.Add(bce(onReal, 1), bce(onFake, 0))
}

func adversaryInputs(g *graph.Graph) (x, z graph.Value) {
	return g.Input("x", graph.F32(5, 4)), g.Input("z", graph.F32(5, 2))
}

func adversaryFeed(i uint64) map[string]graph.Tensor {
	return map[string]graph.Tensor{"x": drawn(2*i, 5, 4), "z": drawn(2*i+1, 5, 2)}
}

// onePhase: both losses share the forward pass, all gradients are taken before any update, and the discriminator applied to real,
// then fake has one set of weights, while its statistics move with each application.
func onePhase(t *testing.T, b backend.Backend) {
	g := graph.New()
	x, z := adversaryInputs(g)
	fake := generator(g, z)
	d := criticLoss(g, x, fake)
	f := op.Add(op.MeanAll(op.SquaredError(fake, x)), op.Scale(bce(critic(g, fake), 1), 0.1))
	if got := len(g.States()); got != len(criticParams)+len(generatorParams)+1 {
		t.Fatalf("%d states: a second application has made new ones", got)
	}
	critics, generators := leaves(g, criticParams), leaves(g, generatorParams)
	dCritic, dGenerator := graph.Grad(d, critics...), graph.Grad(f, generators...)
	for i, p := range append(critics, generators...) {
		g.Assign(p, op.Sub(p, op.Scale(append(dCritic, dGenerator...)[i], 0.2)))
	}
	for _, leak := range graph.Grad(d, generators...) {
		if leak.Valid() {
			t.Error("the discriminator's loss reaches the generator")
		}
	}
	s := beginOne(t, b, g, map[string]graph.Value{"d": d, "f": f})
	for i := range uint64(4) {
		s.step(adversaryFeed(i))
	}
}

func leaves(g *graph.Graph, names []string) (vs []graph.Value) {
	for _, name := range names {
		vs = append(vs, g.Lookup(name).Leaf)
	}
	return vs
}

// twoPhases: the discriminator's program, then the generator's, which sees the updated discriminator and leaves it alone. The
// turns equal those of a third program that does both, one after the other.
func twoPhases(t *testing.T, b backend.Backend) {
	const rate = 0.2
	phase := func(g *graph.Graph, isFirst bool) graph.Value {
		x, z := adversaryInputs(g)
		fake := generator(g, z)
		if isFirst {
			loss := criticLoss(g, x, fake)
			descend(g, rate, loss, criticParams...)
			return loss
		}
		loss := bce(critic(g, fake), 1)
		descend(g, rate, loss, generatorParams...)
		return loss
	}
	first, second, joint := graph.New(), graph.New(), graph.New()
	outs := []map[string]graph.Value{{"loss": phase(first, true)}, {"loss": phase(second, false)}}
	both := map[string]graph.Value{"first": phase(joint, true), "second": phase(joint, false)}
	turns := begin(t, b, []*graph.Graph{first, second}, outs...)
	together := beginOne(t, b, joint, both)
	for i := range uint64(4) {
		turns[0].step(adversaryFeed(i))
		before := turns[0].states()
		turns[1].step(adversaryFeed(i))
		after := turns[1].states()
		for _, name := range criticParams {
			same(t, name+" in the generator's phase", after[name], before[name])
		}
		together.step(adversaryFeed(i))
	}
	got, want := turns[0].states(), together.states()
	for name := range want {
		near(t, name, got[name], want[name], 1e-4)
	}
}

// gradientPenalty: the Grad of a norm of a Grad, through batch norm with the batch's statistics and with running ones
// (Gulrajani et al. 2017, eq. 3).
func gradientPenalty(t *testing.T, b backend.Backend) {
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
		norm := op.Sqrt(op.AddConst(op.SumPerExample(op.Square(graph.Grad(op.SumAll(score), mixed)[0])), 1e-6))
		penalty := op.MeanAll(op.Square(op.AddConst(norm, -1)))
		descend(g, 0.05, penalty, append(criticParams, generatorParams...)...)
		s := beginOne(t, b, g, map[string]graph.Value{"penalty": penalty, "norm": norm})
		for i := range uint64(3) {
			feed := adversaryFeed(i)
			feed["u"] = graph.Tensor{Spec: graph.F32(n, 1), Data: []float64{0.1, 0.9, 0.4, 0.7, 0.3}}
			feed["mean"], feed["variance"] = drawn(3, 3), graph.Tensor{Spec: graph.F32(3), Data: []float64{0.5, 1.5, 0.8}}
			s.step(feed)
		}
	}
}

// jacobian: one seeded VJP a latent dimension over the shared forward pass, all examples at once; its squared norm as a penalty
// (Rifai et al. 2011, eq. 6).
func jacobian(t *testing.T, b backend.Backend) {
	const n, latentDim = 2, 3
	g := graph.New()
	x := g.Input("x", graph.F32(n, 1, 5, 5))
	c := op.ConvConfig{StrideH: 2, StrideW: 2, PadBottom: 1, PadRight: 1}
	h := op.Tanh(op.AddBias(op.Conv2D(x, weight(g, "conv.weight", 2, 1, 3, 3), c), weight(g, "conv.bias", 2)))
	z := op.Sigmoid(dense(g, "code", op.Flatten(op.AvgPool2D(h, op.PoolConfig{KH: 2, KW: 2, StrideH: 1, StrideW: 1})), latentDim))
	outs, rows := map[string]graph.Value{"z": z}, make([]graph.Value, latentDim)
	for l := range latentDim {
		unit := make([]float64, n*latentDim)
		for i := range n {
			unit[i*latentDim+l] = 1
		}
		rows[l] = graph.VJP([]graph.Value{z}, []graph.Value{g.Constant(z.Spec(), unit...)}, []graph.Value{x})[0]
		outs["row"+string(rune('0'+l))] = rows[l]
	}
	penalty := op.Scale(op.SumAll(op.Square(op.Concat(1, rows...))), 1.0/n)
	outs["penalty"] = penalty
	descend(g, 0.1, penalty, "conv.weight", "conv.bias", "code.weight", "code.bias")
	s := beginOne(t, b, g, outs)
	for i := range uint64(3) {
		s.step(map[string]graph.Tensor{"x": drawn(i, n, 1, 5, 5)})
	}
}
