package nn

import (
	"math"

	"aetrain/graph"
)

func init() { Initialisers.Add("xavier", func() Initialiser { return xavierInit{} }) }

// xavierInit balances what flows forward and backward: uniform within sqrt(6/(fanIn+fanOut)), biases 0.
// It is Keras's default (glorot_uniform).
// Source: Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 16.
type xavierInit struct{}

func (xavierInit) Weight(seed uint64, name string, t graph.Tensor) {
	in, out := fans(t.Shape)
	uniform(seed, name, t, math.Sqrt(6/float64(max(1, in+out))))
}

func (xavierInit) Bias(int) graph.Init { return nil }
