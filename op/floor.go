package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(floor{}) }

// Floor returns the largest integer not above x, elementwise. No gradient flows.
func Floor(x graph.Value) graph.Value { return apply(floor{}, x) }

type floor struct{ pointwise }

func (floor) Name() string { return "Floor" }

func (floor) VJP(*graph.Node, []graph.Value) []graph.Value { return none(1) }

func (floor) Eval(out, in []graph.Tensor) { map1(out, in, math.Floor) }

func (floor) Examples() []graph.Example { return kinked(points(floor{}, 1, -4, 4)) }
