package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/graph"
	"aetrain/internal/safetensors"
)

func TestRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run", Folder, Last)
	best := 12.5
	in := Meta{
		Name: "vae", Seed: math.MaxUint64, Stage: 1, Epoch: 3, Batch: 17, Step: 1200,
		Fields:  []Field{{Name: "x", Spec: graph.U8(1, 28, 28)}, {Name: "label", Spec: graph.I32()}},
		Monitor: "loss", Best: &best, BestEpoch: 2.5,
		Kernels: map[string]string{"Conv2D 128x1x28x28": "direct"}, Precision: "float32", Device: "cpu",
	}
	type memory struct {
		Sums map[string]float64
		Text string
	}
	remembered := memory{map[string]float64{"kl": 1.0 / 3}, "<&>"}
	if err := in.Put("sums", remembered); err != nil {
		t.Fatal(err)
	}
	if err := Save(dir, example(3), stored(), in); err != nil {
		t.Fatal(err)
	}
	st := blank()
	out, arrays, err := Load(dir, st)
	if err != nil {
		t.Fatal(err)
	}
	if err := same(st, example(3), false); err != nil {
		t.Error(err)
	}
	var back memory
	if ok, err := out.Get("sums", &back); !ok || err != nil || fmt.Sprint(back) != fmt.Sprint(remembered) {
		t.Errorf("extra came back as %v, %v, %v", back, ok, err)
	}
	if ok, err := out.Get("nothing", &back); ok || err != nil {
		t.Errorf("what nobody put there is found: %v, %v", ok, err)
	}
	if len(arrays) != 2 || fmt.Sprint(arrays[0].Value.Data(), arrays[1].Value.Data()) != fmt.Sprint(stored()[0].Value.Data(), stored()[1].Value.Data()) {
		t.Errorf("stored arrays came back as %v", arrays)
	}
	in.Version, in.Digests, in.Stored, in.Created = out.Version, out.Digests, out.Stored, out.Created
	if got, want := describe(t, out), describe(t, in); got != want {
		t.Errorf("state.json came back as\n%s, want\n%s", got, want)
	}
	if out.Created.IsZero() || len(out.Digests) != 2 {
		t.Errorf("created %v, digests %v", out.Created, out.Digests)
	}
}

// replacing is a State under whose reader another process replaces the checkpoint, so many times.
type replacing struct {
	*memory
	times   int
	replace func()
}

// Names is what a reader asks between its first file and its second.
func (r *replacing) Names() []string {
	if r.times > 0 {
		r.times--
		r.replace()
	}
	return r.memory.Names()
}

// A checkpoint that a training replaces while it is read is no damaged one.
func TestReplacedWhileRead(t *testing.T) {
	for _, c := range []struct {
		name  string
		times int
		want  error
	}{{"once", 1, nil}, {"again and again", 1 << 20, ErrCorrupt}} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), Folder, Last)
			seed := 1
			save(t, dir, seed)
			st := &replacing{blank(), c.times, func() { seed++; save(t, dir, seed) }}
			m, _, err := Load(dir, st)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err != nil {
				return
			}
			if m.Step != seed {
				t.Errorf("state.json is of step %d, the newest of %d", m.Step, seed)
			}
			if err := same(st.memory, example(seed), false); err != nil {
				t.Error(err)
			}
		})
	}
}

func describe(t *testing.T, m Meta) string {
	t.Helper()
	b, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFilesOfStates(t *testing.T) {
	dir := filepath.Join(t.TempDir(), Last)
	save(t, dir, 1)
	for file, want := range map[string][]string{
		ModelFile:     {"decoder.log_variance", "encoder.0.weight", "encoder.1.mean", "encoder.1.seen", "transforms.0.mean", "transforms.1.index"},
		OptimizerFile: {"optimizer.loss.encoder.0.weight.m", "step", "train.ema"},
	} {
		f, err := safetensors.Open(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, info := range f.Tensors() {
			got = append(got, info.Name)
			if info.Name == "decoder.log_variance" && len(info.Shape) != 0 {
				t.Errorf("a scalar is written as %v", info.Shape)
			}
		}
		f.Close()
		if !slices.Equal(got, want) {
			t.Errorf("%s holds %v, want %v", file, got, want)
		}
	}
}

func TestSameStateSameBytes(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	st := example(5)
	slices.Reverse(st.names) // the order of declaration does not matter
	if err := Save(filepath.Join(a, Last), st, stored(), Meta{Step: 1}); err != nil {
		t.Fatal(err)
	}
	if err := Save(filepath.Join(b, Last), example(5), stored(), Meta{Step: 2, Name: "other"}); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{ModelFile, OptimizerFile} {
		if !bytes.Equal(read(t, a, Last, file), read(t, b, Last, file)) {
			t.Errorf("%s differs for equal states", file)
		}
	}
}

func TestLoadWeights(t *testing.T) {
	dir := filepath.Join(t.TempDir(), Best)
	save(t, dir, 4)
	st := blank()
	if _, arrays, err := LoadWeights(dir, st); err != nil || len(arrays) != 2 {
		t.Fatalf("%d stored arrays, %v", len(arrays), err)
	}
	if err := same(st, example(4), true); err != nil {
		t.Error(err)
	}
	if got := st.values["step"].Int32s()[0]; got != 0 {
		t.Errorf("step is %d: the optimiser's states were touched", got)
	}
}

func TestBestThatIsNoNumber(t *testing.T) {
	dir := filepath.Join(t.TempDir(), Best)
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		if err := Save(dir, example(1), nil, Meta{Best: &v}); err != nil {
			t.Fatal(err)
		}
		if m, err := ReadMeta(dir); err != nil || m.Best != nil {
			t.Errorf("best of %v came back as %v, %v", v, m.Best, err)
		}
	}
}

func TestDoesNotFit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), Last)
	save(t, dir, 1)
	cases := []struct {
		name   string
		change func(*memory)
		want   []string
	}{
		{"missing", func(m *memory) { m.declare(graph.Param, "encoder.2.bias", graph.F32(7)) }, []string{ModelFile, "no encoder.2.bias", "(7)"}},
		{"extra", func(m *memory) { drop(m, "encoder.1.mean") }, []string{ModelFile, "it has encoder.1.mean (3)"}},
		{"shape", func(m *memory) { m.specs["encoder.0.weight"] = graph.F32(4, 4) }, []string{"encoder.0.weight is 3x4, the model wants 4x4"}},
		{"type", func(m *memory) { m.specs["encoder.1.mean"] = graph.I32(3) }, []string{"encoder.1.mean is 3, the model wants 3 int32"}},
		{"scalar", func(m *memory) { m.specs["decoder.log_variance"] = graph.F32(1) }, []string{"decoder.log_variance is scalar, the model wants 1"}},
		{"moment", func(m *memory) { drop(m, "optimizer.loss.encoder.0.weight.m") }, []string{OptimizerFile, "optimizer.loss.encoder.0.weight.m"}},
		{"scratch", func(m *memory) { m.kinds["encoder.1.mean"] = graph.Scratch }, []string{"encoder.1.mean"}},
		{"many", func(m *memory) {
			for i := range 9 {
				m.declare(graph.Param, fmt.Sprintf("decoder.%d.weight", i), graph.F32(2))
			}
		}, []string{"decoder.0.weight", "and 5 more"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			st := blank()
			c.change(st)
			_, _, err := Load(dir, st)
			if err == nil {
				t.Fatal("it was loaded")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			for name, v := range st.values {
				if strings.Trim(fmt.Sprint(v.Data()), "[0 ]") != "" {
					t.Errorf("%s was written to: %v", name, v.Data())
				}
			}
		})
	}
}

func drop(m *memory, name string) {
	m.names = slices.DeleteFunc(m.names, func(n string) bool { return n == name })
	delete(m.specs, name)
	delete(m.values, name)
}

// Every damage is an error that names the file, and never a panic.
func TestDamage(t *testing.T) {
	good := filepath.Join(t.TempDir(), Last)
	save(t, good, 1)
	model, state := read(t, good, ModelFile), read(t, good, StateFile)
	flipped := bytes.Clone(model)
	flipped[len(flipped)-3] ^= 1
	cases := []struct {
		name, file string
		content    []byte // nil: the file is removed
		want       string
	}{
		{"truncated weights", ModelFile, model[:len(model)-1], "truncated"},
		{"empty weights", ModelFile, []byte{}, "too short"},
		{"one bit", ModelFile, flipped, "SHA-256"},
		{"weights of another checkpoint", ModelFile, other(t), "SHA-256"},
		{"no weights", ModelFile, nil, "missing"},
		{"no moments", OptimizerFile, nil, "missing"},
		{"truncated moments", OptimizerFile, read(t, good, OptimizerFile)[:20], "truncated"},
		{"truncated state", StateFile, state[:len(state)/2], "unexpected end"},
		{"empty state", StateFile, []byte{}, "unexpected end"},
		{"more behind the state", StateFile, append(bytes.Clone(state), "{}"...), "after top-level value"},
		{"a newer version", StateFile, bytes.Replace(state, []byte(`"version": 1`), []byte(`"version": 2`), 1), "newer"},
		{"no version", StateFile, []byte("{}"), "no version"},
		{"no digests", StateFile, []byte(`{"version": 1, "digests": {}}`), "no digest"},
		{"an unknown key", StateFile, bytes.Replace(state, []byte(`"epoch"`), []byte(`"epoche"`), 1), "epoche"},
		{"a negative step", StateFile, bytes.Replace(state, []byte(`"step": 1`), []byte(`"step": -1`), 1), "step is -1"},
		{"a stored array that is none", StateFile, bytes.Replace(state, []byte(`"transforms.0.mean"`), []byte(`"transforms.0.std"`), 1), "transforms.0"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), Last)
			save(t, dir, 1)
			if c.content == nil {
				must(t, removeAll(dir, c.file))
			} else {
				write(t, c.content, dir, c.file)
			}
			_, _, err := Load(dir, blank())
			if err == nil {
				t.Fatal("it was loaded")
			}
			if !errors.Is(err, ErrCorrupt) && c.name != "a stored array that is none" {
				t.Errorf("%q does not wrap ErrCorrupt", err)
			}
			for _, want := range []string{c.want, filepath.Join(dir, "")} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

// other is the model.safetensors of another checkpoint.
func other(t *testing.T) []byte {
	dir := filepath.Join(t.TempDir(), Last)
	save(t, dir, 2)
	return read(t, dir, ModelFile)
}

func TestStoredNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), Last)
	for _, name := range []string{"encoder.0.weight", "step"} {
		err := Save(dir, example(1), []Stored{{name, tensor.New(tensor.WithShape(1), tensor.Of(tensor.Float32))}}, Meta{})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("an array called as the state %s: %v", name, err)
		}
	}
	err := Save(dir, example(1), []Stored{{"transforms.0.mean", tensor.New(tensor.WithShape(1), tensor.Of(tensor.Float64))}}, Meta{})
	if err == nil || !strings.Contains(err.Error(), "float64") {
		t.Errorf("an array of float64: %v", err)
	}
}

func FuzzMeta(f *testing.F) {
	best := 1.5
	m := Meta{Version: version, Name: "vae", Step: 3, Fields: []Field{{Name: "x", Spec: graph.F32(2, 3)}}, Best: &best,
		Digests: map[string]string{ModelFile: strings.Repeat("0a", 32)}}
	must(f, m.Put("sums", map[string]int{"a": 1}))
	b, err := m.encode()
	must(f, err)
	f.Add(b)
	f.Add([]byte(`{"version": 1}`))
	f.Add([]byte(`{"version": 1, "digests": {"model.safetensors": "00"}, "fields": [{"name": "x", "shape": [1e9], "dtype": "f"}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMeta(b)
		if err != nil {
			return
		}
		text, err := m.encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v\n%s", err, b)
		}
		again, err := parseMeta(text)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, text)
		}
		if got := describe(t, again); got != string(text) {
			t.Errorf("changed on the way:\n%s\n%s", text, got)
		}
	})
}
