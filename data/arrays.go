package data

import (
	"errors"
	"fmt"
	"slices"

	"aetrain/graph"
	"aetrain/internal/registry"
)

// arrayKeys are the keys of sources whose files hold several arrays by name.
type arrayKeys struct {
	File Paths  `toml:"file" required:"true" doc:"file with arrays, or files one after the other: a path, a glob or a list of them. First axis: the example" example:"\"cardio.mat\""`
	X    string `toml:"x" doc:"name of the array of examples; left out: X, or the only one there is" example:"\"activations\""`
}

func (k *arrayKeys) labelColumn() {}

func (k *arrayKeys) check(missing func(key, abs, what string)) {
	for _, path := range k.File {
		if !exists(path) {
			missing("file", path, "file")
		}
	}
}

// arrayFile is an open file of arrays by name.
type arrayFile interface {
	names() []string
	array(name string) (*npyFile, error)
	close() error
}

// openArrays reads x, and labels from the array that label names (left out: from y, if there is one).
func (k *arrayKeys) openArrays(label string, open func(name string) (arrayFile, error)) (*Parts, error) {
	names, err := k.File.Files()
	if err != nil {
		return nil, err
	}
	s := &npySource{first: []int{0}}
	for _, name := range names {
		f, err := open(name)
		if err == nil {
			err = k.add(s, f, name, label)
			err = errors.Join(err, f.close())
		}
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	s.fields = []Field{{Name: "x", Spec: graph.F32(s.files[0].shape...)}}
	if s.labels != nil {
		if len(s.labels) != s.Len() {
			return nil, errors.Join(mistake("data.label", "there are %d labels for %d examples", len(s.labels), s.Len()), s.Close())
		}
		s.fields = append(s.fields, Field{Name: "label", Spec: graph.I32(), Classes: classes(s.labels)})
	}
	return &Parts{Train: s}, nil
}

// add takes in one file.
func (k *arrayKeys) add(s *npySource, f arrayFile, name, label string) error {
	all := f.names()
	x := k.X
	if x == "" {
		if x = "X"; !slices.Contains(all, x) && len(all) == 1 {
			x = all[0]
		}
	}
	if !slices.Contains(all, x) {
		return mistake("data.x", "%s has no array %s%s", name, x, registry.Suggest(x, all))
	}
	a, err := f.array(x)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", name, x, err)
	}
	if err := s.addFile(a); err != nil { // closing s closes it
		return err
	}
	y := label
	if y == "" {
		y = "y"
	}
	if !slices.Contains(all, y) {
		if label != "" {
			return mistake("data.label", "%s has no array %s%s", name, label, registry.Suggest(label, all))
		}
		return nil
	}
	labels, err := f.array(y)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", name, y, err)
	}
	defer labels.close()
	more, err := labels.labels()
	if err != nil {
		return err
	}
	s.labels = append(s.labels, more...)
	return nil
}
