// Package infer is a model at work: it encodes, reconstructs, decodes, samples, interpolates and scores.
//
//	b, err := cpu.Open()
//	m, err := infer.Open("runs/vae", b, infer.OpenOptions{})
//	z, err := m.Encode(ctx, x)
//
// [Open] reads a model back from a run's folder, [New] puts one over the State of a training that goes on. Both take whatever
// backend they are given. Arrays are host tensors, examples along the first axis and as the network is fed them (behind the data's
// transforms); there may be any number. A Model cuts them into batches and compiles a Program for each thing that it is asked to do,
// and each batch size, when it is first needed (runner.go); random numbers belong to an example's place, so that batches change nothing.
package infer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"aetrain/backend"
	"aetrain/checkpoint"
	"aetrain/configs"
	"aetrain/data"
	"aetrain/model"
)

// Model is a model at work. It, and what WithPrior made of it, may be used by several goroutines; one at a time computes.
type Model struct {
	model   *model.Model
	backend backend.Backend
	state   backend.State
	options Options
	turn    chan struct{} // holds a token while nobody computes with the State
	runners map[request]*runner
	clock   int // counts uses of runners
	feeds   feeds
	prior   bool

	run opened // what Open knows beside
}

// Options of a Model.
type Options struct {
	Batch   int             // examples of a step; 0: 128
	Seed    uint64          // of corruption and drawn codes in evaluation
	Kernels backend.Options // wishes for kernels; its Seed is not used
}

const defaultBatch = 128

// New returns mod at work over st: live, where st belongs to a training, whose steps it sees. Weights that st lacks start as in
// training.
func New(mod *model.Model, b backend.Backend, st backend.State, o Options) *Model {
	if o.Batch < 1 {
		o.Batch = defaultBatch
	}
	m := &Model{model: mod, backend: b, state: st, options: o, turn: make(chan struct{}, 1), runners: map[request]*runner{}, feeds: newFeeds()}
	m.turn <- struct{}{}
	_, err := mod.Sample(1)
	m.prior = err == nil
	return m
}

// Model returns the model's structure.
func (m *Model) Model() *model.Model { return m.model }

// State returns the weights.
func (m *Model) State() backend.State { return m.state }

// HasPrior reports whether there is a prior to sample from.
func (m *Model) HasPrior() bool { return m.prior }

// Close frees the programs that were loaded; the backend and the State stay.
func (m *Model) Close() error {
	<-m.turn
	defer m.release()
	var all []error
	for _, r := range m.runners {
		all = append(all, r.exe.Close())
	}
	clear(m.runners)
	return errors.Join(all...)
}

// acquire waits until nobody else computes.
func (m *Model) acquire(ctx context.Context) error {
	select {
	case <-m.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *Model) release() { m.turn <- struct{}{} }

// opened is what is known of a model that was read from a run's folder.
type opened struct {
	reading    *sync.Mutex // of config, which one goroutine at a time may read
	config     *configs.Config
	data       *data.Config
	meta       checkpoint.Meta
	checkpoint string
	fitted     []data.Stored
}

// readData reads [data] anew: opening it leaves in it what was found.
func (o *opened) readData() (*data.Config, error) {
	o.reading.Lock()
	defer o.reading.Unlock()
	c, _ := data.Read(o.config) // its mistakes stand in the config
	return c, o.config.Err()
}

// Config returns the run's configuration; nil for a live model.
func (m *Model) Config() *configs.Config { return m.run.config }

// DataConfig returns the run's [data]; nil for a live model.
func (m *Model) DataConfig() *data.Config { return m.run.data }

// Meta returns what the checkpoint says of itself.
func (m *Model) Meta() checkpoint.Meta { return m.run.meta }

// Checkpoint returns the folder of the checkpoint; "" for a live model.
func (m *Model) Checkpoint() string { return m.run.checkpoint }

// Fitted returns what the data's transforms have learnt in training.
func (m *Model) Fitted() []data.Stored { return m.run.fitted }

// OpenData opens the data that the run was trained on, with its transforms as they were fitted then. progress may be nil.
// Where the data is gone, the error names the key; OpenOptions.Sets may give another place.
func (m *Model) OpenData(ctx context.Context, progress func(data.Progress)) (*data.Splits, error) {
	if m.run.config == nil {
		return nil, fmt.Errorf("a live model has no data of its own")
	}
	c, err := m.run.readData()
	if err != nil {
		return nil, err
	}
	fitted := append([]data.Stored{}, m.run.fitted...) // not nil: nothing is fitted anew
	return data.Open(ctx, c, data.OpenOptions{Seed: m.run.config.Seed, Progress: progress, Fitted: fitted})
}
