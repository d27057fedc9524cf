package model

import (
	"fmt"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

// FlowConfig is flow = { kind, steps } of a gaussian bottleneck.
type FlowConfig struct {
	Kind   string `toml:"kind" choices:"none|planar|radial|iaf" doc:"none, or what bends the posterior: planar and radial maps, inverse autoregressive ones"`
	Steps  int    `toml:"steps" min:"1" doc:"maps, one after the other"`
	Hidden int    `toml:"hidden" min:"1" doc:"hidden units of an inverse autoregressive map"`
}

// newFlow is none.
func newFlow() FlowConfig { return FlowConfig{Kind: "none", Steps: 4, Hidden: 64} }

// bend returns the posterior behind the flow's maps, whose parameters depend on h: encoder.flow0, ...
func (c *FlowConfig) bend(s *nn.Scope, q prob.Normal, h graph.Value) prob.Distribution {
	if c.Kind == "none" {
		return q
	}
	f := &prob.Flow{Base: q}
	for i := range c.Steps {
		s.Within(fmt.Sprintf("flow%d", i), func(s *nn.Scope) graph.Value {
			f.Steps = append(f.Steps, c.step(s, h, q.Mu.Dim(1), i))
			return q.Mu
		})
	}
	return f
}

// step is one map of vectors of so many numbers.
func (c *FlowConfig) step(s *nn.Scope, h graph.Value, size, index int) prob.Step {
	switch c.Kind {
	case "planar":
		all := project(s, "planar", h, 2*size+1, "torch")
		return prob.Planar{U: op.Slice(all, 1, 0, size), W: op.Slice(all, 1, size, 2*size), B: op.Slice(all, 1, 2*size, 2*size+1)}
	case "radial":
		all := project(s, "radial", h, size+2, "torch")
		return prob.Radial{Centre: op.Slice(all, 1, 0, size), A: op.Slice(all, 1, size, size+1), B: op.Slice(all, 1, size+1, size+2)}
	}
	init, _ := nn.Initialisers.Make("torch")
	weight := func(name string, dims ...int) graph.Value { return s.Param(name+".weight", init.Weight, dims...) }
	return prob.IAF{
		In: weight("in", c.Hidden, size), MeanOut: weight("mean", size, c.Hidden), GateOut: weight("gate", size, c.Hidden),
		MeanBias: s.Param("mean.bias", nil, size), GateBias: s.Param("gate.bias", nil, size),
		Context: project(s, "context", h, c.Hidden, "torch"), Reverse: index%2 == 1,
	}
}
