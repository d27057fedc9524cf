package infer

import (
	"context"
	"fmt"
	"math/rand/v2"

	"gorgonia.org/tensor"

	"aetrain/data"
	"aetrain/metrics"
	"aetrain/model"
)

// MetricFID is the Fréchet distance of samples from the data, as a network's features see them.
const MetricFID = "fid"

// fidRows is how many samples are held at once.
const fidRows = 1000

// FID returns the Fréchet distance between the features of the examples of src and those of as many samples from the prior: 0 where
// both have the same mean and covariance. Features are the codes that another model's encoder makes (the posterior's mean), so figures
// compare between models that are judged by the same network only, and not with published ones, which Inception-v3 gives. Of some
// thousand examples the estimate is too large by a share that falls with their number: compare at the same number.
// Source: Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule", eq. 6.
func (m *Model) FID(ctx context.Context, src data.Source, features *Model, o EvaluateOptions) (float64, error) {
	if want, have := m.fieldSpec(model.FieldX), features.fieldSpec(model.FieldX); !want.Shape.Equal(have.Shape) {
		return 0, fmt.Errorf("%s: the network of features takes %v, this model makes %v", MetricFID, have.Shape, want.Shape)
	}
	src = head(src, o.Limit)
	var real, made metrics.Moments
	done := func(n int) {
		if o.Progress != nil {
			o.Progress(n, 2*src.Len())
		}
	}
	err := features.Each(ctx, src, encode, 0, func(r *Rows) error {
		done(r.Row0 + r.N)
		code := r.Out["mu"]
		if code == nil {
			code = r.Out["z"]
		}
		return real.Add(code)
	})
	if err != nil {
		return 0, fmt.Errorf("%s: features of the data: %w", MetricFID, err)
	}
	for from := 0; from < src.Len(); from += fidRows {
		seed := rand.NewPCG(m.options.Seed, uint64(from)).Uint64() // other codes for each part
		x, err := m.Sample(ctx, min(fidRows, src.Len()-from), seed)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", MetricFID, err)
		}
		code, err := features.means(ctx, x)
		if err != nil {
			return 0, fmt.Errorf("%s: features of samples: %w", MetricFID, err)
		}
		if err := made.Add(code); err != nil {
			return 0, fmt.Errorf("%s: features of samples: %w", MetricFID, err)
		}
		done(src.Len() + from + x.Shape()[0])
	}
	return metrics.FrechetDistance(&real, &made)
}

// means are the codes of x without noise, as Each gives them.
func (m *Model) means(ctx context.Context, x *tensor.Dense) (*tensor.Dense, error) {
	fn, err := m.model.Encode(1)
	if err != nil {
		return nil, err
	}
	if fn.Outputs["mu"].Valid() {
		mu, _, err := m.Posterior(ctx, x)
		return mu, err
	}
	return m.Encode(ctx, x)
}
