package model

import (
	"math"
	"strings"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/optim"
)

// What later variants need, on tiny networks: these tests hold the contracts of graph, nn, optim and model together.

// runner runs training graphs over one set of states, as a backend does.
type runner struct {
	t     *testing.T
	state map[string]graph.Tensor
}

// step evaluates every state's new value and writes it back; outs are returned.
func (r *runner) step(g *graph.Graph, inputs map[string]graph.Tensor, outs ...graph.Value) []graph.Tensor {
	r.t.Helper()
	if r.state == nil {
		r.state = map[string]graph.Tensor{}
	}
	fed := map[string]graph.Tensor{}
	for _, n := range g.Inputs() {
		label := n.Op.(graph.Input).Label
		if v, ok := inputs[label]; ok {
			fed[label] = v
			continue
		}
		fed[label] = graph.NewTensor(n.Out[0])
		if strings.HasPrefix(label, optim.InputLearningRate) {
			fed[label].Data[0] = 0.1
		}
	}
	values := append([]graph.Value(nil), outs...)
	for _, s := range g.States() {
		if _, ok := r.state[s.Name]; !ok {
			t := graph.NewTensor(s.Spec)
			if s.Init != nil {
				s.Init(3, s.Name, t)
			}
			r.state[s.Name] = t
		}
		fed[s.Name] = r.state[s.Name]
		values = append(values, s.Now)
	}
	all, err := graph.Evaluate(values, fed)
	if err != nil {
		r.t.Fatal(err)
	}
	for i, s := range g.States() {
		r.state[s.Name] = all[len(outs)+i]
	}
	return all[:len(outs)]
}

func sgd(t *testing.T) *optim.Config {
	t.Helper()
	c := optim.Defaults()
	c.Method, _ = optim.Optimizers.Make("sgd")
	return c
}

// steps turns the losses of a function into optim's.
func steps(t *testing.T, fn *Function) []optim.Loss {
	var ls []optim.Loss
	for _, l := range fn.Losses {
		ls = append(ls, optim.Loss{Name: l.Name, Value: l.Value, Params: l.Parameters(fn.Graph), Config: sgd(t), Gated: l.EverySteps > 1})
	}
	return ls
}

func ramp(from float64, dims ...int) graph.Tensor {
	t := graph.NewTensor(graph.F32(dims...))
	for i := range t.Data {
		t.Data[i] = math.Mod(from+0.37*float64(i), 1)
	}
	return t
}

// codebook is a vector-quantised code of one vector: the nearest of four, straight-through, the codebook a buffer that follows
// the encodings by a moving average.
type codebook struct{ Deterministic }

func (c *codebook) Encode(s *nn.Scope, h graph.Value, latentDim int) Latent {
	e := project(s, "code", h, latentDim, "torch")
	const codes, decay = 4, 0.5
	book := s.Buffer("book", func(_ uint64, _ string, t graph.Tensor) {
		for i := range t.Data {
			t.Data[i] = float64(i%5)/5 - 0.4
		}
	}, graph.F32(codes, latentDim))
	distance := op.ReduceSum(op.SquaredError(op.Reshape(e, e.Dim(0), 1, latentDim), book), 2)
	nearest := op.ArgMax(op.Neg(distance))
	if s.Training() {
		chosen := op.OneHot(nearest, codes)
		sum, count := op.MatMul(chosen, op.Stop(e), true, false), op.Reshape(op.ReduceSum(chosen, 0), codes, 1)
		mean := op.Div(sum, op.Maximum(count, s.Graph().Scalar(1)))
		s.Assign(book, op.Select(count, op.Add(op.Scale(book, decay), op.Scale(mean, 1-decay)), book))
	}
	return Latent{Z: op.StraightThrough(op.Gather(book, nearest), e)}
}

func TestStraightThroughCodeWithMovingAverage(t *testing.T) {
	c := read(t, "[model]\nlatent_dim = 2\nencoder = []\n")
	c.Bottleneck = &codebook{}
	m, err := New(c, []Field{{Name: FieldX, Spec: graph.F32(3)}})
	if err != nil {
		t.Fatal(err)
	}
	fn, err := m.Train(4)
	if err != nil {
		t.Fatal(err)
	}
	weight := fn.Graph.Lookup("encoder.code.weight")
	grads := graph.Grad(fn.Loss, weight.Leaf, fn.Forward.Code)
	optim.Step(fn.Graph, steps(t, fn), optim.Options{})
	r := &runner{t: t}
	x := map[string]graph.Tensor{"x": ramp(0.2, 4, 3)}
	out := r.step(fn.Graph, x, grads[0], grads[1], fn.Forward.Code)
	for k := range 2 { // the weight's gradient is the code's, times x: nothing is lost in the quantisation
		for j := range 3 {
			want := 0.0
			for n := range 4 {
				want += out[1].Data[n*2+k] * x["x"].Data[n*3+j]
			}
			if got := out[0].Data[k*3+j]; !close(got, want, 1e-9) {
				t.Errorf("gradient of weight %d,%d is %v, want %v", k, j, got, want)
			}
		}
	}
	if book := r.state["encoder.book"]; close(book.Data[0], -0.4, 1e-12) && close(book.Data[2], 0, 1e-12) && close(book.Data[4], 0.4, 1e-12) {
		t.Errorf("the codebook has not moved: %v", book.Data)
	}
	if _, trained := r.state["encoder.code.weight"]; !trained {
		t.Error("the encoder is not trained")
	}
}

// critic is a discriminator with batch norm, applied to a value.
func critic(s *nn.Scope, t *testing.T, x graph.Value) graph.Value {
	t.Helper()
	hidden := nn.NewDense(3)
	hidden.Activation, hidden.Norm = "tanh", "batch"
	st, err := nn.NewStack([]nn.Layer{hidden, nn.NewDense(1)}, x.Shape()[1:], false)
	if err != nil {
		t.Fatal(err)
	}
	return s.Within("adversary", func(s *nn.Scope) graph.Value { return st.Build(s, x) })
}

// A discriminator sees real, then fake examples in one phase with the autoencoder; each loss trains its own.
func TestDiscriminatorInOnePhase(t *testing.T) {
	m := build(t, "[model]\nlatent_dim = 2\nencoder = []\n", 4)
	fn, err := m.Train(5)
	if err != nil {
		t.Fatal(err)
	}
	fake := fn.Forward.Recon.Mean()
	s, g := fn.Scope, fn.Graph
	real := critic(s, t, fn.Forward.X)
	judged := s.Again(func(s *nn.Scope) graph.Value { return critic(s, t, op.Stop(fake)) })
	fooled := s.Again(func(s *nn.Scope) graph.Value { return critic(s, t, fake) })
	ones, zeros := g.Constant(graph.F32(5, 1), 1), g.Constant(graph.F32(5, 1), 0)
	discriminator := op.Add(op.MeanAll(op.BCEWithLogits(real, ones)), op.MeanAll(op.BCEWithLogits(judged, zeros)))
	generator := op.Add(fn.Loss, op.MeanAll(op.BCEWithLogits(fooled, ones)))
	losses := []Loss{{Name: "loss", Value: generator, Trains: []string{"encoder", "decoder"}}, {Name: "adversary", Value: discriminator, Trains: []string{"adversary"}}}
	var ls []optim.Loss
	for _, l := range losses {
		ls = append(ls, optim.Loss{Name: l.Name, Value: l.Value, Params: l.Parameters(g), Config: sgd(t)})
	}
	grads := [][]graph.Value{optim.Gradients(generator, ls[0].Params), optim.Gradients(discriminator, ls[1].Params)}
	optim.Step(g, ls, optim.Options{})
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	var wants []graph.Value
	wants = append(append(wants, grads[0]...), grads[1]...)
	r := &runner{t: t}
	before := map[string]graph.Tensor{}
	for _, st := range g.States() {
		v := graph.NewTensor(st.Spec)
		if st.Init != nil {
			st.Init(3, st.Name, v)
		}
		before[st.Name] = v
	}
	out := r.step(g, map[string]graph.Tensor{"x": ramp(0.1, 5, 4)}, wants...)
	params := append(append([]*graph.State(nil), ls[0].Params...), ls[1].Params...)
	if len(params) != 4+6 {
		t.Fatalf("%d parameters are trained", len(params))
	}
	for i, p := range params { // both gradients are of the values before any update
		for j, v := range r.state[p.Name].Data {
			if want := before[p.Name].Data[j] - 0.1*out[i].Data[j]; !close(v, want, 1e-9) {
				t.Errorf("%s[%d] is %v, want %v", p.Name, j, v, want)
			}
		}
	}
	// Three applications, in build order, have moved the running variance: 0.9³ of the first 1 is left beside them.
	if v := r.state["adversary.0.norm.running_var"].Data[0]; v < 0.729 || v == 1 {
		t.Errorf("running variance is %v", v)
	}
}

// Two phases are two graphs over one State, the second seeing what the first has made.
func TestPhasesInTurn(t *testing.T) {
	m := build(t, "[model]\npreset = \"vae\"\nlatent_dim = 2\nencoder = []\n"+`
[model.losses.one]
terms = { reconstruction = 1.0 }
trains = ["decoder"]
[model.losses.two]
terms = { reconstruction = 1.0, kl = 1.0 }
trains = ["encoder"]
phase = 1
`, 4)
	x, r := map[string]graph.Tensor{"x": ramp(0.3, 3, 4)}, &runner{t: t}
	var losses []float64
	for phase := range m.Phases() {
		fn, err := m.TrainPhase(3, phase)
		if err != nil {
			t.Fatal(err)
		}
		o := optim.Options{}
		if phase == m.Phases()-1 {
			o.Counter = fn.Graph.Lookup(StateStep).Now
		}
		optim.Step(fn.Graph, steps(t, fn), o)
		encoder := graph.NewTensor(graph.F32(1))
		if w, ok := r.state["encoder.mu.weight"]; ok {
			encoder = w
		}
		losses = append(losses, r.step(fn.Graph, x, fn.Terms[0].Value)[0].Data[0])
		moved := r.state["encoder.mu.weight"].Data[0] != encoder.Data[0]
		if phase == 1 && !moved {
			t.Error("phase 1 does not train the encoder")
		}
	}
	if losses[0] == losses[1] {
		t.Error("the second phase does not see the first one's decoder")
	}
	if step := r.state[StateStep].Data[0]; step != 1 {
		t.Errorf("step is %v, want 1", step)
	}
}

// A gradient penalty through batch norm: the gradient of a gradient's norm, against differences.
func TestGradientPenaltyThroughBatchNorm(t *testing.T) {
	m := build(t, "[model]\nlatent_dim = 2\nencoder = []\n", 4)
	fn, err := m.Train(3)
	if err != nil {
		t.Fatal(err)
	}
	x := fn.Forward.X
	score := critic(fn.Scope, t, x)
	slope := graph.Grad(op.SumAll(score), x)[0]
	penalty := op.MeanAll(op.Square(op.AddConst(op.Sqrt(op.SumPerExample(op.Square(slope))), -1)))
	weight := fn.Graph.Lookup("adversary.0.weight")
	grad := graph.Grad(penalty, weight.Leaf)[0]
	fed := feed(fn, 3)
	want, step := evaluate(t, fed, grad), 1e-5
	for i, w := range want.Data {
		ahead, behind := clone(fed), clone(fed)
		ahead[weight.Name].Data[i] += step
		behind[weight.Name].Data[i] -= step
		if got := (number(t, ahead, penalty) - number(t, behind, penalty)) / (2 * step); !close(got, w, 1e-5) {
			t.Errorf("weight %d: difference %v, gradient %v", i, got, w)
		}
	}
}

// byLabel is a penalty on codes that are far from their label's place: it reads the field "label".
type byLabel struct{}

func (byLabel) Term(s *nn.Scope, f *Forward) Term {
	place := op.OneHot(f.Field("label"), f.Code.Dim(1))
	v := f.PerExample(op.SquaredError(f.Code, place))
	return Term{Log: v, Minimise: v, Weight: s.Scalar("weight", configs.Number(1))}
}

func TestLabelField(t *testing.T) {
	c := read(t, "[model]\nlatent_dim = 3\nencoder = []\n")
	c.Penalties = map[string]Penalty{"labels": byLabel{}}
	m, err := New(c, []Field{{Name: FieldX, Spec: graph.F32(4)}, {Name: "label", Spec: graph.I32()}})
	if err != nil {
		t.Fatal(err)
	}
	fn, fed := train(t, m, 2)
	fed["label"].Data[0], fed["label"].Data[1] = 2, 0
	z, want := evaluate(t, fed, fn.Forward.Code), 0.0
	for i, v := range z.Data {
		if i == 2 || i == 3 {
			v--
		}
		want += v * v / 2
	}
	if got := mean(termOf(t, fn, fed, "labels")); !close(got, want, 1e-9) {
		t.Errorf("term is %v, want %v", got, want)
	}
	if _, err := New(c, []Field{{Name: FieldX, Spec: graph.F32(4)}}); err == nil || err.Error() != "model: the model reads the field label, the data has x" {
		t.Errorf("a source without labels: %v", err)
	}
}

// A second stage trains the decoder over the frozen encoder.
func TestFrozenEncoder(t *testing.T) {
	m := build(t, "[model]\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 3 }]\n", 4)
	fn, err := m.Train(3)
	if err != nil {
		t.Fatal(err)
	}
	fn.Losses[0].Trains = []string{"decoder"}
	optim.Step(fn.Graph, steps(t, fn), optim.Options{})
	r := &runner{t: t}
	r.step(fn.Graph, map[string]graph.Tensor{"x": ramp(0.3, 3, 4)})
	for _, st := range fn.Graph.States() {
		if st.Kind != graph.Param {
			continue
		}
		first := graph.NewTensor(st.Spec)
		st.Init(3, st.Name, first)
		if moved := first.Data[0] != r.state[st.Name].Data[0]; moved != Under(st.Name, "decoder") {
			t.Errorf("%s moved: %v", st.Name, moved)
		}
	}
}

// Gradients of two halves of a batch, by their rows, make that of the whole: noise belongs to rows.
func TestAccumulation(t *testing.T) {
	m := build(t, "[model]\npreset = \"vae\"\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 3, dropout = 0.3 }]\ncorruption = { kind = \"masking\" }\n", 4)
	grads := func(x graph.Tensor, row0 int) []graph.Tensor {
		fn, err := m.Train(x.Shape[0])
		if err != nil {
			t.Fatal(err)
		}
		g := optim.Gradients(fn.Loss, fn.Losses[0].Parameters(fn.Graph))
		fed := feed(fn, 2)
		fed["x"] = x
		fed[InputRow0].Data[0] = float64(row0)
		out, err := graph.Evaluate(g, fed)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	x := ramp(0.15, 6, 4)
	half := func(i int) graph.Tensor { return graph.Tensor{Spec: graph.F32(3, 4), Data: x.Data[i*12 : i*12+12]} }
	whole, a, b := grads(x, 0), grads(half(0), 0), grads(half(1), 3)
	for i := range whole {
		for j, w := range whole[i].Data {
			if got := (a[i].Data[j] + b[i].Data[j]) / 2; !close(got, w, 1e-9) {
				t.Fatalf("parameter %d, element %d: %v, want %v", i, j, got, w)
			}
		}
	}
}
