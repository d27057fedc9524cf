package nn

import (
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("avg_pool2d", func() Layer { return &AvgPool2D{Pool: newPool()} }) }

// AvgPool2D takes the mean of each window.
type AvgPool2D struct{ Pool }

// Kind is "avg_pool2d".
func (*AvgPool2D) Kind() string { return "avg_pool2d" }

// Build pools.
func (l *AvgPool2D) Build(_ *Scope, x graph.Value) graph.Value { return op.AvgPool2D(x, l.config()) }
