package model

import (
	"fmt"
	"strings"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() {
	Penalties.Add("decay", func() Penalty { return &Decay{Weight: configs.Number(1e-4), Norm: 2} })
}

// Decay is the sum of the squares (Norm 2) or absolute values (Norm 1) of all weights; biases and norms are left alone.
// [optimizer] weight_decay acts on all parameters instead, outside the loss.
type Decay struct {
	Weight configs.Scalar `toml:"weight" min:"0" doc:"weight in the loss; a number or a schedule"`
	Norm   int            `toml:"norm" min:"1" max:"2" doc:"2: squares; 1: absolute values"`
	On     string         `toml:"on" doc:"beginning of the weights' names; left out: all" example:"\"encoder\""`
}

// Term is a scalar.
func (p *Decay) Term(s *nn.Scope, f *Forward) Term {
	var sum []graph.Value
	for _, st := range s.Graph().States() {
		name, own := s.Inner(st.Name)
		if !own || st.Kind != graph.Param || len(st.Spec.Shape) < 2 || !strings.HasSuffix(name, ".weight") || p.On != "" && !Under(name, p.On) {
			continue
		}
		if p.Norm == 1 {
			sum = append(sum, op.SumAll(op.Abs(st.Now)))
		} else {
			sum = append(sum, op.SumAll(op.Square(st.Now)))
		}
	}
	if len(sum) == 0 {
		s.Graph().Fail(fmt.Errorf("decay: no weights lie under %q", p.On))
		return Term{Log: s.Graph().Scalar(0), Minimise: s.Graph().Scalar(0), Weight: s.Scalar("weight", p.Weight)}
	}
	total := graph.SumOf(sum...)
	return Term{Log: total, Minimise: total, Weight: s.Scalar("weight", p.Weight)}
}
