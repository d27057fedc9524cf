package infer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"aetrain/data"
	"aetrain/metrics"
)

// MetricLoss and MetricNLL are figures that no package metrics knows: the loss, and minus the log-likelihood.
const (
	MetricLoss = outputLoss
	MetricNLL  = nll
)

// EvaluateOptions say how and on how much a model is evaluated.
type EvaluateOptions struct {
	Repetition int                   // which of several evaluations this is: other noise, other codes
	Limit      int                   // only the first N examples; 0: all
	Metrics    []string              // beside loss, terms and mse: names of package metrics, "nll" and "fid"
	Samples    int                   // codes of an example for nll; 0: 200
	Draws      int                   // codes of an example for the loss; 0: as in training
	Features   *Model                // whose codes fid compares
	Progress   func(done, total int) // examples; may be nil
}

// Evaluate returns the loss, its unweighted terms, the mean squared error of an element (mse) and the wanted metrics, all means over
// examples. Codes are drawn and inputs corrupted as in training, by the seed and each example's place in the source; every schedule
// stands at its final value.
func (m *Model) Evaluate(ctx context.Context, src data.Source, o EvaluateOptions) (map[string]float64, error) {
	extra, whole, err := extraMetrics(o.Metrics)
	if err != nil {
		return nil, err
	}
	src = head(src, o.Limit)
	fields, err := fieldsOf(extra, src)
	if err != nil {
		return nil, err
	}
	t, scored, err := m.pass(ctx, src, extra, fields, o)
	if err != nil {
		return nil, err
	}
	figures := t.means(src.Len())
	maps.Copy(extra, scored)
	for name, x := range extra {
		figures[name] = x.Value()
	}
	if err := m.evaluateWhole(ctx, src, whole, figures, o); err != nil {
		return nil, err
	}
	return figures, nil
}

// pass runs once over src: it adds up what the model gives and shows batches to the metrics. scored are those of extra that judge
// reconstructions without noise.
func (m *Model) pass(ctx context.Context, src data.Source, extra map[string]metrics.Metric, fields []string, o EvaluateOptions) (t tally, scored map[string]metrics.Metric, err error) {
	requests := []request{{function: evaluate, samples: o.Draws, arrays: len(extra) > 0}}
	if scored = ofScores(extra); len(scored) > 0 {
		requests = append(requests, request{function: reconstruct})
	}
	t = tally{}
	return t, scored, m.over(ctx, src, requests, m.options.Batch, fields, func(rs []*runner, b *data.Batch) error {
		d := draws{seed: m.options.Seed, repetition: o.Repetition, row0: b.Row0}
		if err := m.step(ctx, rs[0], d); err != nil {
			return err
		}
		if err := errors.Join(m.tally(t, rs[0]), m.update(extra, rs[0], b)); err != nil {
			return err
		}
		if len(scored) > 0 { // its memory is that of the first: only now
			if err := m.step(ctx, rs[1], d); err != nil {
				return err
			}
			if err := m.update(scored, rs[1], b); err != nil {
				return err
			}
		}
		if o.Progress != nil {
			o.Progress(b.Row0+b.Size, src.Len())
		}
		return nil
	})
}

// evaluateWhole adds the figures that are no metrics of batches.
func (m *Model) evaluateWhole(ctx context.Context, src data.Source, whole map[string]bool, figures map[string]float64, o EvaluateOptions) (err error) {
	if whole[MetricNLL] {
		if figures[MetricNLL], err = m.NLL(ctx, src, o); err != nil {
			return err
		}
	}
	if whole[MetricFID] {
		if o.Features == nil {
			return fmt.Errorf("%s wants a model whose codes are the features", MetricFID)
		}
		figures[MetricFID], err = m.FID(ctx, src, o.Features, o)
	}
	return err
}

// MetricNames lists what EvaluateOptions.Metrics may name.
func MetricNames() []string {
	names := append(metrics.Names(), MetricNLL, MetricFID)
	slices.Sort(names)
	return names
}

// tally holds sums over examples, by figure.
type tally map[string]float64

// tally adds a batch. What the model gives for each example is added in float64, in the order of the source: batches make no
// difference. Scalars of a batch count once for each of its examples.
func (m *Model) tally(t tally, r *runner) error {
	add := func(name, output string) error {
		v, err := m.fetch(r, output)
		if err != nil {
			return err
		}
		x := v.Float32s()
		weight := float64(r.fn.Batch) / float64(len(x))
		sum := 0.0
		for _, e := range x {
			sum += float64(e)
		}
		t[name] += sum * weight
		return nil
	}
	if err := add(MetricLoss, outputLoss); err != nil {
		return err
	}
	for _, n := range r.fn.Terms {
		if err := add(n.Name, termPrefix+n.Name); err != nil {
			return err
		}
	}
	for _, n := range r.fn.Metrics {
		if err := add(n.Name, metricPrefix+n.Name); err != nil {
			return err
		}
	}
	return nil
}

func (t tally) means(n int) map[string]float64 {
	m := map[string]float64{}
	for name, sum := range t {
		m[name] = sum / float64(n)
	}
	return m
}
