package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/configs"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/infer"
	"aetrain/internal/texttable"
	"aetrain/model"
	"aetrain/trainer"
)

// runOptions are the flags of every command on a run.
type runOptions struct {
	Run        string // folder of a run, or "latest"; "": the newest under runs/
	Checkpoint string // best, last, step-N; "": best
	In         string // raw data in place of the run's own
	Split      string // of the run's own data; "": test, else validation, else train
	Out        string // file or folder to write
	Device     string // in place of train.device
	Sets       texts  // overrides KEY=VALUE
	Format     string
	talkOptions
}

// add adds the flags that all commands on a run have.
func (o *runOptions) add(f *flags) {
	f.StringVar(&o.Run, "run", "", "folder of a run, `DIR|latest` (default: the newest under runs/)")
	f.StringVar(&o.Checkpoint, "checkpoint", "", "`best|last|step-N` (default best)")
	f.StringVar(&o.Device, "device", "", "`auto|cpu|cuda[:N]`, in place of train.device")
	f.sets(&o.Sets)
	f.format(&o.Format)
	o.talkOptions.add(f)
}

// addInput adds the flags about what goes in.
func (o *runOptions) addInput(f *flags) {
	f.StringVar(&o.In, "in", "", "raw data, as the run's source reads it: `PATH` of a file, a folder or a glob; NPY always works")
	f.StringVar(&o.Split, "split", "", "`train|validation|test|all` of the run's own data (default: test, else validation, else train)")
}

// addOutput adds the flag about what comes out.
func (o *runOptions) addOutput(f *flags) {
	f.StringVar(&o.Out, "out", "", "`PATH` to write: .npy, .csv, .jsonl, .parquet, .png, .txt for text, or a folder of images")
}

// take adds the argument, and refuses what does not go together.
func (o *runOptions) take(args []string) error {
	if len(args) > 0 {
		if o.Run != "" {
			return usagef("the run is given twice: %s and %s", o.Run, args[0])
		}
		o.Run, args = args[0], args[1:]
	}
	if o.In != "" && o.Split != "" {
		return usagef("-in and -split exclude one another: a split is one of the run's own data")
	}
	if o.Device != "" {
		o.Sets = append(o.Sets, "train.device="+o.Device)
	}
	if err := checkOut(o.Out); err != nil {
		return err
	}
	return noArguments(args)
}

// openedRun is a run's model at work, and the data that it is given.
type openedRun struct {
	*infer.Model
	dir     string
	source  data.Source    // nil until openInput
	split   string         // of it; "" where it is -in
	units   *data.Pipeline // how outputs come back to data units; nil: as they are
	talk    *talk
	backend backend.Backend
	splits  *data.Splits
}

// runResult is the beginning of every result on a run.
type runResult struct {
	Run        string                    `json:"run"`
	Checkpoint string                    `json:"checkpoint"`
	Split      string                    `json:"split,omitempty"`
	In         string                    `json:"in,omitempty"`
	Examples   int                       `json:"examples"`
	Metrics    map[string]trainer.Number `json:"metrics,omitempty"`
	Out        string                    `json:"out,omitempty"`
	Rows       []map[string]any          `json:"rows,omitempty"` // where nothing is written to a file
}

// openRun finds the run, opens the device and reads the checkpoint.
func openRun(o runOptions, t *talk) (*openedRun, error) {
	dir, err := findRun(o.Run, t)
	if err != nil {
		return nil, err
	}
	cfg, err := configs.Load(configs.LoadOptions{File: filepath.Join(dir, configFile), Sets: o.Sets, Presets: model.Presets(), DefaultPreset: model.DefaultPreset})
	if err != nil {
		return nil, err
	}
	train, _ := trainer.Read(cfg) // mistakes are kept in cfg
	checkDevice(cfg, train.Device)
	kernels := readKernels(cfg)
	if err := cfg.Err(); err != nil {
		return nil, err
	}
	b, err := openBackend(train, newTalk(t.out, talkOptions{Quiet: !t.verbose}))
	if err != nil {
		return nil, err
	}
	m, err := infer.Open(dir, b, infer.OpenOptions{Checkpoint: o.Checkpoint, Sets: o.Sets, Kernels: kernels})
	if err != nil {
		_ = b.Close() // the error before counts
		if errors.Is(err, fs.ErrNotExist) {
			return nil, usagef("%s", strings.TrimSuffix(err.Error(), ": "+fs.ErrNotExist.Error()))
		}
		return nil, err
	}
	if t.verbose {
		err = m.Describe(t)
	}
	return &openedRun{Model: m, dir: dir, talk: t, backend: b}, err
}

// openRunOn is openRun with what -in and -split name.
func openRunOn(ctx context.Context, o runOptions, t *talk) (*openedRun, error) {
	r, err := openRun(o, t)
	if err != nil {
		return nil, err
	}
	if err := r.openInput(ctx, o); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close frees everything; what was to be written is written.
func (r *openedRun) Close() {
	_ = r.Model.Close()
	if r.source != nil && r.splits == nil {
		_ = r.source.Close()
	}
	if r.splits != nil {
		_ = r.splits.Close()
	}
	_ = r.backend.Close()
}

// openInput opens what -in and -split name.
func (r *openedRun) openInput(ctx context.Context, o runOptions) error {
	defer r.talk.done()
	if o.In != "" {
		return r.openPath(ctx, o.In)
	}
	if err := r.openSplits(ctx); err != nil {
		return err
	}
	var err error
	if r.source, r.split, err = r.splits.Named(o.Split); err != nil {
		return usagef("-split: %v", err)
	}
	r.units = r.splits.Pipeline
	return nil
}

// openSplits opens the run's own data.
func (r *openedRun) openSplits(ctx context.Context) error {
	defer r.talk.done()
	splits, err := r.OpenData(ctx, r.talk.progress)
	var m *data.Mistake
	if errors.As(err, &m) {
		return usagef("%v", m)
	}
	r.splits = splits
	return err
}

// openPath opens raw data behind the run's fitted transforms.
func (r *openedRun) openPath(ctx context.Context, in string) error {
	path := configs.ResolvePath(in)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if found, _ := filepath.Glob(path); len(found) == 0 { // a pattern that is not well-formed finds nothing
			return usagef("-in: %s", configs.MissingPath(path, "", "file or folder"))
		}
	}
	var err error
	r.source, r.units, err = data.OpenInput(ctx, r.DataConfig(), path, r.fed(), data.OpenOptions{Seed: r.Config().Seed, Fitted: r.Fitted(), Progress: r.talk.progress})
	var m *data.Mistake
	if errors.As(err, &m) {
		return usagef("-in %v", m)
	}
	return err
}

// fed is one example as the network is fed.
func (r *openedRun) fed() graph.Spec {
	for _, f := range r.Model.Model().Fields {
		if f.Name == model.FieldX {
			return f.Spec
		}
	}
	return graph.Spec{} // there is no model without an x
}

// openUnits makes outputs come back in data units where no data is opened otherwise.
func (r *openedRun) openUnits(ctx context.Context) error {
	if len(r.DataConfig().Transforms) == 0 && !r.isTable() && !r.hasText() {
		return nil
	}
	if err := r.openSplits(ctx); err != nil {
		return err
	}
	r.units = r.splits.Pipeline
	return nil
}

// inUnits is x in the units of the data, in memory of its own.
func (r *openedRun) inUnits(x *tensor.Dense) (*tensor.Dense, error) {
	if r.units == nil || r.hasText() { // tokens have no units
		return x, nil
	}
	y := x.Clone().(*tensor.Dense)
	return y, r.units.Invert(y, y)
}

// result begins the command's result.
func (r *openedRun) result(o runOptions, examples int) runResult {
	in := ""
	if o.In != "" {
		in = o.In
	}
	return runResult{Run: r.dir, Checkpoint: checkpointName(r.Checkpoint()), Split: r.split, In: in, Examples: examples, Out: o.Out}
}

// describe writes what the result is about, for people.
func (res runResult) describe(t *texttable.Table, r *openedRun) {
	t.Row("run", res.Run)
	t.Row("checkpoint", res.Checkpoint+" (step "+count(r.Meta().Step)+")")
	switch {
	case res.In != "":
		t.Row("in", res.In+", "+count(res.Examples)+" examples")
	case res.Split != "":
		t.Row("split", res.Split+", "+count(res.Examples)+" examples")
	}
}
