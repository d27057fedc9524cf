package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"aetrain/infer"
	"aetrain/internal/registry"
	"aetrain/internal/texttable"
	"aetrain/trainer"
)

var evalCommand = command{
	name: "eval", args: "[RUN]", summary: "measure a run's loss, its terms and other metrics on a split",
	help: `
Codes are drawn and the input is corrupted as in training, by the run's seed; every schedule has its final value. What is measured
on the test split is added to the run's metrics.jsonl. -metrics nll is the importance-weighted log-likelihood, in nats an example.
-metrics fid is the Fréchet distance of samples from the data, in the codes of another run's encoder: -features RUN.`,
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o evalOptions
		var metrics string
		o.runOptions.add(f)
		o.addInput(f)
		f.StringVar(&metrics, "metrics", "", "`a,b` to measure beside the loss and its terms (aetrain list metrics)")
		f.IntVar(&o.Samples, "samples", 0, "codes an example for nll, `N` (default 200)")
		f.StringVar(&o.Features, "features", "", "`RUN` whose codes fid compares (its best checkpoint)")
		f.IntVar(&o.Limit, "limit", 0, "only the first `N` examples")
		return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			if metrics != "" {
				o.Metrics = strings.Split(metrics, ",")
			}
			return withArguments(&o, o.take, runEval)(ctx, args, stdout, stderr)
		}
	},
}

// evalOptions are the flags of "aetrain eval".
type evalOptions struct {
	runOptions
	Metrics  []string
	Samples  int    // codes an example for nll
	Features string // run whose codes fid compares
	Limit    int    // only the first examples; 0: all
}

// runEval measures and prints.
func runEval(ctx context.Context, o evalOptions, stdout, stderr io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	t := newTalk(stderr, o.talkOptions)
	defer t.done()
	r, err := openRunOn(ctx, o.runOptions, t)
	if err != nil {
		return err
	}
	defer r.Close()
	n := r.source.Len()
	if o.Limit > 0 {
		n = min(n, o.Limit)
	}
	features, err := r.openFeatures(o.Features)
	if err != nil {
		return err
	}
	if features != nil {
		defer features.Close()
	}
	measured, err := r.Evaluate(ctx, r.source, infer.EvaluateOptions{Metrics: o.Metrics, Samples: o.Samples, Limit: o.Limit, Features: features,
		Progress: func(done, total int) { t.show("evaluating", int64(done), int64(total), "examples") }})
	t.done()
	if err != nil {
		return err
	}
	res := r.result(o.runOptions, n)
	res.Metrics = numbers(measured)
	if r.split == "test" && o.Limit == 0 {
		meta := r.Meta()
		row := trainer.Row{Time: time.Now(), Step: meta.Step, Epoch: float64(meta.Epoch), Split: r.split, Metrics: res.Metrics}
		if err := trainer.AppendRow(r.dir, row); err != nil {
			t.Linef("the result is not added to the run's metrics: %v", err)
		}
	}
	return res.print(r, measured, o.Format, stdout)
}

// openFeatures opens the run whose codes are features, on the same device; nil where there is none.
func (r *openedRun) openFeatures(run string) (*infer.Model, error) {
	if run == "" {
		return nil, nil
	}
	dir, err := findRun(run, r.talk)
	if err != nil {
		return nil, err
	}
	return infer.Open(dir, r.backend, infer.OpenOptions{})
}

// check holds the flags to what there is.
func (o *evalOptions) check() error {
	for i, name := range o.Metrics {
		known, ok := registry.Find(strings.TrimSpace(name), infer.MetricNames())
		if !ok {
			return usagef("-metrics: unknown metric %q%s", name, registry.Suggest(name, infer.MetricNames()))
		}
		o.Metrics[i] = known
	}
	if o.Samples < 0 || o.Limit < 0 {
		return usagef("-samples and -limit are not negative")
	}
	if o.Samples > 0 && !slices.Contains(o.Metrics, "nll") {
		return usagef("-samples is how many codes nll draws: add -metrics nll")
	}
	if wants := slices.Contains(o.Metrics, infer.MetricFID); wants != (o.Features != "") {
		return usagef("-metrics fid and -features RUN go together: the codes of that run's encoder are the features")
	}
	return nil
}

// print writes a result with figures.
func (res runResult) print(r *openedRun, figures map[string]float64, format string, stdout io.Writer) error {
	if format == formatJSON {
		return writeJSON(stdout, res)
	}
	var t texttable.Table
	res.describe(&t, r)
	for _, name := range shown(figures) {
		t.Row(name, number(figures[name]))
	}
	if res.Out != "" {
		t.Row("out", res.Out)
	}
	return t.Write(stdout)
}
