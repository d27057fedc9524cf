package trainer_test

import (
	"path/filepath"
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/trainer"
)

// elsewhere is a device with another platform.
type elsewhere struct {
	backend.Backend
	platform map[string]string
}

func (e elsewhere) Capabilities() backend.Capabilities {
	c := e.Backend.Capabilities()
	c.Platform = e.platform
	return c
}

// TestPlatform: a resumed run tells what computes otherwise than before.
func TestPlatform(t *testing.T) {
	was := map[string]string{"device": "A100", "driver": "CUDA 12.4", "cudnn": "9.1.0"}
	for _, c := range []struct {
		name string
		now  map[string]string
		want []string
	}{
		{"the same", was, nil},
		{"other libraries", map[string]string{"device": "A100", "driver": "CUDA 13.0", "nvrtc": "13.0"},
			[]string{"cudnn was 9.1.0 and is now none", "driver was CUDA 12.4 and is now CUDA 13.0", "nvrtc was none and is now 13.0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := prepare(t, dir, 1, "train.max_steps=6")
			s.Backend = elsewhere{s.Backend, was}
			if _, err := s.train(t, func(r *trainer.Run) bool { return r.Step == 3 }); err != nil {
				t.Fatal(err)
			}
			again := prepare(t, dir, 1, "train.max_steps=6")
			again.Backend = elsewhere{again.Backend, c.now}
			again.Resume = filepath.Join(dir, "checkpoints", "last")
			if _, err := again.train(t, nil); err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(again.Said.String()) {
				if what, ok := strings.CutSuffix(strings.TrimSpace(line), ": going on will not give the same bits"); ok {
					got = append(got, what)
				}
			}
			if strings.Join(got, "; ") != strings.Join(c.want, "; ") {
				t.Errorf("the log tells %q, want %q", got, c.want)
			}
		})
	}
}
