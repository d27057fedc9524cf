package backendtest

import (
	"math"
	"testing"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/op"
)

// scratchLoop: a program run in a loop whose carry is Scratch, as autoregressive sampling does: nothing crosses to the host, and the
// tokens are those of the unrolled graph.
func scratchLoop(t *testing.T, b backend.Backend) {
	const units, tokens, length = 3, 4, 6
	cell := func(g *graph.Graph, h, token graph.Value) (newH, next graph.Value) {
		newH = op.Tanh(op.Add(dense(g, "recurrent", h, units), op.Gather(weight(g, "embedding", tokens, units), token)))
		return newH, op.ArgMax(op.Scale(dense(g, "head", newH, tokens), -1))
	}
	step := graph.New()
	h := step.State(graph.Scratch, "h", graph.F32(1, units), nil)
	token := step.State(graph.Scratch, "token", graph.I32(1), nil)
	position := step.State(graph.Scratch, "position", graph.I32(), nil)
	newH, next := cell(step, h, token)
	step.Assign(h, newH)
	step.Assign(token, next)
	step.Assign(position, op.Increment(position))

	unrolled, all := graph.New(), []graph.Value{}
	h, token = unrolled.Constant(graph.F32(1, units), 0), unrolled.Constant(graph.I32(1), 0)
	for range length {
		h, token = cell(unrolled, h, token)
		all = append(all, token)
	}
	wanted, err := graph.Evaluate(append(all, h), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := beginOne(t, b, step, map[string]graph.Value{"next": next})
	for i := range length {
		same(t, "token", s.run(nil)["next"].Data, wanted[i].Data)
	}
	near(t, "state", s.states()["h"], wanted[length].Data, 0)
	same(t, "position", s.states()["position"], []float64{length})
}

// frozenEncoder: a second stage's program runs the first one's encoder in front and leaves its weights bit by bit.
func frozenEncoder(t *testing.T, b backend.Backend) {
	const n = 4
	encode := func(g *graph.Graph) (x, z graph.Value) {
		x = g.Input("x", graph.F32(n, 5))
		return x, op.Tanh(dense(g, "encoder", x, 3))
	}
	first := graph.New()
	x, z := encode(first)
	recon := op.MeanAll(op.SquaredError(dense(first, "decoder", z, 5), x))
	descend(first, 0.1, recon, denseParams("encoder", "decoder")...)
	second := graph.New()
	_, z = encode(second)
	frozen := op.Stop(z)
	prior := op.MeanAll(op.SquaredError(dense(second, "prior.1", op.Tanh(dense(second, "prior.0", frozen, 4)), 3), frozen))
	for _, d := range graph.Grad(prior, leaves(second, denseParams("encoder"))...) {
		if d.Valid() {
			t.Error("the frozen encoder gets a gradient")
		}
	}
	descend(second, 0.1, prior, denseParams("prior.0", "prior.1")...)

	stages := begin(t, b, []*graph.Graph{first, second}, map[string]graph.Value{"loss": recon}, map[string]graph.Value{"loss": prior})
	feed := map[string]graph.Tensor{"x": drawn(1, n, 5)}
	for range 3 {
		stages[0].step(feed)
	}
	before, start := stages[1].states(), stages[1].step(feed)["loss"].Data[0]
	for range 40 {
		stages[1].run(feed)
	}
	after, end := stages[1].states(), stages[1].step(feed)["loss"].Data[0]
	for _, name := range denseParams("encoder", "decoder") {
		same(t, name, after[name], before[name])
	}
	if end > 0.9*start {
		t.Errorf("the second stage does not learn: %v, then %v", start, end)
	}
}

// accumulation: one program adds a part's gradients to Scratch, another clips, updates and clears. Parts give what the whole gives.
func accumulation(t *testing.T, b backend.Backend) {
	const n, parts, rate, clip = 6, 2, 0.3, 0.05
	names := denseParams("encoder", "decoder")
	model := func(g *graph.Graph, n int) graph.Value {
		x := g.Input("x", graph.F32(n, 4))
		return op.MeanAll(op.SumPerExample(op.SquaredError(dense(g, "decoder", op.Tanh(dense(g, "encoder", x, 2)), 4), x)))
	}
	update := func(g *graph.Graph, ps, ds []graph.Value) {
		factor := op.Minimum(op.Div(g.Scalar(clip), op.GlobalNorm(ds...)), g.Scalar(1))
		for i, p := range ps {
			g.Assign(p, op.Sub(p, op.Scale(op.Mul(ds[i], factor), rate)))
		}
	}
	whole, add, apply := graph.New(), graph.New(), graph.New()
	loss := model(whole, n)
	update(whole, leaves(whole, names), graph.Grad(loss, leaves(whole, names)...))

	loss = model(add, n/parts)
	for i, d := range graph.Grad(op.Scale(loss, 1.0/parts), leaves(add, names)...) {
		sum := add.State(graph.Scratch, "sum."+names[i], d.Spec(), nil)
		add.Assign(sum, op.Add(sum, d))
	}
	model(apply, n)
	var ps, sums []graph.Value
	for _, name := range names {
		p := apply.Lookup(name)
		ps, sums = append(ps, p.Leaf), append(sums, apply.State(graph.Scratch, "sum."+name, p.Spec, nil))
	}
	update(apply, ps, sums)
	for _, sum := range sums {
		apply.Assign(sum, apply.Constant(sum.Spec(), 0))
	}

	want := beginOne(t, b, whole, nil)
	got := begin(t, b, []*graph.Graph{add, apply}, nil, nil)
	for i := range uint64(3) {
		x := drawn(i, n, 4)
		want.step(map[string]graph.Tensor{"x": x})
		for p := range parts {
			rows := n / parts * 4
			got[0].step(map[string]graph.Tensor{"x": {Spec: graph.F32(n/parts, 4), Data: x.Data[p*rows : (p+1)*rows]}})
		}
		got[1].step(map[string]graph.Tensor{"x": x})
	}
	for _, name := range names {
		near(t, name, got[0].states()[name], want.states()[name], 1e-5)
		same(t, "sum of "+name, got[0].states()["sum."+name], make([]float64, len(want.states()[name])))
	}
}

// guard: a batch with NaN leaves every state as it was, bit by bit, in that step and in those queued behind it, until the host
// has looked.
func guard(t *testing.T, b backend.Backend) {
	const n = 5
	g := graph.New()
	x := g.Input("x", graph.F32(n, 4))
	z := critic(g, x) // has batch norm, whose running mean must stand still too
	recon := dense(g, "decoder", op.Tanh(z), 4)
	loss := op.MeanAll(op.SquaredError(recon, x))
	names := append(denseParams("decoder"), criticParams...)
	ps := leaves(g, names)
	grads := graph.Grad(loss, ps...)
	bad := g.State(graph.Scratch, "bad", graph.F32(), nil)
	good := op.Mul(op.IsFinite(op.GlobalNorm(grads...)), op.IsFinite(loss))
	ok := op.Mul(good, op.AddConst(op.Neg(bad), 1))
	running := g.Lookup("critic.norm.running_mean")
	g.Assign(running.Now, op.Select(ok, running.Now, running.Leaf))
	steps := g.State(graph.Buffer, "steps", graph.I32(), nil)
	c1, c2 := op.AdamCorrections(steps, 0.9, 0.999)
	for i, p := range ps {
		m, v := g.State(graph.Buffer, names[i]+".m", p.Spec(), nil), g.State(graph.Buffer, names[i]+".v", p.Spec(), nil)
		h := op.AdamScalars{LR: g.Scalar(0.01), Correction1: c1, Correction2: c2, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
		p2, m2, v2 := op.AdamUpdate(p, m, v, grads[i], h, ok)
		g.Assign(p, p2)
		g.Assign(m, m2)
		g.Assign(v, v2)
	}
	g.Assign(steps, op.AddInt(steps, op.Cast(ok, graph.Int32)))
	g.Assign(bad, op.Maximum(bad, op.AddConst(op.Neg(good), 1)))

	s := beginOne(t, b, g, map[string]graph.Value{"loss": loss, "ok": ok})
	batch := func(i uint64) map[string]graph.Tensor { return map[string]graph.Tensor{"x": drawn(i, n, 4)} }
	for i := range uint64(3) {
		s.run(batch(i))
	}
	before := s.states()
	for _, poison := range []float64{math.NaN(), math.Inf(1)} {
		sick := batch(3)
		sick["x"].Data[7] = poison
		for _, feed := range []map[string]graph.Tensor{sick, batch(4), batch(5)} {
			if out := s.run(feed); out["ok"].Data[0] != 0 {
				t.Fatalf("a step with %v, or one queued behind it, was made", poison)
			}
			for name, want := range before {
				if name != "bad" {
					same(t, name, s.states()[name], want)
				}
			}
		}
		same(t, "bad", s.states()["bad"], []float64{1})
		if err := s.st.Write("bad", graph.Scratch, Host(graph.NewTensor(graph.F32()))); err != nil {
			t.Fatal(err)
		}
	}
	if out := s.run(batch(6)); out["ok"].Data[0] != 1 {
		t.Fatal("training does not go on after the host has looked")
	}
	same(t, "steps", s.states()["steps"], []float64{before["steps"][0] + 1})
}

// rowsAndSteps: a batch of 8 draws what two of 4 draw with their own row0, whatever the op; another step draws other numbers.
func rowsAndSteps(t *testing.T, b backend.Backend) {
	build := func(n int) (*graph.Graph, map[string]graph.Value) {
		g := graph.New()
		r := counters(g)
		x := g.Input("x", graph.F32(n, 7))
		return g, map[string]graph.Value{
			"uniform": op.Uniform(r, "u", n, 3, 5), "normal": op.Normal(r, "n", n, 13), "bernoulli": op.Bernoulli(r, "b", 0.3, n, 9),
			"sample": op.GaussianSample(r, "z", x, op.Tanh(x)),
		}
	}
	g8, outs8 := build(8)
	g4, outs4 := build(4)
	whole, part := beginOne(t, b, g8, outs8), beginOne(t, b, g4, outs4)
	x := drawn(1, 8, 7)
	half := func(i int) graph.Tensor { return graph.Tensor{Spec: graph.F32(4, 7), Data: x.Data[i*28 : (i+1)*28]} }
	var last float64
	for step := range 3 {
		const row0 = 16
		want := whole.step(counterFeed(map[string]graph.Tensor{"x": x}, -5, float64(step), row0))
		for i := range 2 {
			got := part.run(counterFeed(map[string]graph.Tensor{"x": half(i)}, -5, float64(step), float64(row0+4*i)))
			for name, w := range want {
				n := len(got[name].Data)
				same(t, name, got[name].Data, w.Data[i*n:(i+1)*n])
			}
		}
		if step > 0 && want["uniform"].Data[0] == last {
			t.Error("two steps draw the same numbers")
		}
		last = want["uniform"].Data[0]
	}
}
