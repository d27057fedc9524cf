package optim

import (
	"math"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

// toy is loss = Σ (a·p - b)² over p of two numbers, with a running buffer beside it.
type toy struct {
	g     *graph.Graph
	p     graph.Value
	loss  graph.Value
	state map[string]graph.Tensor
}

func newToy() *toy {
	g := graph.New()
	t := &toy{g: g, state: map[string]graph.Tensor{}}
	t.p = g.State(graph.Param, "w", graph.F32(2), func(_ uint64, _ string, x graph.Tensor) { x.Data[0], x.Data[1] = 1, -2 })
	running := g.State(graph.Buffer, "running", graph.F32(), nil)
	x := g.Input("x", graph.F32(2))
	g.Assign(running, op.Add(running, op.SumAll(x)))
	t.loss = op.SumAll(op.SquaredError(op.Mul(t.p, g.Constant(graph.F32(2), 3, 0.5)), x))
	return t
}

// run makes one step: every state's new value is computed from the old ones, then written back.
func (t *toy) run(test *testing.T, fed map[string]float64, x ...float64) {
	test.Helper()
	feed := map[string]graph.Tensor{"x": {Spec: graph.F32(2), Data: x}}
	for name, v := range fed {
		feed[name] = graph.Tensor{Spec: graph.F32(), Data: []float64{v}}
	}
	var now []graph.Value
	for _, s := range t.g.States() {
		if old, ok := t.state[s.Name]; ok {
			feed[s.Name] = old
		}
		now = append(now, s.Now)
	}
	out, err := graph.Evaluate(now, feed)
	if err != nil {
		test.Fatal(err)
	}
	for i, s := range t.g.States() {
		t.state[s.Name] = out[i]
	}
}

func decode(t *testing.T, text string) *Config {
	t.Helper()
	cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Read(cfg.Section("optimizer"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (t *toy) train(c *Config) Loss {
	return Loss{Name: DefaultLoss, Value: t.loss, Params: t.g.States()[:1], Config: c}
}

// The formulas of PyTorch's documentation, in scalars.
func TestOptimizers(t *testing.T) {
	type memory struct{ m, v, b float64 }
	const lr = 0.1
	for _, c := range []struct {
		name, text string
		step       func(p, g float64, k *memory, n int) float64
	}{
		{"sgd", "name = \"sgd\"\nweight_decay = 0.1", func(p, g float64, k *memory, n int) float64 {
			return p - lr*(g+0.1*p)
		}},
		{"momentum", "name = \"momentum\"\nmomentum = 0.8", func(p, g float64, k *memory, n int) float64 {
			k.v = 0.8*k.v + g
			return p - lr*k.v
		}},
		{"nesterov", "name = \"momentum\"\nnesterov = true", func(p, g float64, k *memory, n int) float64 {
			k.v = 0.9*k.v + g
			return p - lr*(g+0.9*k.v)
		}},
		{"rmsprop", "name = \"rmsprop\"\nalpha = 0.9", func(p, g float64, k *memory, n int) float64 {
			k.v = 0.9*k.v + 0.1*g*g
			return p - lr*g/(math.Sqrt(k.v)+1e-8)
		}},
		{"rmsprop with momentum", "name = \"rmsprop\"\nmomentum = 0.5", func(p, g float64, k *memory, n int) float64 {
			k.v = 0.99*k.v + 0.01*g*g
			k.b = 0.5*k.b + g/(math.Sqrt(k.v)+1e-8)
			return p - lr*k.b
		}},
		{"adam", "betas = [0.8, 0.9]", func(p, g float64, k *memory, n int) float64 {
			k.m, k.v = 0.8*k.m+0.2*g, 0.9*k.v+0.1*g*g
			return p - lr*(k.m/(1-math.Pow(0.8, float64(n))))/(math.Sqrt(k.v/(1-math.Pow(0.9, float64(n))))+1e-8)
		}},
		{"adamw", "name = \"adamw\"", func(p, g float64, k *memory, n int) float64 {
			p -= lr * 0.01 * p
			k.m, k.v = 0.9*k.m+0.1*g, 0.999*k.v+0.001*g*g
			return p - lr*(k.m/(1-math.Pow(0.9, float64(n))))/(math.Sqrt(k.v/(1-math.Pow(0.999, float64(n))))+1e-8)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := newToy()
			step := y.g.State(graph.Buffer, "step", graph.I32(), nil)
			Step(y.g, []Loss{y.train(decode(t, "[optimizer]\n"+c.text))}, Options{Counter: step})
			if err := y.g.Err(); err != nil {
				t.Fatal(err)
			}
			want, memories := []float64{1, -2}, make([]memory, 2)
			a, x := []float64{3, 0.5}, []float64{0.25, 4}
			for n := 1; n <= 4; n++ {
				y.run(t, map[string]float64{InputLearningRate: lr}, x...)
				for i := range want {
					g := 2 * (a[i]*want[i] - x[i]) * a[i]
					want[i] = c.step(want[i], g, &memories[i], n)
					if got := y.state["w"].Data[i]; math.Abs(got-want[i]) > 1e-12*(1+math.Abs(want[i])) {
						t.Fatalf("step %d: w[%d] is %v, want %v", n, i, got, want[i])
					}
				}
			}
			if got := y.state["step"].Data[0]; got != 4 {
				t.Errorf("step is %v, want 4", got)
			}
		})
	}
}

func TestGuardKeepsTheLastGoodStep(t *testing.T) {
	y := newToy()
	step := y.g.State(graph.Buffer, "step", graph.I32(), nil)
	Step(y.g, []Loss{y.train(Defaults())}, Options{Counter: step})
	rate := map[string]float64{InputLearningRate: 0.1}
	y.run(t, rate, 1, 2)
	good := map[string]float64{}
	for name, v := range y.state {
		good[name] = v.Data[0]
	}
	check := func(when string) {
		t.Helper()
		for name, v := range y.state {
			if name != StateBad && v.Data[0] != good[name] {
				t.Errorf("%s: %s is %v, want %v", when, name, v.Data[0], good[name])
			}
		}
	}
	y.run(t, rate, math.NaN(), 2)
	check("a bad step")
	if got := y.state[StateBad].Data[0]; got != 1 {
		t.Errorf("%s is %v, want 1", StateBad, got)
	}
	y.run(t, rate, 1, 2)
	check("a good step queued behind it")
	y.state[StateBad].Data[0] = 0
	y.run(t, rate, 1, 2)
	if y.state["w"].Data[0] == good["w"] || y.state["step"].Data[0] != 2 {
		t.Errorf("after the host has looked, w is %v and step %v: nothing moved", y.state["w"].Data[0], y.state["step"].Data[0])
	}
}

func TestClipNorm(t *testing.T) {
	for _, c := range []struct {
		name       string
		clip, want float64
	}{{"above", 0.5, 0.5}, {"below", 1e6, 0}, {"none", 0, 0}} {
		y := newToy()
		r := Step(y.g, []Loss{y.train(decode(t, "[optimizer]\nname = \"sgd\""))}, Options{ClipNorm: c.clip})
		feed := map[string]graph.Tensor{"x": {Spec: graph.F32(2), Data: []float64{0.25, 4}}}
		norm, err := graph.Evaluate([]graph.Value{r.GradientNorm}, feed)
		if err != nil {
			t.Fatal(err)
		}
		y.run(t, map[string]float64{InputLearningRate: 1}, 0.25, 4)
		w := y.state["w"].Data
		got := math.Hypot(w[0]-1, w[1]+2)
		want := c.want
		if want == 0 {
			want = norm[0].Data[0]
		}
		if math.Abs(got-want) > 1e-5*want {
			t.Errorf("%s: the step is %v long, want %v (norm before clipping %v)", c.name, got, want, norm[0].Data[0])
		}
	}
}

// Gradients of several models are clipped each by its own norm.
func TestClipNormByOwner(t *testing.T) {
	g := graph.New()
	a, b := g.State(graph.Param, "a.w", graph.F32(2), nil), g.State(graph.Param, "b.w", graph.F32(), nil)
	loss := op.Add(op.SumAll(op.Mul(a, g.Constant(graph.F32(2), 3, 4))), op.Scale(b, 0.5))
	l := Loss{Name: DefaultLoss, Value: loss, Params: g.States(), Config: decode(t, "[optimizer]\nname = \"sgd\"")}
	l.Owner = func(param string) int { return int(param[0]) }
	r := Step(g, []Loss{l}, Options{ClipNorm: 1})
	y := &toy{g: g, state: map[string]graph.Tensor{}}
	norm, err := graph.Evaluate([]graph.Value{r.GradientNorm}, nil)
	if err != nil || math.Abs(norm[0].Data[0]-math.Hypot(5, 0.5)) > 1e-9 {
		t.Errorf("the norm before clipping is %v, %v", norm, err)
	}
	y.run(t, map[string]float64{InputLearningRate: 1})
	wa, wb := y.state["a.w"].Data, y.state["b.w"].Data
	if math.Abs(wa[0]+0.6) > 1e-6 || math.Abs(wa[1]+0.8) > 1e-6 || wb[0] != -0.5 {
		t.Errorf("the steps are %v and %v, want [-0.6 -0.8] and [-0.5]", wa, wb)
	}
}

func TestGatedLossWaitsItsTurn(t *testing.T) {
	y := newToy()
	l := y.train(Defaults())
	l.Name, l.Gated = "critic", true
	Step(y.g, []Loss{l}, Options{})
	fed := map[string]float64{"learning_rate.critic": 0.1, "due.critic": 0}
	y.run(t, fed, 1, 2)
	if w := y.state["w"].Data[0]; w != 1 {
		t.Errorf("not due: w is %v, want 1", w)
	}
	fed["due.critic"] = 1
	y.run(t, fed, 1, 2)
	if w, n := y.state["w"].Data[0], y.state["optimizer.critic.steps"].Data[0]; w == 1 || n != 1 {
		t.Errorf("due: w is %v and steps %v", w, n)
	}
}

// Two losses of one phase: both gradients are those of the values before any update.
func TestLossesOfOnePhase(t *testing.T) {
	g := graph.New()
	one := func(_ uint64, _ string, x graph.Tensor) { x.Data[0] = 2 }
	a, b := g.State(graph.Param, "a", graph.F32(), one), g.State(graph.Param, "b", graph.F32(), one)
	c := decode(t, "[optimizer]\nname = \"sgd\"")
	product := op.Mul(a, b)
	Step(g, []Loss{
		{Name: "loss", Value: product, Params: g.States()[:1], Config: c},
		{Name: "other", Value: op.Square(product), Params: g.States()[1:2], Config: c},
	}, Options{})
	lr := graph.Tensor{Spec: graph.F32(), Data: []float64{0.5}}
	out, err := graph.Evaluate([]graph.Value{g.Lookup("a").Now, g.Lookup("b").Now}, map[string]graph.Tensor{"learning_rate": lr, "learning_rate.other": lr})
	if err != nil {
		t.Fatal(err)
	}
	if out[0].Data[0] != 2-0.5*2 || out[1].Data[0] != 2-0.5*2*4*2 {
		t.Errorf("a, b are %v, %v; want 1, -6", out[0].Data[0], out[1].Data[0])
	}
}
