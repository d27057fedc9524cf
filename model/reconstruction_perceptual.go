package model

import (
	"errors"
	"fmt"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("perceptual", func() Reconstruction {
		return &Perceptual{ReconstructionOptions: newReconstructionOptions(), Output: "sigmoid"}
	})
}

// Perceptual compares what layers of a frozen network make of x and of its reconstruction: Σ_l w_l·‖φ_l(x) - φ_l(recon)‖², with
// reduction = "mean" each layer's part divided by its C·H·W, and a share of the plain squared error. With UnitNorm the vector of
// channels at each place is brought to length 1 first, and the mean is one over places.
//
// The network's numbers are buffers of the model, reconstruction.network.*: no loss trains them, and a checkpoint has them, so that a
// run needs what they came from at its very beginning only.
// Source: Johnson, Alahi & Fei-Fei 2016, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", eq. 2; Hou, Shen, Sun &
// Qiu 2017, "Deep Feature Consistent Variational Autoencoder", eq. 3; UnitNorm: Zhang et al. 2018, "The Unreasonable Effectiveness of
// Deep Features as a Perceptual Metric", eq. 1.
type Perceptual struct {
	ReconstructionOptions
	FrozenNetwork
	Weights  []float64 `toml:"weights" min:"0" doc:"of the layers in features, one each; left out: 1" example:"[0.5, 1.0]"`
	UnitNorm bool      `toml:"unit_norm" doc:"bring the vector of channels at each place to length 1 before layers are compared"`
	Pixels   float64   `toml:"pixels" min:"0" doc:"weight of the squared error of x itself beside the layers'"`
	Output   string    `toml:"output" choices:"sigmoid|linear" doc:"what follows the decoder: sigmoid for x in [0, 1], linear for any number"`
}

// Validate holds lists to the layers that they speak of.
func (r *Perceptual) Validate() error {
	var weights error
	if n := len(r.Features); len(r.Weights) > 0 && n > 0 && len(r.Weights) != n {
		weights = configs.KeyError("weights", "%d weights for %d layers in features: want one each", len(r.Weights), n)
	}
	return errors.Join(weights, r.FrozenNetwork.validate())
}

// Channels is 1.
func (*Perceptual) Channels() int { return 1 }

// Link is Output.
func (r *Perceptual) Link() string { return r.Output }

// Distribution has raw, or its sigmoid, as its mean.
func (r *Perceptual) Distribution(s *nn.Scope, raw graph.Value, channels int) prob.Distribution {
	if r.Output == "linear" {
		return new(MSE).Distribution(s, raw, channels)
	}
	return prob.Bernoulli{Logits: raw}
}

// Loss is the squared error of the values themselves; Compare is what is minimised.
func (*Perceptual) Loss(recon prob.Distribution, x graph.Value) graph.Value {
	return op.SquaredError(recon.Mean(), x)
}

// IsDensity is false: it would be one of features.
func (*Perceptual) IsDensity() bool { return false }

// Range is that of the output.
func (r *Perceptual) Range() (low, high float64, bounded bool) { return 0, 1, r.Output == "sigmoid" }

// Check builds the network for x.
func (r *Perceptual) Check(m *Model) error {
	if err := r.fit(m.X); err != nil {
		return err
	}
	if len(r.Weights) > 0 && len(r.Weights) != len(r.compared) {
		return fmt.Errorf("%d weights for the %d layers of the network: want one each, or features that name some", len(r.Weights), len(r.compared))
	}
	return nil
}

// Compare is a number for each row of recon, N·k×1.
func (r *Perceptual) Compare(_ *nn.Scope, f *Forward) graph.Value {
	recon := f.Recon.Mean()
	wanted, made := r.outputs(f, f.X), r.outputs(f, recon)
	var sum []graph.Value
	add := func(a, b graph.Value, weight float64, elements int) {
		if r.Reduction == "mean" {
			weight /= float64(elements)
		}
		if weight > 0 {
			sum = append(sum, op.Scale(op.SumPerExample(op.SquaredError(b, f.Repeated(a))), weight))
		}
	}
	for i := range made {
		weight, a, b := 1.0, wanted[i], made[i]
		if len(r.Weights) > 0 {
			weight = r.Weights[i]
		}
		elements := b.Shape()[1:].Size()
		if r.UnitNorm {
			a, b = unitChannels(a), unitChannels(b)
			elements /= b.Dim(featureAxis(b))
		}
		add(a, b, weight, elements)
	}
	add(f.X, recon, r.Pixels, recon.Shape()[1:].Size())
	if len(sum) == 0 {
		f.scope.Graph().Fail(mistake("model.reconstruction.weights", "all of them are 0: nothing is compared"))
		return op.Reshape(op.SumPerExample(recon), recon.Dim(0), 1)
	}
	return op.Reshape(graph.SumOf(sum...), recon.Dim(0), 1)
}

// featureAxis is the axis of channels: the first of an image's, the last otherwise.
func featureAxis(v graph.Value) int {
	if v.Rank() == 4 {
		return 1
	}
	return v.Rank() - 1
}

// unitChannels divides the vector of channels at each place by its length; one of zeros stays.
func unitChannels(v graph.Value) graph.Value {
	const least = 1e-10 // a squared length
	axis := featureAxis(v)
	dims := v.Shape().Clone()
	dims[axis] = 1
	length := op.Reshape(op.ReduceSum(op.Square(v), axis), dims...)
	return op.Mul(v, op.BroadcastTo(op.Rsqrt(op.AddConst(length, least)), v.Shape()...))
}
