package data

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

func init() { sources.Add("wav", func() SourceOptions { return &WAV{} }) }

// WAV is sound, a file an example, time×channels in [-1,1]. Longer files are cut at their end, shorter ones followed by silence; the
// field length tells how much there is. Labels are the sub-folders, or what data.label, a regular expression with one group, finds in the name.
type WAV struct {
	Dir    string `toml:"dir,path" doc:"folder of .wav files, at any depth; sub-folders are labels" example:"\"recordings\""`
	File   Paths  `toml:"file" doc:"a file, a glob or a list of them, in place of dir" example:"\"recordings/*.wav\""`
	Length int    `toml:"length" min:"0" max:"1073741824" doc:"samples of an example; 0: as many as the longest file has" example:"8192"`

	opened *wavFacts
}

// wavFacts are what all files of a set have in common.
type wavFacts struct {
	Length, Rate, Channels int
	Labels                 []string
}

// Validate wants one of file and dir.
func (o *WAV) Validate() error { return fileOrDir(o.File, o.Dir) }

func (o *WAV) labelColumn() {}

func (o *WAV) at(path string) SourceOptions {
	c := *o
	c.File, c.Dir = pathOf(path)
	return &c
}

func (o *WAV) check(missing func(key, abs, what string)) { checkFileOrDir(o.File, o.Dir, missing) }

func (o *WAV) facts() any {
	if o.opened == nil {
		return nil
	}
	return o.opened
}
func (o *WAV) recall() any       { return &wavFacts{} }
func (o *WAV) with(recalled any) { o.opened = recalled.(*wavFacts) }

// Open implements SourceOptions.
func (o *WAV) Open(ctx context.Context, env Env) (*Parts, error) {
	files, err := filesOf(o.File, o.Dir, ".wav")
	if err != nil {
		return nil, err
	}
	s := &sounds{root: o.Dir, files: files}
	known := o.opened
	if known == nil {
		known = &wavFacts{Length: o.Length}
	}
	longest := 0
	for i, name := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w, err := readWAV(name)
		if err != nil {
			return nil, err
		}
		if known.Rate == 0 {
			known.Rate, known.Channels = w.rate, w.channels
		}
		if w.rate != known.Rate || w.channels != known.Channels {
			return nil, fmt.Errorf("%s has %d Hz and %d channels, the first file %d Hz and %d: bring all to one form before", name, w.rate, w.channels, known.Rate, known.Channels)
		}
		s.pcm = append(s.pcm, w.samples)
		longest = max(longest, len(w.samples)/w.channels)
		if i%256 == 0 {
			env.Progress(Progress{What: "reading sounds", Done: int64(i), Total: int64(len(files)), Unit: "files"})
		}
	}
	if known.Length == 0 {
		known.Length = longest
	}
	if known.Length == 0 {
		return nil, errors.New("the files hold no sound")
	}
	if err := s.label(env.Label, known, o.opened == nil); err != nil {
		return nil, err
	}
	s.finish(known)
	o.opened = known
	return &Parts{Train: s}, nil
}

// sounds is a Source of decoded files in memory.
type sounds struct {
	root     string
	files    []string
	pcm      [][]float32
	labels   []int32
	names    []string // of labels
	length   int
	channels int
	fields   []Field
}

// label gives each file the number of its sub-folder, or of what a pattern finds in its name.
func (s *sounds) label(pattern string, known *wavFacts, first bool) error {
	var words []string
	if pattern != "" {
		re, err := regexp.Compile(pattern)
		if err != nil || re.NumSubexp() != 1 {
			return mistake("data.label", `%q is not a regular expression with one group, as in "^([0-9]+)_"`, pattern)
		}
		for _, name := range s.files {
			found := re.FindStringSubmatch(filepath.Base(name))
			if found == nil {
				return mistake("data.label", "%q finds nothing in %s", pattern, filepath.Base(name))
			}
			words = append(words, found[1])
		}
	} else if s.root != "" {
		for _, name := range s.files {
			rel, err := filepath.Rel(s.root, name)
			if err != nil {
				return err
			}
			folder, _, below := strings.Cut(filepath.ToSlash(rel), "/")
			if !below {
				return nil // files beside folders: no labels
			}
			words = append(words, folder)
		}
	}
	if words == nil {
		return nil
	}
	if first {
		known.Labels = slices.Compact(slices.Sorted(slices.Values(words)))
	}
	s.names = known.Labels
	for _, w := range words {
		at, ok := slices.BinarySearch(known.Labels, w)
		if !ok {
			at = -1
		}
		s.labels = append(s.labels, int32(at))
	}
	return nil
}

func (s *sounds) finish(known *wavFacts) {
	s.length, s.channels = known.Length, known.Channels
	s.fields = []Field{{Name: "x", Spec: graph.F32(s.length, s.channels)}, {Name: "length", Spec: graph.I32(), Classes: s.length + 1}}
	if s.labels != nil {
		s.fields = append(s.fields, Field{Name: "label", Spec: graph.I32(), Classes: len(s.names)})
	}
}

func (s *sounds) Len() int             { return len(s.files) }
func (s *sounds) Fields() []Field      { return s.fields }
func (s *sounds) Close() error         { return nil }
func (s *sounds) Name(i int) string    { return filepath.Base(s.files[i]) }
func (s *sounds) labelNames() []string { return s.names }

func (s *sounds) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(s, dst, indices); err != nil {
		return err
	}
	x, lengths, size := dst[0].Float32s(), dst[1].Int32s(), s.length*s.channels
	for n, i := range indices {
		row := x[n*size : (n+1)*size]
		there := copy(row, s.pcm[i])
		clear(row[there:])
		lengths[n] = int32(there / s.channels)
		if s.labels != nil {
			dst[2].Int32s()[n] = s.labels[i]
		}
	}
	return nil
}

// readWAV reads a file.
func readWAV(name string) (*wave, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	w, err := parseWAV(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return w, nil
}
