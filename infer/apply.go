package infer

import (
	"context"
	"fmt"

	"gorgonia.org/tensor"

	"aetrain/graph"
	"aetrain/model"
)

// Encode returns the codes of x (N×...): the posterior's means where the code is drawn.
func (m *Model) Encode(ctx context.Context, x *tensor.Dense) (*tensor.Dense, error) {
	out, err := m.applyToX(ctx, encode, x, draws{}, "z")
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Posterior returns mean and log-variance of q(z|x), N×latentDim each, of a model with a gaussian bottleneck.
func (m *Model) Posterior(ctx context.Context, x *tensor.Dense) (mu, logVar *tensor.Dense, err error) {
	out, err := m.applyToX(ctx, encode, x, draws{}, "mu", "log_var")
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// Reconstruct returns the reconstructions of x by way of the posterior's mean; nothing is random.
func (m *Model) Reconstruct(ctx context.Context, x *tensor.Dense) (*tensor.Dense, error) {
	out, err := m.applyToX(ctx, reconstruct, x, draws{}, "recon")
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Denoise corrupts x as evaluation does and returns what the encoder saw and the reconstruction. The noise belongs to each example's
// place in its split; row0 is that of x's first row.
func (m *Model) Denoise(ctx context.Context, x *tensor.Dense, row0 int) (input, recon *tensor.Dense, err error) {
	out, err := m.applyToX(ctx, denoise, x, draws{seed: m.options.Seed, row0: row0}, "input", "recon")
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// applyToX runs a function of x.
func (m *Model) applyToX(ctx context.Context, function string, x *tensor.Dense, d draws, wanted ...string) ([]*tensor.Dense, error) {
	x, n, err := input(model.FieldX, x, m.fieldSpec(model.FieldX))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", function, err)
	}
	return m.rows(ctx, function, map[string]*tensor.Dense{model.FieldX: x}, n, d, wanted...)
}

// fieldSpec is one example of a field.
func (m *Model) fieldSpec(name string) graph.Spec {
	for _, f := range m.model.Fields {
		if f.Name == name {
			return f.Spec
		}
	}
	return graph.Spec{}
}

// Decode returns what the decoder makes of codes z (N×code).
func (m *Model) Decode(ctx context.Context, z *tensor.Dense) (*tensor.Dense, error) {
	z, n, err := input("z", z, graph.F32(m.model.Code...))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", decode, err)
	}
	out, err := m.rows(ctx, decode, map[string]*tensor.Dense{"z": z}, n, draws{}, "recon")
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Sample returns n examples decoded from codes that are drawn from the prior; the first k of them are the same for any n.
func (m *Model) Sample(ctx context.Context, n int, seed uint64) (*tensor.Dense, error) {
	if n < 1 {
		return nil, fmt.Errorf("%s: %d examples are wanted; want 1 or more", sample, n)
	}
	out, err := m.rows(ctx, sample, nil, n, draws{seed: seed}, "recon")
	if err != nil {
		return nil, err
	}
	return out[0], nil
}
