package trainer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/model"
	"aetrain/program"
)

// start runs the init passes of parts that the stage under way is the first to train. A pass that is interrupted begins anew: nothing
// of it counts before it is done.
func (r *Run) start(ctx context.Context) error {
	m := r.now().model
	parts, passes := m.Starts()
	for _, part := range parts {
		if slices.Contains(r.started, part) {
			continue
		}
		if err := r.startPart(ctx, m, part, passes[part]); err != nil {
			return fmt.Errorf("init pass of %s: %w", part, err)
		}
		if stopped(ctx) {
			return nil
		}
		r.started = append(r.started, part)
	}
	return nil
}

// startPart runs the program of one part over the training split, in one drawn order, so many times.
func (r *Run) startPart(ctx context.Context, m *model.Model, part string, passes int) error {
	loader, err := data.NewLoader(r.Splits.Train, data.LoaderOptions{
		Batch: r.Data.Batch, Seed: r.Seed, Shuffle: r.Data.Shuffle, MinLast: r.Options.Model.MinBatch(), Epochs: passes, Workers: r.Data.Workers, Alloc: r.Backend.Host,
	})
	if err != nil {
		return err
	}
	defer loader.Close()
	runs, err := r.loadStart(m, part, loader)
	if err != nil {
		return err
	}
	for _, e := range runs {
		defer e.Close()
	}
	for _, name := range []string{model.StateStartBatches, model.StateStartExamples} {
		if err := writeScalar(r.State, name, 0, r.feeds.scalar); err != nil {
			return err
		}
	}
	r.Logf("init pass: %s", part)
	for !stopped(ctx) {
		b, err := loader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			if stopped(ctx) {
				return nil
			}
			return err
		}
		e := runs[b.Size]
		for _, f := range loader.Fields() {
			if hasInput(e, f.Name) {
				if err := e.Feed(f.Name, b.Field(f.Name)); err != nil {
					return err
				}
			}
		}
		if err := e.Run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// loadStart loads the programs of all batch sizes.
func (r *Run) loadStart(m *model.Model, part string, loader *data.Loader) (map[int]backend.Executable, error) {
	sizes := loader.Sizes()
	var all []*program.Program
	for _, size := range sizes {
		fn, err := m.Start(part, size)
		if err != nil {
			return nil, err
		}
		p, err := program.Compile(fn.Graph, nil, r.target())
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	o := r.Kernels
	o.Seed = r.Seed
	exes, err := r.Backend.Load(r.State, o, all...)
	if err != nil {
		return nil, err
	}
	runs := map[int]backend.Executable{}
	for i, e := range exes {
		runs[sizes[i]] = e
		err = errors.Join(err, r.feedStart(e, sizes[i]))
	}
	if err != nil {
		for _, e := range exes {
			err = errors.Join(err, e.Close())
		}
		return nil, err
	}
	return runs, nil
}

// feedStart feeds what stays the same in all batches of a size.
func (r *Run) feedStart(e backend.Executable, size int) error {
	if err := r.feedConstants(part0(e), size); err != nil || !hasInput(e, model.InputRepetition) {
		return err
	}
	return e.Feed(model.InputRepetition, backend.NewHost(graph.I32()))
}

// part0 is a program that takes a batch as a whole, for what feedConstants feeds.
func part0(e backend.Executable) part { return part{feeder: feeder{exe: e}} }
