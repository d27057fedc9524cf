package data

import (
	"slices"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

// images is a Source in memory: stored bytes that are read as float32 in [0,1], and a label each where there are labels.
type images struct {
	shape  graph.Shape // of one image, C×H×W
	pixels []uint8     // all images, one after the other
	labels []int32     // nil: none
	fields []Field
}

// newImages wraps stored images; labels may be nil. Both are kept, not copied.
func newImages(shape graph.Shape, pixels []uint8, labels []int32) *images {
	s := &images{shape: shape, pixels: pixels, labels: labels, fields: []Field{{Name: "x", Spec: graph.F32(shape...)}}}
	if labels != nil {
		s.fields = append(s.fields, Field{Name: "label", Spec: graph.I32(), Classes: classes(labels)})
	}
	return s
}

// classes is one more than the largest label.
func classes(labels []int32) int {
	if len(labels) == 0 {
		return 0
	}
	return int(max(0, slices.Max(labels))) + 1
}

func (s *images) Len() int        { return len(s.pixels) / s.shape.Size() }
func (s *images) Fields() []Field { return s.fields }
func (s *images) Close() error    { return nil }
func (s *images) asBytes() bool   { return true }

func (s *images) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(s, dst, indices); err != nil {
		return err
	}
	for field := range dst {
		s.read(field, dst[field], indices)
	}
	return nil
}

// read writes a field of examples that exist.
func (s *images) read(field int, dst *tensor.Dense, indices []int) {
	if field > 0 {
		label := dst.Int32s()
		for n, i := range indices {
			label[n] = s.labels[i]
		}
		return
	}
	size, x := s.shape.Size(), dst.Float32s()
	for n, i := range indices {
		unitFloats(x[n*size:(n+1)*size], s.pixels[i*size:(i+1)*size])
	}
}

// unit holds float32(v)/255 of every byte v.
var unit = func() (t [256]float32) {
	for v := range t {
		t[v] = float32(v) / 255
	}
	return t
}()

// unitFloats writes src/255 to dst, which is as long.
func unitFloats(dst []float32, src []uint8) {
	dst = dst[:len(src)]
	i := 0
	for ; i+4 <= len(src); i += 4 {
		s, d := src[i:i+4:i+4], dst[i:i+4:i+4]
		d[0], d[1], d[2], d[3] = unit[s[0]], unit[s[1]], unit[s[2]], unit[s[3]]
	}
	for ; i < len(src); i++ {
		dst[i] = unit[src[i]]
	}
}
