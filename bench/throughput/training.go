package throughput

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/infer"
	"aetrain/model"
	"aetrain/program"
	"aetrain/trainer"
)

// facts are what is known of a row before it is measured.
type facts struct {
	batch      int // examples of a step
	parameters int // trained numbers of encoder and decoder
	flop       float64
	bytes      float64
	precision  string
	loss       float64 // of the first batch with the first weights; 0: not known
}

// add counts a program's steps, times over.
func (f *facts) add(p *program.Program, times float64) {
	for i := range p.Steps {
		f.flop += times * p.Steps[i].FLOP()
		f.bytes += times * float64(Traffic(p, &p.Steps[i]))
	}
}

// openOurs opens our side of a row on a device. The first loss, which takes a program of its own, is found where it is wanted.
func openOurs(ctx context.Context, row Row, d Device, loss bool) (Side, facts, error) {
	if row.Encode > 0 {
		return openEncoding(ctx, row, d)
	}
	return openTraining(ctx, row, d, loss)
}

// limitGo gives all of Go, the loader's goroutines too, only as many processors as there are threads (0: all), until the function
// that it returns is called.
func limitGo(threads int) (undo func()) {
	if threads == 0 {
		return func() {}
	}
	before := runtime.GOMAXPROCS(threads)
	return func() { runtime.GOMAXPROCS(before) }
}

// training is the trainer at work, held back between rounds.
type training struct {
	device Device
	run    *trainer.Run
	splits *data.Splits
	gate   *gate
	stop   context.CancelFunc
	done   chan error // of Fit
}

// opened is an experiment with its data and its model.
type opened struct {
	*Experiment
	splits *data.Splits
	model  *model.Model
}

// open reads the row's config and opens its data.
func open(ctx context.Context, row Row) (*opened, error) {
	e, err := row.Load()
	if err != nil {
		return nil, err
	}
	o := &opened{Experiment: e}
	if o.splits, err = data.Open(ctx, e.Data, data.OpenOptions{Seed: e.Seed}); err != nil {
		return nil, err
	}
	var fields []model.Field
	for _, f := range o.splits.Fields() {
		fields = append(fields, model.Field(f))
	}
	if o.model, err = model.New(e.Model, fields); err != nil {
		o.splits.Close()
		return nil, err
	}
	return o, nil
}

// newRun builds the training; nothing of it is written to disk.
func (o *opened) newRun(d Device, p trainer.Progress) (*trainer.Run, error) {
	return trainer.New(trainer.Options{
		Seed: o.Seed, Train: o.Train, Data: o.Data, Optimizer: o.Optimizer, Model: o.model, Splits: o.splits,
		Backend: d.Backend, Kernels: o.Kernels, Progress: p,
	})
}

func openTraining(ctx context.Context, row Row, d Device, loss bool) (Side, facts, error) {
	o, err := open(ctx, row)
	if err != nil {
		return nil, facts{}, err
	}
	f := facts{batch: o.Data.Batch, precision: precision(d.Backend, o.Train.Precision)}
	g := &gate{requests: make(chan pace), replies: make(chan reply, 1), joules: d.Joules}
	t := &training{device: d, splits: o.splits, gate: g, done: make(chan error, 1)}
	if t.run, err = o.newRun(d, g); err != nil {
		o.splits.Close()
		return nil, f, err
	}
	encoder, decoder, err := o.model.Parameters()
	if err == nil && loss {
		f.loss, err = t.firstLoss(ctx)
	}
	if err != nil {
		return nil, f, errors.Join(err, t.run.Close(), o.splits.Close())
	}
	f.parameters = encoder + decoder
	for _, e := range longest(t.run) {
		f.add(e.Program(), 1)
	}
	debug.FreeOSMemory() // garbage of the rows before is not this one's to collect
	g.ctx, t.stop = context.WithCancel(ctx)
	go func() { t.done <- t.run.Fit(g.ctx) }()
	return t, f, nil
}

// firstLoss is the loss of a batch before any training.
func (t *training) firstLoss(ctx context.Context) (float64, error) {
	measured, err := t.run.Model.Evaluate(ctx, t.splits.Train, infer.EvaluateOptions{Limit: t.run.Options.Data.Batch})
	return measured["loss"], err
}

// precision is what a device computes products in when a config asks for wanted.
func precision(b backend.Backend, wanted string) string {
	for _, p := range b.Capabilities().Precisions {
		if p == wanted {
			return p
		}
	}
	return "float32"
}

// longest are the programs of the longest batch, which come first. A last batch of an epoch that is shorter has programs behind them.
func longest(r *trainer.Run) []backend.Executable {
	all := r.Executables()
	sizes := 1
	if r.Examples%r.Options.Data.Batch != 0 && r.Examples > r.Options.Data.Batch && !r.Options.Data.DropLast {
		sizes = 2
	}
	return all[:len(all)/sizes]
}

// round lets training go on for a while.
func (t *training) round(ctx context.Context, at pace) (Figure, error) {
	defer limitGo(t.device.Threads)()
	select {
	case t.gate.requests <- at:
	case err := <-t.done:
		return Figure{}, t.ended(err)
	case <-ctx.Done():
		return Figure{}, context.Cause(ctx)
	}
	select {
	case r := <-t.gate.replies:
		return r.figure, r.err
	case err := <-t.done:
		return Figure{}, t.ended(err)
	}
}

// ended is the error of a training that has come to an end.
func (t *training) ended(err error) error {
	t.done <- err // for Close
	if err == nil && t.gate.ctx.Err() != nil {
		err = context.Cause(t.gate.ctx)
	}
	if err == nil {
		err = fmt.Errorf("training was %s after %d steps", t.run.Status, t.run.Step)
	}
	return err
}

// Close ends training.
func (t *training) Close() error {
	t.stop()
	err := <-t.done
	return errors.Join(err, t.run.Close(), t.splits.Close())
}

// gate is a display of progress that holds training back where nobody has asked for a round.
type gate struct {
	ctx      context.Context // ends training
	requests chan pace
	replies  chan reply
	joules   func() (float64, error)
	pacer    *pacer // nil: no round is under way
	steps    *tensor.Dense
}

// reply is what came of it.
type reply struct {
	figure Figure
	err    error
}

// Step is called after every training step.
func (g *gate) Step(r *trainer.Run) {
	if g.pacer != nil {
		over, err := g.pacer.step()
		if !over {
			return
		}
		var p reply
		if p.err = err; err == nil {
			p.figure = g.pacer.figure(r.Options.Data.Batch)
		}
		g.pacer = nil
		g.replies <- p
	}
	select {
	case q := <-g.requests:
		g.pacer = &pacer{pace: q, sync: func() error { return g.sync(r) }, joules: g.joules}
		g.pacer.begin()
	case <-g.ctx.Done():
	}
}

// sync reads the counter of steps, for which the device has to finish all of them.
func (g *gate) sync(r *trainer.Run) error {
	if g.steps == nil {
		g.steps = backend.NewHost(graph.I32())
	}
	return r.State.Read(model.StateStep, g.steps)
}

// Epoch does nothing.
func (*gate) Epoch(*trainer.Run) {}

// Close does nothing.
func (*gate) Close() {}
