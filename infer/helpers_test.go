package infer

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/configs"
	"aetrain/cpu"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/model"
)

// table is a Source in memory.
type table struct {
	fields []data.Field
	values []*tensor.Dense // N×...
}

func (s *table) Len() int             { return s.values[0].Shape()[0] }
func (s *table) Fields() []data.Field { return s.fields }
func (s *table) Close() error         { return nil }

func (s *table) Read(dst []*tensor.Dense, indices []int) error {
	for f, d := range dst {
		for i, row := range indices {
			if err := tensor.Copy(backend.Rows(d, i, i+1), backend.Rows(s.values[f], row, row+1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// noise is a source of n examples x of shape in (0, 1).
func noise(n int, shape ...int) *table {
	s := &table{}
	return s.with("x", n, graph.F32(shape...), func(rng *rand.Rand) float64 { return rng.Float64() })
}

func (s *table) with(name string, n int, spec graph.Spec, draw func(*rand.Rand) float64) *table {
	rng := rand.New(rand.NewPCG(11, uint64(len(s.fields))))
	t := backend.NewHost(graph.Spec{Shape: append(graph.Shape{n}, spec.Shape...), DType: spec.DType})
	for i := range t.DataSize() {
		switch v := draw(rng); spec.DType {
		case graph.Float32:
			t.Float32s()[i] = float32(v)
		case graph.Uint8:
			t.Uint8s()[i] = uint8(v)
		}
	}
	s.fields = append(s.fields, data.Field{Name: name, Spec: spec})
	s.values = append(s.values, t)
	return s
}

// open is the backend of a test.
func open(t *testing.T) backend.Backend {
	t.Helper()
	b, err := cpu.Open(cpu.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// load decodes a configuration.
func load(t *testing.T, text string) (*configs.Config, *model.Config, *data.Config) {
	t.Helper()
	cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte(text), Presets: model.Presets(), DefaultPreset: model.DefaultPreset})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := model.Read(cfg)
	d := data.Defaults()
	_ = cfg.Section("data").Decode(d)
	if err := cfg.Err(); err != nil {
		t.Fatal(err)
	}
	return cfg, c, d
}

// build makes the model of a text for a source's fields.
func build(t *testing.T, text string, src data.Source) *model.Model {
	t.Helper()
	_, c, _ := load(t, text)
	var fields []model.Field
	for _, f := range src.Fields() {
		fields = append(fields, model.Field(f))
	}
	m, err := model.New(c, fields)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// weights fills a State with numbers for all of a model's states, far from where they start.
func weights(t *testing.T, b backend.Backend, mod *model.Model) backend.State {
	t.Helper()
	st := b.NewState()
	if err := declare(st, mod); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 5))
	for _, name := range st.Names() {
		spec, kind, _ := st.Spec(name)
		v := backend.NewHost(spec)
		for i := range v.Float32s() {
			v.Float32s()[i] = float32(rng.NormFloat64() / 2)
			if kind == graph.Buffer { // running variances
				v.Float32s()[i] = float32(0.5 + rng.Float64())
			}
		}
		if err := st.Write(name, kind, v); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

// live is a model with those weights.
func live(t *testing.T, text string, src data.Source, batch int) *Model {
	t.Helper()
	b, mod := open(t), build(t, text, src)
	m := New(mod, b, weights(t, b, mod), Options{Batch: batch, Seed: 42})
	t.Cleanup(func() { m.Close() })
	return m
}

// reference computes values of fn in float64, for a whole source at once.
func reference(t *testing.T, m *Model, fn *model.Function, src *table, repetition int, values ...graph.Value) []graph.Tensor {
	t.Helper()
	fed := map[string]graph.Tensor{
		model.InputSeed:       {Spec: graph.I32(2), Data: []float64{float64(m.options.Seed), 0}},
		model.InputRow0:       {Spec: graph.I32(), Data: []float64{0}},
		model.InputRepetition: {Spec: graph.I32(), Data: []float64{float64(repetition)}},
	}
	for _, s := range fn.Scalars {
		fed[s.Input] = graph.Tensor{Spec: graph.F32(), Data: []float64{s.Schedule.Final()}}
	}
	for i, f := range src.fields {
		fed[f.Name] = wide(src.values[i], append(graph.Shape{src.Len()}, f.Spec.Shape...))
	}
	for _, s := range fn.Graph.States() {
		h := backend.NewHost(s.Spec)
		if err := m.state.Read(s.Name, h); err != nil {
			t.Fatal(err)
		}
		fed[s.Name] = wide(h, s.Spec.Shape)
	}
	out, err := graph.Evaluate(values, fed)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func wide(t *tensor.Dense, shape graph.Shape) graph.Tensor {
	w := graph.Tensor{Spec: graph.Spec{Shape: shape}}
	switch v := t.Data().(type) {
	case []float32:
		for _, x := range v {
			w.Data = append(w.Data, float64(x))
		}
	case []uint8:
		w.DType = graph.Uint8
		for _, x := range v {
			w.Data = append(w.Data, float64(x))
		}
	}
	return w
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

func near(got, want, tolerance float64) bool {
	return math.Abs(got-want) <= tolerance*(1+math.Abs(want))
}

// nearAll compares arrays.
func nearAll(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !near(float64(got[i]), want[i], tolerance) {
			t.Fatalf("%s: number %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

func widen(v []float32) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}

// coin draws 0 or 1.
func coin(rng *rand.Rand) float64 { return float64(rng.IntN(2)) }
