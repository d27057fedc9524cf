package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("bce", func() Reconstruction {
		return &BCE{ReconstructionOptions: newReconstructionOptions(), Begin: "layer"}
	})
}

// BCE is the binary cross-entropy, a Bernoulli likelihood of values in [0, 1]. The decoder gives logits; a sigmoid at its end is
// understood and not applied twice. With start = "data" an init pass sets its last bias (reconstruction_bce_start.go).
type BCE struct {
	ReconstructionOptions
	Begin string `toml:"start" choices:"layer|data" doc:"what the decoder's last bias starts as: what its layer has, or the logit of each value's mean over the training split"`
}

// Channels is 1: the logit.
func (*BCE) Channels() int { return 1 }

// Link is sigmoid.
func (*BCE) Link() string { return "sigmoid" }

// Distribution is a Bernoulli one.
func (*BCE) Distribution(_ *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	return prob.Bernoulli{Logits: raw}
}

// Loss is -x·log p - (1-x)·log(1-p).
func (*BCE) Loss(recon prob.Distribution, x graph.Value) graph.Value {
	return op.BCEWithLogits(recon.(prob.Bernoulli).Logits, x)
}

// IsDensity is true.
func (*BCE) IsDensity() bool { return true }

// Range is [0, 1].
func (*BCE) Range() (low, high float64, bounded bool) { return 0, 1, true }
