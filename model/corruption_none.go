package model

import (
	"aetrain/graph"
	"aetrain/nn"
)

func init() { Corruptions.Add("none", func() Corruption { return &NoCorruption{} }) }

// NoCorruption leaves the input as it is.
type NoCorruption struct{}

// Corrupt returns x.
func (*NoCorruption) Corrupt(_ *nn.Scope, x graph.Value) (corrupted, changed graph.Value) {
	return x, graph.Value{}
}
