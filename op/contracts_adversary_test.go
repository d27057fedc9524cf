package op_test

import (
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// critic is a small discriminator with batch norm: its running mean is a buffer, updated by each application in build order.
func critic(g *graph.Graph, x graph.Value) graph.Value {
	const units, momentum = 3, 0.1
	y, mean, _ := op.BatchNorm(dense(g, "critic.0", x, units), weight(g, "critic.norm.weight", units), weight(g, "critic.norm.bias", units), 1e-3)
	running := g.State(graph.Buffer, "critic.norm.running_mean", graph.F32(units), nil)
	g.Assign(running, op.Add(op.Scale(running, 1-momentum), op.Scale(op.Stop(mean), momentum)))
	return dense(g, "critic.1", op.Tanh(y), 1)
}

func generator(g *graph.Graph, z graph.Value) graph.Value {
	return dense(g, "generator.1", op.Tanh(dense(g, "generator.0", z, 3)), 4)
}

var (
	criticParams    = []string{"critic.0.weight", "critic.0.bias", "critic.norm.weight", "critic.norm.bias", "critic.1.weight", "critic.1.bias"}
	generatorParams = []string{"generator.0.weight", "generator.0.bias", "generator.1.weight", "generator.1.bias"}
)

func criticLoss(g *graph.Graph, real, fake graph.Value) graph.Value {
	onReal, onFake := critic(g, real), critic(g, op.Stop(fake))
	return op.Add(op.MeanAll(op.BCEWithLogits(onReal, op.AddConst(op.Scale(onReal, 0), 1))), op.MeanAll(op.BCEWithLogits(onFake, op.Scale(onFake, 0))))
}

func fool(g *graph.Graph, fake graph.Value) graph.Value {
	onFake := critic(g, fake)
	return op.MeanAll(op.BCEWithLogits(onFake, op.AddConst(op.Scale(onFake, 0), 1)))
}

var adversaryFeed = map[string]graph.Tensor{"x": draw(1, 5, 4), "z": draw(2, 5, 2)}

func adversaryInputs(g *graph.Graph) (x, z graph.Value) {
	return g.Input("x", graph.F32(5, 4)), g.Input("z", graph.F32(5, 2))
}

// A discriminator applied to real, then to fake in one phase: the same weights, gradients from both, its batch statistics
// updated twice in build order, and nothing for the generator behind Stop.
func TestDiscriminatorAppliedTwice(t *testing.T) {
	g := graph.New()
	x, z := adversaryInputs(g)
	fake := generator(g, z)
	loss := criticLoss(g, x, fake)
	if got := len(g.States()); got != len(criticParams)+len(generatorParams)+1 {
		t.Fatalf("%d states: the second application has made new ones", got)
	}
	differences(t, adversaryFeed, loss, criticParams...)
	for i, d := range graph.Grad(loss, g.Lookup("generator.0.weight").Leaf, g.Lookup("generator.1.bias").Leaf) {
		if d.Valid() {
			t.Errorf("parameter %d of the generator gets a gradient from the discriminator's loss", i)
		}
	}

	first := op.ReduceMean(dense(g, "critic.0", x, 3), 0)
	second := op.ReduceMean(dense(g, "critic.0", fake, 3), 0)
	running := run{"critic.norm.running_mean": draw(7, 3)}
	feed := running.with(adversaryFeed)
	want := evaluate(t, feed, op.Add(op.Add(op.Scale(g.Lookup("critic.norm.running_mean").Leaf, 0.81), op.Scale(first, 0.09)), op.Scale(second, 0.1)))[0]
	near(t, "running mean", evaluate(t, feed, g.Lookup("critic.norm.running_mean").Now)[0], want, 1e-12)
}

// Two losses of one phase: both gradients are taken before any update. VAE-GAN's decoder and discriminator share the forward pass,
// and the graph keeps nothing of the first gradient on its nodes.
func TestTwoLossesOverSharedNodes(t *testing.T) {
	g := graph.New()
	x, z := adversaryInputs(g)
	fake := generator(g, z)
	recon := op.MeanAll(op.Square(op.Sub(fake, x)))
	trick := op.Add(recon, fool(g, fake))
	graph.Grad(recon, g.Lookup("generator.0.weight").Leaf)
	differences(t, adversaryFeed, trick, "generator.0.weight", "critic.0.weight")
	differences(t, adversaryFeed, recon, "generator.0.weight")
}

// Two phases in turn: the discriminator's program, then the generator's, which sees the updated discriminator. They equal
// one program in which the second loss is built after the first one's assignments. (There the update is a part of the graph
// like any other: without the Stop before the discriminator, the second gradient would go through it, as an unrolled GAN's does.)
func TestTwoPhasesInTurn(t *testing.T) {
	const rate = 0.2
	first, second, joint := graph.New(), graph.New(), graph.New()
	phase := func(g *graph.Graph, isFirst bool) (loss graph.Value) {
		x, z := adversaryInputs(g)
		fake := generator(g, z)
		if isFirst {
			loss = criticLoss(g, x, fake)
			sgd(g, rate, loss, criticParams...)
			return loss
		}
		loss = fool(g, fake)
		sgd(g, rate, loss, generatorParams...)
		return loss
	}
	phase(first, true)
	foolLoss := phase(second, false)
	phase(joint, true)
	phase(joint, false)

	turns, together := run{}, run{}
	for i := range 4 {
		turns.step(t, first, adversaryFeed)
		updated := turns.with(adversaryFeed)
		if i == 0 {
			differences(t, updated, foolLoss, "generator.0.weight")
			fresh := evaluate(t, adversaryFeed, second.Lookup("critic.0.weight").Leaf)[0]
			if turns["critic.0.weight"].Data[0] == fresh.Data[0] {
				t.Error("the first phase has not updated the discriminator")
			}
		}
		weightOfCritic := turns["critic.0.weight"]
		turns.step(t, second, adversaryFeed)
		near(t, "discriminator in the second phase", turns["critic.0.weight"], weightOfCritic, 0)
		together.step(t, joint, adversaryFeed)
	}
	for _, name := range append(append([]string{"critic.norm.running_mean"}, criticParams...), generatorParams...) {
		near(t, name, turns[name], together[name], 1e-12)
	}
}
