package infer

import (
	"context"
	"errors"
	"fmt"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/model"
)

// TraverseSpan is how far a walk along one number of a code leads to either side of zero: three deviations of a normal prior.
const TraverseSpan = 3

// Traverse decodes, for each number of the code of the example x (1×example), steps codes that differ in that number alone, from
// -TraverseSpan to TraverseSpan: code×steps×example. What changes along a row is what the number stands for. Codes have to be vectors
// of free numbers with a prior, whose scale is then known. given is what the model is told beside x, and at each step.
// Source: Higgins et al. 2017, "beta-VAE", figure 2.
func (m *Model) Traverse(ctx context.Context, x *tensor.Dense, steps int, given ...Fields) (*tensor.Dense, error) {
	if steps < 2 {
		return nil, fmt.Errorf("traverse: %d steps; want 2 or more, the ends among them", steps)
	}
	if len(m.model.Code) != 1 || !m.prior {
		return nil, errors.New("traverse: it needs codes that are vectors with a prior, whose scale is known")
	}
	if why := bound(m.model); why != "" {
		return nil, errors.New("traverse: it changes one number of a code, and " + why + ": interpolate between inputs instead")
	}
	code, err := m.Encode(ctx, x, given...)
	if err != nil {
		return nil, err
	}
	if n := code.Shape()[0]; n != 1 {
		return nil, fmt.Errorf("traverse: %d examples; want 1", n)
	}
	size := m.model.Code.Size()
	if err := checkRows("traverse: the codes", steps, size*max(size, m.model.X.Size())); err != nil {
		return nil, err
	}
	z := backend.NewHost(graph.Spec{Shape: graph.Shape{size * steps, size}})
	from, out := code.Float32s(), z.Float32s()
	for j := range size {
		for s := range steps {
			row := out[(j*steps+s)*size:][:size]
			copy(row, from)
			row[j] = float32(TraverseSpan * (2*float64(s)/float64(steps-1) - 1))
		}
	}
	told, err := m.eachTimes("traverse", 1, size*steps, given)
	if err != nil {
		return nil, err
	}
	recon, err := m.Decode(ctx, z, told)
	if err != nil {
		return nil, err
	}
	return recon, recon.Reshape(append([]int{size, steps}, recon.Shape()[1:]...)...)
}

// bound says why numbers of a code are not free to be anything, each on its own; "": they are.
func bound(m *model.Model) string {
	switch b := m.Config.Bottleneck.(type) {
	case *model.Gaussian:
		return ""
	case *model.Deterministic:
		if a := b.Activation(m.Encoder, m.Config.LatentDim); a != "linear" {
			return "the codes of this model come out of " + a
		}
		return ""
	case *model.Hyperspherical:
		return "a hyperspherical code is a direction: its numbers have the length 1 together"
	case *model.Categorical, *model.Joint:
		return "this model's codes choose classes: their numbers are one-hot"
	case *model.FSQ, *model.VQ, *model.ResidualVQ:
		return "this model's codes are entries of a codebook"
	}
	return "this model's codes are sparse: most of their numbers are 0, none is negative"
}
