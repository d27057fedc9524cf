package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// run makes a run's folder with these checkpoints.
func run(t *testing.T, checkpoints ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range checkpoints {
		save(t, filepath.Join(dir, Folder, name), i+1)
	}
	return dir
}

func TestFind(t *testing.T) {
	cases := []struct {
		name, which string
		have        []string
		want        string // the folder found, or a part of the error
	}{
		{"best by default", "", []string{"last", "best", "step-20"}, "best"},
		{"the last without a best", "", []string{"last", "step-20"}, "last"},
		{"the newest step without either", "", []string{"step-100", "step-20"}, "step-100"},
		{"by name", "last", []string{"last", "best"}, "last"},
		{"a step", "step-20", []string{"last", "step-20"}, "step-20"},
		{"between two renames", "best", []string{"best.old", "last"}, "best.old"},
		{"a name that is none", "newest", []string{"last"}, `"newest" is no checkpoint: want best, last or step-N`},
		{"outside of the run", "../last", []string{"last"}, "want best, last or step-N"},
		{"not there", "step-30", []string{"step-100", "best", "step-20"}, "no checkpoint step-30; there are best, step-20, step-100"},
		{"none at all", "", nil, "no checkpoint yet"},
		{"none by name", "best", nil, "no checkpoint yet"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := run(t, c.have...)
			got, err := Find(dir, c.which)
			if err != nil {
				got = err.Error()
			} else if got, err = filepath.Rel(filepath.Join(dir, Folder), got); err != nil {
				t.Fatal(err)
			}
			if got != c.want && !(strings.Contains(c.want, " ") && strings.Contains(got, c.want)) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	if _, err := Find(filepath.Join(t.TempDir(), "nowhere"), ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a run that is not there: %v", err)
	}
}

func TestList(t *testing.T) {
	dir := run(t, "step-100", "last", "step-20", "best")
	write(t, []byte("{"), dir, Folder, "step-20", StateFile)
	must(t, os.Mkdir(filepath.Join(dir, Folder, "step-30"), 0o755))
	must(t, os.Mkdir(filepath.Join(dir, Folder, "best.tmp-123"), 0o755))
	entries, err := List(dir)
	must(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name)
		if broken := e.Name == "step-20"; (e.Err != nil) != broken {
			t.Errorf("%s: %v", e.Name, e.Err)
		}
	}
	if want := []string{"best", "last", "step-20", "step-100"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if entries[0].Meta.Step != 4 {
		t.Errorf("best is of step %d, want 4", entries[0].Meta.Step)
	}
}

func TestKeep(t *testing.T) {
	have := []string{"best", "last", "step-100", "step-20", "step-3", "step-x"}
	cases := map[int][]string{
		0: have, -1: have, 9: have,
		1: {"best", "last", "step-100", "step-x"},
		2: {"best", "last", "step-100", "step-20", "step-x"},
	}
	for n, want := range cases {
		dir := filepath.Join(run(t, have...), Folder)
		must(t, Keep(dir, n))
		if got := names(t, dir); !slices.Equal(got, want) {
			t.Errorf("keep %d left %v, want %v", n, got, want)
		}
	}
	if err := Keep(filepath.Join(t.TempDir(), "nowhere"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// What a crash leaves while a checkpoint is being removed is no checkpoint, and may be replaced by one.
func TestHalfRemoved(t *testing.T) {
	dir := run(t, "step-5", "last")
	step := filepath.Join(dir, Folder, "step-5")
	must(t, os.Remove(filepath.Join(step, StateFile)))
	if _, err := Find(dir, "step-5"); err == nil {
		t.Error("it was found")
	}
	save(t, step, 7)
	holds(t, step, 7)
}
