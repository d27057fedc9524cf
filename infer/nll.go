package infer

import (
	"context"
	"fmt"
	"math"

	"aetrain/data"
)

const (
	defaultSamples = 200 // codes of an example
	chunkSamples   = 50  // codes of an example in one run
)

// nllBytes bounds the arena of one run: codes times examples are rows of the decoder.
const nllBytes = 256 << 20

// NLL returns -log p(x), in nats, the mean over examples: the importance-weighted estimate
// log p(x) ≈ log (1/k) Σ p(x|z) p(z) / q(z|x) with k = o.Samples codes z drawn from q(z|x), a lower bound of the log-likelihood in
// expectation that k tightens. The codes are drawn some at a time, by the seed, the example's place and the repetition, and put together
// in float64. An ensemble's is that of its members' mixture, of k codes from each.
// Source: Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders", eq. 8.
func (m *Model) NLL(ctx context.Context, src data.Source, o EvaluateOptions) (float64, error) {
	src = head(src, o.Limit)
	total := 0.0
	err := m.EachNLL(ctx, src, o, func(_ int, nats []float64) error {
		for _, v := range nats {
			total += v
		}
		return nil
	})
	return total / float64(src.Len()), err
}

// EachNLL calls visit with the figure of [Model.NLL] of each example, a batch at a time: row0 is the place of the first one.
func (m *Model) EachNLL(ctx context.Context, src data.Source, o EvaluateOptions, visit func(row0 int, nats []float64) error) error {
	samples := o.Samples
	if samples <= 0 {
		samples = defaultSamples
	}
	src = head(src, o.Limit)
	batch, chunk, err := m.nllSizes(samples, src.Len())
	if err != nil {
		return err
	}
	requests := []request{{function: nll, samples: chunk}}
	if rest := samples % chunk; rest > 0 {
		requests = append(requests, request{function: nll, samples: rest})
	}
	runs := (samples + chunk - 1) / chunk
	err = m.over(ctx, src, requests, batch, nil, func(rs []*runner, b *data.Batch) error {
		sums, added := newLogSums(b.Size), 0
		for i := range runs {
			r := rs[0]
			if (i+1)*chunk > samples {
				r = rs[1]
			}
			if err := m.step(ctx, r, draws{m.options.Seed, b.Row0, o.Repetition*runs + i}); err != nil {
				return err
			}
			w, err := m.fetch(r, "log_weights")
			if err != nil {
				return err
			}
			added += sums.add(w.Float32s())
		}
		nats := make([]float64, len(sums))
		for i := range sums {
			nats[i] = math.Log(float64(added)) - sums[i].value()
		}
		if o.Progress != nil {
			o.Progress(b.Row0+b.Size, src.Len())
		}
		return visit(b.Row0, nats)
	})
	if err != nil {
		return fmt.Errorf("nll: %w", err)
	}
	return nil
}

// nllSizes returns the batch and the codes of an example of one run over n examples, so that the run's memory stays within nllBytes.
func (m *Model) nllSizes(samples, n int) (batch, chunk int, err error) {
	batch, chunk = max(1, min(m.options.Batch, n)), min(samples, chunkSamples)
	for {
		_, p, err := m.compile(request{function: nll, batch: batch, samples: chunk})
		if err != nil {
			return 0, 0, err
		}
		switch {
		case p.ArenaBytes <= nllBytes || batch == 1 && chunk == 1:
			return batch, chunk, nil
		case batch > 1:
			batch = (batch + 1) / 2
		default:
			chunk = (chunk + 1) / 2
		}
	}
}

// logSum is log Σ exp(x) of the numbers added to it, kept as the largest one and the sum relative to it.
type logSum struct{ largest, sum float64 }

func newLogSums(n int) logSums {
	s := make(logSums, n)
	for i := range s {
		s[i].largest = math.Inf(-1)
	}
	return s
}

// logSums is a logSum for each row.
type logSums []logSum

// add adds the numbers of a row-major array, as many to each row, and returns how many these are.
func (s logSums) add(x []float32) int {
	k := len(x) / len(s)
	for i := range s {
		for _, v := range x[i*k : (i+1)*k] {
			s[i].add(float64(v))
		}
	}
	return k
}

func (s *logSum) add(x float64) {
	switch {
	case math.IsInf(x, -1): // probability 0
	case x > s.largest:
		s.sum = s.sum*math.Exp(s.largest-x) + 1
		s.largest = x
	default: // NaN too
		s.sum += math.Exp(x - s.largest)
	}
}

func (s *logSum) value() float64 { return s.largest + math.Log(s.sum) }
