package model

import (
	"aetrain/graph"
	"aetrain/op"
	"aetrain/prob"
)

// density is what likelihoods of unbounded numbers share: a linear link, and a loss that is the negative log-density.
type density struct{}

// Link is linear.
func (density) Link() string { return "linear" }

// Loss is -log p(x; recon).
func (density) Loss(recon prob.Distribution, x graph.Value) graph.Value {
	return op.Neg(recon.LogProb(x))
}

// IsDensity is true.
func (density) IsDensity() bool { return true }

// Range is unbounded.
func (density) Range() (low, high float64, bounded bool) { return 0, 0, false }
