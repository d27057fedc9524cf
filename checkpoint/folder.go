package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// The names of checkpoints beside step-N.
const (
	Best = "best"
	Last = "last"
)

const stepPrefix = "step-"

// StepName is the folder of the checkpoint kept after a step: "step-1200".
func StepName(step int) string { return stepPrefix + strconv.Itoa(step) }

// stepOf is N of "step-N".
func stepOf(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, stepPrefix)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n >= 0 && name == StepName(n)
}

// complete reports whether dir holds a checkpoint: state.json is the last file written and the first removed.
func complete(dir string) bool {
	st, err := os.Stat(filepath.Join(dir, StateFile))
	return err == nil && st.Mode().IsRegular()
}

// resolve returns the folder that holds the checkpoint dir: dir, or dir.old where a crash came between two renames. Where both were
// missed because a training was between them, dir is there by now.
func resolve(dir string) (string, error) {
	dir = filepath.Clean(dir)
	for _, d := range []string{dir, dir + oldSuffix, dir} {
		if complete(d) {
			return d, nil
		}
	}
	return "", fmt.Errorf("%s: there is no checkpoint (no %s): %w", dir, StateFile, fs.ErrNotExist)
}

// Find returns the folder of a run's checkpoint: "best", "last" or "step-N"; "" is the best, else the last, else the newest step.
// The error says which ones there are.
func Find(run, which string) (string, error) {
	names, err := list(run)
	if err != nil {
		return "", err
	}
	wanted := []string{which}
	if which == "" {
		wanted = []string{Best, Last}
		if len(names) > 0 {
			wanted = append(wanted, names[len(names)-1])
		}
	} else if _, step := stepOf(which); !step && which != Best && which != Last {
		return "", fmt.Errorf("%q is no checkpoint: want best, last or step-N", which)
	}
	for _, w := range wanted {
		if dir, err := resolve(filepath.Join(run, Folder, w)); err == nil {
			return dir, nil
		}
	}
	switch {
	case len(names) == 0:
		return "", fmt.Errorf("%s: there is no checkpoint yet: %w", run, fs.ErrNotExist)
	default:
		return "", fmt.Errorf("%s: there is no checkpoint %s; there are %s: %w", run, which, strings.Join(names, ", "), fs.ErrNotExist)
	}
}

// list returns the names of a run's complete checkpoints: best, last, then steps in their order.
func list(run string) ([]string, error) {
	if _, err := os.Stat(run); err != nil {
		return nil, err
	}
	folder := filepath.Join(run, Folder)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), oldSuffix)
		if _, err := resolve(filepath.Join(folder, name)); err == nil {
			found[name] = true
		}
	}
	var names []string
	for _, name := range []string{Best, Last} {
		if found[name] {
			names = append(names, name)
		}
	}
	for _, n := range steps(found) {
		names = append(names, StepName(n))
	}
	return names, nil
}

// steps are the N of all step-N, ascending.
func steps(names map[string]bool) []int {
	var ns []int
	for name := range names {
		if n, ok := stepOf(name); ok {
			ns = append(ns, n)
		}
	}
	sort.Ints(ns)
	return ns
}

// Entry is one checkpoint of a run.
type Entry struct {
	Name string // best, last, step-N
	Dir  string
	Meta Meta
	Err  error // why its state.json cannot be read
}

// List returns the checkpoints of a run: best, last, then steps in their order.
func List(run string) ([]Entry, error) {
	names, err := list(run)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, name := range names {
		e := Entry{Name: name}
		if e.Dir, e.Err = resolve(filepath.Join(run, Folder, name)); e.Err == nil {
			e.Meta, e.Err = readMeta(e.Dir)
		}
		all = append(all, e)
	}
	return all, nil
}

// Keep removes all but the newest n of the checkpoints step-N in a folder of checkpoints; others stay, and with n of 0 or less all.
func Keep(folder string, n int) error {
	if n <= 0 {
		return nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, e := range entries {
		names[strings.TrimSuffix(e.Name(), oldSuffix)] = true
	}
	all := steps(names)
	for _, step := range all[:max(0, len(all)-n)] {
		dir := filepath.Join(folder, StepName(step))
		for _, d := range []string{dir + oldSuffix, dir} {
			if err := remove(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove removes a checkpoint, state.json first: what a crash leaves is none.
func remove(dir string) error {
	if err := os.Remove(filepath.Join(dir, StateFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(dir)
}
