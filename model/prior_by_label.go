package model

import (
	"errors"
	"fmt"
	"math"

	"aetrain/graph"
	"aetrain/op"
	"aetrain/prob"
)

func init() { Priors.Add("by-label", func() Prior { return &ByLabel{Radius: 4, Deviation: 0.5} }) }

// ByLabel is a mixture of normal densities, one for each label: N(c_y, Deviation²·I) of an example with label y. The centres c stand on
// a circle of Radius in the first two numbers of the code. An adversary that is told the label, too, draws the codes of each label to
// its own. Of an example without a label the mean is 0.
// Source: Makhzani et al. 2016, "Adversarial Autoencoders", section 2.3.
type ByLabel struct {
	Radius    float64 `toml:"radius" over:"0" doc:"of the circle on which the labels' centres stand"`
	Deviation float64 `toml:"deviation" over:"0" doc:"standard deviation of each number around its label's centre"`
}

// Check wants one label, and a vector for a code.
func (p *ByLabel) Check(m *Model) error {
	if _, err := p.label(m); err != nil {
		return err
	}
	if m.Encoder == nil {
		return nil
	}
	switch code := m.Code; {
	case len(code) != 1 || code[0] < 2:
		return fmt.Errorf("centres stand on a circle, and a code is %v: give it two numbers or more, latent_dim = 2", code)
	case m.Condition.tells(intoPrior):
		return errors.New("it knows the label by itself, a condition would learn another: leave prior out of [model.condition] into")
	}
	switch b := m.Config.Bottleneck.(type) {
	case *Deterministic:
	case *Gaussian:
		if b.lowest() != nil {
			return errors.New("levels have priors of their own: leave levels out")
		}
	default:
		return errors.New("its codes may be any numbers: choose a deterministic or a gaussian bottleneck")
	}
	return nil
}

// label is the place of the one label among the condition's fields.
func (p *ByLabel) label(m *Model) (int, error) {
	if m.Condition != nil {
		for i, f := range m.Condition.fields {
			if f.Spec.DType == graph.Int32 && f.Spec.Shape.Size() == 1 && f.Classes > 0 {
				return i, nil
			}
		}
	}
	return 0, errors.New("each label has a density of its own: name it by [model.condition] on = [\"label\"], into = the adversary's name")
}

// Learned is the density of each example's label.
func (p *ByLabel) Learned(f *Forward, standard prob.Standard) prob.Distribution {
	g := f.scope.Graph()
	at, err := p.label(f.model)
	if err != nil {
		g.Fail(mistake("model.prior", "%w", err))
		return standard
	}
	field, dims := f.model.Condition.fields[at], standard.Dims
	classes, width := field.Classes, dims[len(dims)-1]
	label := op.Reshape(f.conditionValue(field, f.model.Condition.places[at]), dims[0])
	hot := op.OneHot(label, classes)
	columns := []graph.Value{p.along(g, hot, math.Cos), p.along(g, hot, math.Sin)}
	if width > 2 {
		columns = append(columns, g.Constant(graph.F32(dims[0], width-2), 0))
	}
	return prob.Normal{Mu: op.Concat(1, columns...), LogVar: g.Constant(graph.F32(dims[0], width), 2*math.Log(p.Deviation))}
}

// along is a coordinate of each row's centre, N×1: hot is N×classes, coordinate that of an angle on the circle.
func (p *ByLabel) along(g *graph.Graph, hot graph.Value, coordinate func(float64) float64) graph.Value {
	n, classes := hot.Dim(0), hot.Dim(1)
	sum := make([]graph.Value, classes)
	for k := range classes {
		angle := 2 * math.Pi * float64(k) / float64(classes)
		sum[k] = op.Scale(op.Slice(hot, 1, k, k+1), p.Radius*coordinate(angle))
	}
	return op.Reshape(graph.SumOf(sum...), n, 1)
}
