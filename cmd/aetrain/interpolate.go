package main

import (
	"context"
	"io"

	"gorgonia.org/tensor"

	"aetrain/data"
	"aetrain/infer"
	"aetrain/internal/grid"
	"aetrain/model"
)

var interpolateCommand = command{
	name: "interpolate", args: "[RUN]", summary: "decode the codes between pairs of inputs",
	help: `
The inputs are taken in pairs, in their order: the first and the second, the third and the fourth... Each pair gives -steps rows, its
ends included. With -traverse the first input alone counts: each number of its code in turn goes from -3 to 3 in -steps rows, the
others stay, which shows what the number stands for. What a model is told (labels, columns), its decoder is told of the first input of a
pair.`,
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o interpolateOptions
		o.runOptions.add(f)
		o.addInput(f)
		o.addOutput(f)
		f.IntVar(&o.Steps, "steps", 8, "rows for each pair, `N`")
		f.IntVar(&o.N, "n", 8, "pairs at most, `N`")
		f.choose(&o.Path, "path", "way between two codes: `auto|linear|spherical`; auto is spherical for gaussian codes", "auto", "linear", "spherical")
		f.BoolVar(&o.Traverse, "traverse", false, "change one number of the first input's code after the other")
		return withArguments(&o, o.take, runInterpolate)
	},
}

// interpolateOptions are the flags of "aetrain interpolate".
type interpolateOptions struct {
	runOptions
	Steps int    // of each pair, ends included
	N     int    // pairs at most
	Path  string // auto, linear, spherical

	Traverse bool // instead: along each number of one code
}

// runInterpolate writes what lies between pairs of inputs.
func runInterpolate(ctx context.Context, o interpolateOptions, stdout, stderr io.Writer) error {
	if o.Steps < 2 || o.N < 1 {
		return usagef("-steps is 2 or more, -n 1 or more")
	}
	t := newTalk(stderr, o.talkOptions)
	defer t.done()
	r, err := openRunOn(ctx, o.runOptions, t)
	if err != nil {
		return err
	}
	defer r.Close()
	walk := o.between
	if o.Traverse {
		walk = o.along
	}
	rows, inputs, err := walk(ctx, r)
	if err != nil {
		return err
	}
	shape := append([]int{rows.Shape()[0] * o.Steps}, r.Model.Model().X...)
	flat := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(rows.Float32s()))
	return r.deliverTensor(flat, inputs, o.runOptions, grid.Options{Columns: o.Steps}, stdout)
}

// between decodes what lies between pairs of inputs, pairs×steps×example, and tells how many inputs that took.
func (o interpolateOptions) between(ctx context.Context, r *openedRun) (rows *tensor.Dense, inputs int, err error) {
	if r.source.Len() < 2 {
		return nil, 0, usagef("two inputs or more are wanted, there is %d", r.source.Len())
	}
	var z [2]*tensor.Dense
	var told infer.Fields // of each pair's first input
	n := min(o.N, r.source.Len()/2)
	for first := range z {
		x, given, err := readOf(r, n, func(i int) int { return 2*i + first })
		if err != nil {
			return nil, 0, err
		}
		if z[first], err = r.Encode(ctx, x, given); err != nil {
			return nil, 0, err
		}
		if first == 0 {
			told = given
		}
	}
	path := o.Path
	if path == "auto" {
		path = ""
	}
	rows, err = r.InterpolateCodes(ctx, z[0], z[1], o.Steps, path, told)
	return rows, 2 * n, err
}

// along decodes codes that differ from the first input's in one number each: numbers×steps×example.
func (o interpolateOptions) along(ctx context.Context, r *openedRun) (rows *tensor.Dense, inputs int, err error) {
	x, given, err := readOf(r, 1, func(i int) int { return i })
	if err != nil {
		return nil, 0, err
	}
	rows, err = r.Traverse(ctx, x, o.Steps, given)
	return rows, 1, err
}

// readOf reads x of n inputs, and what the model may be told beside it.
func readOf(r *openedRun, n int, index func(i int) int) (x *tensor.Dense, given infer.Fields, err error) {
	indices := make([]int, n)
	for i := range indices {
		indices[i] = index(i)
	}
	fields := r.source.Fields()
	batch := data.NewBatch(fields, n, nil)
	given = infer.Fields{}
	for i, f := range fields {
		given[f.Name] = batch[i]
	}
	return given[model.FieldX], given, r.source.Read(batch, indices)
}
