package data

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

func init() { sources.Add("ucr", func() SourceOptions { return &UCR{} }) }

// UCR is labelled series of one channel and one length, as the UCR archive keeps them: a line each, the class first, then the values,
// apart by tabs, blanks or commas. A folder's NAME_TRAIN and NAME_TEST files are its parts.
// Source: Dau et al. 2019, "The UCR time series archive".
type UCR struct {
	File Paths  `toml:"file" doc:"series, a line each: a file, a glob or a list of them" example:"\"ECG5000_TRAIN.txt\""`
	Dir  string `toml:"dir,path" doc:"folder with a NAME_TRAIN and a NAME_TEST file, in place of file" example:"\"data/ecg5000\""`
}

// Validate wants one of file and dir.
func (o *UCR) Validate() error { return fileOrDir(o.File, o.Dir) }

func (o *UCR) at(path string) SourceOptions {
	file, dir := pathOf(path)
	return &UCR{File: file, Dir: dir}
}

func (o *UCR) check(missing func(key, abs, what string)) { checkFileOrDir(o.File, o.Dir, missing) }

// Open implements SourceOptions.
func (o *UCR) Open(_ context.Context, _ Env) (*Parts, error) {
	if o.Dir == "" {
		files, err := o.File.Files()
		if err != nil {
			return nil, err
		}
		s, err := openUCR(files)
		if err != nil {
			return nil, err
		}
		return &Parts{Train: s}, nil
	}
	entries, err := os.ReadDir(o.Dir)
	if err != nil {
		return nil, err
	}
	var files [2][]string
	for _, e := range entries {
		for part, word := range []string{"_TRAIN", "_TEST"} {
			if name := strings.ToUpper(e.Name()); strings.Contains(name, word) && !e.IsDir() && !strings.HasSuffix(name, ".ARFF") && !strings.HasSuffix(name, ".TS") {
				files[part] = append(files[part], filepath.Join(o.Dir, e.Name()))
			}
		}
	}
	if len(files[0]) == 0 {
		return nil, fmt.Errorf("%s has no file NAME_TRAIN.tsv or .txt", o.Dir)
	}
	if len(files[0]) > 1 || len(files[1]) > 1 {
		return nil, mistake("data.dir", "%s holds several sets: name one by data.file, and its test file by data.test", o.Dir)
	}
	p := &Parts{}
	for part, into := range []*Source{&p.Train, &p.Test} {
		if len(files[part]) == 0 {
			continue
		}
		s, err := openUCR(files[part])
		if err != nil {
			return nil, err
		}
		*into = s
	}
	if p.Test != nil {
		if err := sameFields(p.Train.Fields(), p.Test.Fields()); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Dir, err)
		}
	}
	return p, nil
}

// openUCR reads files one after the other.
func openUCR(files []string) (*labelledSeries, error) {
	s := &labelledSeries{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		r, err := gunzipped(f)
		if err == nil {
			err = s.read(r)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(s.labels) == 0 {
		return nil, fmt.Errorf("%s: it is empty", strings.Join(files, ", "))
	}
	s.finish()
	return s, nil
}

// labelledSeries is series of one channel and one length in memory.
type labelledSeries struct {
	length int
	values []float32
	labels []int32
	fields []Field
}

// finish makes the fields.
func (s *labelledSeries) finish() {
	label := Field{Name: "label", Spec: graph.I32()}
	for _, v := range s.labels {
		if v < 0 { // classes -1 and 1 are no numbers from 0 on
			s.fields = []Field{{Name: "x", Spec: graph.F32(s.length, 1)}, label}
			return
		}
	}
	label.Classes = classes(s.labels)
	s.fields = []Field{{Name: "x", Spec: graph.F32(s.length, 1)}, label}
}

// longestSeries bounds a line.
const longestSeries = 1 << 26

// read adds the lines of a file.
func (s *labelledSeries) read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestSeries)
	for n := 1; lines.Scan(); n++ {
		words := strings.FieldsFunc(lines.Text(), func(c rune) bool { return c == ',' || c == ' ' || c == '\t' || c == '\r' })
		if len(words) == 0 {
			continue
		}
		if s.length == 0 {
			s.length = len(words) - 1
		}
		if len(words)-1 != s.length || s.length == 0 {
			return fmt.Errorf("line %d has %d values behind its class, the first series %d: all are to be of one length", n, len(words)-1, s.length)
		}
		class, err := strconv.ParseFloat(words[0], 64)
		if err != nil || class != math.Trunc(class) || math.Abs(class) > math.MaxInt32 {
			return fmt.Errorf("line %d begins with %q, which is no class: a whole number", n, words[0])
		}
		s.labels = append(s.labels, int32(class))
		for _, w := range words[1:] {
			v, err := strconv.ParseFloat(w, 32)
			if err != nil || v != v {
				return fmt.Errorf("line %d: %q is not a number", n, w)
			}
			s.values = append(s.values, float32(v))
		}
	}
	return lines.Err()
}

func (s *labelledSeries) Len() int        { return len(s.labels) }
func (s *labelledSeries) Fields() []Field { return s.fields }
func (s *labelledSeries) Close() error    { return nil }

func (s *labelledSeries) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(s, dst, indices); err != nil {
		return err
	}
	x, label := dst[0].Float32s(), dst[1].Int32s()
	for n, i := range indices {
		copy(x[n*s.length:(n+1)*s.length], s.values[i*s.length:])
		label[n] = s.labels[i]
	}
	return nil
}
