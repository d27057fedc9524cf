package model

import (
	"fmt"
	"strings"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("adversary", func() Reconstruction {
		return &AdversaryFeatures{ReconstructionOptions: newReconstructionOptions(), Adversary: "image", Feature: "features"}
	})
}

// AdversaryFeatures compares what a layer of a discriminator makes of x and of its reconstruction: ½‖D_l(x) - D_l(recon)‖², the
// negative log-density of a unit gaussian around the features, without its constants. The decoder gives logits of values in
// [0, 1]; a sigmoid at its end is understood.
// Source: Larsen et al. 2016, "Autoencoding beyond pixels using a learned similarity metric", eq. 7 and 8.
type AdversaryFeatures struct {
	ReconstructionOptions
	Adversary string `toml:"adversary" doc:"name of the adversary, on = \"output\", whose features count"`
	Feature   string `toml:"feature" doc:"name or number of its layer"`
}

// Channels is 1.
func (*AdversaryFeatures) Channels() int { return 1 }

// Link is sigmoid.
func (*AdversaryFeatures) Link() string { return "sigmoid" }

// Distribution has the sigmoid of raw as its mean.
func (*AdversaryFeatures) Distribution(_ *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	return prob.Bernoulli{Logits: raw}
}

// Loss is the squared error of the values themselves; Compare is what is minimised.
func (*AdversaryFeatures) Loss(recon prob.Distribution, x graph.Value) graph.Value {
	return op.SquaredError(recon.Mean(), x)
}

// IsDensity is false: it is a density of features.
func (*AdversaryFeatures) IsDensity() bool { return false }

// Range is [0, 1].
func (*AdversaryFeatures) Range() (low, high float64, bounded bool) { return 0, 1, true }

// Check wants the adversary and its layer.
func (r *AdversaryFeatures) Check(m *Model) error {
	a, ok := m.Config.Adversaries[r.Adversary]
	if !ok {
		return fmt.Errorf("there is no [model.adversaries.%s]%s", r.Adversary, near(r.Adversary, m.adversaryNames()))
	}
	if a.On != "output" {
		return fmt.Errorf("model.adversaries.%s judges codes: its features of outputs want on = \"output\"", r.Adversary)
	}
	var names []string
	for _, l := range a.Layers {
		if l.Label() != "" {
			names = append(names, l.Label())
		}
	}
	st, err := nn.NewStack(a.Layers, m.Condition.seen(m.X, r.Adversary, a.Layers), true)
	if err != nil {
		return nil // told where its layers are built
	}
	for _, p := range st.Layers {
		if r.Feature == p.Path || r.Feature == p.Label() {
			return nil
		}
	}
	return fmt.Errorf("no layer of model.adversaries.%s is called %q%s: there are %s", r.Adversary, r.Feature, near(r.Feature, names), strings.Join(names, ", "))
}

// Compare is half the squared error of each feature.
func (r *AdversaryFeatures) Compare(_ *nn.Scope, f *Forward) graph.Value {
	j := f.judge(r.Adversary)
	real, fake := j.real.layers[r.Feature], j.fakes[0].layers[r.Feature]
	return op.Scale(op.SquaredError(fake, f.Repeated(real)), 0.5)
}
