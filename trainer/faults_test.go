package trainer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/checkpoint"
	"aetrain/configs"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/model"
	"aetrain/program"
	"aetrain/trainer"
)

// ill has a NaN in one example while it is ill.
type ill struct {
	data.Source
	at int
	is atomic.Bool
}

func (s *ill) Read(dst []*tensor.Dense, indices []int) error {
	if !s.is.Load() {
		return s.Source.Read(dst, indices)
	}
	return (&poisoned{s.Source, s.at}).Read(dst, indices)
}

// TestRollback: training goes back to the last checkpoint at half the rate, and its metrics go on as if nothing had been.
func TestRollback(t *testing.T) {
	dir := t.TempDir()
	s := prepare(t, dir, 2, "train.on_nan=rollback", "train.checkpoint_every=0.4", "data.shuffle=false")
	const bad = 137 // in the batch of step 18
	src := &ill{Source: s.Splits.Train, at: bad}
	src.is.Store(true)
	s.Splits.Train = src
	before := 0
	r, err := s.train(t, func(r *trainer.Run) bool {
		if r.Step < before {
			src.is.Store(false)
		}
		before = r.Step
		return false
	})
	if err != nil || r.Status != trainer.StatusDone || r.Step != 75 {
		t.Fatalf("status %s at step %d: %v", r.Status, r.Step, err)
	}
	if want := "epoch 1, step 18: field x of training example 137 is NaN: going back to step 10 at 0.5 times"; !strings.Contains(s.Said.String(), want) {
		t.Errorf("log %q does not say %q", s.Said.String(), want)
	}
	rows, err := trainer.ReadRows(dir)
	if err != nil {
		t.Fatal(err)
	}
	last, seen := 0, map[int]bool{}
	for _, row := range rows {
		if row.Split != "train" {
			continue
		}
		if row.Step <= last {
			t.Errorf("a row of step %d follows one of step %d", row.Step, last)
		}
		last = row.Step
		seen[last] = true
		for name, x := range row.Metrics {
			if math.IsNaN(float64(x)) {
				t.Errorf("step %d: %s is no number", row.Step, name)
			}
		}
		if rate := float64(row.Metrics["learning_rate"]); row.Step > 10 && rate != 0.005 {
			t.Errorf("step %d: the learning rate is %v, want half of 0.01", row.Step, rate)
		}
	}
	for _, step := range []int{4, 8, 12, 16, 20, 24, 25, 28, 72, 75} {
		if !seen[step] {
			t.Errorf("there is no row of step %d", step)
		}
	}
}

// TestNoCheckpointAfterBadStep: between a step that is not finite and the reading of the terms nothing is saved; the checkpoint's
// counters are those of its State.
func TestNoCheckpointAfterBadStep(t *testing.T) {
	const badStep = 6
	for name, stop := range map[string]func(*trainer.Run) bool{
		"read":        nil,
		"interrupted": func(r *trainer.Run) bool { return r.Step == badStep+3 },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := prepare(t, dir, 1, "train.checkpoint_every=0.04", "train.log_every_steps=25", "train.sample_every=0", "data.shuffle=false")
			s.Splits.Train = &poisoned{s.Splits.Train, 8*badStep - 1}
			_, err := s.train(t, stop)
			if stop == nil && !errors.Is(err, trainer.ErrDiverged) {
				t.Errorf("error %v; want ErrDiverged", err)
			}
			last, err := checkpoint.Find(dir, "last")
			if err != nil {
				t.Fatal(err)
			}
			m, err := checkpoint.ReadMeta(last)
			if err != nil {
				t.Fatal(err)
			}
			if m.Step != badStep-1 {
				t.Errorf("the last checkpoint is of step %d, want %d", m.Step, badStep-1)
			}
		})
	}
}

// twoPhases splits the VAE's loss into two losses of two phases.
var twoPhases = []string{
	"model.losses.a.terms={ reconstruction = 1.0 }", "model.losses.b.terms={ kl = 1.0 }", "model.losses.b.phase=1",
}

// TestPhases: a step of several phases is one step, whether or not batches are cut into parts, and its terms count once.
func TestPhases(t *testing.T) {
	still := []string{"optimizer.learning_rate=0", "train.max_steps=8", "train.sample_every=0"}
	first := func(sets ...string) (trainer.Row, int32) {
		dir := t.TempDir()
		r, err := prepare(t, dir, 1, append(sets, still...)...).train(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		step := backend.NewHost(graph.I32())
		if err := r.State.Read("step", step); err != nil {
			t.Fatal(err)
		}
		rows, err := trainer.ReadRows(dir)
		if err != nil {
			t.Fatal(err)
		}
		return rows[0], step.Int32s()[0]
	}
	want, _ := first()
	for _, accumulate := range []string{"1", "2"} {
		got, steps := first(append(twoPhases, "train.accumulate="+accumulate)...)
		if steps != 8 {
			t.Errorf("accumulate %s: the state counts %d steps, want 8", accumulate, steps)
		}
		if a, b := float64(got.Metrics["kl"]), float64(want.Metrics["kl"]); math.Abs(a-b) > 1e-5*math.Abs(b) {
			t.Errorf("accumulate %s: kl is %v in two phases and %v in one", accumulate, a, b)
		}
	}
}

// TestAccumulateLeavesOthersAlone: a parameter that the loss does not depend on stays as it is, weight decay or not.
func TestAccumulateLeavesOthersAlone(t *testing.T) {
	decoder := func(accumulate string) []float32 {
		r, err := prepare(t, t.TempDir(), 1, "model.losses.a.terms={ kl = 1.0 }", "optimizer.name=adamw", "optimizer.weight_decay=0.1",
			"train.sample_every=0", "train.max_steps=5", "train.accumulate="+accumulate).train(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		const name = "decoder.0.weight"
		spec, _, ok := r.State.Spec(name)
		if !ok {
			t.Fatalf("there is no %s among %v", name, r.State.Names())
		}
		h := backend.NewHost(spec)
		if err := r.State.Read(name, h); err != nil {
			t.Fatal(err)
		}
		return h.Float32s()
	}
	want := decoder("1")
	for i, x := range decoder("2") {
		if x != want[i] {
			t.Fatalf("weight %d of the decoder is %v, want %v as in the beginning", i, x, want[i])
		}
	}
}

// hasty is a backend that ends the training's context in the middle of a step.
type hasty struct {
	backend.Backend
	runs   int // until then
	cancel func()
}

func (b *hasty) Load(st backend.State, o backend.Options, ps ...*program.Program) ([]backend.Executable, error) {
	exes, err := b.Backend.Load(st, o, ps...)
	for i := range exes {
		exes[i] = hastyExecutable{exes[i].(backend.Filler), b}
	}
	return exes, err
}

type hastyExecutable struct {
	backend.Filler
	b *hasty
}

func (e hastyExecutable) Run(ctx context.Context) error {
	if e.b.runs--; e.b.runs == 0 {
		e.b.cancel()
	}
	return e.Filler.Run(ctx)
}

// TestInterruptedWithinStep: a step of several programs is made as a whole, so that going on gives the same bits.
func TestInterruptedWithinStep(t *testing.T) {
	sets := append([]string{"train.accumulate=3", "train.epochs=1", "train.sample_every=0"}, twoPhases...)
	whole := t.TempDir()
	if _, err := prepare(t, whole, 1, sets...).train(t, nil); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{8*5 + 1, 8*5 + 2, 8*5 + 4, 8*5 + 6} { // programs that a step runs: 2·(3 parts and the update)
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(context.Background())
		s := prepare(t, dir, 1, sets...)
		s.Backend = &hasty{s.Backend, at, cancel}
		r, err := trainer.New(s.Options)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Fit(ctx); err != nil || r.Status != trainer.StatusInterrupted || r.Step != 6 {
			t.Fatalf("status %s at step %d: %v", r.Status, r.Step, err)
		}
		r.Close()
		again := prepare(t, dir, 1, sets...)
		again.Resume = filepath.Join(dir, "checkpoints", "last")
		if _, err := again.train(t, nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(weights(t, dir, "last"), weights(t, whole, "last")) {
			t.Errorf("interrupted in program %d: other weights than those of the uninterrupted run", at)
		}
	}
}

// TestStepAllocatesNothing: what a step needs was made before the first one.
func TestStepAllocatesNothing(t *testing.T) {
	for _, accumulate := range []string{"1", "2"} {
		s := prepare(t, "", 1, "train.log_every_steps=1000", "train.accumulate="+accumulate, "train.max_steps=95", "data.workers=1", "data.batch=2")
		var before, after runtime.MemStats
		_, err := s.train(t, func(r *trainer.Run) bool {
			switch r.Step {
			case 20:
				runtime.ReadMemStats(&before)
			case 95:
				runtime.ReadMemStats(&after)
			}
			return false
		})
		if err != nil {
			t.Fatal(err)
		}
		// The loader's goroutine and the runtime may take a few; one a step would be 75.
		if n := after.Mallocs - before.Mallocs; n > 50 {
			t.Errorf("accumulate %s: %d allocations in 75 steps", accumulate, n)
		}
	}
}

// TestOptimizerOfLoss: a loss takes what its optimizer lacks from [optimizer], and mistakes are found where it is read.
func TestOptimizerOfLoss(t *testing.T) {
	for name, c := range map[string]struct {
		sets  []string
		moves bool
	}{
		"none of its own":     {[]string{"optimizer.learning_rate=0"}, false},
		"lacks the rate":      {[]string{"optimizer.learning_rate=0", "model.losses.a.optimizer={ betas = [0.5, 0.9] }"}, false},
		"a rate of its own":   {[]string{"optimizer.learning_rate=0", "model.losses.a.optimizer={ learning_rate = 0.1 }"}, true},
		"no rate, that stays": {[]string{"model.losses.a.optimizer={ learning_rate = 0.0 }"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			sum := func(steps string) (x float32) {
				sets := append([]string{"model.losses.a.terms={ reconstruction = 1.0 }", "train.sample_every=0", "train.max_steps=" + steps}, c.sets...)
				r, err := prepare(t, t.TempDir(), 1, sets...).train(t, nil)
				if err != nil {
					t.Fatal(err)
				}
				spec, _, _ := r.State.Spec("decoder.0.weight")
				h := backend.NewHost(spec)
				if err := r.State.Read("decoder.0.weight", h); err != nil {
					t.Fatal(err)
				}
				for _, w := range h.Float32s() {
					x += w
				}
				return x
			}
			if moved := sum("1") != sum("3"); moved != c.moves {
				t.Errorf("the decoder's weights move: %v, want %v", moved, c.moves)
			}
		})
	}
	cfg, err := configs.Load(configs.LoadOptions{File: "tiny.toml", Bytes: []byte(base), Presets: model.Presets(),
		Sets: []string{"model.losses.a.terms={ reconstruction = 1.0 }", "model.losses.a.optimizer={ learning_rat = 1.0 }"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trainer.Read(cfg); err == nil || !strings.Contains(err.Error(), "learning_rat: unknown key") {
		t.Errorf("error %v; want one about learning_rat", err)
	}
}

// TestEarlyStopEndsTheStep: the last step before an early stop has its pictures, and a resumed run repeats none of it.
func TestEarlyStopEndsTheStep(t *testing.T) {
	dir := t.TempDir()
	sets := []string{"train.epochs=50", "train.early_stopping=1", "optimizer.learning_rate=0"}
	r, err := prepare(t, dir, 1, sets...).train(t, nil)
	if err != nil || r.Status != trainer.StatusStopped {
		t.Fatalf("status %s: %v", r.Status, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "samples", fmt.Sprintf("reconstructions-epoch-%04d.png", r.Epoch))); err != nil {
		t.Error(err)
	}
	again := prepare(t, dir, 1, "train.epochs="+fmt.Sprint(r.Epoch+1), "optimizer.learning_rate=0")
	again.Resume = filepath.Join(dir, "checkpoints", "last")
	if _, err := again.train(t, nil); err != nil {
		t.Fatal(err)
	}
	rows, err := trainer.ReadRows(dir)
	if err != nil {
		t.Fatal(err)
	}
	validations := map[int]int{}
	for _, row := range rows {
		if row.Split == "validation" {
			if validations[row.Step]++; validations[row.Step] > 1 {
				t.Errorf("step %d was validated twice", row.Step)
			}
		}
	}
	if len(validations) != r.Epoch+1 {
		t.Errorf("%d validations in %d epochs", len(validations), r.Epoch+1)
	}
}
