package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(round{}) }

// Round returns the nearest integer, the even one of two that are equally near, elementwise. No gradient flows.
func Round(x graph.Value) graph.Value { return apply(round{}, x) }

type round struct{ pointwise }

func (round) Name() string { return "Round" }

func (round) VJP(*graph.Node, []graph.Value) []graph.Value { return none(1) }

func (round) Eval(out, in []graph.Tensor) { map1(out, in, math.RoundToEven) }

func (round) Examples() []graph.Example { return kinked(points(round{}, 1, -4, 4)) }
