package infer

import (
	"context"
	"errors"
	"fmt"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
)

// TraverseSpan is how far a walk along one number of a code leads to either side of zero: three deviations of a normal prior.
const TraverseSpan = 3

// Traverse decodes, for each number of the code of the example x (1×example), steps codes that differ in that number alone, from
// -TraverseSpan to TraverseSpan: code×steps×example. What changes along a row is what the number stands for. Codes have to be vectors
// with a prior, whose scale is then known.
// Source: Higgins et al. 2017, "beta-VAE", figure 2.
func (m *Model) Traverse(ctx context.Context, x *tensor.Dense, steps int, given ...Fields) (*tensor.Dense, error) {
	if steps < 2 {
		return nil, fmt.Errorf("traverse: %d steps; want 2 or more, the ends among them", steps)
	}
	if len(m.model.Code) != 1 || !m.prior {
		return nil, errors.New("traverse: it needs codes that are vectors with a prior, whose scale is known")
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
	recon, err := m.Decode(ctx, z)
	if err != nil {
		return nil, err
	}
	return recon, recon.Reshape(append([]int{size, steps}, recon.Shape()[1:]...)...)
}
