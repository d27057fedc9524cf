package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"aetrain/configs"
	"aetrain/cpu"
	"aetrain/data"
	"aetrain/model"
	"aetrain/optim"
	"aetrain/trainer"
)

// sets turn an experiment into a benchmark: noise instead of files, training without end, and nothing beside it.
var sets = []string{
	"data.source=random", "data.examples=8192", "data.validation=0",
	"train.epochs=1000000", "train.validate_every=0", "train.sample_every=0", "train.checkpoint_every=0",
}

// ours is the trainer on the CPU.
type ours struct {
	file   string
	splits *data.Splits
	batch  int
}

// experiment is a config that all rooms have read.
type experiment struct {
	data      *data.Config
	model     *model.Config
	optimizer *optim.Config
	train     *trainer.Config
	seed      uint64
}

// read loads the file anew: what the callbacks remember belongs to one training.
func read(file string) (*experiment, error) {
	cfg, err := configs.Load(configs.LoadOptions{File: file, Sets: sets, Presets: model.Presets(), DefaultPreset: model.DefaultPreset})
	if cfg == nil {
		return nil, err
	}
	e := &experiment{seed: cfg.Seed}
	var errs [4]error
	e.data, errs[0] = data.Read(cfg)
	e.model, errs[1] = model.Read(cfg)
	e.optimizer, errs[2] = optim.Read(cfg.Section("optimizer"))
	e.train, errs[3] = trainer.Read(cfg)
	if err := cfg.Err(); err != nil {
		return nil, err
	}
	return e, errors.Join(errs[:]...)
}

// openOurs reads the experiment and makes the data.
func openOurs(ctx context.Context, file string) (*ours, error) {
	e, err := read(file)
	if err != nil {
		return nil, err
	}
	o := &ours{file: file, batch: e.data.Batch}
	o.splits, err = data.Open(ctx, e.data, data.OpenOptions{Seed: e.seed})
	return o, err
}

// Close lets go of the data.
func (o *ours) Close() error { return o.splits.Close() }

func (*ours) name() string { return oursName }

func (o *ours) machine() map[string]any {
	m := map[string]any{"go": runtime.Version(), "cores": runtime.NumCPU(), "batch": o.batch}
	if b, err := cpu.Open(); err == nil {
		m["device"] = b.Capabilities().Device
		b.Close()
	}
	return m
}

// round trains a new model. All of Go, the loader's goroutines too, has only as many processors as there are threads.
func (o *ours) round(ctx context.Context, threads int, seconds float64) (f Figure, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	e, err := read(o.file)
	if err != nil {
		return f, err
	}
	b, err := cpu.Open(cpu.Threads(threads))
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	fields := make([]model.Field, 0, len(o.splits.Fields()))
	for _, f := range o.splits.Fields() {
		fields = append(fields, model.Field{Name: f.Name, Spec: f.Spec})
	}
	m, err := model.New(e.model, fields)
	if err != nil {
		return f, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	watch := &stopwatch{seconds: seconds, stop: stop}
	r, err := trainer.New(trainer.Options{
		Seed: e.seed, Train: e.train, Data: e.data, Optimizer: e.optimizer, Model: m, Splits: o.splits, Backend: b, Progress: watch,
	})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	debug.FreeOSMemory() // garbage of the rounds before is not this one's to collect
	watch.begin()
	if err := r.Fit(ctx); err != nil {
		return f, err
	}
	if len(watch.times) < least {
		return f, fmt.Errorf("training was %s after %d measured steps", r.Status, len(watch.times))
	}
	return figure(watch.times, o.batch), nil
}

// Steps at the least, as in peer.py.
const (
	leastWarm = 20
	least     = 10
)

// stopwatch times training steps, from the end of one to the end of the next, and ends training when it has seen enough.
// Like peer.py it warms up for a tenth of the time.
type stopwatch struct {
	seconds float64
	stop    func()

	start time.Time // of the warm-up, then of the measurement
	last  time.Time
	warm  int
	on    bool // measuring
	times []time.Duration
}

func (w *stopwatch) begin() {
	w.start = time.Now()
	w.times = make([]time.Duration, 0, 1<<16)
}

// Step is called after every training step.
func (w *stopwatch) Step(*trainer.Run) {
	now := time.Now()
	passed := now.Sub(w.start).Seconds()
	switch {
	case w.on:
		w.times = append(w.times, now.Sub(w.last))
		if passed >= w.seconds && len(w.times) >= least {
			w.stop()
		}
	default:
		if w.warm++; w.warm >= leastWarm && passed >= w.seconds/10 {
			w.on, w.start = true, now
		}
	}
	w.last = now
}

// Epoch does nothing.
func (*stopwatch) Epoch(*trainer.Run) {}

// Close does nothing.
func (*stopwatch) Close() {}
