package cpu_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/backend/backendtest"
	"aetrain/configs"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/model"
	"aetrain/op"
	"aetrain/optim"
	"aetrain/program"
)

// trained completes a step by gradients and Adam.
func trained(g *graph.Graph, loss graph.Value, params []*graph.State) map[string]graph.Value {
	step := g.State(graph.Buffer, "step", graph.I32(), nil)
	r := optim.Step(g, []optim.Loss{{Name: optim.DefaultLoss, Value: loss, Params: params, Config: optim.Defaults()}}, optim.Options{Counter: step})
	return map[string]graph.Value{"loss": loss, "norm": r.GradientNorm}
}

// weights are parameters of a graph with small numbers of both signs.
type weights struct {
	g      *graph.Graph
	params []*graph.State
}

// add makes the next one.
func (w *weights) add(dims ...int) graph.Value {
	at, name := len(w.params), fmt.Sprint("w", len(w.params))
	v := w.g.State(graph.Param, name, graph.F32(dims...), func(_ uint64, _ string, x graph.Tensor) {
		for i := range x.Data {
			x.Data[i] = float64((i*7+at)%11-5) / 20
		}
	})
	w.params = append(w.params, w.g.Lookup(name))
	return v
}

// pooled is a convolutional autoencoder with pooling and upsampling, whose layers have a kernel of each kind.
func pooled(n int) (*graph.Graph, map[string]graph.Value) {
	g := graph.New()
	w := &weights{g: g}
	same := op.ConvConfig{PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}.Normalized()
	x := g.Input("x", graph.F32(n, 1, 12, 12))
	y := op.ReLU(op.AddBias(op.Conv2D(x, w.add(18, 1, 3, 3), same), w.add(18)))
	y = op.MaxPool2D(y, op.PoolConfig{KH: 2, KW: 2, StrideH: 2, StrideW: 2})
	y = op.Tanh(op.Conv2D(y, w.add(20, 18, 3, 3), same))
	y = op.AvgPool2D(y, op.PoolConfig{KH: 2, KW: 2, StrideH: 2, StrideW: 2})
	y = op.Reshape(op.LayerNorm(op.Reshape(y, n*20, 9), w.add(9), w.add(9), 1e-3), n, 20, 3, 3)
	y = op.Mul(y, op.Reshape(op.Softmax(op.Reshape(y, n, 180)), n, 20, 3, 3))
	y = op.Upsample2D(op.ReLU(op.ConvTranspose2D(y, w.add(20, 5, 3, 3), same)), 2, 2, op.Nearest)
	y = op.Upsample2D(op.Conv2D(y, w.add(6, 5, 1, 1), op.ConvConfig{}.Normalized()), 2, 2, op.Bilinear)
	y = op.Conv2D(y, w.add(1, 6, 3, 3), same)
	loss := op.MeanAll(op.SquaredError(y, x))
	return g, trained(g, loss, w.params)
}

// TestDepthFirst trains with everything put together that may be, and with nothing: the bits are the same, on any number of threads.
func TestDepthFirst(t *testing.T) {
	network := func(n *backendtest.Network) (*graph.Graph, map[string]graph.Value) {
		return n.Graph, trained(n.Graph, n.Loss, n.Params)
	}
	for _, c := range []struct {
		name  string
		build func() (*graph.Graph, map[string]graph.Value)
		opts  []cpu.Option
		least int // phases that run depth first
	}{
		{"pooled", func() (*graph.Graph, map[string]graph.Value) { return pooled(48) }, nil, 6},
		{"odd batch", func() (*graph.Graph, map[string]graph.Value) { return pooled(37) }, nil, 6},
		{"vae", func() (*graph.Graph, map[string]graph.Value) { return network(backendtest.VAE(64, 50, 30, 4)) }, nil, 0},
		{"conv_vae", func() (*graph.Graph, map[string]graph.Value) { return network(backendtest.ConvVAE(32, 12, 18)) }, nil, 0},
		{"deep", func() (*graph.Graph, map[string]graph.Value) { return network(backendtest.Deep(3)) }, nil, 0},
		// The race detector sees what Go does with memory, not what assembly does.
		{"go", func() (*graph.Graph, map[string]graph.Value) { return pooled(12) }, []cpu.Option{cpu.ISA("go")}, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			sameBits(t, c.build, c.least, c.opts...)
		})
	}
}

// TestDepthFirstGraphs does so with random graphs.
func TestDepthFirstGraphs(t *testing.T) {
	const drawn, enough = 150, 120
	begun, tried := 0, 0
	for seed := range uint64(drawn) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			begun++
			sameBits(t, func() (*graph.Graph, map[string]graph.Value) {
				g, outs, _ := backendtest.RandomGraph(backendtest.FromSeed(seed))
				if g.Err() != nil {
					t.Skip(g.Err())
				}
				for _, in := range g.Inputs() {
					if in.Out[0].Shape.Size() == 0 {
						t.Skip("an input has no elements")
					}
				}
				return g, outs
			}, 0)
			tried++
		})
	}
	if begun == drawn && tried < enough { // with -run fewer may be begun
		t.Errorf("%d graphs of %d could be tried; want %d at least", tried, drawn, enough)
	}
}

// drawnLayers is a step of a network of drawn layers, some of whose values are outputs, and so stay where they are.
func drawnLayers(rng *rand.Rand) (*graph.Graph, map[string]graph.Value) {
	g, outs := graph.New(), map[string]graph.Value{}
	w := &weights{g: g}
	n := []int{6, 16, 30, 64}[rng.IntN(4)]
	x := g.Input("x", graph.F32(n, 1+rng.IntN(3), 8, 8))
	y := x
	for i := range 4 + rng.IntN(7) {
		c, h, wide := y.Dim(1), y.Dim(2), y.Dim(3)
		pool := op.PoolConfig{KH: 2, KW: 2, StrideH: 2, StrideW: 2}
		pad := op.ConvConfig{StrideH: 1 + rng.IntN(2), PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}.Normalized()
		to := []int{1, 3, 8, 20}[rng.IntN(4)]
		switch k := rng.IntN(12); {
		case k == 0 && h > 3:
			y = op.MaxPool2D(y, pool)
		case k == 1 && h > 3:
			y = op.AvgPool2D(y, pool)
		case k == 2 && h < 16:
			y = op.Upsample2D(y, 2, 2, []string{op.Nearest, op.Bilinear}[rng.IntN(2)])
		case k == 3:
			y = op.Reshape(op.LayerNorm(op.Reshape(y, n*c, h*wide), w.add(h*wide), w.add(h*wide), 0.1), n, c, h, wide)
		case k == 4:
			y = op.Mul(y, op.Reshape(op.Softmax(op.Reshape(y, n, c*h*wide)), n, c, h, wide))
		case k == 5:
			y, _, _ = op.BatchNorm(y, w.add(c), w.add(c), 0.1)
		case k == 6:
			y = op.Reshape(op.Tanh(op.MatMul(op.Reshape(y, n, c*h*wide), w.add(c*h*wide, c*h*wide), false, false)), n, c, h, wide)
		case k == 7:
			y = op.Sub(y, op.BroadcastTo(op.Reshape(op.ReduceMax(op.Reshape(y, n, c*h*wide), 1), n, 1, 1, 1), n, c, h, wide))
		case k == 8:
			y = op.Reshape(op.Transpose(op.Reshape(y, n, c, h*wide), 0, 2, 1), n, c, h, wide)
		case k < 11:
			y = op.ReLU(op.AddBias(op.Conv2D(y, w.add(to, c, 3, 3), pad), w.add(to)))
		default:
			y = op.Sigmoid(op.ConvTranspose2D(y, w.add(c, to, 3, 3), op.ConvConfig{PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}.Normalized()))
		}
		if rng.IntN(2) == 0 {
			outs[fmt.Sprint("layer", i)] = y
		}
	}
	loss := op.MeanAll(op.Square(y))
	if len(w.params) > 0 && rng.IntN(3) > 0 {
		for i, d := range graph.Grad(loss, leavesOf(w.params)...) {
			outs[fmt.Sprint("gradient", i)] = d
		}
	}
	outs["loss"] = loss
	return g, outs
}

func leavesOf(params []*graph.State) (list []graph.Value) {
	for _, p := range params {
		list = append(list, p.Leaf)
	}
	return list
}

// TestDepthFirstLayers does so with networks of drawn layers.
func TestDepthFirstLayers(t *testing.T) {
	const drawn = 24
	total, tried := 0, 0
	for seed := range uint64(drawn) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			tried++
			total += sameBits(t, func() (*graph.Graph, map[string]graph.Value) { return drawnLayers(rand.New(rand.NewPCG(seed, 1))) }, 0)
		})
	}
	if tried == drawn && total < 40 {
		t.Errorf("%d phases run depth first in all; want 40 at least", total)
	}
}

// TestDepthFirstRow loads a row of the benchmark as it is: the product's own rule finds runs there.
func TestDepthFirstRow(t *testing.T) {
	build, err := training(configs.LoadOptions{File: "../bench/throughput/rows/conv-vae-28.toml"}, graph.F32(1, 28, 28), 128)
	if err != nil {
		t.Fatal(err)
	}
	b, _, exe := load(t, build)
	defer b.Close()
	if runs, phases := cpu.Runs(exe); runs == 0 {
		t.Error("nothing runs depth first")
	} else {
		t.Logf("%d runs of %d phases in all", runs, phases)
	}
}

// training reads a config's model for one example x, and builds a step of n of them.
func training(from configs.LoadOptions, x graph.Spec, n int) (build func() (*graph.Graph, map[string]graph.Value), err error) {
	from.Presets, from.DefaultPreset = model.Presets(), model.DefaultPreset
	cfg, err := configs.Load(from)
	if err != nil && cfg == nil {
		return nil, err
	}
	c, _ := model.Read(cfg)
	m, err := model.New(c, []model.Field{{Name: model.FieldX, Spec: x}})
	if err != nil {
		return nil, err
	}
	if _, err := m.TrainPhase(n, 0); err != nil {
		return nil, err
	}
	return func() (*graph.Graph, map[string]graph.Value) {
		fn, _ := m.TrainPhase(n, 0)
		return fn.Graph, trained(fn.Graph, fn.Losses[0].Value, fn.Losses[0].Parameters(fn.Graph))
	}, nil
}

// go test ./cpu -run Presets -presets: every preset that takes images of one channel.
var everyPreset = flag.Bool("presets", false, "train every preset in TestDepthFirstPresets, not only some")

// TestDepthFirstPresets does so with presets as they are.
func TestDepthFirstPresets(t *testing.T) {
	names := []string{"conv-ae", "quantum-hybrid", "vq-vae"}
	if *everyPreset {
		names = model.PresetNames()
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			text := fmt.Sprintf("[model]\npreset = %q\n", name)
			build, err := training(configs.LoadOptions{File: "t.toml", Bytes: []byte(text)}, graph.F32(1, 8, 8), 32)
			switch {
			case err != nil && *everyPreset:
				t.Skip(strings.SplitN(err.Error(), "\n", 2)[0]) // it is not for images of this size
			case err != nil:
				t.Fatal(err)
			}
			sameBits(t, build, 0)
		})
	}
}

// sameBits runs three steps with runs and without, on 1, 2 and 4 threads. It returns how many phases run depth first.
func sameBits(t *testing.T, build func() (*graph.Graph, map[string]graph.Value), least int, opts ...cpu.Option) (phases int) {
	t.Helper()
	want, _ := afterSteps(t, build, append(opts, cpu.Depth(false), cpu.Threads(1))...)
	for _, threads := range []int{1, 2, 4} {
		var got map[string][]uint32
		got, phases = afterSteps(t, build, append(opts, cpu.Depth(true), cpu.Threads(threads))...)
		if phases < least {
			t.Errorf("%d phases run depth first; want %d at least", phases, least)
		}
		for name, x := range want {
			if !slices.Equal(got[name], x) {
				t.Errorf("%s differs with %d threads", name, threads)
			}
		}
	}
	return phases
}

// load compiles what build builds for a device of its own, which is to be closed.
func load(t *testing.T, build func() (*graph.Graph, map[string]graph.Value), opts ...cpu.Option) (backend.Backend, backend.State, backend.Executable) {
	t.Helper()
	g, outs := build() // first: it may skip the test
	b, err := cpu.Open(opts...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := program.Compile(g, outs, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	st := b.NewState()
	exes, err := b.Load(st, backend.Options{Seed: 3}, p)
	if err != nil {
		t.Fatal(err)
	}
	return b, st, exes[0]
}

// afterSteps are all outputs and states after three steps, as bits, and how many phases run depth first.
func afterSteps(t *testing.T, build func() (*graph.Graph, map[string]graph.Value), opts ...cpu.Option) (map[string][]uint32, int) {
	t.Helper()
	b, st, exe := load(t, build, opts...)
	defer b.Close()
	rng := rand.New(rand.NewPCG(5, 6))
	for _, in := range exe.Program().Inputs {
		h := b.Host(in.Spec)
		if x, ok := h.Data().([]float32); ok {
			for i := range x {
				x[i] = rng.Float32()
			}
		}
		if err := exe.Feed(in.Name, h); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := exe.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string][]uint32{}
	for _, o := range exe.Program().Outputs {
		if o.Spec.Shape.Size() == 0 {
			continue
		}
		h := b.Host(o.Spec)
		if err := exe.Fetch(o.Name, h); err != nil {
			t.Fatal(err)
		}
		all["output "+o.Name] = asBits(h.Data())
	}
	for _, name := range st.Names() {
		spec, _, _ := st.Spec(name)
		if spec.Shape.Size() == 0 {
			continue
		}
		h := b.Host(spec)
		if err := st.Read(name, h); err != nil {
			t.Fatal(err)
		}
		all[name] = asBits(h.Data())
	}
	_, phases := cpu.Runs(exe)
	return all, phases
}

func asBits(data any) []uint32 {
	var list []uint32
	switch x := data.(type) {
	case []float32:
		for _, v := range x {
			list = append(list, math.Float32bits(v))
		}
	case []int32:
		for _, v := range x {
			list = append(list, uint32(v))
		}
	case []uint8:
		for _, v := range x {
			list = append(list, uint32(v))
		}
	}
	return list
}
