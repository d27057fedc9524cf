package main

import (
	"context"
	"io"
	"strconv"

	"gorgonia.org/tensor"

	"aetrain/data"
	"aetrain/infer"
	"aetrain/internal/grid"
	"aetrain/model"
)

var sampleCommand = command{
	name: "sample", args: "[RUN]", summary: "draw new examples from the prior, in the units of the data",
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o sampleOptions
		o.runOptions.add(f)
		o.addOutput(f)
		f.IntVar(&o.N, "n", 64, "how many, `N`")
		o.addLabel(f, "one after the other")
		f.StringVar(&o.Prior, "prior", "", "`P` to draw codes from: normal or gaussian-mixture (fitted on the spot), where the model has a posterior (default: the model's)")
		f.Uint64Var(&o.Seed, "seed", 0, "of the draw, `S` (default: the run's)")
		return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			o.Seeded, o.Labelled = f.given("seed"), f.given("label")
			return withArguments(&o, o.take, runSample)(ctx, args, stdout, stderr)
		}
	},
}

// sampleOptions are the flags of "aetrain sample".
type sampleOptions struct {
	runOptions
	labelOptions
	N      int
	Prior  string // kind; "": the model's
	Seed   uint64
	Seeded bool // Seed counts; otherwise the run's does
}

// runSample draws o.N examples from the prior of the run's checkpoint.
func runSample(ctx context.Context, o sampleOptions, stdout, stderr io.Writer) error {
	if o.N < 1 {
		return usagef("-n %d: it is 1 or more", o.N)
	}
	t := newTalk(stderr, o.talkOptions)
	defer t.done()
	r, err := openRun(o.runOptions, t)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.openUnits(ctx); err != nil {
		return err
	}
	seed := r.Config().Seed
	if o.Seeded {
		seed = o.Seed
	}
	given, err := o.given(r, o.N)
	if err != nil {
		return err
	}
	m, err := o.drawnFrom(ctx, r)
	if err != nil {
		return err
	}
	x, err := m.Sample(ctx, o.N, seed, given)
	if err != nil {
		return err
	}
	return r.deliverTensor(x, 0, o.runOptions, grid.Options{Columns: o.classes(r)}, stdout)
}

// classes is how many examples stand side by side in a picture: one of each label, where they come one after the other; 0: any number.
func (o sampleOptions) classes(r *openedRun) int {
	if fields := r.Model.Model().ConditionFields(); !o.Labelled && len(fields) > 0 {
		return fields[0].Classes
	}
	return 0
}

// drawnFrom is the model with the prior that is asked for. A mixture that the run lacks is fitted to the codes of its training split.
func (o sampleOptions) drawnFrom(ctx context.Context, r *openedRun) (*infer.Model, error) {
	if o.Prior == "" {
		return r.Model, nil
	}
	mod, err := r.Model.Model().WithPrior(o.Prior)
	if err != nil {
		return nil, usagef("-prior: %v", err)
	}
	var src data.Source
	if _, mixed := mod.Config.Prior.(*model.GaussianMixture); mixed && mod != r.Model.Model() {
		splits, err := r.OpenData(ctx, r.talk.progress)
		if err != nil {
			return nil, err
		}
		defer splits.Close()
		src = splits.Train
	}
	return r.Model.WithPrior(ctx, o.Prior, src)
}

// deliverTensor writes N×... in data units, each row under its number. from is how many inputs they come from, 0 for N.
func (r *openedRun) deliverTensor(x *tensor.Dense, from int, o runOptions, g grid.Options, stdout io.Writer) error {
	x, err := r.inUnits(x)
	if err != nil {
		return err
	}
	out := r.inColumns(rows{n: x.Shape()[0], from: from, shape: r.Model.Model().X, column: "x", grid: g})
	out.produce = func(emit func([]string, *tensor.Dense) error) error { return emit(numbered(out.n), x) }
	return r.deliver(out, o, nil, stdout)
}

// numbered are the names of rows that have none.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}
