package infer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"aetrain/backend"
	"aetrain/checkpoint"
	"aetrain/configs"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/model"
)

// ConfigFile is the complete configuration in a run's folder.
const ConfigFile = "config.toml"

// OpenOptions of [Open].
type OpenOptions struct {
	Checkpoint string          // "best", "last" or "step-N"; "": the best, else the last, else the newest step
	Sets       []string        // overrides of the run's configuration, KEY=VALUE: "data.dir=/mnt/photos"
	Batch      int             // examples of a step; 0: the run's data.batch
	Kernels    backend.Options // wishes for kernels; its Seed is not used
}

// Open reads a model back from a run's folder, to work on b. The run's data is not needed.
// Mistakes in the configuration are configs.Errors; a checkpoint that is damaged wraps [checkpoint.ErrCorrupt].
func Open(run string, b backend.Backend, o OpenOptions) (*Model, error) {
	cfg, c, d, err := readConfig(run, o.Sets)
	if err != nil {
		return nil, err
	}
	dir, err := checkpoint.Find(run, o.Checkpoint)
	if err != nil {
		return nil, err
	}
	meta, err := checkpoint.ReadMeta(dir)
	if err != nil {
		return nil, err
	}
	fields := make([]model.Field, len(meta.Fields))
	for i, f := range meta.Fields {
		fields[i] = model.Field(f)
	}
	mod, err := model.New(c, fields)
	if err = errors.Join(model.Report(cfg, err), cfg.Err()); err != nil {
		return nil, err
	}
	st := b.NewState()
	if err := declare(st, mod); err != nil {
		return nil, err
	}
	var stage StageMemory
	if said, err := meta.Get(StageKey, &stage); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	} else if !said {
		stage.Prior = true
	}
	if mod, err = staged(mod, stage); err != nil {
		return nil, err
	}
	meta, stored, err := checkpoint.LoadWeights(dir, st)
	if err != nil {
		return nil, err
	}
	batch := d.Batch
	if o.Batch > 0 {
		batch = o.Batch
	}
	m := New(mod, b, st, Options{Batch: batch, Seed: cfg.Seed, Kernels: o.Kernels})
	m.run = opened{reading: new(sync.Mutex), config: cfg, data: d, meta: meta, checkpoint: dir}
	for _, s := range stored {
		m.run.fitted = append(m.run.fitted, data.Stored(s))
	}
	return m, nil
}

// readConfig reads config.toml, which is complete: presets are in it already. Whether the data is still where it was does not matter
// here.
func readConfig(run string, sets []string) (*configs.Config, *model.Config, *data.Config, error) {
	path := filepath.Join(run, ConfigFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		abs, _ := filepath.Abs(run)
		return nil, nil, nil, fmt.Errorf("%s is no run: it has no %s: %w", abs, ConfigFile, err)
	}
	cfg, err := configs.Load(configs.LoadOptions{File: path, Sets: sets})
	if cfg == nil {
		return nil, nil, nil, err
	}
	c, _ := model.Read(cfg) // mistakes are kept in cfg
	d := data.Defaults()
	_ = cfg.Section("data").Decode(d)
	return cfg, c, d, cfg.Err()
}

// declare adds the states of a model to st, so that a checkpoint can be held against them.
func declare(st backend.State, mod *model.Model) error {
	var graphs []*graph.Graph
	for phase := range mod.Phases() {
		fn, err := mod.TrainPhase(mod.SmallestBatch(), phase)
		if err != nil {
			return err
		}
		graphs = append(graphs, fn.Graph)
	}
	return checkpoint.Declare(st, graphs...)
}
