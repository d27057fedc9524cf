package trainer_test

import (
	"bytes"
	"errors"
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
		again.o.Resume = filepath.Join(dir, "checkpoints", "last")
		if _, err := again.train(t, nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(weights(t, dir, "last"), want) {
			t.Errorf("%v: other weights than those of the fed run", sets)
		}
		if log := again.log.String(); !strings.Contains(log, "data set on the device") {
			t.Errorf("the log does not tell: %s", log)
		}
	}
}

// TestResidentNaN: the diagnosis of a bad step reads the batch from the source.
func TestResidentNaN(t *testing.T) {
	s := prepare(t, t.TempDir(), 2, "data.resident=true")
	s.o.Splits.Train = &poisoned{s.o.Splits.Train, 57}
	_, err := s.train(t, nil)
	if want := "field x of training example 57 is NaN"; !errors.Is(err, trainer.ErrDiverged) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v; want ErrDiverged that says %q", err, want)
	}
}
