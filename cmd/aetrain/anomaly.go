package main

import (
	"context"
	"io"

	"aetrain/internal/texttable"
	"aetrain/tasks"
	"aetrain/trainer"
)

var anomalyCommand = command{
	name: "anomaly", args: "[RUN]", summary: "score examples and flag the unusual ones",
	help: `
What scores higher than the threshold is flagged; the threshold is fitted to the scores of the validation split. Both come from the
run's [anomaly] unless flags say otherwise. Examples are those of the test split, where there is one, else all. Of windows the rows
of the series are scored, each by the mean over the windows that hold it. Labels, where there are any, only judge the result.`,
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o anomalyOptions
		o.runOptions.add(f)
		o.addInput(f)
		f.StringVar(&o.Out, "out", "", "`PATH` to write: .csv, .jsonl or .parquet, a row an example; .npy, its score; .png, a histogram of all scores")
		f.StringVar(&o.Score, "score", "", "`reconstruction|likelihood|latent` (default: the run's anomaly.score)")
		f.StringVar(&o.Threshold, "threshold", "", "`KIND:VALUE` with KIND quantile, contamination, best-f1, pot or fixed (default: the run's anomaly.threshold)")
		return withArguments(&o, o.take, runAnomaly)
	},
}

// anomalyOptions are the flags of "aetrain anomaly".
type anomalyOptions struct {
	runOptions
	Score     string
	Threshold string // KIND:VALUE
}

// anomalyResult is what the command prints.
type anomalyResult struct {
	runResult
	Score     string         `json:"score"`
	Threshold trainer.Number `json:"threshold"`
	FittedOn  string         `json:"fitted_on,omitempty"`
	Flagged   int            `json:"flagged"`
}

// runAnomaly scores, flags and prints.
func runAnomaly(ctx context.Context, o anomalyOptions, stdout, stderr io.Writer) error {
	if err := checkAnomalyOut(o.Out); err != nil {
		return err
	}
	t := newTalk(stderr, o.talkOptions)
	defer t.done()
	r, err := openRun(o.runOptions, t)
	if err != nil {
		return err
	}
	defer r.Close()
	c, err := o.config(r)
	if err != nil {
		return err
	}
	if err := r.openAnomalyInput(ctx, o.runOptions, c); err != nil {
		return err
	}
	found, err := tasks.Anomaly(ctx, r.Model, r.splits, r.source, tasks.AnomalyOptions{Config: c, Normal: r.DataConfig().Normal,
		Progress: func(what string, done, total int) { t.show(what, int64(done), int64(total), "examples") }})
	t.done()
	if err != nil {
		return err
	}
	if found.Uncovered > 0 {
		t.Linef("%s rows at the ends of series are in no window, and have no score", count(found.Uncovered))
	}
	res := anomalyResult{runResult: r.result(o.runOptions, len(found.Rows)), Score: found.Score, Threshold: trainer.Number(found.Threshold),
		FittedOn: found.FittedOn, Flagged: found.Flagged}
	if found.Metrics != nil {
		res.Metrics = numbers(found.Metrics)
	}
	if o.Out != "" {
		if err := writeAnomalies(found, o.Out); err != nil {
			return err
		}
	}
	return res.print(r, found, o.Format, stdout)
}

// config is the run's [anomaly] with what the flags say.
func (o anomalyOptions) config(r *openedRun) (*tasks.AnomalyConfig, error) {
	c, err := tasks.ReadAnomaly(r.Config())
	if err != nil {
		return nil, err
	}
	if o.Score != "" {
		kinds := []string{"reconstruction", "likelihood", "latent"}
		if err := (choice{&c.Score, kinds}).Set(o.Score); err != nil {
			return nil, usagef("-score %s: %v", o.Score, err)
		}
	}
	if o.Threshold != "" {
		if c.Threshold, err = tasks.ParseThreshold(o.Threshold); err != nil {
			return nil, usagef("-threshold %s: %v", o.Threshold, err)
		}
	}
	return c, nil
}

// openAnomalyInput opens what is scored: -in, or a split, the test split by default, else all. The run's own data is opened beside -in
// where the threshold or the score needs it.
func (r *openedRun) openAnomalyInput(ctx context.Context, o runOptions, c *tasks.AnomalyConfig) error {
	if o.In == "" {
		if err := r.openSplits(ctx); err != nil {
			return err
		}
		if o.Split == "" && r.splits.Test == nil {
			o.Split = "all"
		}
		var err error
		if r.source, r.split, err = r.splits.Named(o.Split); err != nil {
			return usagef("-split: %v", err)
		}
		return nil
	}
	if c.Threshold.Kind != "fixed" || c.Score == "latent" {
		if err := r.openSplits(ctx); err != nil {
			return err
		}
	}
	return r.openPath(ctx, o.In)
}

// print writes the result.
func (res anomalyResult) print(r *openedRun, found *tasks.Anomalies, format string, stdout io.Writer) error {
	if format == formatJSON {
		if res.Out == "" {
			for _, row := range found.Rows {
				res.Rows = append(res.Rows, anomalyObject(row, found.Labelled))
			}
		}
		return writeJSON(stdout, res)
	}
	var t texttable.Table
	res.describe(&t, r)
	t.Row("score", res.Score)
	threshold := number(float64(res.Threshold))
	if res.FittedOn != "" {
		threshold += " (of " + res.FittedOn + ")"
	}
	t.Row("threshold", threshold)
	t.Row("flagged", count(res.Flagged)+" of "+count(res.Examples))
	for _, name := range []string{"roc_auc", "pr_auc", "precision", "recall", "f1"} {
		if v, ok := found.Metrics[name]; ok {
			t.Row(name, number(v))
		}
	}
	if res.Out != "" {
		t.Row("out", res.Out)
	}
	return t.Write(stdout)
}
