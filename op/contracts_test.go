package op_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// The contracts_*_test.go files carry the hard cases of the design on tiny networks, in float64: what graph and op promise
// to the models that come later. Here are the tools, and the cases about states.

// run is a State between steps: what a backend keeps in named buffers.
type run map[string]graph.Tensor

// step evaluates out over the inputs, then writes back what g assigned.
func (r run) step(t *testing.T, g *graph.Graph, inputs map[string]graph.Tensor, out ...graph.Value) []graph.Tensor {
	t.Helper()
	values := out
	for _, st := range g.States() {
		values = append(values, st.Now)
	}
	got := evaluate(t, r.with(inputs), values...)
	for i, st := range g.States() {
		r[st.Name] = got[len(out)+i]
	}
	return got[:len(out)]
}

// with is the state and the inputs together.
func (r run) with(inputs map[string]graph.Tensor) map[string]graph.Tensor {
	feed := map[string]graph.Tensor{}
	for name, x := range r {
		feed[name] = x
	}
	for name, x := range inputs {
		feed[name] = x
	}
	return feed
}

func evaluate(t *testing.T, feed map[string]graph.Tensor, values ...graph.Value) []graph.Tensor {
	t.Helper()
	got, err := graph.Evaluate(values, feed)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func number(t *testing.T, feed map[string]graph.Tensor, v graph.Value) float64 {
	t.Helper()
	return evaluate(t, feed, v)[0].Data[0]
}

// draw is a tensor of numbers in [-1, 1).
func draw(seed uint64, dims ...int) graph.Tensor {
	rng, x := rand.New(rand.NewPCG(seed, 1)), graph.NewTensor(graph.F32(dims...))
	for i := range x.Data {
		x.Data[i] = 2*rng.Float64() - 1
	}
	return x
}

// ints is an int32 tensor.
func ints(values ...float64) graph.Tensor {
	return graph.Tensor{Spec: graph.I32(len(values)), Data: values}
}

// weight is a parameter that starts as random numbers of its own.
func weight(g *graph.Graph, name string, dims ...int) graph.Value {
	return g.State(graph.Param, name, graph.F32(dims...), func(_ uint64, name string, x graph.Tensor) {
		seed := uint64(0)
		for _, c := range name {
			seed = seed*31 + uint64(c)
		}
		copy(x.Data, draw(seed, dims...).Data)
	})
}

// dense is x·W + b with the parameters name.weight (in×out) and name.bias.
func dense(g *graph.Graph, name string, x graph.Value, out int) graph.Value {
	return op.AddBias(op.MatMul(x, weight(g, name+".weight", x.Dim(1), out), false, false), weight(g, name+".bias", out))
}

func sgd(g *graph.Graph, rate float64, loss graph.Value, names ...string) {
	var ps []graph.Value
	for _, name := range names {
		ps = append(ps, g.Lookup(name).Now)
	}
	for i, d := range graph.Grad(loss, ps...) {
		g.Assign(ps[i], op.Sub(ps[i], op.Scale(d, rate)))
	}
}

// near compares whole tensors.
func near(t *testing.T, what string, got, want graph.Tensor, tolerance float64) {
	t.Helper()
	if !got.Shape.Equal(want.Shape) {
		t.Fatalf("%s: got %v, want %v", what, got.Spec, want.Spec)
	}
	for i, w := range want.Data {
		if !(math.Abs(got.Data[i]-w) <= tolerance*(1+math.Abs(w))) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got.Data[i], w)
		}
	}
}

// differences holds the gradient of a scalar with respect to a fed value or state against central differences, element by element.
func differences(t *testing.T, feed map[string]graph.Tensor, y graph.Value, names ...string) {
	t.Helper()
	g := y.Graph()
	var wrt []graph.Value
	for _, name := range names {
		if st := g.Lookup(name); st != nil {
			wrt = append(wrt, st.Leaf)
		} else {
			wrt = append(wrt, g.Input(name, feed[name].Spec))
		}
	}
	grads := graph.Grad(y, wrt...)
	for k, name := range names {
		if !grads[k].Valid() {
			t.Fatalf("%s: no gradient", name)
		}
		both := evaluate(t, feed, grads[k], wrt[k])
		got, at := both[0], both[1]
		for i, x := range at.Data {
			value := func(x float64) float64 {
				moved := graph.Tensor{Spec: at.Spec, Data: append([]float64(nil), at.Data...)}
				moved.Data[i] = x
				return number(t, run(feed).with(map[string]graph.Tensor{name: moved}), y)
			}
			const h = 1e-5
			if want := (value(x+h) - value(x-h)) / (2 * h); math.Abs(got.Data[i]-want) > 1e-6*(1+math.Abs(want)) {
				t.Errorf("%s, element %d: gradient %v, differences %v", name, i, got.Data[i], want)
			}
		}
	}
}

// A vector-quantised code: the decoder sees exactly a codebook row, its gradient reaches the encoder's output as it is, and the
// codebook follows the codes as an exponential moving average, by assignments alone (van den Oord et al. 2017, appendix A.1).
func TestStraightThroughCodeWithEMA(t *testing.T) {
	const n, d, codes, decay, commitment = 6, 2, 3, 0.9, 0.25
	g := graph.New()
	x := g.Input("x", graph.F32(n, 4))
	z := dense(g, "encoder", x, d)
	start := func(_ uint64, _ string, t graph.Tensor) { copy(t.Data, draw(5, codes, d).Data) }
	ones := func(_ uint64, _ string, t graph.Tensor) { copy(t.Data, []float64{1, 1, 1}) }
	book := g.State(graph.Buffer, "codebook", graph.F32(codes, d), start)
	sums := g.State(graph.Buffer, "sums", graph.F32(codes, d), start)
	counts := g.State(graph.Buffer, "counts", graph.F32(codes), ones)

	distance := op.Sub(op.ReduceSum(op.Square(book), 1), op.Scale(op.MatMul(z, book, false, true), 2)) // N×codes, without |z|²
	index := op.ArgMax(op.Neg(distance))
	row := op.Gather(book, index)
	q := op.StraightThrough(row, z)
	recon := dense(g, "decoder", op.Tanh(q), 4)
	loss := op.Add(op.MeanAll(op.Square(op.Sub(recon, x))), op.Scale(op.MeanAll(op.Square(op.Sub(z, op.Stop(row)))), commitment))

	hot := op.OneHot(index, codes)
	ema := func(old, now graph.Value) graph.Value {
		return op.Add(op.Scale(old, decay), op.Scale(op.Stop(now), 1-decay))
	}
	newSums, newCounts := ema(sums, op.MatMul(hot, z, true, false)), ema(counts, op.ReduceSum(hot, 0))
	g.Assign(sums, newSums)
	g.Assign(counts, newCounts)
	g.Assign(book, op.Div(newSums, op.Reshape(newCounts, codes, 1)))
	later := g.State(graph.Buffer, "codebook", graph.F32(codes, d), start)

	feed := map[string]graph.Tensor{"x": draw(1, n, 4)}
	dBook := graph.Grad(loss, book)[0]
	if dBook.Valid() {
		t.Error("the codebook gets a gradient, although its row is the straight-through value")
	}
	dq := graph.Grad(loss, q)[0]
	chosen := op.Add(dq, op.Scale(op.Sub(z, row), 2*commitment/(n*d)))
	w := g.Lookup("encoder.weight").Leaf
	out := evaluate(t, feed, q, row, index, z, later, sums, counts, graph.Grad(loss, w)[0], graph.VJP([]graph.Value{z}, []graph.Value{chosen}, []graph.Value{w})[0])
	for i, v := range out[0].Data {
		if v != out[1].Data[i] {
			t.Fatalf("the code is %v, not exactly a row of the codebook %v", out[0].Data, out[1].Data)
		}
	}
	near(t, "encoder's gradient", out[7], out[8], 1e-12)

	want := graph.NewTensor(graph.F32(codes, d))
	for c := range codes {
		count, sum := decay*out[6].Data[c], [d]float64{decay * out[5].Data[c*d], decay * out[5].Data[c*d+1]}
		for i, at := range out[2].Data {
			if int(at) == c {
				count += 1 - decay
				sum[0] += (1 - decay) * out[3].Data[i*d]
				sum[1] += (1 - decay) * out[3].Data[i*d+1]
			}
		}
		want.Data[c*d], want.Data[c*d+1] = sum[0]/count, sum[1]/count
	}
	near(t, "codebook after the step", out[4], want, 1e-12)

	r := run{}
	r.step(t, g, feed)
	near(t, "codebook written back", r["codebook"], want, 1e-12)
}

// A mask leaves padding out of the loss: whatever stands there, NaN included, changes neither loss nor gradient.
func TestMaskedLoss(t *testing.T) {
	const n, steps, d = 2, 4, 3
	g := graph.New()
	x, mask := g.Input("x", graph.F32(n, steps, d)), g.Input("mask", graph.U8(n, steps))
	recon := g.Input("recon", graph.F32(n, steps, d))
	valid := op.BroadcastTo(op.Reshape(op.Cast(mask, graph.Float32), n, steps, 1), n, steps, d)
	diff := op.Select(valid, op.Sub(recon, x), op.Scale(valid, 0))
	loss := op.Div(op.SumAll(op.Square(diff)), op.SumAll(op.Cast(mask, graph.Float32))) // per valid step
	dRecon := graph.Grad(loss, recon)[0]

	masked := []float64{1, 1, 1, 0, 1, 0, 0, 0}
	feed := map[string]graph.Tensor{"x": draw(1, n, steps, d), "recon": draw(2, n, steps, d), "mask": {Spec: graph.U8(n, steps), Data: masked}}
	differences(t, feed, loss, "recon")
	want := 0.0
	for i, m := range masked {
		for j := range d {
			if at := i*d + j; m == 1 {
				e := feed["recon"].Data[at] - feed["x"].Data[at]
				want += e * e / 4
			} else {
				feed["x"].Data[at] = math.NaN()
			}
		}
	}
	out := evaluate(t, feed, loss, dRecon)
	if got := out[0].Data[0]; math.Abs(got-want) > 1e-12 {
		t.Errorf("loss is %v, by hand %v", got, want)
	}
	for i, got := range out[1].Data {
		if masked[i/d] == 0 && got != 0 {
			t.Errorf("padding element %d has the gradient %v", i, got)
		}
	}
}

// A label is an int32 field: one-hot beside the features, as planes beside an image's channels, and embedded, where the table's
// gradient is a scatter-add that leaves the rows of absent labels alone.
func TestLabelField(t *testing.T) {
	const n, classes = 4, 5
	g := graph.New()
	x, image, label := g.Input("x", graph.F32(n, 3)), g.Input("image", graph.F32(n, 2, 3, 3)), g.Input("label", graph.I32(n))
	hot := op.OneHot(label, classes)
	table := weight(g, "embedding", classes, 2)
	vector := dense(g, "encoder", op.Concat(1, x, hot, op.Gather(table, label)), 4)
	planes := op.BroadcastTo(op.Reshape(hot, n, classes, 1, 1), n, classes, 3, 3)
	maps := op.Conv2D(op.Concat(1, image, planes), weight(g, "conv", 2, 2+classes, 3, 3), op.ConvConfig{PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1})
	loss := op.Add(op.MeanAll(op.Square(op.Tanh(vector))), op.MeanAll(op.Square(op.Tanh(maps))))

	feed := map[string]graph.Tensor{"x": draw(1, n, 3), "image": draw(2, n, 2, 3, 3), "label": ints(4, 0, 4, 2)}
	differences(t, feed, loss, "embedding", "encoder.weight", "conv", "x", "image")
	out := evaluate(t, feed, graph.Grad(loss, table)[0], hot)
	for _, absent := range []int{1, 3} {
		if out[0].Data[2*absent] != 0 || out[0].Data[2*absent+1] != 0 {
			t.Errorf("row %d of the embedding has a gradient, and no example that label", absent)
		}
	}
	near(t, "one-hot", out[1], graph.Tensor{Spec: graph.F32(n, classes), Data: []float64{0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0}}, 0)
}

// A second stage runs the first one's encoder in front under Stop: no gradient and no update reach it.
func TestFrozenEncoder(t *testing.T) {
	const n = 4
	feed := map[string]graph.Tensor{"x": draw(1, n, 5)}
	build := func(g *graph.Graph) (loss graph.Value) {
		z := op.Tanh(dense(g, "encoder", g.Input("x", graph.F32(n, 5)), 3))
		frozen := op.Stop(z)
		prior := dense(g, "prior.1", op.Tanh(dense(g, "prior.0", frozen, 4)), 3)
		return op.MeanAll(op.Square(op.Sub(prior, frozen)))
	}
	g := graph.New()
	loss := build(g)
	for i, d := range graph.Grad(loss, g.Lookup("encoder.weight").Leaf, g.Lookup("encoder.bias").Leaf) {
		if d.Valid() {
			t.Errorf("parameter %d of the frozen encoder gets a gradient", i)
		}
	}
	differences(t, feed, loss, "prior.0.weight", "prior.1.bias")

	train := graph.New()
	loss = build(train)
	sgd(train, 0.1, loss, "prior.0.weight", "prior.0.bias", "prior.1.weight", "prior.1.bias")
	r := run{}
	before := r.step(t, train, feed, loss, train.Lookup("encoder.weight").Leaf)
	for range 30 {
		r.step(t, train, feed)
	}
	near(t, "frozen weight", r["encoder.weight"], before[1], 0)
	if after := r.step(t, train, feed, loss)[0].Data[0]; after > 0.8*before[0].Data[0] {
		t.Errorf("the second stage does not learn: %v before, %v after", before[0].Data[0], after)
	}
}

// Two programs accumulate: one adds a part's gradients to Scratch, the other updates from the sum and clears it. Parts of a batch
// give what the whole batch gives.
func TestAccumulation(t *testing.T) {
	const n, parts, rate, clip = 6, 2, 0.3, 0.05
	model := func(g *graph.Graph, n int) (loss graph.Value) {
		x := g.Input("x", graph.F32(n, 4))
		return op.MeanAll(op.SumPerExample(op.Square(op.Sub(dense(g, "decoder", op.Tanh(dense(g, "encoder", x, 2)), 4), x))))
	}
	names := []string{"encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias"}
	params := func(g *graph.Graph) (ps []graph.Value) {
		for _, name := range names {
			ps = append(ps, g.Lookup(name).Now)
		}
		return ps
	}
	sum := func(g *graph.Graph, p graph.Value, name string) graph.Value {
		return g.State(graph.Scratch, "sum."+name, p.Spec(), nil)
	}
	update := func(g *graph.Graph, ps, ds []graph.Value) {
		factor := op.Minimum(op.Div(g.Scalar(clip), op.GlobalNorm(ds...)), g.Scalar(1))
		for i, p := range ps {
			g.Assign(p, op.Sub(p, op.Scale(op.Mul(ds[i], factor), rate)))
		}
	}

	whole := graph.New()
	loss := model(whole, n)
	update(whole, params(whole), graph.Grad(loss, params(whole)...))

	add := graph.New()
	loss = model(add, n/parts)
	ps := params(add)
	for i, d := range graph.Grad(op.Scale(loss, 1.0/parts), ps...) {
		acc := sum(add, ps[i], names[i])
		add.Assign(acc, op.Add(acc, d))
	}
	apply := graph.New()
	model(apply, 1)
	ps = params(apply)
	var ds []graph.Value
	for i, p := range ps {
		ds = append(ds, sum(apply, p, names[i]))
	}
	update(apply, ps, ds)
	for _, d := range ds {
		apply.Assign(d, apply.Constant(d.Spec(), 0))
	}

	x := draw(1, n, 4)
	want, got := run{}, run{}
	for range 3 {
		want.step(t, whole, map[string]graph.Tensor{"x": x})
		for p := range parts {
			rows := n / parts * 4
			got.step(t, add, map[string]graph.Tensor{"x": {Spec: graph.F32(n/parts, 4), Data: x.Data[p*rows : (p+1)*rows]}})
		}
		got.step(t, apply, map[string]graph.Tensor{"x": draw(9, 1, 4)})
	}
	for _, name := range names {
		near(t, name, got[name], want[name], 1e-12)
		if s := got["sum."+name]; math.Abs(s.Data[0]) != 0 {
			t.Errorf("the sum of %s is not cleared", name)
		}
	}
}

// Autoregressive sampling is a program run in a loop: its carry is Scratch, fed back from step to step.
func TestScratchFedBack(t *testing.T) {
	const units, tokens, length = 3, 4, 6
	cell := func(g *graph.Graph, h, token graph.Value) (newH, next graph.Value) {
		newH = op.Tanh(op.Add(dense(g, "recurrent", h, units), op.Gather(weight(g, "embedding", tokens, units), token)))
		return newH, op.ArgMax(op.Scale(dense(g, "head", newH, tokens), -1))
	}
	step := graph.New()
	h := step.State(graph.Scratch, "h", graph.F32(1, units), nil)
	token := step.State(graph.Scratch, "token", graph.I32(1), nil)
	newH, next := cell(step, h, token)
	step.Assign(h, newH)
	step.Assign(token, next)

	unrolled := graph.New()
	var want []graph.Value
	h, token = unrolled.Constant(graph.F32(1, units), 0), unrolled.Constant(graph.I32(1), 0)
	for range length {
		h, token = cell(unrolled, h, token)
		want = append(want, token)
	}
	wanted := evaluate(t, nil, append(want, h)...)
	r := run{}
	for i := range length {
		got := r.step(t, step, nil, next)
		near(t, fmt.Sprintf("token %d", i), got[0], wanted[i], 0)
	}
	near(t, "state", r["h"], wanted[length], 0)
}
