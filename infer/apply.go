package infer

import (
	"context"
	"fmt"

	"gorgonia.org/tensor"

	"aetrain/graph"
	"aetrain/model"
)

// Encode returns the codes of x (N×...): the posterior's means where the code is drawn. given is what the model is told beside x,
// where it has a condition; so with the functions below.
func (m *Model) Encode(ctx context.Context, x *tensor.Dense, given ...Fields) (*tensor.Dense, error) {
	out, err := m.applyToX(ctx, encode, x, given, draws{}, "z")
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Posterior returns mean and log-variance of q(z|x), N×latentDim each, of a model with a gaussian bottleneck.
func (m *Model) Posterior(ctx context.Context, x *tensor.Dense, given ...Fields) (mu, logVar *tensor.Dense, err error) {
	out, err := m.applyToX(ctx, encode, x, given, draws{}, "mu", "log_var")
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// Reconstruct returns the reconstructions of x by way of the posterior's mean; nothing is random.
func (m *Model) Reconstruct(ctx context.Context, x *tensor.Dense, given ...Fields) (*tensor.Dense, error) {
	out, err := m.applyToX(ctx, reconstruct, x, given, draws{}, "recon")
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Denoise corrupts x as evaluation does and returns what the encoder saw and the reconstruction. The noise belongs to each example's
// place in its split; row0 is that of x's first row.
func (m *Model) Denoise(ctx context.Context, x *tensor.Dense, row0 int, given ...Fields) (input, recon *tensor.Dense, err error) {
	out, err := m.applyToX(ctx, denoise, x, given, draws{seed: m.options.Seed, row0: row0}, "input", "recon")
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// applyToX runs a function of x.
func (m *Model) applyToX(ctx context.Context, function string, x *tensor.Dense, given []Fields, d draws, wanted ...string) ([]*tensor.Dense, error) {
	x, n, err := input(model.FieldX, x, m.fieldSpec(model.FieldX))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", function, err)
	}
	in, err := m.told(function, n, given)
	if err != nil {
		return nil, err
	}
	in[model.FieldX] = x
	return m.rows(ctx, function, in, n, d, wanted...)
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
func (m *Model) Decode(ctx context.Context, z *tensor.Dense, given ...Fields) (*tensor.Dense, error) {
	z, n, err := input("z", z, graph.F32(m.model.Code...))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", decode, err)
	}
	in, err := m.told(decode, n, given)
	if err != nil {
		return nil, err
	}
	in["z"] = z
	out, err := m.rows(ctx, decode, in, n, draws{}, "recon")
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Sample returns n examples decoded from codes that are drawn from the prior; the first k of them are the same for any n. A model
// that is told labels, and is given none, takes one label after the other.
func (m *Model) Sample(ctx context.Context, n int, seed uint64, given ...Fields) (*tensor.Dense, error) {
	return m.sample(ctx, n, seed, given, "recon")
}

// SampleCodes returns the codes that Sample decodes: n×code.
func (m *Model) SampleCodes(ctx context.Context, n int, seed uint64, given ...Fields) (*tensor.Dense, error) {
	return m.sample(ctx, n, seed, given, "z")
}

func (m *Model) sample(ctx context.Context, n int, seed uint64, given []Fields, output string) (*tensor.Dense, error) {
	if n < 1 {
		return nil, fmt.Errorf("%s: %d examples are wanted; want 1 or more", sample, n)
	}
	in, err := m.told(sample, n, given)
	if err != nil {
		return nil, err
	}
	m.eachClass(in, n)
	out, err := m.rows(ctx, sample, in, n, draws{seed: seed}, output)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}
