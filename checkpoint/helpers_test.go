package checkpoint

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
)

// memory is a State on the host.
type memory struct {
	names  []string
	specs  map[string]graph.Spec
	kinds  map[string]graph.Kind
	values map[string]*tensor.Dense
}

func newMemory() *memory {
	return &memory{specs: map[string]graph.Spec{}, kinds: map[string]graph.Kind{}, values: map[string]*tensor.Dense{}}
}

func (m *memory) declare(k graph.Kind, name string, s graph.Spec) *tensor.Dense {
	m.names = append(m.names, name)
	m.specs[name], m.kinds[name], m.values[name] = s, k, backend.NewHost(s)
	return m.values[name]
}

func (m *memory) Names() []string { return m.names }

func (m *memory) Spec(name string) (graph.Spec, graph.Kind, bool) {
	s, ok := m.specs[name]
	return s, m.kinds[name], ok
}

func (m *memory) Read(name string, dst *tensor.Dense) error { return tensor.Copy(dst, m.values[name]) }

func (m *memory) Write(name string, _ graph.Kind, src *tensor.Dense) error {
	if m.values[name] == nil {
		return fmt.Errorf("no state %s", name)
	}
	return tensor.Copy(m.values[name], src)
}

// example is a State with every kind and type; its numbers follow from seed.
func example(seed int) *memory {
	m := newMemory()
	fill := func(t *tensor.Dense) {
		switch v := t.Data().(type) {
		case []float32:
			for i := range v {
				v[i] = float32(math.Sin(float64(seed*1000 + i)))
			}
		case []int32:
			for i := range v {
				v[i] = int32(seed*7 - i)
			}
		case []uint8:
			for i := range v {
				v[i] = uint8(seed + i)
			}
		}
	}
	fill(m.declare(graph.Param, "encoder.0.weight", graph.F32(3, 4)))
	fill(m.declare(graph.Param, "decoder.log_variance", graph.F32()))
	fill(m.declare(graph.Buffer, "encoder.1.mean", graph.F32(3)))
	fill(m.declare(graph.Buffer, "encoder.1.seen", graph.U8(5)))
	fill(m.declare(graph.Buffer, "step", graph.I32()))
	fill(m.declare(graph.Buffer, "optimizer.loss.encoder.0.weight.m", graph.F32(3, 4)))
	fill(m.declare(graph.Buffer, "train.ema", graph.F32(2)))
	fill(m.declare(graph.Scratch, "guard.bad", graph.F32()))
	return m
}

// blank is a State as example, with zeros.
func blank() *memory {
	m, e := newMemory(), example(0)
	for _, name := range e.names {
		m.declare(e.kinds[name], name, e.specs[name])
	}
	return m
}

func stored() []Stored {
	return []Stored{
		{"transforms.0.mean", tensor.New(tensor.WithShape(4), tensor.WithBacking([]float32{1, -2, 3.5, 1e-9}))},
		{"transforms.1.index", tensor.New(tensor.WithShape(2), tensor.WithBacking([]int32{-5, 1 << 30}))},
	}
}

// same reports the first state in which two States differ; Scratch does not count, and model leaves out what is the optimiser's.
func same(a, b *memory, model bool) error {
	for _, name := range a.names {
		if a.kinds[name] == graph.Scratch || model && isOptimizer(name) {
			continue
		}
		if x, y := fmt.Sprint(a.values[name].Data()), fmt.Sprint(b.values[name].Data()); x != y {
			return fmt.Errorf("%s is %s, want %s", name, x, y)
		}
	}
	return nil
}

func save(t *testing.T, dir string, seed int) {
	t.Helper()
	if err := Save(dir, example(seed), stored(), Meta{Name: "test", Step: seed}); err != nil {
		t.Fatal(err)
	}
}

// holds fails unless dir is the checkpoint of a seed.
func holds(t *testing.T, dir string, seed int) {
	t.Helper()
	st := blank()
	m, _, err := Load(dir, st)
	if err != nil {
		t.Fatal(err)
	}
	if m.Step != seed {
		t.Errorf("the checkpoint is of step %d, want %d", m.Step, seed)
	}
	if err := same(st, example(seed), false); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, elem ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, b []byte, elem ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(elem...), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// names lists a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
