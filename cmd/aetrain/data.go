package main

import (
	"context"
	"fmt"
	"io"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/configs"
	"aetrain/data"
	"aetrain/infer"
	"aetrain/internal/cachedir"
	"aetrain/internal/grid"
	"aetrain/internal/registry"
	"aetrain/model"
	"aetrain/trainer"
)

var dataCommand = command{
	name: "data", args: "get|list|preview|stats", summary: "fetch data, list sources, show figures or pictures of it",
	help: `
  get      fetches what a source downloads or generates, to the user's cache
  list     lists the sources
  preview  draws what the network will see in training, transformed and corrupted; of a table or a text it writes rows without -out FILE.png
  stats    shows splits, fields, ranges and labels; of a table its columns as they were read`,
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o dataOptions
		f.StringVar(&o.Config, "config", "", "the experiment's `FILE`")
		f.StringVar(&o.Source, "source", "", "`NAME` of a source, in place of a config")
		f.sets(&o.Sets)
		f.StringVar(&o.Out, "out", "", "`FILE` that preview writes: .png, of a table .csv, of a text .txt")
		f.IntVar(&o.N, "n", 32, "examples that preview shows, `N`")
		f.format(&o.Format)
		o.talkOptions.add(f)
		return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			if len(args) == 0 {
				return usagef("what about it? data get, list, preview or stats")
			}
			if err := noArguments(args[1:]); err != nil {
				return err
			}
			return runData(ctx, args[0], o, stdout, stderr)
		}
	},
}

// dataOptions are the flags of "aetrain data".
type dataOptions struct {
	Config string
	Source string // in place of a config
	Sets   texts
	Out    string // picture that preview writes
	N      int    // examples in it
	Format string
	talkOptions
}

// runData does what the word after "data" says.
func runData(ctx context.Context, what string, o dataOptions, stdout, stderr io.Writer) error {
	do := map[string]func(context.Context, dataOptions, *talk, io.Writer) error{
		"get": dataGet, "preview": dataPreview, "stats": dataStats,
		"list": func(_ context.Context, o dataOptions, _ *talk, stdout io.Writer) error {
			return runList(listOptions{Kind: "data-sources", Format: o.Format}, stdout)
		},
	}
	if do[what] == nil {
		return usagef("data %s: it is get, list, preview or stats", what)
	}
	t := newTalk(stderr, o.talkOptions)
	defer t.done()
	return do[what](ctx, o, t, stdout)
}

// load reads the config, or makes one of the source's name.
func (o dataOptions) load() (*experiment, error) {
	switch {
	case o.Config != "" && o.Source != "":
		return nil, usagef("-config and -source exclude one another")
	case o.Config != "":
		return loadExperiment(configs.LoadOptions{File: o.Config, Sets: o.Sets})
	case o.Source == "":
		return nil, usagef("-config F or -source NAME is missing")
	}
	if _, ok := registry.Find(o.Source, data.Sources()); !ok {
		return nil, usagef("-source: unknown data source %q%s", o.Source, registry.Suggest(o.Source, data.Sources()))
	}
	return loadExperiment(configs.LoadOptions{Sets: append(texts{"data.source=" + o.Source}, o.Sets...)})
}

// open loads and opens.
func (o dataOptions) open(ctx context.Context, t *talk) (*experiment, *data.Splits, error) {
	e, err := o.load()
	if err != nil {
		return nil, nil, err
	}
	splits, err := e.openData(ctx, t)
	return e, splits, err
}

// splitSizes counts the examples of each split.
func splitSizes(s *data.Splits) map[string]int {
	sizes := map[string]int{}
	for name, src := range map[string]data.Source{"train": s.Train, "validation": s.Validation, "test": s.Test} {
		if src != nil {
			sizes[name] = src.Len()
		}
	}
	return sizes
}

// dataGet opens the data once, which fetches or generates what is not there.
func dataGet(ctx context.Context, o dataOptions, t *talk, stdout io.Writer) error {
	e, splits, err := o.open(ctx, t)
	if err != nil {
		return err
	}
	defer splits.Close()
	cache, _ := cachedir.Path("data") // data that is there needs no cache
	sizes := splitSizes(splits)
	if o.Format == formatJSON {
		return writeJSON(stdout, map[string]any{"source": textOf(e.cfg, "data.source"), "splits": sizes, "cache": cache})
	}
	total := 0
	for _, n := range sizes {
		total += n
	}
	_, err = fmt.Fprintf(stdout, "%s: %s examples of %v (cache: %s)\n", textOf(e.cfg, "data.source"), count(total), splits.Fields()[0].Spec, cache)
	return err
}

// statsResult is what "data stats -format json" prints. Stats are those of x in each split, as the network is fed.
type statsResult struct {
	Source     string                `json:"source"`
	Splits     map[string]int        `json:"splits"`
	Fields     map[string]string     `json:"fields"`
	Transforms []string              `json:"transforms"`
	Stats      map[string]splitStats `json:"stats"`
	LabelNames []string              `json:"label_names,omitempty"` // behind the numbers in stats
	Columns    []columnStats         `json:"columns,omitempty"`     // of a table, as its file has them
	Notes      []string              `json:"notes,omitempty"`       // what was left out
}

type columnStats struct {
	Name    string         `json:"name"`
	Type    string         `json:"type"`
	Guessed bool           `json:"guessed"`
	Missing int            `json:"missing"`
	Min     trainer.Number `json:"min"`
	Max     trainer.Number `json:"max"`
	Mean    trainer.Number `json:"mean"`
	Values  []string       `json:"values,omitempty"`
}

type splitStats struct {
	Measured int            `json:"measured"`
	Min      trainer.Number `json:"min"`
	Max      trainer.Number `json:"max"`
	Mean     trainer.Number `json:"mean"`
	Std      trainer.Number `json:"std"`
	Finite   bool           `json:"finite"`
	Labels   map[int32]int  `json:"labels,omitempty"`
}

// dataStats shows figures of the data as the network is fed.
func dataStats(ctx context.Context, o dataOptions, t *talk, stdout io.Writer) error {
	e, splits, err := o.open(ctx, t)
	if err != nil {
		return err
	}
	defer splits.Close()
	if o.Format != formatJSON {
		return data.Describe(stdout, splits)
	}
	out := statsResult{Source: textOf(e.cfg, "data.source"), Splits: splitSizes(splits), Fields: map[string]string{},
		Transforms: splits.Pipeline.Kinds(), Stats: map[string]splitStats{}}
	for _, f := range splits.Fields() {
		out.Fields[f.Name] = f.Spec.String()
	}
	for name := range out.Splits {
		src, _, err := splits.Named(name)
		if err != nil {
			return err
		}
		st, err := data.Measure(ctx, src, model.FieldX, rangeExamples)
		if err != nil {
			return err
		}
		out.Stats[name] = splitStats{st.Measured, trainer.Number(st.Min), trainer.Number(st.Max), trainer.Number(st.Mean), trainer.Number(st.Std), st.Finite, st.Labels}
	}
	out.LabelNames, out.Notes = splits.LabelNames(), splits.Notes()
	columns, err := splits.ColumnStats()
	if err != nil {
		return err
	}
	for _, c := range columns {
		out.Columns = append(out.Columns, columnStats{c.Name, c.Kind, c.Guessed, c.Missing, trainer.Number(c.Min), trainer.Number(c.Max), trainer.Number(c.Mean), c.Words})
	}
	return writeJSON(stdout, out)
}

// greys are the range of a picture's greys.
func greys(x *tensor.Dense) grid.Options {
	low, high := greyRange(x)
	return grid.Options{Low: low, High: high}
}

// firstBatch reads n examples as the first epoch of training will, with what is for training only.
func firstBatch(ctx context.Context, e *experiment, splits *data.Splits, n int) (*tensor.Dense, error) {
	l, err := data.NewLoader(splits.Train, data.LoaderOptions{
		Batch: min(n, splits.Train.Len()), Fields: []string{model.FieldX}, Seed: e.cfg.Seed, Shuffle: e.data.Shuffle, Training: true, Epochs: 1,
	})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	b, err := l.Next(ctx)
	if err != nil {
		return nil, err
	}
	return b.Fields[0].Clone().(*tensor.Dense), nil
}

// corrupted is x as the config's corruption leaves it.
func corrupted(ctx context.Context, e *experiment, splits *data.Splits, x *tensor.Dense) (*tensor.Dense, error) {
	m, err := e.buildModel(ctx, splits)
	if err != nil {
		return nil, err
	}
	b, err := openBackend(e.train, newTalk(io.Discard, talkOptions{}))
	if err != nil {
		return nil, err
	}
	defer b.Close()
	live := infer.New(m, b, b.NewState(), infer.Options{Batch: x.Shape()[0], Seed: e.cfg.Seed, Kernels: backend.Options{}})
	defer live.Close()
	seen, _, err := live.Denoise(ctx, x, 0)
	return seen, err
}
