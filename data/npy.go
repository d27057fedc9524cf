package data

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sort"

	"aetrain/configs"
	"aetrain/graph"

	"gorgonia.org/tensor"
)

func init() { sources.Add("npy", func() SourceOptions { return &NPY{} }) }

// NPY is NumPy arrays, of any number type, in C or Fortran order; the first axis is the example, the others are its shape.
// Files are read in place, so they may be larger than memory, and in the order of their names.
type NPY struct {
	File Paths `toml:"file" required:"true" doc:"array, or arrays one after the other: a file, a glob or a list of them. First axis: the example" example:"\"activations/*.npy\""`
}

// Open implements SourceOptions. data.label is an NPY file with a whole number for each example.
func (o *NPY) Open(_ context.Context, env Env) (*Parts, error) {
	names, err := o.File.Files()
	if err != nil {
		return nil, err
	}
	s := &npySource{first: []int{0}}
	for _, name := range names {
		if err := s.add(name); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	s.fields = []Field{{Name: "x", Spec: graph.F32(s.files[0].shape...)}}
	if env.Label != "" {
		if err := s.addLabels(configs.ResolvePath(env.Label)); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return &Parts{Train: s}, nil
}

func (o *NPY) at(path string) SourceOptions { return &NPY{File: Paths{path}} }

func (o *NPY) labelFile() {}

func (o *NPY) check(missing func(key, abs, what string)) {
	o.File.check(missing)
}

// npySource is files one after the other.
type npySource struct {
	files  []*npyFile
	first  []int // place of each file's first example; one more at the end
	labels []int32
	fields []Field
}

func (s *npySource) add(name string) error {
	f, err := openNPY(name)
	if err != nil {
		return err
	}
	return s.addFile(f)
}

// addFile takes in an open file.
func (s *npySource) addFile(f *npyFile) error {
	s.files = append(s.files, f)
	if other := s.files[0]; !f.shape.Equal(other.shape) {
		return fmt.Errorf("%s has examples of %v, %s of %v", other.name, other.shape, f.name, f.shape)
	}
	s.first = append(s.first, s.Len()+f.len())
	return nil
}

func (s *npySource) addLabels(name string) (err error) {
	if s.labels, err = readNPYLabels(name); err != nil {
		return err
	}
	if len(s.labels) != s.Len() {
		return mistake("data.label", "%s has %d labels for %d examples", name, len(s.labels), s.Len())
	}
	s.fields = append(s.fields, Field{Name: "label", Spec: graph.I32(), Classes: classes(s.labels)})
	return nil
}

func (s *npySource) Len() int        { return s.first[len(s.first)-1] }
func (s *npySource) Fields() []Field { return s.fields }

func (s *npySource) asBytes() bool {
	return !slices.ContainsFunc(s.files, func(f *npyFile) bool { return !f.storedImages() })
}

func (s *npySource) Close() error {
	var all []error
	for _, f := range s.files {
		all = append(all, f.close())
	}
	return errors.Join(all...)
}

// Name is the row, with its file where there are several.
func (s *npySource) Name(i int) string {
	f := s.fileOf(i)
	if len(s.files) == 1 {
		return fmt.Sprint(i)
	}
	return fmt.Sprintf("%s:%d", filepath.Base(s.files[f].name), i-s.first[f])
}

// fileOf is the file that holds example i.
func (s *npySource) fileOf(i int) int { return sort.SearchInts(s.first, i+1) - 1 }

func (s *npySource) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(s, dst, indices); err != nil {
		return err
	}
	x, size := dst[0].Float32s(), s.files[0].size
	for n, i := range indices {
		f := s.fileOf(i)
		if err := s.files[f].readFloats(x[n*size:(n+1)*size], i-s.first[f]); err != nil {
			return err
		}
	}
	if s.labels != nil {
		label := dst[1].Int32s()
		for n, i := range indices {
			label[n] = s.labels[i]
		}
	}
	return nil
}

// Paths is a file, a glob or a list of them, made absolute.
type Paths []string

// FromTOML implements configs.Custom.
func (p *Paths) FromTOML(v any) error {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	paths := make(Paths, 0, len(list))
	for _, e := range list {
		s, ok := e.(string)
		if !ok || s == "" {
			return fmt.Errorf("%v is not a path", e)
		}
		paths = append(paths, configs.ResolvePath(s))
	}
	if len(paths) == 0 {
		return errors.New("the list is empty")
	}
	*p = paths
	return nil
}

// ToTOML implements configs.Custom.
func (p *Paths) ToTOML() any { return (*configs.Texts)(p).ToTOML() }

// Describe implements configs.Custom.
func (p *Paths) Describe() string { return "a path, a glob or a list of them" }

// Files expands globs; the files come in the order of their names, each once.
func (p Paths) Files() ([]string, error) {
	var files []string
	for _, path := range p {
		found, err := filepath.Glob(path)
		if err != nil || len(found) == 0 { // a file whose name looks like a pattern, or is not there: opening it tells
			found = []string{path}
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	files = slices.Compact(files)
	if len(files) == 0 {
		return nil, mistake("data.file", "no file is given")
	}
	return files, nil
}
