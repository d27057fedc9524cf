package nn

import (
	"math"

	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/internal/registry"
)

// Initialiser fills weights and biases before the first step; each is one file.
type Initialiser interface {
	// Weight fills a weight in PyTorch's layout: the outputs (inputs, of a transposed convolution) first.
	Weight(seed uint64, name string, t graph.Tensor)
	// Bias returns what fills the bias of a layer whose outputs each see fanIn inputs; nil is zeros.
	Bias(fanIn int) graph.Init
}

// Initialisers is the registry of [Initialiser].
var Initialisers = registry.New[Initialiser]("initialiser")

// initialiser returns the one of that name, PyTorch's default for "".
func initialiser(name string) Initialiser {
	if i, ok := Initialisers.Make(name); ok {
		return i
	}
	return torchInit{}
}

// fans returns what one output of a weight sees and what one input reaches, as PyTorch counts them: the second axis and the
// first, each times the filter's taps.
func fans(s graph.Shape) (in, out int) {
	if len(s) < 2 {
		return s.Size(), s.Size()
	}
	taps := s[2:].Size()
	return s[1] * taps, s[0] * taps
}

// uniform fills t from [-bound, bound).
func uniform(seed uint64, name string, t graph.Tensor, bound float64) {
	r := philox.New(seed, philox.Stream(name))
	for i := range t.Data {
		t.Data[i] = float64(float32((2*float64(r.Float32()) - 1) * bound))
	}
}

// normal fills t with normal numbers of this standard deviation.
func normal(seed uint64, name string, t graph.Tensor, deviation float64) {
	r := philox.New(seed, philox.Stream(name))
	for i := range t.Data {
		t.Data[i] = float64(float32(r.NormFloat64() * deviation))
	}
}

// Constant returns an Init that fills with one number.
func Constant(x float64) graph.Init {
	return func(_ uint64, _ string, t graph.Tensor) {
		for i := range t.Data {
			t.Data[i] = x
		}
	}
}

// Normal returns an Init that fills with normal numbers of this standard deviation.
func Normal(deviation float64) graph.Init {
	return func(seed uint64, name string, t graph.Tensor) { normal(seed, name, t, deviation) }
}

// within is the bound of a uniform distribution over inputs: 1/sqrt(fanIn).
func within(fanIn int) float64 { return 1 / math.Sqrt(float64(max(1, fanIn))) }
