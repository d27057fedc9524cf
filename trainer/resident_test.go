package trainer_test

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"aetrain/trainer"
)

// TestResident: a data set that lies on the device gives the bits of one that is fed, in one part and in several, and after a
// resume.
func TestResident(t *testing.T) {
	for _, sets := range [][]string{
		{"train.accumulate=1"}, {"train.accumulate=3"},
		{`data.transforms=[{ kind = "standardize" }]`, "model.reconstruction.kind=mse", "optimizer.learning_rate=1e-3"},
		{"data.shape=[1, 7, 6]", `data.transforms=[{ kind = "random-crop", size = 5 }, { kind = "flip" }, { kind = "binarize", dynamic = true }]`, "train.accumulate=2"},
	} {
		fed := t.TempDir()
		if _, err := prepare(t, fed, 2, append(sets, "data.resident=false")...).train(t, nil); err != nil {
			t.Fatal(err)
		}
		want := weights(t, fed, "last")
		dir := t.TempDir()
		r, err := prepare(t, dir, 2, append(sets, "data.resident=true")...).train(t, func(r *trainer.Run) bool { return r.Step == 31 })
		if err != nil || r.Status != trainer.StatusInterrupted {
			t.Fatalf("status %s: %v", r.Status, err)
		}
		again := prepare(t, dir, 1, append(sets, "data.resident=true")...)
		again.Resume = filepath.Join(dir, "checkpoints", "last")
		if _, err := again.train(t, nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(weights(t, dir, "last"), want) {
			t.Errorf("%v: other weights than those of the fed run", sets)
		}
		if log := again.Said.String(); !strings.Contains(log, "data set on the device") {
			t.Errorf("the log does not tell: %s", log)
		}
	}
}

// TestResidentRounding: where the device's arithmetic rounds otherwise than the loader's, losses agree all the same, before a
// resume and after it.
func TestResidentRounding(t *testing.T) {
	sets := []string{"data.shape=[3, 8, 7]", "model.reconstruction.kind=mse", "optimizer.learning_rate=1e-3", "train.epochs=2",
		`data.transforms=[{ kind = "rotate" }, { kind = "random-crop", size = 6, scale = [0.5, 1.0] }, { kind = "color-jitter" }, { kind = "gray" }, { kind = "noise" }, { kind = "standardize" }]`}
	losses := func(dir string) (all []float64) {
		rows, err := trainer.ReadRows(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			all = append(all, float64(row.Metrics["loss"]))
		}
		return all
	}
	fed, dir := t.TempDir(), t.TempDir()
	if _, err := prepare(t, fed, 2, append(sets, "data.resident=false")...).train(t, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := prepare(t, dir, 2, append(sets, "data.resident=true")...).train(t, func(r *trainer.Run) bool { return r.Step == 31 }); err != nil {
		t.Fatal(err)
	}
	again := prepare(t, dir, 2, append(sets, "data.resident=true")...)
	again.Resume = filepath.Join(dir, "checkpoints", "last")
	if _, err := again.train(t, nil); err != nil {
		t.Fatal(err)
	}
	got, want := losses(dir), losses(fed)
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i, w := range want {
		if math.Abs(got[i]-w) > 1e-4*math.Abs(w) {
			t.Errorf("row %d: loss %v, of the fed run %v", i, got[i], w)
		}
	}
}

// TestFed: the run tells why its batches are fed.
func TestFed(t *testing.T) {
	for _, c := range []struct{ set, fed, err string }{
		{"data.resident=auto", "the device has no memory of its own", ""},
		{"data.resident=true", "", "data.resident: resize runs in the loader only: leave resident out"},
	} {
		s := prepare(t, t.TempDir(), 1, "data.shape=[1, 4, 4]", `data.transforms=[{ kind = "flip" }, { kind = "resize", size = 3 }]`, c.set)
		r, err := trainer.New(s.Options)
		if err == nil {
			defer r.Close()
		}
		if c.err == "" && (err != nil || r.Fed != c.fed) {
			t.Errorf("%s: %v; want a run that is fed because %s", c.set, err, c.fed)
		}
		if c.err != "" && (err == nil || err.Error() != c.err) {
			t.Errorf("%s: error %v, want %s", c.set, err, c.err)
		}
	}
}

// TestResidentNaN: the diagnosis of a bad step reads the batch from the source.
func TestResidentNaN(t *testing.T) {
	s := prepare(t, t.TempDir(), 2, "data.resident=true")
	s.Splits.Train = &poisoned{s.Splits.Train, 57}
	_, err := s.train(t, nil)
	if want := "field x of training example 57 is NaN"; !errors.Is(err, trainer.ErrDiverged) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v; want ErrDiverged that says %q", err, want)
	}
}
