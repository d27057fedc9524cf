package nn

import (
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("max_pool2d", func() Layer { return &MaxPool2D{Pool: newPool()} }) }

// MaxPool2D takes the largest value of each window.
type MaxPool2D struct{ Pool }

// Kind is "max_pool2d".
func (*MaxPool2D) Kind() string { return "max_pool2d" }

// Build pools.
func (l *MaxPool2D) Build(_ *Scope, x graph.Value) graph.Value { return op.MaxPool2D(x, l.config()) }
