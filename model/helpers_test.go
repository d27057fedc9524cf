package model

import (
	"math"
	"math/rand/v2"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
)

// read returns the [model] of a text, with the presets.
func read(t *testing.T, text string) *Config {
	t.Helper()
	c, err := tryRead(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return c
}

func tryRead(text string) (*Config, error) {
	cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte(text), Presets: Presets(), DefaultPreset: DefaultPreset})
	if err != nil && cfg == nil {
		return nil, err
	}
	c, _ := Read(cfg)
	return c, cfg.Err()
}

// build makes the model of a text for x of this shape.
func build(t *testing.T, text string, x ...int) *Model {
	t.Helper()
	m, err := New(read(t, text), []Field{{Name: FieldX, Spec: graph.F32(x...)}})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return m
}

// feed draws what a function needs: x in (0, 1), seed, counters; weights as they start, from seed 1, buffers too.
func feed(fn *Function, seed uint64) map[string]graph.Tensor {
	rng := rand.New(rand.NewPCG(seed, 7))
	fed := map[string]graph.Tensor{}
	for _, n := range fn.Graph.Inputs() {
		t := graph.NewTensor(n.Out[0])
		label := n.Op.(graph.Input).Label
		for i := range t.Data {
			switch {
			case n.Out[0].DType == graph.Float32:
				t.Data[i] = rng.Float64()
			case label == InputSeed:
				t.Data[i] = float64(seed)
			}
		}
		fed[label] = t
	}
	for _, s := range fn.Scalars {
		fed[s.Input].Data[0] = s.Schedule.Final()
	}
	for _, st := range fn.Graph.States() {
		t := graph.NewTensor(st.Spec)
		if st.Init != nil {
			st.Init(1, st.Name, t)
		}
		fed[st.Name] = t
	}
	return fed
}

// evaluate computes one value.
func evaluate(t *testing.T, fed map[string]graph.Tensor, v graph.Value) graph.Tensor {
	t.Helper()
	out, err := graph.Evaluate([]graph.Value{v}, fed)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// number computes a scalar.
func number(t *testing.T, fed map[string]graph.Tensor, v graph.Value) float64 {
	t.Helper()
	return evaluate(t, fed, v).Data[0]
}

func close(got, want, tolerance float64) bool {
	return math.Abs(got-want) <= tolerance*(1+math.Abs(want))
}
