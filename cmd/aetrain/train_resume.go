package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aetrain/checkpoint"
	"aetrain/configs"
	"aetrain/trainer"
)

// resumable are the keys that -set may change on a resume: all that keeps weights and the order of the data.
var resumable = []string{
	"train.*", "!train.stages", "!train.stages.*", "train.stages.*.name", "train.stages.*.epochs", "train.stages.*.optimizer.*", "!train.stages.*.optimizer.name",
	"optimizer.*", "!optimizer.name",
	"model.penalties.*.weight", "model.penalties.*.weight.*", "model.penalties.*.beta", "model.penalties.*.beta.*",
	"model.adversaries.*.weight", "model.adversaries.*.weight.*", "model.adversaries.*.optimizer.*", "!model.adversaries.*.optimizer.name",
	"data.dir", "data.file", "data.workers", "kernels.*",
}

// inexact are those of them that change how numbers are rounded.
var inexact = []string{"kernels.*", "train.precision", "train.device", "train.accumulate"}

// resumed is what a run that is gone on with had.
type resumed struct {
	checkpoint string // folder; "": there is none yet
	step       int    // of it
	changed    bool   // the config is another one now
}

// resumeTraining goes on with a run from its last checkpoint.
func resumeTraining(ctx context.Context, o trainOptions, t *talk, stdout io.Writer) error {
	dir, err := findRun(o.Resume, t)
	if err != nil {
		return err
	}
	e, changes, err := loadResumed(dir, o.Sets)
	if err != nil {
		return err
	}
	switch {
	case o.DryRun:
		return dryRun(ctx, e, o, t, stdout)
	case o.OverfitOneBatch:
		return overfitOneBatch(ctx, e, o, t, stdout)
	}
	job := &trainJob{experiment: e, dir: dir, talk: t, options: o, resume: &resumed{changed: len(changes) > 0}}
	last, err := lastCheckpoint(dir)
	if err != nil {
		return err
	}
	if last == nil {
		t.Linef("%s has no checkpoint yet: from the start", dir)
		return job.run(ctx, stdout)
	}
	meta := last.Meta
	rows, _ := trainer.ReadRows(dir) // training goes on without them
	if status := e.train.Finished(e.model, meta, stepsPerEpoch(rows, meta)); status != "" {
		return job.alreadyFinished(meta, status, stdout)
	}
	job.resume.checkpoint, job.resume.step = last.Dir, meta.Step
	t.Linef("going on with %s after epoch %d, step %s", dir, meta.Epoch, count(meta.Step))
	for _, c := range changes {
		note := ""
		if configs.Allowed(c.Key, inexact) {
			note = " (from here on the numbers are no longer bit for bit those of an uninterrupted run)"
		}
		t.Linef("%s = %s, was %s%s", c.Key, orNone(c.B), orNone(c.A), note)
	}
	return job.run(ctx, stdout)
}

// lastCheckpoint is the one to go on from: last, or the newest where the run was killed before it had that; nil where there is none.
// A damaged one is an error: which other one will do is for the user to say.
func lastCheckpoint(dir string) (*checkpoint.Entry, error) {
	entries, err := checkpoint.List(dir)
	if err != nil {
		return nil, err
	}
	var newest *checkpoint.Entry
	for i := range entries {
		switch e := &entries[i]; {
		case e.Err != nil:
			return nil, e.Err
		case e.Name == checkpoint.Last:
			return e, nil
		case newest == nil || e.Meta.Step > newest.Meta.Step:
			newest = e
		}
	}
	return newest, nil
}

func orNone(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}

// loadResumed reads a run's config with overrides, and holds what they change to what a resume allows.
func loadResumed(dir string, sets []string) (*experiment, []configs.Difference, error) {
	file := filepath.Join(dir, configFile)
	e, err := readExperiment(configs.LoadOptions{File: file, Sets: sets})
	if err != nil {
		return nil, nil, err
	}
	former, err := readExperiment(configs.LoadOptions{File: file})
	if former == nil {
		return nil, nil, err
	}
	// A mistake that is left in it, such as data that has moved, is mended by what is set.
	changes := configs.Diff(former.cfg, e.cfg)
	for _, c := range changes {
		if !configs.Allowed(c.Key, resumable) {
			e.cfg.Errorf(c.Key, "a resumed run cannot change this; begin a new one with train.start_from = %q, which takes that run's weights", dir)
		}
	}
	return e, changes, e.cfg.Err()
}

// stepsPerEpoch is known from the checkpoint at an epoch's end, else from the rows of metrics; 0: unknown.
func stepsPerEpoch(rows []trainer.Row, meta checkpoint.Meta) float64 {
	if meta.Batch == 0 && meta.Epoch > 0 {
		return float64(meta.Step) / float64(meta.Epoch)
	}
	for _, r := range rows {
		if r.Epoch > 0 && r.Step > 0 {
			return float64(r.Step) / r.Epoch
		}
	}
	return 0
}

// alreadyFinished says so, and shows the result of the run as it was.
func (j *trainJob) alreadyFinished(meta checkpoint.Meta, status string, stdout io.Writer) error {
	on := fmt.Sprintf("its prior is trained, so more epochs are a new run with train.start_from = %q", j.dir)
	if key := j.train.Longer(j.model, meta, status); key != "" {
		on = "to go on: -set " + key + "=N"
	}
	j.talk.Linef("%s is finished (%s, epoch %d, step %s); %s", j.dir, status, meta.Epoch, count(meta.Step), on)
	rows, err := trainer.ReadRows(j.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	metrics := lastRows(rows)
	if j.options.Format == formatJSON {
		return writeJSON(stdout, trainResult{Run: j.dir, Status: status, Epoch: meta.Epoch, Step: meta.Step,
			Metrics: map[string]map[string]trainer.Number{"train": metrics["train"], "validation": metrics["validation"]}})
	}
	return nil
}

// beginAgain brings the run's files up to the changed config.
func (j *trainJob) beginAgain(r *trainer.Run) error {
	if j.resume.changed {
		if err := j.replaceConfig(); err != nil {
			return err
		}
	}
	env, err := readEnvironment(j.dir)
	if err != nil {
		env = newEnvironment(r) // it was lost: what is known now
	}
	has := r.Backend.Capabilities()
	env.Resumed = append(env.Resumed, resuming{Time: time.Now(), Step: j.resume.step, Device: has.Device, Platform: has.Platform, Command: os.Args})
	return writeEnvironment(j.dir, env)
}

// replaceConfig keeps the former config as config.step-N.toml; where the run has changed twice at a step, the one that trained stays.
func (j *trainJob) replaceConfig() error {
	path := filepath.Join(j.dir, configFile)
	former, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	kept := filepath.Join(j.dir, strings.Replace(configFile, ".toml", fmt.Sprintf(".step-%d.toml", j.resume.step), 1))
	if _, err := os.Stat(kept); errors.Is(err, fs.ErrNotExist) {
		if err := writeText(kept, former); err != nil {
			return err
		}
	}
	return writeConfig(path, j.cfg)
}
