package model

import (
	"errors"
	"math"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() {
	Penalties.Add("svdd", func() Penalty {
		return &SVDD{Weight: configs.Number(1), Objective: "one-class", Nu: 0.1}
	})
}

// SVDD is the squared distance of codes to a centre c, the mean of the codes as they were when it is first trained (its init pass).
// With the soft boundary it is R² + max(0, ‖z-c‖² - R²)/Nu, where R² follows the (1-Nu)-quantile of the distances. Rows show the
// distance. The encoder wants neither biases nor a code in an interval: either could put all codes on the centre.
// Source: Ruff et al. 2018, "Deep One-Class Classification", eq. 3 and 4, section 3.3 (the centre).
type SVDD struct {
	Weight    configs.Scalar `toml:"weight" min:"0" doc:"weight in the loss; a number or a schedule"`
	Objective string         `toml:"objective" choices:"one-class|soft-boundary" doc:"one-class: all codes are drawn to the centre; soft-boundary: those outside of a ball that holds most of them"`
	Nu        float64        `toml:"nu" over:"0" below:"1" doc:"share of the examples that may lie outside of the ball"`
}

// Passes is the one that finds the centre.
func (p *SVDD) Passes() int { return 1 }

// Check wants one code of an example.
func (p *SVDD) Check(m *Model) error {
	if _, draws := m.Config.Bottleneck.(variational); draws {
		return errors.New("svdd draws codes to a point, not distributions: choose a deterministic bottleneck")
	}
	return nil
}

// Start sets the centre to the mean of the codes.
func (p *SVDD) Start(s *nn.Scope, f *Forward, pass Pass) {
	z := op.Flatten(f.Code)
	startMean(s, s.Buffer("center", nil, graph.F32(z.Dim(1))), z, pass)
}

// distance is ‖z-c‖² of each example. Numbers of c near 0 are moved away: a code of zeros would be there for nothing.
func (p *SVDD) distance(s *nn.Scope, f *Forward) graph.Value {
	const least = 0.1
	g, z := s.Graph(), op.Flatten(f.Code)
	c := s.Buffer("center", nil, graph.F32(z.Dim(1)))
	edge := op.Select(op.Less(c, g.Scalar(0)), g.Constant(c.Spec(), -least), g.Constant(c.Spec(), least))
	c = op.Select(op.Less(op.Abs(c), g.Scalar(least)), edge, c)
	return op.SumPerExample(op.SquaredError(z, op.Stop(c)))
}

// Term is the distance, or the soft boundary's loss.
func (p *SVDD) Term(s *nn.Scope, f *Forward) Term {
	d := p.distance(s, f)
	minimise := d
	if p.Objective == "soft-boundary" {
		minimise = p.beyond(s, d)
	}
	return Term{Log: d, Minimise: minimise, Weight: s.Scalar("weight", p.Weight)}
}

// beyond is R² + max(0, d - R²)/Nu; R² moves a tenth of the way to the batch's quantile in each step.
func (p *SVDD) beyond(s *nn.Scope, d graph.Value) graph.Value {
	const share = 0.1
	radius := s.Buffer("radius2", nil, graph.F32())
	if s.Training() {
		n := d.Dim(0)
		at := min(n-1, max(0, int(math.Ceil((1-p.Nu)*float64(n)))-1))
		row := op.Stop(op.Reshape(d, 1, n))
		place := op.Slice(op.ArgSort(row), 1, at, at+1)
		quantile := op.SumAll(op.Mul(op.Reshape(op.OneHot(place, n), 1, n), row))
		moved := op.Add(radius, op.Scale(op.Sub(quantile, radius), share))
		s.Assign(radius, moved)
	}
	return op.Add(op.Scale(op.ReLU(op.Sub(d, radius)), 1/p.Nu), radius)
}

// Distance builds how far the code of each clean example is from the centre that training drew codes to (output score, N). The error
// is where there is none.
func (m *Model) Distance(batch int) (*Function, error) {
	for _, name := range m.penaltyNames() {
		p, ok := m.Config.Penalties[name].(*SVDD)
		if !ok {
			continue
		}
		return m.built(m.begin(batch, false), func(m *Model, fn *Function) error {
			f := m.pass(fn, Inference, 1, false)
			fn.Scope.Within("penalties", func(s *nn.Scope) graph.Value {
				return s.Within(name, func(s *nn.Scope) graph.Value {
					fn.Outputs["score"] = p.distance(s, f)
					return f.Code
				})
			})
			return nil
		})
	}
	return nil, errors.New("codes have no centre: that is what [model.penalties.svdd] gives them")
}
