package main

import (
	"cmp"
	"context"
	"io"

	"gorgonia.org/tensor"

	"aetrain/data"
	"aetrain/infer"
)

var encodeCommand = command{
	name: "encode", args: "[RUN]", summary: "write the codes of inputs",
	help: "Codes are the posterior's mean where there is a posterior. Without -out, CSV goes to stdout.",
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o runOptions
		o.add(f)
		o.addInput(f)
		o.addOutput(f)
		return withArguments(&o, o.take, runEncode)
	},
}

// runEncode writes a code for each input.
func runEncode(ctx context.Context, o runOptions, stdout, stderr io.Writer) error {
	t := newTalk(stderr, o.talkOptions)
	defer t.done()
	r, err := openRunOn(ctx, o, t)
	if err != nil {
		return err
	}
	defer r.Close()
	out := rows{n: r.shownRows(r.source.Len(), o.Out), shape: r.Model.Model().Code, column: "z"}
	out.produce = func(emit func([]string, *tensor.Dense) error) error {
		return r.each(ctx, "encode", out.n, func(b *infer.Rows, names []string) error { return emit(names, b.Out["z"]) })
	}
	return r.deliver(out, o, nil, stdout)
}

// shownRows is how many of n rows go to -out: all, or as many as a picture shows.
func (r *openedRun) shownRows(n int, out string) int {
	if isPicture(out) && n > pictureRows {
		r.talk.Linef("the picture shows the first %d of %s examples", pictureRows, count(n))
		return pictureRows
	}
	return n
}

// each runs a function over the first n inputs, a batch at a time, with their names.
func (r *openedRun) each(ctx context.Context, function string, n int, visit func(b *infer.Rows, names []string) error) error {
	defer r.talk.done()
	return r.Each(ctx, r.source, function, n, func(b *infer.Rows) error {
		names := make([]string, b.N)
		for i := range names {
			names[i] = data.ExampleName(r.source, b.Row0+i)
		}
		r.talk.show(function, int64(b.Row0+b.N), int64(n), "examples")
		return visit(b, names)
	})
}

// deliver writes rows to -out, or to stdout where that is not given, and the result. figures, where it is not nil, is asked last.
func (r *openedRun) deliver(out rows, o runOptions, figures func() map[string]float64, stdout io.Writer) error {
	res := r.result(o, cmp.Or(out.from, out.n))
	var err error
	switch {
	case o.Out != "":
		err = out.write(o.Out)
	case o.Format == formatJSON:
		res.Rows, err = out.objects()
	default:
		return out.csv(stdout)
	}
	if err != nil {
		return err
	}
	var measured map[string]float64
	if figures != nil {
		measured = figures()
		res.Metrics = numbers(measured)
	}
	return res.print(r, measured, o.Format, stdout)
}
