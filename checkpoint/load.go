package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/internal/safetensors"
)

// Load reads all of a checkpoint into st, whose states must be declared: the programs that use them are loaded. A state that the
// checkpoint lacks, one that only the checkpoint has, and one of another shape or type are errors that name it. Digests are
// checked first. On any error st is as it was.
func Load(dir string, st backend.State) (Meta, []Stored, error) {
	return load(dir, st, ModelFile, OptimizerFile)
}

// LoadWeights is Load for the model alone: what optimisers keep and counters stay as they are in st.
func LoadWeights(dir string, st backend.State) (Meta, []Stored, error) {
	return load(dir, st, ModelFile)
}

// LoadSome is LoadWeights for some of the states: those whose names wanted accepts.
func LoadSome(dir string, st backend.State, wanted func(name string) bool) error {
	var states []placed
	err := whole(dir, func(dir string, m Meta) (err error) {
		states, _, err = readFile(filepath.Join(dir, ModelFile), m, st)
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range states {
		if wanted(p.name) {
			if err := st.Write(p.name, p.kind, p.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// Weights opens the weights of a checkpoint, for who wants some of its arrays for another model; digest is their SHA-256, which has
// been checked. The caller closes the file.
func Weights(dir string) (f *safetensors.File, digest string, err error) {
	err = whole(dir, func(dir string, m Meta) error {
		path := filepath.Join(dir, ModelFile)
		opened, err := safetensors.Open(path)
		if err != nil {
			return damaged(err)
		}
		if err := checkDigest(opened, path, m); err != nil {
			return errors.Join(err, opened.Close())
		}
		f, digest = opened, m.Digests[ModelFile]
		return nil
	})
	return f, digest, err
}

func load(dir string, st backend.State, files ...string) (Meta, []Stored, error) {
	var meta Meta
	var stored []Stored
	var all []placed
	err := whole(dir, func(dir string, m Meta) error {
		meta, stored, all = m, nil, nil
		for _, name := range files {
			states, others, err := readFile(filepath.Join(dir, name), m, st)
			if err != nil {
				return err
			}
			all, stored = append(all, states...), append(stored, others...)
		}
		return nil
	})
	if err != nil {
		return Meta{}, nil, err
	}
	for _, p := range all {
		if err := st.Write(p.name, p.kind, p.value); err != nil {
			return Meta{}, nil, err
		}
	}
	return meta, stored, nil
}

// mostReplaced is how often a checkpoint is read again because another one has taken its place.
const mostReplaced = 5

// whole has read read the checkpoint dir, whose state.json is m, and read it again where a training has replaced it meanwhile: what
// was read of two checkpoints does not belong together.
func whole(dir string, read func(dir string, m Meta) error) error {
	for times := 0; ; times++ {
		at, err := resolve(dir)
		if err != nil {
			return err
		}
		m, err := readMeta(at)
		if err == nil {
			err = read(at, m)
		}
		if err == nil || times == mostReplaced || !replaced(dir, m) {
			return err
		}
	}
}

// replaced reports whether dir is another checkpoint than that of m.
func replaced(dir string, m Meta) bool {
	at, err := resolve(dir)
	if err != nil {
		return false
	}
	now, err := readMeta(at)
	return err == nil && !maps.Equal(now.Digests, m.Digests)
}

// placed is a value and the state that it goes to.
type placed struct {
	name  string
	kind  graph.Kind
	value *tensor.Dense
}

// readFile reads one of the two files of arrays: those that belong to states of st, and the stored ones.
func readFile(path string, m Meta, st backend.State) (states []placed, stored []Stored, err error) {
	f, err := safetensors.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s: %w: the file is missing", path, ErrCorrupt)
	}
	if err != nil {
		return nil, nil, damaged(err)
	}
	defer f.Close()
	if err := checkDigest(f, path, m); err != nil {
		return nil, nil, err
	}
	name := filepath.Base(path)
	if err := compare(f, m, st, name == OptimizerFile); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, info := range f.Tensors() {
		x, err := f.Read(info.Name)
		if err != nil {
			return nil, nil, damaged(err)
		}
		t, err := fromFile(x)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w: %w", path, ErrCorrupt, err)
		}
		if name == ModelFile && slices.Contains(m.Stored, info.Name) {
			stored = append(stored, Stored{info.Name, t})
			continue
		}
		_, kind, _ := st.Spec(info.Name)
		states = append(states, placed{info.Name, kind, t})
	}
	return states, stored, nil
}

// checkDigest holds a file against state.json.
func checkDigest(f *safetensors.File, path string, m Meta) error {
	want, ok := m.Digests[filepath.Base(path)]
	if !ok {
		return fmt.Errorf("%s: %w: %s has no digest of it", path, ErrCorrupt, StateFile)
	}
	got, err := f.Digest()
	if err != nil {
		return damaged(err)
	}
	if got != strings.ToLower(want) {
		return fmt.Errorf("%s: %w: its SHA-256 is %s, %s says %s: it was changed or damaged", path, ErrCorrupt, got, StateFile, want)
	}
	return nil
}

// Declare adds to st the Param and Buffer states of graphs that it lacks, with zeros: for weights that are loaded before any
// program is. States of optimisers and counters are left out.
func Declare(st backend.State, gs ...*graph.Graph) error {
	for _, g := range gs {
		for _, s := range g.States() {
			if _, _, ok := st.Spec(s.Name); ok || s.Kind == graph.Scratch || isOptimizer(s.Name) {
				continue
			}
			if err := st.Write(s.Name, s.Kind, zeros(s.Spec)); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostDifferences is how many differences an error lists.
const mostDifferences = 4

// compare holds the names, shapes and types of a file against the declared states.
func compare(f *safetensors.File, m Meta, st backend.State, optimizer bool) error {
	var wrong []string
	inFile := map[string]bool{}
	for _, info := range f.Tensors() {
		inFile[info.Name] = true
		spec, err := specOf(info)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		if !optimizer && slices.Contains(m.Stored, info.Name) {
			continue
		}
		want, kind, ok := st.Spec(info.Name)
		switch {
		case !ok || kind == graph.Scratch || isOptimizer(info.Name) != optimizer:
			wrong = append(wrong, fmt.Sprintf("it has %s (%v), the model has none of that name", info.Name, spec))
		case !want.Equal(spec):
			wrong = append(wrong, fmt.Sprintf("%s is %v, the model wants %v", info.Name, spec, want))
		}
	}
	for _, name := range st.Names() {
		if spec, kind, ok := st.Spec(name); ok && kind != graph.Scratch && isOptimizer(name) == optimizer && !inFile[name] {
			wrong = append(wrong, fmt.Sprintf("it has no %s, the model wants one (%v)", name, spec))
		}
	}
	for _, name := range m.Stored {
		if !optimizer && !inFile[name] {
			return fmt.Errorf("%w: %s speaks of %s, which is not in it", ErrCorrupt, StateFile, name)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	if more := len(wrong) - mostDifferences; more > 0 {
		wrong = append(wrong[:mostDifferences], fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("it does not fit the model: %s", strings.Join(wrong, "; "))
}
