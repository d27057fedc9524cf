package data

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"aetrain/graph"
	"aetrain/op"

	"gorgonia.org/tensor"
)

func init() { transforms.Add("standardize", func() Transform { return newStandardize() }) }

func newStandardize() *Standardize { return &Standardize{Axis: "feature"} }

// Standardize gives every feature, or every channel, mean 0 and standard deviation 1 on the training split.
// A constant feature becomes 0. Of a table it takes the numeric columns.
type Standardize struct {
	OnColumns
	Axis string `toml:"axis" choices:"feature|channel" doc:"one mean and deviation for each feature (pixel), or for each channel of an image or a series"`
}

// Bind implements Transform.
func (t *Standardize) Bind(in graph.Spec) (Step, error) {
	groups, each := in.Shape.Size(), 1
	if t.Axis == "channel" && len(in.Shape) == 2 {
		return newByChannel(in), nil
	}
	if t.Axis == "channel" {
		c, h, w, err := imageSize(in)
		if err != nil {
			return nil, fmt.Errorf(`with axis = "channel" %w`, err)
		}
		groups, each = c, h*w
	}
	return &standardize{sameShape: sameShape{in}, each: each, moments: make([]moments, groups),
		mean: make([]float32, groups), std: make([]float32, groups)}, nil
}

func (t *Standardize) bindColumns(in []Column) (Step, []Column, error) {
	return t.bindNumbers(in, func(s graph.Spec) (Step, error) { return (&Standardize{Axis: "feature"}).Bind(s) })
}

type standardize struct {
	sameShape
	names     []string // of features, for errors; nil: they have numbers
	each      int      // neighbouring elements that share a mean
	moments   []moments
	mean, std []float32
}

func (s *standardize) Apply(dst, src []float32, _ Draw) {
	for g, mean := range s.mean {
		std := s.std[g]
		for i := g * s.each; i < (g+1)*s.each; i++ {
			dst[i] = (src[i] - mean) / std
		}
	}
}

// Inverts is true of the same shape and, by channel, of images of another size.
func (s *standardize) Inverts(out graph.Spec) bool {
	return out.Shape.Equal(s.spec.Shape) || s.each > 1 && len(out.Shape) == 3 && out.Shape[0] == len(s.mean)
}

func (s *standardize) Invert(dst, src []float32) {
	each := len(src) / len(s.mean)
	for g, mean := range s.mean {
		std := s.std[g]
		for i := g * each; i < (g+1)*each; i++ {
			dst[i] = float32(src[i]*std) + mean
		}
	}
}

func (s *standardize) nameFeatures(names []string) { s.names = names }

func (s *standardize) invertAt(i int, v float32) float32 { return float32(v*s.std[i]) + s.mean[i] }

// notFinite is the error of a feature that has NaN or infinite values.
func notFinite(names []string, g int) error {
	if names == nil {
		return fmt.Errorf("feature %d has values that are not finite", g)
	}
	return fmt.Errorf("column %s has holes or values that are not finite: put { kind = \"impute\" } before", names[g])
}

func (s *standardize) Observe(x []float32) {
	for g := range s.moments {
		for _, v := range x[g*s.each : (g+1)*s.each] {
			s.moments[g].add(float64(v))
		}
	}
}

func (s *standardize) Fit() error {
	for g, m := range s.moments {
		mean, std := m.meanStd()
		if math.IsNaN(std) || math.IsInf(std, 0) {
			return notFinite(s.names, g)
		}
		s.mean[g], s.std[g] = float32(mean), float32(std)
		if s.std[g] == 0 {
			s.std[g] = 1
		}
	}
	s.moments = nil
	return nil
}

func (s *standardize) State() []Stored {
	return []Stored{stored("mean", s.mean), stored("std", s.std)}
}

func (s *standardize) Restore(get func(string) ([]float32, error)) error {
	return restore(get, map[string][]float32{"mean": s.mean, "std": s.std})
}

// moments accumulates mean and standard deviation around the first value, which keeps what is far from 0 exact.
type moments struct {
	n               int
	first           float64
	sum, sumSquares float64 // of the differences from first
}

func (m *moments) add(v float64) {
	if m.n == 0 {
		m.first = v
	}
	m.n++
	d := v - m.first
	m.sum += d
	m.sumSquares += float64(d * d)
}

// meanStd returns the mean and the standard deviation over the whole population (divided by n, not n-1).
func (m *moments) meanStd() (mean, std float64) {
	n := float64(m.n)
	d := m.sum / n
	return m.first + d, math.Sqrt(max(0, m.sumSquares/n-float64(d*d)))
}

// stored wraps learnt numbers.
func stored(name string, v []float32) Stored {
	return Stored{Name: name, Value: tensor.New(tensor.WithShape(len(v)), tensor.WithBacking(append([]float32(nil), v...)))}
}

// restore copies stored numbers back; in order of names, so that of two mistakes the same one is always told.
func restore(get func(string) ([]float32, error), into map[string][]float32) error {
	for _, name := range slices.Sorted(maps.Keys(into)) {
		dst := into[name]
		v, err := get(name)
		if err != nil {
			return err
		}
		if len(v) != len(dst) {
			return fmt.Errorf("%s has %d numbers, want %d", name, len(v), len(dst))
		}
		copy(dst, v)
	}
	return nil
}

// Ops standardizes each group.
func (s *standardize) Ops(x graph.Value, _ OpDraw) (graph.Value, error) {
	groups := len(s.mean)
	centred := op.Sub(op.Reshape(x, x.Dim(0), groups, s.each), learnt(x, s.mean, groups, 1))
	return op.Reshape(op.Div(centred, learnt(x, s.std, groups, 1)), x.Shape()...), nil
}
