package data

import (
	"errors"
	"math"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

func init() {
	transforms.Add("scale", func() Transform { return &Scale{To: configs.NumbersOrWord{Numbers: []float64{0, 1}}} })
}

// Scale brings the training split's range to [a, b]: of each feature of a vector, of an image or a sequence as a whole.
// "unit-norm" instead multiplies everything by one number, so that the mean squared norm of an example becomes its length.
// Source of the latter: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", appendix A.
type Scale struct {
	OnColumns
	To configs.NumbersOrWord `toml:"to" choices:"unit-norm" doc:"the new range [a, b], or \"unit-norm\": the mean squared norm of an example becomes its length" example:"[-1, 1]"`
}

// Validate implements configs.Validator.
func (t *Scale) Validate() error {
	if n := t.To.Numbers; t.To.Word == "" && (len(n) != 2 || n[0] >= n[1]) {
		return configs.KeyError("to", `is [low, high] or "unit-norm"`)
	}
	return nil
}

// Bind implements Transform.
func (t *Scale) Bind(in graph.Spec) (Step, error) {
	if t.To.Word != "" {
		return &unitNorm{sameShape: sameShape{in}, factor: []float32{1}}, nil
	}
	groups := 1
	if len(in.Shape) == 1 {
		groups = in.Shape[0]
	}
	s := &scaleRange{sameShape: sameShape{in}, each: in.Shape.Size() / groups, to: [2]float32{float32(t.To.Numbers[0]), float32(t.To.Numbers[1])}}
	s.low, s.high = make([]float32, groups), make([]float32, groups)
	for g := range groups {
		s.low[g], s.high[g] = float32(math.Inf(1)), float32(math.Inf(-1))
	}
	return s, nil
}

func (t *Scale) bindColumns(in []Column) (Step, []Column, error) {
	return t.bindNumbers(in, func(s graph.Spec) (Step, error) { return (&Scale{To: t.To}).Bind(s) })
}

type scaleRange struct {
	sameShape
	names     []string // of features, for errors; nil: they have numbers
	each      int
	to        [2]float32
	low, high []float32 // of the training split, by group
}

func (s *scaleRange) Apply(dst, src []float32, _ Draw) {
	for g, low := range s.low {
		factor := (s.to[1] - s.to[0]) / s.span(g)
		for i := g * s.each; i < (g+1)*s.each; i++ {
			dst[i] = s.to[0] + float32((src[i]-low)*factor)
		}
	}
}

// Inverts is true of the same shape and, where there is one range for all, of any.
func (s *scaleRange) Inverts(out graph.Spec) bool {
	return len(s.low) == 1 || out.Shape.Equal(s.spec.Shape)
}

func (s *scaleRange) Invert(dst, src []float32) {
	each := len(src) / len(s.low)
	for g, low := range s.low {
		factor := s.span(g) / (s.to[1] - s.to[0])
		for i := g * each; i < (g+1)*each; i++ {
			dst[i] = low + float32((src[i]-s.to[0])*factor)
		}
	}
}

func (s *scaleRange) nameFeatures(names []string) { s.names = names }

func (s *scaleRange) invertAt(i int, v float32) float32 {
	return s.low[i] + float32((v-s.to[0])*(s.span(i)/(s.to[1]-s.to[0])))
}

// span is a group's range; that of a constant is 1, so that it becomes the low end.
func (s *scaleRange) span(g int) float32 {
	if d := s.high[g] - s.low[g]; d > 0 {
		return d
	}
	return 1
}

func (s *scaleRange) Observe(x []float32) {
	for g := range s.low {
		for _, v := range x[g*s.each : (g+1)*s.each] {
			s.low[g], s.high[g] = min(s.low[g], v), max(s.high[g], v)
		}
	}
}

func (s *scaleRange) Fit() error {
	for g := range s.low {
		if d := float64(s.high[g] - s.low[g]); math.IsNaN(d) || math.IsInf(d, 0) {
			return notFinite(s.names, g)
		}
	}
	return nil
}

func (s *scaleRange) State() []Stored {
	return []Stored{stored("low", s.low), stored("high", s.high)}
}

func (s *scaleRange) Restore(get func(string) ([]float32, error)) error {
	return restore(get, map[string][]float32{"low": s.low, "high": s.high})
}

type unitNorm struct {
	sameShape
	factor   []float32 // one number
	sum      float64   // of all squares
	examples int
}

func (s *unitNorm) Apply(dst, src []float32, _ Draw) {
	for i, v := range src {
		dst[i] = v * s.factor[0]
	}
}

func (s *unitNorm) Inverts(graph.Spec) bool { return true }

func (s *unitNorm) Invert(dst, src []float32) {
	for i, v := range src {
		dst[i] = v / s.factor[0]
	}
}

func (s *unitNorm) invertAt(_ int, v float32) float32 { return v / s.factor[0] }

func (s *unitNorm) Observe(x []float32) {
	s.examples++
	for _, v := range x {
		s.sum += float64(float64(v) * float64(v))
	}
}

func (s *unitNorm) Fit() error {
	mean := s.sum / float64(s.examples)
	if mean == 0 {
		return errors.New("every example is 0: there is no norm to bring to 1")
	}
	if math.IsNaN(mean) || math.IsInf(mean, 0) {
		return errors.New("there are values that are not finite")
	}
	s.factor[0] = float32(math.Sqrt(float64(s.spec.Shape.Size()) / mean))
	return nil
}

func (s *unitNorm) State() []Stored { return []Stored{stored("factor", s.factor)} }

func (s *unitNorm) Restore(get func(string) ([]float32, error)) error {
	return restore(get, map[string][]float32{"factor": s.factor})
}

// Ops scales each group.
func (s *scaleRange) Ops(x graph.Value, _ OpDraw) (graph.Value, error) {
	groups := len(s.low)
	factor := func(g int) float64 { return float64((s.to[1] - s.to[0]) / s.span(g)) }
	grouped := op.Reshape(x, x.Dim(0), groups, s.each)
	from0 := op.Mul(op.Sub(grouped, learnt(x, s.low, groups, 1)), numbers(x, factor, groups, 1))
	return op.Reshape(op.AddConst(from0, float64(s.to[0])), x.Shape()...), nil
}

// Ops multiplies.
func (s *unitNorm) Ops(x graph.Value, _ OpDraw) (graph.Value, error) {
	return op.Scale(x, float64(s.factor[0])), nil
}
