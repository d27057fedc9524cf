package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"aetrain/backend"
	"aetrain/configs"
	"aetrain/data"
	"aetrain/model"
	"aetrain/optim"
	"aetrain/tasks"
	"aetrain/trainer"
)

// experiment is a configuration that every room has decoded.
type experiment struct {
	cfg       *configs.Config
	data      *data.Config
	model     *model.Config
	optimizer *optim.Config
	train     *trainer.Config
	anomaly   *tasks.AnomalyConfig
	kernels   backend.Options
}

// loadExperiment reads the configuration of a training that begins. The error lists every mistake in it; the experiment is nil only
// where nothing could be read.
func loadExperiment(o configs.LoadOptions) (*experiment, error) {
	e, err := readExperiment(o)
	if e == nil {
		return nil, err
	}
	model.CheckNetwork(e.cfg)
	return e, e.cfg.Err()
}

// readExperiment is loadExperiment for a training that has begun: what it reads only then may be gone.
func readExperiment(o configs.LoadOptions) (*experiment, error) {
	o.Presets, o.DefaultPreset = model.Presets(), model.DefaultPreset
	cfg, err := configs.Load(o)
	if err != nil {
		return nil, err
	}
	e := &experiment{cfg: cfg}
	// Each room's mistakes are in cfg as well, so that all are shown at once.
	e.data, _ = data.Read(cfg)
	e.model, _ = model.Read(cfg)
	e.optimizer, _ = optim.Read(cfg.Section("optimizer"))
	e.train, _ = trainer.Read(cfg)
	e.anomaly, _ = tasks.ReadAnomaly(cfg)
	e.kernels = readKernels(cfg)
	checkDevice(cfg, e.train.Device)
	return e, cfg.Err()
}

// openData opens the data and divides it. What the user mends in the config comes back as its mistake.
func (e *experiment) openData(ctx context.Context, t *talk) (*data.Splits, error) {
	defer t.done()
	splits, err := data.Open(ctx, e.data, data.OpenOptions{Seed: e.cfg.Seed, Progress: t.progress})
	return splits, e.place(err)
}

// place gives a mistake that was found in the data its line in the config.
func (e *experiment) place(err error) error {
	var m *data.Mistake
	if !errors.As(err, &m) {
		return err
	}
	e.cfg.Errorf(m.Key, "%s", m.Message)
	return e.cfg.Err()
}

// rangeExamples is how many examples show the range of the data.
const rangeExamples = 10000

// buildModel makes the model for the fields of the data, and holds the range of the data to what its likelihood takes.
func (e *experiment) buildModel(ctx context.Context, splits *data.Splits) (*model.Model, error) {
	m, err := model.New(e.model, modelFields(splits.Fields()))
	if err == nil {
		err = e.train.Check(m)
	}
	if err == nil {
		err = checkRange(ctx, m, splits)
	}
	if err = model.Report(e.cfg, err); err != nil {
		return nil, err
	}
	if m != nil && m.Heads != nil {
		e.checkBlocks(m.Heads)
	}
	return m, e.cfg.Err()
}

// checkBlocks holds batches to equal blocks of each label that has a decoder.
func (e *experiment) checkBlocks(labels *model.Field) {
	if n := labels.Classes; e.data.Batch%n != 0 {
		e.cfg.Errorf("data.batch", "%d is no multiple of %d: with model.decoder_per each batch holds as many examples of every label", e.data.Batch, n)
	}
	if e.train.Accumulate > 1 {
		e.cfg.Errorf("train.accumulate", "with model.decoder_per a batch is one piece: each label's decoder sees its block of it")
	}
}

// checkRange measures the data.
func checkRange(ctx context.Context, m *model.Model, splits *data.Splits) error {
	st, err := data.Measure(ctx, splits.Train, model.FieldX, rangeExamples)
	if err != nil {
		return err
	}
	if !st.Finite {
		return fmt.Errorf("data: x of training example %s has values that are NaN or infinite", st.NotFinite)
	}
	return m.CheckRange(st.Min, st.Max, splits.Pipeline.After())
}

// modelFields are the data's fields as the model knows them.
func modelFields(fields []data.Field) []model.Field {
	list := make([]model.Field, len(fields))
	for i, f := range fields {
		list[i] = model.Field(f)
	}
	return list
}

// textOf is the value of a key of a decoded configuration; a text without its quotes.
func textOf(cfg *configs.Config, key string) string {
	for _, v := range cfg.Values() {
		if v.Key == key {
			if text, err := strconv.Unquote(v.Value); err == nil {
				return text
			}
			return v.Value
		}
	}
	return ""
}
