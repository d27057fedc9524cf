package nn

import "aetrain/graph"

func init() { Initialisers.Add("torch", func() Initialiser { return torchInit{} }) }

// torchInit is PyTorch's default for linear and convolutional layers, kaiming_uniform with a = sqrt(5):
// weight and bias uniform within 1/sqrt(fanIn).
// Source: torch.nn.Linear.reset_parameters.
type torchInit struct{}

func (torchInit) Weight(seed uint64, name string, t graph.Tensor) {
	in, _ := fans(t.Shape)
	uniform(seed, name, t, within(in))
}

func (torchInit) Bias(fanIn int) graph.Init {
	return func(seed uint64, name string, t graph.Tensor) { uniform(seed, name, t, within(fanIn)) }
}
