package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"aetrain/configs"
	"aetrain/data"
	"aetrain/infer"
	"aetrain/internal/registry"
	"aetrain/internal/texttable"
	"aetrain/model"
	"aetrain/trainer"
)

var trainCommand = command{
	name: "train", args: "CONFIG.toml", summary: "train a model by a config, or go on with a run",
	help: `
The result is the run's folder: checkpoints, metrics.jsonl, pictures, and the config complete. The first ^C (or SIGTERM) ends
training after the current step with a checkpoint and shows the command that goes on; the second one ends it at once.
With -resume, -set may change train.* (of its stages name, epochs and optimizer), optimizer.* but its name, the weights of penalties,
data.dir, data.file, data.workers and kernels.*.`,
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o trainOptions
		f.StringVar(&o.Config, "config", "", "the experiment's `FILE`")
		f.sets(&o.Sets)
		f.StringVar(&o.Out, "out", "", "`DIR` of the run (default runs/NAME-TIMESTAMP)")
		f.BoolVar(&o.Overwrite, "overwrite", false, "replace the run that -out holds")
		f.StringVar(&o.Device, "device", "", "`auto|cpu|cuda[:N]`, in place of train.device")
		f.StringVar(&o.Resume, "resume", "", "go on with this run: its `DIR`, or latest, the newest under runs/")
		f.BoolVar(&o.DryRun, "dry-run", false, "do everything but train, show splits, layers, memory and steps, and write nothing")
		f.BoolVar(&o.OverfitOneBatch, "overfit-one-batch", false, "train on one batch again and again, to see whether the model can learn at all; writes nothing")
		f.format(&o.Format)
		o.cpuProfile.add(f)
		o.talkOptions.add(f)
		return withArguments(&o, o.take, runTrain)
	},
}

// trainOptions are the flags of "aetrain train".
type trainOptions struct {
	Config          string // the experiment's file
	Sets            texts  // overrides KEY=VALUE
	Out             string // folder of the run; "": runs/NAME-TIMESTAMP
	Overwrite       bool   // replace the run in Out
	Device          string // in place of train.device
	Resume          string // folder of the run to go on with, or "latest"
	DryRun          bool   // show what would be trained
	OverfitOneBatch bool   // test the model on one batch
	Format          string // of the result
	cpuProfile
	talkOptions
}

// take adds the argument, and refuses what does not go together.
func (o *trainOptions) take(args []string) error {
	if len(args) > 0 && o.Config == "" && o.Resume == "" {
		o.Config, args = args[0], args[1:]
	}
	if err := noArguments(args); err != nil {
		return err
	}
	if o.Device != "" {
		o.Sets = append(o.Sets, "train.device="+o.Device)
	}
	switch {
	case o.Config == "" && o.Resume == "":
		return usagef("no config is given")
	case o.Resume != "" && o.Config != "":
		return usagef("-resume takes the config of the run; -config is for a new one")
	case o.Resume != "" && (o.Out != "" || o.Overwrite):
		return usagef("-resume goes on in the run's own folder; -out and -overwrite are for a new one")
	case o.DryRun && o.OverfitOneBatch:
		return usagef("-dry-run and -overfit-one-batch exclude one another")
	}
	return nil
}

// runTrain trains a new run, or goes on with one, or looks at what would be trained.
func runTrain(ctx context.Context, o trainOptions, stdout, stderr io.Writer) (err error) {
	t := newTalk(stderr, o.talkOptions)
	defer t.done()
	stop, err := o.cpuProfile.start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if o.Resume != "" {
		return resumeTraining(ctx, o, t, stdout)
	}
	e, err := loadExperiment(configs.LoadOptions{File: o.Config, Sets: o.Sets})
	if err != nil {
		return err
	}
	if from := e.train.StartFrom; from != "" {
		if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
			e.cfg.Section("train").MissingPath("start_from", from, "folder")
			return e.cfg.Err()
		}
	}
	switch {
	case o.DryRun:
		return dryRun(ctx, e, o, t, stdout)
	case o.OverfitOneBatch:
		return overfitOneBatch(ctx, e, o, t, stdout)
	}
	dir, err := chooseRunDir(o.Out, e.cfg.Name, o.Overwrite)
	if err != nil {
		return err
	}
	job := &trainJob{experiment: e, dir: dir, talk: t, options: o}
	return job.run(ctx, stdout)
}

// trainJob is one training, new or resumed.
type trainJob struct {
	*experiment
	dir     string // of the run
	talk    *talk
	options trainOptions
	resume  *resumed // nil: a new run
}

// checkpoint is what training goes on from, "" where it begins.
func (j *trainJob) checkpoint() string {
	if j.resume == nil {
		return ""
	}
	return j.resume.checkpoint
}

// firstStep is how many steps were made before.
func (j *trainJob) firstStep() int {
	if j.resume == nil {
		return 0
	}
	return j.resume.step
}

// run opens everything, writes the run's files and trains.
func (j *trainJob) run(ctx context.Context, stdout io.Writer) error {
	r, closeAll, err := j.open(ctx)
	if err != nil {
		return err
	}
	defer closeAll()
	log, err := j.begin(r)
	if err != nil {
		return err
	}
	defer log.Close()
	j.explain(r)
	progress := newProgress(j.talk, j.firstStep())
	r.Progress = progress
	err = r.Fit(ctx)
	progress.Close()
	if err != nil {
		j.talk.note(sentence(err))
		return err
	}
	return j.finish(r, progress, stdout)
}

// open opens device, data and model and builds the training.
func (j *trainJob) open(ctx context.Context) (*trainer.Run, func(), error) {
	var closers []func() error
	closeAll := func() {
		for i := len(closers) - 1; i >= 0; i-- {
			_ = closers[i]() // all that was to be written is written
		}
	}
	r, err := j.openWith(ctx, func(c func() error) { closers = append(closers, c) })
	if err != nil {
		closeAll()
		return nil, nil, err
	}
	return r, closeAll, nil
}

// openWith does so, and hands over what is to be closed.
func (j *trainJob) openWith(ctx context.Context, closeLater func(func() error)) (*trainer.Run, error) {
	b, err := openBackend(j.train, j.talk)
	if err != nil {
		return nil, err
	}
	closeLater(b.Close)
	splits, err := j.openData(ctx, j.talk)
	if err != nil {
		return nil, err
	}
	closeLater(splits.Close)
	m, err := j.buildModel(ctx, splits)
	if err != nil {
		return nil, err
	}
	if err := j.checkMonitor(m, splits); err != nil {
		return nil, err
	}
	r, err := trainer.New(trainer.Options{
		Dir: j.dir, Name: j.cfg.Name, Seed: j.cfg.Seed, Train: j.train, Data: j.data, Optimizer: j.optimizer, Model: m, Splits: splits,
		Backend: b, Kernels: j.kernels, Log: j.talk, Resume: j.checkpoint(),
	})
	if err != nil {
		return nil, errors.Join(model.Report(j.cfg, err), j.cfg.Err())
	}
	closeLater(r.Close)
	return r, nil
}

// checkMonitor holds train.monitor to what will be measured, before hours of training find out.
func (j *trainJob) checkMonitor(m *model.Model, splits *data.Splits) error {
	fn, err := m.Evaluate(1, 0)
	if err != nil {
		return err
	}
	names := []string{"loss"}
	for _, term := range fn.Terms {
		names = append(names, term.Name)
	}
	if splits.Validation != nil && j.train.ValidateEvery > 0 {
		for _, metric := range fn.Metrics {
			names = append(names, metric.Name)
		}
		names = append(names, infer.Measurable(splits.Validation)...)
	}
	if wanted := textOf(j.cfg, "train.monitor"); !slices.Contains(names, wanted) {
		j.cfg.Errorf("train.monitor", "%q is not measured%s", wanted, registry.Suggest(wanted, names))
	}
	return j.cfg.Err()
}

// explain tells, with -v, which programs run and by which kernels.
func (j *trainJob) explain(r *trainer.Run) {
	if !j.talk.verbose {
		return
	}
	if r.Fed != "" {
		j.talk.Detailf("batches are fed by the loader: %s", r.Fed)
	}
	for _, e := range r.Executables() {
		j.talk.Detailf("%s", strings.TrimRight(e.Program().String(), "\n"))
		j.talk.Detailf("kernels:")
		var t texttable.Table
		for _, c := range e.Explain() {
			t.Row(fmt.Sprintf("  %3d", c.Step), c.Op, c.Kernel, c.Reason, c.Shape, c.Path)
		}
		t.Write(j.talk)
	}
}

// trainResult is what "aetrain train -format json" prints.
type trainResult struct {
	Run     string                               `json:"run"`
	Status  string                               `json:"status"`
	Epoch   int                                  `json:"epoch"`
	Step    int                                  `json:"step"`
	Metrics map[string]map[string]trainer.Number `json:"metrics"`
}

// finish shows how training ended.
func (j *trainJob) finish(r *trainer.Run, p *trainingProgress, stdout io.Writer) error {
	result := trainResult{Run: j.dir, Status: r.Status, Epoch: r.Epoch, Step: r.Step,
		Metrics: map[string]map[string]trainer.Number{"train": numbers(r.EpochRow), "validation": numbers(r.Validation)}}
	var err error
	switch {
	case j.options.Format == formatJSON:
		err = writeJSON(stdout, result)
	case !j.options.Quiet:
		err = j.talk.result(stdout, j.summary(r, p))
	}
	if err == nil && r.Status == trainer.StatusInterrupted {
		err = &interruptedRun{j.dir}
	}
	return err
}

// summary is the result for people.
func (j *trainJob) summary(r *trainer.Run, p *trainingProgress) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s steps in %s\n", r.Status, epochs(r.EpochsDone()), count(r.Step), span(time.Since(p.began)))
	var t texttable.Table
	t.Row("train", terms(r.EpochRow))
	if r.Validation != nil {
		t.Row("validation", terms(r.Validation))
	}
	if r.Best != nil {
		t.Row("best", fmt.Sprintf("%s %s at epoch %d (checkpoints/best)", r.Best.Metric, number(r.Best.Value), r.Best.Epoch))
	}
	if pictures, _ := filepath.Glob(filepath.Join(j.dir, "samples", "*.png")); len(pictures) > 0 { // the pattern is well-formed
		t.Row("pictures", filepath.Join(j.dir, "samples"))
	}
	t.Row("run", j.dir)
	t.Write(&b)
	return b.String()
}

// interruptedRun is the end of a training that was interrupted; its text is the command that goes on.
type interruptedRun struct{ dir string }

func (e *interruptedRun) Error() string {
	return "interrupted; to go on: aetrain -resume " + quoteArgument(e.dir)
}

// quoteArgument writes a word as a shell takes it.
func quoteArgument(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+-]+$`)
