package nn

import (
	"math"

	"aetrain/graph"
)

func init() { Initialisers.Add("he", func() Initialiser { return heInit{} }) }

// heInit keeps the variance of what flows forward through ReLU: normal with deviation sqrt(2/fanIn), biases 0.
// Source: He et al. 2015, "Delving Deep into Rectifiers", eq. 10.
type heInit struct{}

func (heInit) Weight(seed uint64, name string, t graph.Tensor) {
	in, _ := fans(t.Shape)
	normal(seed, name, t, math.Sqrt2*within(in))
}

func (heInit) Bias(int) graph.Init { return nil }
