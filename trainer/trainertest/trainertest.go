// Package trainertest makes of a TOML text what a training needs, for tests of the trainer and of the devices that it runs on.
// See [Read].
package trainertest

import (
	"bytes"
	"context"
	"testing"

	"aetrain/configs"
	"aetrain/data"
	"aetrain/model"
	"aetrain/optim"
	"aetrain/trainer"
)

// Training is what a text describes. Its options lack the device, and the folder where one is wanted.
type Training struct {
	trainer.Options
	Config *configs.Config
	Said   bytes.Buffer // what the trainer says
}

// Read decodes text with sets over it (as of -set), opens its data until the test ends, and builds its model. The error holds the
// mistakes of the config as a user is told them; whatever else goes wrong ends the test.
func Read(t testing.TB, text string, sets ...string) (*Training, error) {
	t.Helper()
	cfg, err := configs.Load(configs.LoadOptions{File: "test.toml", Bytes: []byte(text), Sets: sets, Presets: model.Presets(), DefaultPreset: model.DefaultPreset})
	if err != nil {
		return nil, err
	}
	dc, _ := data.Read(cfg)
	mc, _ := model.Read(cfg)
	oc, _ := optim.Read(cfg.Section("optimizer"))
	tc, _ := trainer.Read(cfg)
	if err := cfg.Err(); err != nil {
		return nil, err
	}
	splits, err := data.Open(context.Background(), dc, data.OpenOptions{Seed: cfg.Seed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { splits.Close() })
	var fields []model.Field
	for _, f := range splits.Fields() {
		fields = append(fields, model.Field(f))
	}
	m, err := model.New(mc, fields)
	if rest := model.Report(cfg, err); rest != nil {
		t.Fatalf("no mistake of the config: %v", rest)
	}
	if err := cfg.Err(); err != nil {
		return nil, err
	}
	r := &Training{Config: cfg}
	r.Options = trainer.Options{Name: cfg.Name, Seed: cfg.Seed, Train: tc, Data: dc, Optimizer: oc, Model: m, Splits: splits, Log: &r.Said}
	return r, nil
}

// Must is Read of a text without mistakes.
func Must(t testing.TB, text string, sets ...string) *Training {
	t.Helper()
	r, err := Read(t, text, sets...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
