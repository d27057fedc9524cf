package data

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

// imageSet is what the parts of a folder have in common.
type imageSet struct {
	root     string
	channels int
	labels   []string // names of labels, in order; nil: none
	shape    graph.Shape
	skipped  []string // files that could not be read, with the reason
	keep     bool     // decoded pictures stay in memory
}

// keptPixels is how many bytes of decoded pictures are kept at most.
const keptPixels = 512 << 20

// look reads the headers of all files (with skip, their pixels too), and finds out sizes, channels and labels.
func (s *imageSet) look(ctx context.Context, parts [][]*pictureFile, skip bool, env Env) error {
	all := slices.Concat(parts...)
	errs := make([]error, len(all))
	var mu sync.Mutex // of done and of telling it
	done := int64(0)
	parallel(len(all), func(i int) {
		if ctx.Err() != nil {
			return
		}
		errs[i] = all[i].look(skip)
		mu.Lock()
		defer mu.Unlock()
		if done++; done%256 == 0 {
			env.Progress(Progress{What: "looking at images", Done: done, Total: int64(len(all)), Unit: "images"})
		}
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	bad := map[*pictureFile]bool{}
	for i, err := range errs {
		if err == nil {
			continue
		}
		if !skip {
			return fmt.Errorf(`%s: %w (data.on_error = "skip" leaves such files out)`, all[i].path, err)
		}
		bad[all[i]] = true
		s.skipped = append(s.skipped, fmt.Sprintf("%s: %v", all[i].name, err))
	}
	for i := range parts {
		parts[i] = slices.DeleteFunc(parts[i], func(f *pictureFile) bool { return bad[f] })
	}
	all = slices.Concat(parts...)
	if len(all) == 0 {
		return fmt.Errorf("%s: none of its %d images can be read, the first is %s", s.root, len(errs), s.skipped[0])
	}
	s.describe(all)
	return nil
}

// describe finds what all files have in common.
func (s *imageSet) describe(all []*pictureFile) {
	if s.channels == 0 {
		s.channels = 3
		if all[0].grey {
			s.channels = 1
		}
	}
	s.shape = graph.Shape{s.channels, all[0].h, all[0].w}
	total := int64(0)
	for _, f := range all {
		if f.h != all[0].h || f.w != all[0].w {
			s.shape = graph.Shape{s.channels, 0, 0}
		}
		total += int64(s.channels) * int64(f.h) * int64(f.w)
	}
	s.keep = total <= keptPixels
	if s.labels == nil && all[0].label != "" {
		for _, f := range all {
			s.labels = append(s.labels, f.label)
		}
		slices.Sort(s.labels)
		s.labels = slices.Compact(s.labels)
	}
}

// look reads a file's header, or all of it.
func (f *pictureFile) look(whole bool) error {
	b, err := f.read(whole)
	if err != nil {
		return err
	}
	f.h, f.w, f.grey, err = pictureSize(b)
	if err != nil && !whole { // a header that is longer than what was read
		if b, err = f.read(true); err == nil {
			f.h, f.w, f.grey, err = pictureSize(b)
		}
	}
	if err == nil && whole {
		_, err = decodePicture(b, 1)
	}
	return err
}

// headBytes is how much of a file a header needs, with its EXIF entry and thumbnail.
const headBytes = 1 << 17

func (f *pictureFile) read(whole bool) ([]byte, error) {
	if whole {
		return os.ReadFile(f.path)
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b := make([]byte, headBytes)
	n, err := file.Read(b)
	if n == 0 && err != nil {
		return nil, fmt.Errorf("it is empty (%w)", err)
	}
	return b[:n], nil
}

// source is one part of the set.
func (s *imageSet) source(files []*pictureFile) *imageFiles {
	f := &imageFiles{set: s, files: files, fields: []Field{{Name: "x", Spec: graph.F32(s.shape...)}}}
	if s.labels != nil {
		f.fields = append(f.fields, Field{Name: "label", Spec: graph.I32(), Classes: len(s.labels)})
	}
	if s.keep {
		f.kept = make([]atomic.Pointer[picture], len(files))
	}
	return f
}

// imageFiles is a Source of files that are decoded as they are read. Where they differ in size, x is C×0×0, and they are read by
// picture, for a transform that brings them to one size.
type imageFiles struct {
	set    *imageSet
	files  []*pictureFile
	fields []Field
	kept   []atomic.Pointer[picture] // nil: decoded each time
}

func (s *imageFiles) Len() int             { return len(s.files) }
func (s *imageFiles) Fields() []Field      { return s.fields }
func (s *imageFiles) Close() error         { return nil }
func (s *imageFiles) Name(i int) string    { return s.files[i].name }
func (s *imageFiles) labelNames() []string { return s.set.labels }

// notes tells which files were left out.
func (s *imageFiles) notes() []string {
	const shown = 5
	n := len(s.set.skipped)
	if n == 0 {
		return nil
	}
	text := strings.Join(s.set.skipped[:min(n, shown)], "; ")
	if n > shown {
		text += fmt.Sprintf("; and %d more", n-shown)
	}
	return []string{fmt.Sprintf("%d files are left out: %s", n, text)}
}

func (s *imageFiles) picture(i int) (*picture, error) {
	if s.kept != nil {
		if p := s.kept[i].Load(); p != nil {
			return p, nil
		}
	}
	f := s.files[i]
	b, err := os.ReadFile(f.path)
	if err != nil {
		return nil, err
	}
	p, err := decodePicture(b, s.set.channels)
	if err != nil {
		return nil, fmt.Errorf(`%s: %w (data.on_error = "skip" leaves such files out)`, f.path, err)
	}
	if p.h != f.h || p.w != f.w {
		return nil, fmt.Errorf("%s has become %dx%d pixels, it was %dx%d at the start", f.path, p.w, p.h, f.w, f.h)
	}
	if s.kept != nil {
		s.kept[i].Store(p)
	}
	return p, nil
}

// pictureLabel is the place of the file's sub-folder among all, -1 for one that the training part does not have.
func (s *imageFiles) pictureLabel(i int) int32 {
	if at, ok := slices.BinarySearch(s.set.labels, s.files[i].label); ok {
		return int32(at)
	}
	return -1
}

// asBytes: pixels of more than eight bits are brought down to that many.
func (s *imageFiles) asBytes() bool { return true }

func (s *imageFiles) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(s, dst, indices); err != nil {
		return err
	}
	x, size := dst[0].Float32s(), s.set.shape.Size()
	return readPictures(s, dst, indices, func(n int, fetch func() (*picture, error)) error {
		p, err := fetch()
		if err == nil {
			unitFloats(x[n*size:(n+1)*size], p.pixels)
		}
		return err
	})
}
