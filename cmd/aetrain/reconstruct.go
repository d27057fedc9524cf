package main

import (
	"context"
	"io"
	"slices"

	"gorgonia.org/tensor"

	"aetrain/configs"
	"aetrain/infer"
	"aetrain/internal/cachedir"
	"aetrain/internal/grid"
	"aetrain/internal/token"
	"aetrain/model"
)

var reconstructCommand = command{
	name: "reconstruct", args: "[RUN]", summary: "write the reconstructions of inputs, in the units of the data",
	help: `
Codes are the posterior's mean; the input is clean unless -corrupt. A picture of several inputs shows each above its reconstruction,
a picture of one input is its reconstruction. mse is that of what the network is fed;
of text it is accuracy, the share of the tokens that are right.
With -label a model with a decoder for each label (model.decoder_per) swaps: every input is decoded as that label.`,
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o reconstructOptions
		o.runOptions.add(f)
		o.addInput(f)
		o.addOutput(f)
		o.addLabel(f, "that of each input")
		f.IntVar(&o.N, "n", 0, "inputs at most, `N` (default: all; a picture shows 64)")
		f.BoolVar(&o.Corrupt, "corrupt", false, "corrupt the input as in training, by the run's seed")
		return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			o.Labelled = f.given("label")
			return withArguments(&o, o.take, runReconstruct)(ctx, args, stdout, stderr)
		}
	},
}

// reconstructOptions are the flags of "aetrain reconstruct".
type reconstructOptions struct {
	runOptions
	labelOptions
	N       int  // inputs at most; 0: all
	Corrupt bool // the input, as in training
}

// runReconstruct writes a reconstruction for each input.
func runReconstruct(ctx context.Context, o reconstructOptions, stdout, stderr io.Writer) error {
	if o.N < 0 {
		return usagef("-n %d: it is 1 or more", o.N)
	}
	t := newTalk(stderr, o.talkOptions)
	defer t.done()
	r, err := openRunOn(ctx, o.runOptions, t)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := o.relabel(r); err != nil {
		return err
	}
	rec := &reconstruction{r: r, corrupt: o.Corrupt, n: r.source.Len()}
	if o.N > 0 {
		rec.n = min(o.N, rec.n)
	}
	rec.n = r.shownRows(rec.n, o.Out)
	if isPicture(o.Out) && rec.n > 1 {
		if err := rec.drawPairs(ctx, o.Out); err != nil {
			return err
		}
		figures := rec.figures()
		res := r.result(o.runOptions, rec.n)
		res.Metrics = numbers(figures)
		return res.print(r, figures, o.Format, stdout)
	}
	out := r.inColumns(rows{n: rec.n, shape: r.Model.Model().X, column: "x", grid: grid.Options{Columns: 1}})
	out.produce = func(emit func([]string, *tensor.Dense) error) error {
		return rec.each(ctx, func(names []string, _, recon *tensor.Dense) error { return emit(names, recon) })
	}
	return r.deliver(out, o.runOptions, rec.figures, stdout)
}

// reconstruction runs over inputs and measures on the way.
type reconstruction struct {
	r       *openedRun
	corrupt bool
	n       int
	squares float64
	values  int
	tokens  bool // x are tokens: squares counts those that are right
}

// each visits inputs (as the encoder sees them) and reconstructions, in data units.
func (c *reconstruction) each(ctx context.Context, visit func(names []string, input, recon *tensor.Dense) error) error {
	function := "reconstruct"
	if c.corrupt {
		function = "denoise"
	}
	return c.r.each(ctx, function, c.n, func(b *infer.Rows, names []string) error {
		x, recon := b.Batch.Field(model.FieldX), b.Out["recon"]
		c.measure(x, recon)
		input := x
		if c.corrupt {
			input = b.Out["input"]
		}
		input, err := c.r.inUnits(input)
		if err != nil {
			return err
		}
		if recon, err = c.r.inUnits(recon); err != nil {
			return err
		}
		return visit(names, input, recon)
	})
}

// measure adds up squared errors, or the tokens that are right, of each text up to its end.
func (c *reconstruction) measure(x, recon *tensor.Dense) {
	if ids, ok := x.Data().([]int32); ok && c.r.hasText() {
		c.tokens = true
		length := len(ids) / x.Shape()[0]
		for i, v := range recon.Float32s() {
			if at := i % length; at > 0 && slices.Contains(ids[i-at:i], token.End) {
				continue
			}
			c.values++
			if int32(v) == ids[i] {
				c.squares++
			}
		}
		return
	}
	a, ok := x.Data().([]float32)
	if !ok {
		return
	}
	for i, v := range recon.Float32s() {
		d := float64(v) - float64(a[i])
		c.squares += d * d
	}
	c.values += len(a)
}

func (c *reconstruction) figures() map[string]float64 {
	if c.tokens {
		return map[string]float64{"accuracy": c.squares / float64(max(1, c.values))}
	}
	return map[string]float64{"mse": c.squares / float64(max(1, c.values))}
}

// drawPairs draws inputs above their reconstructions.
func (c *reconstruction) drawPairs(ctx context.Context, out string) error {
	var above, below []float32
	err := c.each(ctx, func(_ []string, input, recon *tensor.Dense) error {
		above, below = append(above, input.Float32s()...), append(below, recon.Float32s()...)
		return nil
	})
	if err != nil {
		return err
	}
	shape := append([]int{c.n}, c.r.Model.Model().X...)
	a := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(above))
	b := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(below))
	o := grid.Options{Apart: c.r.Model.Model().Config.GivesShares()}
	o.Low, o.High = greyRange(a)
	return cachedir.WriteFile(configs.ResolvePath(out), func(w io.Writer) error { return grid.WritePairs(w, a, b, o) })
}
