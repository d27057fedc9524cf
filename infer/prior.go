package infer

import (
	"context"
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/internal/mixture"
	"aetrain/internal/philox"
	"aetrain/model"
)

// StageKey is the place of a StageMemory among what a checkpoint remembers.
const StageKey = "stage"

// StageMemory says of which stage of its training a model's weights are.
type StageMemory struct {
	Name   string   `json:"name,omitempty"`
	Depth  int      `json:"depth,omitempty"`  // layers that are built; 0: all
	Losses []string `json:"losses,omitempty"` // that it minimises; nil: all
	Prior  bool     `json:"prior,omitempty"`  // a prior that comes later is there
}

// staged is the model as a checkpoint's stage has it.
func staged(m *model.Model, s StageMemory) (*model.Model, error) {
	own, err := m.Stage(model.StageOptions{Depth: s.Depth, Losses: s.Losses})
	if err != nil {
		return nil, err
	}
	if s.Prior {
		return own.WithItsPrior(), nil
	}
	return own, nil
}

// WithPrior returns the model at work with another prior to sample from, over the same weights: its own kind, "normal", or
// "gaussian-mixture", which src (the training split) is encoded for where the weights hold none; nil elsewhere.
func (m *Model) WithPrior(ctx context.Context, kind string, src data.Source) (*Model, error) {
	other, err := m.model.WithPrior(kind)
	if err != nil {
		return nil, err
	}
	own := New(other, m.backend, m.state, m.options)
	own.run, own.turn = m.run, m.turn // the State is one
	if _, mixed := other.Config.Prior.(*model.GaussianMixture); !mixed || other.Config.Prior == m.model.Config.Prior {
		return own, nil
	}
	if src == nil {
		return nil, fmt.Errorf("a mixture is fitted to the codes of the training split, which is not at hand")
	}
	return own, own.FitPrior(ctx, src)
}

// mostFitted is how many examples a mixture is fitted to.
const mostFitted = 10000

// FitPrior fits the model's gaussian-mixture prior to the codes of a split, at most 10000 of them, and keeps it with the weights.
// Of a normal posterior it takes draws, else what encode gives. Other priors are left alone.
func (m *Model) FitPrior(ctx context.Context, src data.Source) error {
	p, ok := m.model.Config.Prior.(*model.GaussianMixture)
	if !ok {
		return nil
	}
	d := m.model.Code.Size()
	var codes []float64
	r := philox.New(m.options.Seed, philox.Stream("prior.codes"))
	err := m.Each(ctx, src, encode, mostFitted, func(rows *Rows) error {
		z, logVar := rows.Out["z"].Float32s(), rows.Out["log_var"]
		for i, v := range z {
			x := float64(v)
			if logVar != nil {
				x += math.Exp(float64(logVar.Float32s()[i])/2) * r.NormFloat64()
			}
			codes = append(codes, x)
		}
		return nil
	})
	if err != nil {
		return err
	}
	fitted, _, err := mixture.Fit(codes, d, p.Components, m.options.Seed)
	if err != nil {
		return err
	}
	if err := m.acquire(ctx); err != nil {
		return err
	}
	defer m.release()
	var means, factors []float64
	for k := range fitted.Weights {
		means, factors = append(means, fitted.Means[k]...), append(factors, fitted.Factors[k]...)
	}
	for name, s := range map[string]struct {
		values []float64
		dims   []int
	}{
		model.StateMixtureWeights: {fitted.Weights, []int{p.Components}},
		model.StateMixtureMeans:   {means, []int{p.Components, d}},
		model.StateMixtureFactors: {factors, []int{p.Components, d, d}},
	} {
		if err := m.state.Write(name, graph.Buffer, host(s.values, s.dims...)); err != nil {
			return err
		}
	}
	return nil
}

func host(values []float64, dims ...int) *tensor.Dense {
	t := backend.NewHost(graph.F32(dims...))
	for i, v := range values {
		t.Float32s()[i] = float32(v)
	}
	return t
}

// drawCodes runs the steps by which a prior draws the codes of a batch, one position after the other.
func (m *Model) drawCodes(ctx context.Context, batch int, in map[string]*tensor.Dense, d draws) error {
	steps := m.model.DrawSteps()
	if steps == 0 {
		return nil
	}
	runners, err := m.prepare(request{function: drawStep, batch: batch})
	if err != nil {
		return err
	}
	r := runners[0]
	for name, t := range in {
		if err := r.feed(name, t); err != nil {
			return err
		}
	}
	for position := range steps {
		m.feeds.integer.Int32s()[0] = int32(position)
		if err := r.feed(model.InputPosition, m.feeds.integer); err != nil {
			return err
		}
		if err := m.step(ctx, r, d); err != nil {
			return err
		}
	}
	return nil
}
