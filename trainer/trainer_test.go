package trainer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/checkpoint"
	"aetrain/cpu"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/trainer"
	"aetrain/trainer/trainertest"
)

// base is a small VAE on noise: 25 batches an epoch, the last one short.
const base = `
name = "tiny"
seed = 3
[data]
source = "random"
shape = [12]
examples = 220
batch = 8
validation = 20
[model]
preset = "vae"
latent_dim = 3
encoder = [{ layer = "dense", units = 10, activation = "tanh" }]
[optimizer]
learning_rate = 1e-2
[train]
epochs = 3
log_every_steps = 4
`

// setup is a training that is ready to go.
type setup struct{ *trainertest.Training }

// prepare reads base with sets over it and opens everything.
func prepare(t *testing.T, dir string, threads int, sets ...string) *setup {
	t.Helper()
	return prepareText(t, dir, threads, base, sets...)
}

// prepareText is prepare with another text than base.
func prepareText(t *testing.T, dir string, threads int, text string, sets ...string) *setup {
	t.Helper()
	s := &setup{trainertest.Must(t, text, sets...)}
	b, err := cpu.Open(cpu.Threads(threads))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	s.Dir, s.Backend = dir, b
	return s
}

// train runs a setup to its end, or until stop says so after a step.
func (s *setup) train(t *testing.T, stop func(*trainer.Run) bool) (*trainer.Run, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.Progress = &stopper{stop: stop, cancel: cancel}
	r, err := trainer.New(s.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, r.Fit(ctx)
}

type stopper struct {
	stop   func(*trainer.Run) bool
	cancel func()
}

func (s *stopper) Step(r *trainer.Run) {
	if s.stop != nil && s.stop(r) {
		s.cancel()
	}
}
func (*stopper) Epoch(*trainer.Run) {}
func (*stopper) Close()             {}

func weights(t *testing.T, run, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(run, "checkpoints", name, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTraining(t *testing.T) {
	dir := t.TempDir()
	s := prepare(t, dir, 2)
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != trainer.StatusDone || r.Step != 75 || r.Epoch != 3 {
		t.Errorf("status %q, step %d, epoch %d; want done, 75, 3", r.Status, r.Step, r.Epoch)
	}
	rows, err := trainer.ReadRows(dir)
	if err != nil {
		t.Fatal(err)
	}
	var train, validation []trainer.Row
	for _, row := range rows {
		if row.Split == "train" {
			train = append(train, row)
		} else {
			validation = append(validation, row)
		}
	}
	if len(validation) != 3 || len(train) != 75/4+3 {
		t.Errorf("%d validation rows and %d training rows; want 3 and %d", len(validation), len(train), 75/4+3)
	}
	first, last := train[0].Metrics, train[len(train)-1].Metrics
	for _, name := range []string{"loss", "reconstruction", "kl", "gradient_norm", "learning_rate", "examples_per_second"} {
		if _, ok := first[name]; !ok {
			t.Errorf("training rows lack %s: %v", name, first)
		}
	}
	if !(last["loss"] < first["loss"]) {
		t.Errorf("loss went from %v to %v", first["loss"], last["loss"])
	}
	if _, ok := validation[0].Metrics["mse"]; !ok {
		t.Errorf("validation rows lack mse: %v", validation[0].Metrics)
	}
	for _, file := range []string{"checkpoints/best/state.json", "checkpoints/last/optimizer.safetensors", "samples/samples-epoch-0003.png", "samples/reconstructions-epoch-0001.png"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
}

// TestSameBits: the number of threads changes nothing, nor does an interruption anywhere.
func TestSameBits(t *testing.T) {
	whole := t.TempDir()
	if _, err := prepare(t, whole, 1).train(t, nil); err != nil {
		t.Fatal(err)
	}
	wantLast, wantBest := weights(t, whole, "last"), weights(t, whole, "best")
	threads := t.TempDir()
	if _, err := prepare(t, threads, 2).train(t, nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(weights(t, threads, "last"), wantLast) {
		t.Error("two threads give other weights than one")
	}
	wholeRows, _ := trainer.ReadRows(whole)
	for _, at := range []int{1, 24, 25, 31, 74} {
		t.Run(fmt.Sprint("interrupted at ", at), func(t *testing.T) {
			dir := t.TempDir()
			r, err := prepare(t, dir, 2).train(t, func(r *trainer.Run) bool { return r.Step == at })
			if err != nil || r.Status != trainer.StatusInterrupted || r.Step != at {
				t.Fatalf("status %s at step %d: %v", r.Status, r.Step, err)
			}
			again := prepare(t, dir, 1)
			again.Resume = filepath.Join(dir, "checkpoints", "last")
			if _, err := again.train(t, nil); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(weights(t, dir, "last"), wantLast) {
				t.Error("last weights differ from those of the uninterrupted run")
			}
			if !bytes.Equal(weights(t, dir, "best"), wantBest) {
				t.Error("best weights differ from those of the uninterrupted run")
			}
			rows, _ := trainer.ReadRows(dir)
			if len(rows) != len(wholeRows) {
				t.Fatalf("%d rows, want %d", len(rows), len(wholeRows))
			}
			for i, row := range rows {
				if w := wholeRows[i]; row.Step != w.Step || row.Split != w.Split || math.Abs(float64(row.Metrics["loss"]-w.Metrics["loss"])) > 1e-5*math.Abs(float64(w.Metrics["loss"])) {
					t.Errorf("row %d is %+v, want %+v", i, row, w)
				}
			}
		})
	}
}

// TestAccumulate: parts of a batch give the gradient of the whole batch.
func TestAccumulate(t *testing.T) {
	var losses []float64
	for _, parts := range []string{"1", "3"} {
		dir := t.TempDir()
		if _, err := prepare(t, dir, 2, "train.accumulate="+parts, "train.clip_norm=1", "optimizer.name=momentum", "optimizer.learning_rate=0.01").train(t, nil); err != nil {
			t.Fatal(err)
		}
		rows, _ := trainer.ReadRows(dir)
		losses = append(losses, float64(rows[len(rows)-1].Metrics["loss"]))
	}
	if math.Abs(losses[0]-losses[1]) > 1e-4*math.Abs(losses[0]) {
		t.Errorf("loss in one part %v, in three %v", losses[0], losses[1])
	}
}

// TestNaN: a bad number in the data ends training, names its place and leaves the last checkpoint as it was.
func TestNaN(t *testing.T) {
	dir := t.TempDir()
	s := prepare(t, dir, 2, "train.checkpoint_every=0.2")
	s.Splits.Train = &poisoned{s.Splits.Train, 57}
	r, err := s.train(t, nil)
	if !errors.Is(err, trainer.ErrDiverged) || r.Status != trainer.StatusFailed {
		t.Fatalf("status %s, error %v; want ErrDiverged", r.Status, err)
	}
	if want := "field x of training example 57 is NaN"; !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
	st := s.Backend.NewState()
	g, _ := s.Model.Train(2)
	if err := checkpoint.Declare(st, g.Graph); err != nil {
		t.Fatal(err)
	}
	if dir, err := checkpoint.Find(dir, "last"); err == nil {
		if _, _, err := checkpoint.LoadWeights(dir, st); err != nil {
			t.Fatal(err)
		}
		for _, name := range st.Names() {
			spec, _, _ := st.Spec(name)
			h := backend.NewHost(spec)
			if err := st.Read(name, h); err != nil {
				t.Fatal(err)
			}
			if x, ok := h.Data().([]float32); ok {
				for _, v := range x {
					if v != v {
						t.Fatalf("%s of the last checkpoint holds NaN", name)
					}
				}
			}
		}
	}
}

// TestDiverging: a learning rate out of reason is named by layer, and rollback halves it.
func TestDiverging(t *testing.T) {
	dir := t.TempDir()
	s := prepare(t, dir, 2, "optimizer.name=sgd", "optimizer.learning_rate=1e30")
	_, err := s.train(t, nil)
	if !errors.Is(err, trainer.ErrDiverged) || !strings.Contains(err.Error(), "epoch 1, step 2: bottleneck (GaussianSample)") {
		t.Errorf("error %v; want ErrDiverged with the layer's path", err)
	}
}

// poisoned has a NaN in one example.
type poisoned struct {
	data.Source
	at int
}

func (p *poisoned) Read(dst []*tensor.Dense, indices []int) error {
	if err := p.Source.Read(dst, indices); err != nil {
		return err
	}
	x := dst[0].Data().([]float32)
	for i, at := range indices {
		if at == p.at {
			x[i*len(x)/len(indices)] = float32(math.NaN())
		}
	}
	return nil
}

func TestEarlyStoppingAndKeep(t *testing.T) {
	dir := t.TempDir()
	s := prepare(t, dir, 2, "train.epochs=50", "train.early_stopping=2", "optimizer.learning_rate=0", "train.keep=2", "train.sample_every=0")
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != trainer.StatusStopped || r.Epoch > 10 {
		t.Errorf("status %s after %d epochs; want early-stopped soon", r.Status, r.Epoch)
	}
	list, err := checkpoint.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	for _, e := range list {
		if strings.HasPrefix(e.Name, "step-") {
			steps++
		}
	}
	if steps != 2 {
		t.Errorf("%d checkpoints step-N are kept, want 2", steps)
	}
}

func TestMonitor(t *testing.T) {
	_, err := prepare(t, t.TempDir(), 1, "train.monitor=nothing").train(t, nil)
	if err == nil || !strings.Contains(err.Error(), "train.monitor: there is no nothing; measured are") {
		t.Errorf("error %v", err)
	}
}

func TestEvery(t *testing.T) {
	for _, c := range []struct {
		every trainer.Every
		spe   int
		want  []int // of the first 20 steps
	}{
		{1, 5, []int{5, 10, 15, 20}},
		{0.5, 5, []int{3, 5, 8, 10, 13, 15, 18, 20}},
		{0.1, 10, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}},
		{0.01, 10, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}},
		{2, 7, []int{14}},
		{0, 5, nil},
	} {
		var got []int
		for step := 1; step <= 20; step++ {
			if c.every.Due(step, c.spe) {
				got = append(got, step)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("every %v epochs of %d steps: got %v, want %v", c.every, c.spe, got, c.want)
		}
	}
}

var _ graph.Shape
