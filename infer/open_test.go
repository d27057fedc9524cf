package infer

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"aetrain/checkpoint"
	"aetrain/configs"
	"aetrain/data"
	"aetrain/model"
)

const runText = `
name = "tiny"
seed = 7
[data]
source = "random"
shape = [1, 4, 3]
examples = 40
batch = 16
transforms = [{ kind = "standardize" }]
[model]
preset = "vae"
latent_dim = 2
encoder = [{ layer = "conv2d", filters = 2, kernel = 3, padding = 1, norm = "batch", activation = "relu" }]
[model.reconstruction]
kind = "gaussian"
variance = "learned"
`

// writeRun makes a run's folder as a training leaves it, and returns it with a model over the same weights.
func writeRun(t *testing.T, text string) (string, *Model, *data.Splits) {
	t.Helper()
	dir := t.TempDir()
	cfg, c, d := load(t, text)
	f, err := os.Create(filepath.Join(dir, ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(cfg.Render(f, configs.RenderOptions{}), f.Close()); err != nil {
		t.Fatal(err)
	}
	splits, err := data.Open(context.Background(), d, data.OpenOptions{Seed: cfg.Seed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { splits.Close() })
	meta := checkpoint.Meta{Name: cfg.Name, Seed: cfg.Seed, Epoch: 3, Step: 9}
	var fields []model.Field
	for _, field := range splits.Fields() {
		fields = append(fields, model.Field(field))
		meta.Fields = append(meta.Fields, checkpoint.Field(field))
	}
	mod, err := model.New(c, fields)
	if err != nil {
		t.Fatal(err)
	}
	b := open(t)
	m := New(mod, b, weights(t, b, mod), Options{Batch: d.Batch, Seed: cfg.Seed})
	var stored []checkpoint.Stored
	for _, s := range splits.Pipeline.State() {
		stored = append(stored, checkpoint.Stored(s))
	}
	if err := checkpoint.Save(filepath.Join(dir, checkpoint.Folder, "last"), m.state, stored, meta); err != nil {
		t.Fatal(err)
	}
	return dir, m, splits
}

func TestOpen(t *testing.T) {
	ctx := context.Background()
	dir, trained, splits := writeRun(t, runText)
	m, err := Open(dir, open(t), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.Meta().Step != 9 || m.Config().Name != "tiny" || filepath.Base(m.Checkpoint()) != "last" || len(m.Fitted()) == 0 || m.DataConfig().Batch != 16 {
		t.Errorf("step %d of %s from %s, %d arrays, batch %d", m.Meta().Step, m.Config().Name, m.Checkpoint(), len(m.Fitted()), m.DataConfig().Batch)
	}
	again, err := m.OpenData(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	want, err := trained.Evaluate(ctx, splits.Train, EvaluateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Evaluate(ctx, again.Train, EvaluateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s is %v, in the training it was %v", name, got[name], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Several goroutines may open the data of one model.
func TestOpenDataAtOnce(t *testing.T) {
	dir, _, _ := writeRun(t, runText)
	m, err := Open(dir, open(t), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			splits, err := m.OpenData(context.Background(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			splits.Close()
		})
	}
	all.Wait()
}

// A run may be moved, and its data be gone: the model works, and only the data is missed.
func TestOpenWithoutData(t *testing.T) {
	text := strings.Replace(runText, `source = "random"
shape = [1, 4, 3]
examples = 40
`, `source = "npy"
file = "FILE"
`, 1)
	file := filepath.Join(t.TempDir(), "x.npy")
	writeNPY(t, file)
	dir, trained, splits := writeRun(t, strings.Replace(text, "FILE", file, 1))
	x, err := Read(context.Background(), splits.Train, "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	moved := file + ".moved.npy"
	if err := os.Rename(file, moved); err != nil {
		t.Fatal(err)
	}
	m, err := Open(dir, open(t), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	z, err := m.Encode(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	want, err := trained.Encode(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "z", z.Float32s(), widen(want.Float32s()), 0)
	if _, err := m.OpenData(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "data.file") {
		t.Errorf("data that is gone: %v", err)
	}
	found, err := Open(dir, m.backend, OpenOptions{Sets: []string{"data.file=" + moved}, Batch: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	again, err := found.OpenData(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	if found.options.Batch != 3 {
		t.Errorf("the batch is %d", found.options.Batch)
	}
}

func writeNPY(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(noise(20, 1, 4, 3).values[0].WriteNpy(f), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestOpenMistakes(t *testing.T) {
	dir, _, _ := writeRun(t, runText)
	text, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	b := open(t)
	last := filepath.Join(dir, checkpoint.Folder, "last")
	write := func(path string, content []byte) {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct {
		name   string
		change func()
		o      OpenOptions
		want   string
		is     error
	}{
		{"no run", func() {}, OpenOptions{}, "is no run", fs.ErrNotExist},
		{"no such checkpoint", func() {}, OpenOptions{Checkpoint: "step-5"}, "there are last", fs.ErrNotExist},
		{"another model", func() {}, OpenOptions{Sets: []string{"model.latent_dim=5"}}, "the model wants 5", nil},
		{"a wrong key", func() {}, OpenOptions{Sets: []string{"model.laten_dim=5"}}, "did you mean latent_dim?", nil},
		{"a config that cannot be", func() {
			write(filepath.Join(dir, ConfigFile), []byte("[model]\nlatent_dim = 0\n[model.bottleneck]\nkind = \"gaussian\""))
		},
			OpenOptions{}, "latent_dim", nil},
		{"no config", func() { write(filepath.Join(dir, ConfigFile), []byte("=")) }, OpenOptions{}, ConfigFile, nil},
		{"damaged weights", func() {
			write(filepath.Join(dir, ConfigFile), text)
			write(filepath.Join(last, checkpoint.ModelFile), []byte("x"))
		}, OpenOptions{}, checkpoint.ModelFile, checkpoint.ErrCorrupt},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.change()
			run := dir
			if c.name == "no run" {
				run = t.TempDir()
			}
			_, err := Open(run, b, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
