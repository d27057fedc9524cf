package data

import (
	"fmt"
	"slices"
	"sync"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

// pictures is a Source whose x may differ in size from example to example (its Spec is then C×0×0): decoded images are read one by
// one, and the first transforms bring them to one size.
type pictures interface {
	Source
	picture(i int) (*picture, error)
	pictureLabel(i int) int32
}

func (s *subset) picture(i int) (*picture, error) { return s.Source.(pictures).picture(s.at[i]) }

func (j *joined) picture(i int) (*picture, error) {
	s, at := j.part(i)
	return s.(pictures).picture(at)
}

func (s *subset) pictureLabel(i int) int32 { return s.Source.(pictures).pictureLabel(s.at[i]) }

func (j *joined) pictureLabel(i int) int32 {
	s, at := j.part(i)
	return s.(pictures).pictureLabel(at)
}

// asPictures returns s if it can be read picture by picture.
func asPictures(s Source) (pictures, bool) {
	switch v := s.(type) {
	case *subset:
		if _, ok := asPictures(v.Source); !ok {
			return nil, false
		}
		return v, true
	case *joined:
		for _, part := range v.sources {
			if _, ok := asPictures(part); !ok {
				return nil, false
			}
		}
		return v, len(v.sources) > 0
	}
	p, ok := s.(pictures)
	return p, ok
}

// readPictures has each example put into its place, several at once, and fills in labels. put need not fetch what it has.
func readPictures(s pictures, dst []*tensor.Dense, indices []int, put func(n int, fetch func() (*picture, error)) error) error {
	var labels []int32
	if at := FieldIndex(s.Fields(), "label"); at >= 0 {
		labels = dst[at].Int32s()
	}
	errs := make([]error, len(indices))
	parallel(len(indices), func(n int) {
		if labels != nil {
			labels[n] = s.pictureLabel(indices[n])
		}
		errs[n] = put(n, func() (*picture, error) { return s.picture(indices[n]) })
	})
	for _, err := range errs { // the first in order, whichever came first
		if err != nil {
			return err
		}
	}
	return nil
}

// sizer is a Transform after which all images have one size.
type sizer interface{ sizes() }

// sizing are the first transforms of a pipeline over pictures, up to the one that brings them to one size. They are bound to each size
// as it comes.
type sizing struct {
	list    []Transform
	streams []uint32
	out     graph.Spec
	random  bool // training sees other images in each epoch
	mu      sync.Mutex
	bound   map[[3]int][]Step // by channels, height, width
}

// newSizing takes the transforms of list that belong to it; nil where the source has no pictures, or one size and no transform for it.
func newSizing(list []Transform, src Source, streams []uint32) (*sizing, error) {
	p, ok := asPictures(src)
	if !ok {
		return nil, nil
	}
	at := slices.IndexFunc(list, func(t Transform) bool { _, is := t.(sizer); return is })
	if at < 0 {
		if src.Fields()[0].Spec.Shape.Size() == 0 {
			return nil, differInSize(p)
		}
		return nil, nil
	}
	s := &sizing{list: list[:at+1], streams: streams, bound: map[[3]int][]Step{}}
	first, err := p.picture(0)
	if err != nil {
		return nil, err
	}
	steps, err := s.bind(first)
	if err != nil {
		return nil, err
	}
	s.out = steps[at].Out()
	for i, step := range steps {
		_, only := step.(TrainingOnly)
		_, draws := step.(drawing)
		s.random = s.random || only || draws
		if _, fits := step.(Fitter); fits {
			return nil, mistake(fmt.Sprintf("data.transforms[%d]", i), "%s learns from images of one size: put it behind %s", kindOf(list[i]), kindOf(list[at]))
		}
	}
	return s, nil
}

// differInSize is the mistake of a folder whose images no transform brings to one size.
func differInSize(p pictures) error {
	a, err := p.picture(0)
	for i := 1; i < p.Len() && err == nil; i++ {
		var b *picture
		if b, err = p.picture(i); err == nil && (a.h != b.h || a.w != b.w) {
			return mistake("data.transforms", "images differ in size (%s %dx%d, %s %dx%d): add { kind = \"resize\", size = 128 }",
				ExampleName(p, 0), a.w, a.h, ExampleName(p, i), b.w, b.h)
		}
	}
	if err != nil {
		return err
	}
	return mistake("data.transforms", `images differ in size between the parts of the set: add { kind = "resize", size = 128 }`)
}

// bind returns the steps for images of p's size.
func (s *sizing) bind(p *picture) ([]Step, error) {
	key := [3]int{p.channels, p.h, p.w}
	s.mu.Lock()
	defer s.mu.Unlock()
	if steps, ok := s.bound[key]; ok {
		return steps, nil
	}
	const most = 1024 // sizes: a folder of photographs has few, one of screenshots may have thousands
	if len(s.bound) > most {
		clear(s.bound)
	}
	in := graph.F32(p.channels, p.h, p.w)
	steps := make([]Step, len(s.list))
	for i, t := range s.list {
		step, err := t.Bind(in)
		if err != nil {
			return nil, mistake(fmt.Sprintf("data.transforms[%d]", i), "%s %v", kindOf(t), err)
		}
		steps[i], in = step, step.Out()
	}
	s.bound[key] = steps
	return steps, nil
}

// apply brings one picture to the common size.
func (s *sizing) apply(dst []float32, p *picture, d Draw) error {
	steps, err := s.bind(p)
	if err != nil {
		return err
	}
	x := make([]float32, len(p.pixels))
	unitFloats(x, p.pixels)
	for i, step := range steps {
		if _, only := step.(TrainingOnly); only && !d.Training {
			continue
		}
		y := dst
		if i < len(steps)-1 {
			y = make([]float32, step.Out().Shape.Size())
		}
		d.Stream = s.streams[i]
		step.Apply(y, x, d)
		x = y
	}
	return nil
}

// sizedAlike reports whether a transform will bring the images of both sources, with as many channels, to one size.
func sizedAlike(list []Transform, a, b Source) bool {
	_, first := asPictures(a)
	_, second := asPictures(b)
	sized := slices.ContainsFunc(list, func(t Transform) bool { _, is := t.(sizer); return is })
	return first && second && sized && a.Fields()[0].Spec.Shape[0] == b.Fields()[0].Spec.Shape[0]
}
