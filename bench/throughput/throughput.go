// Package throughput measures how fast models are trained and run: by aetrain on any number of devices and by PyTorch, round by
// round in turn, so that all meet the same machine in the same state.
//
// [Measure] takes [Row]s (the standard ones are in rows.go) and returns a [Report]; [Profile] looks into one step. A round's figure
// is the median over blocks of steps, each of which ends when the device has done all of its work; a result is the median of the
// rounds, and a ratio the median of the rounds' ratios. Ours is the whole trainer: loader, shuffling, terms of the loss that are
// read every so often. PyTorch's is the bare step on batches that lie in the device's memory already.
package throughput

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/model"
	"aetrain/optim"
	"aetrain/trainer"
)

// Device is an open device and what is known of it.
type Device struct {
	Name    string // as the config names it: "cpu", "cuda:0"
	Backend backend.Backend
	Peaks   Peaks
	Joules  func() (float64, error) // what it has drawn since some moment; nil: not known
}

// Experiment is a config that every room has read. Each training wants one of its own: callbacks remember.
type Experiment struct {
	Seed      uint64
	Data      *data.Config
	Model     *model.Config
	Optimizer *optim.Config
	Train     *trainer.Config
	Kernels   backend.Options
}

// Row is a model to be measured.
type Row struct {
	Name   string
	Text   string                      // what it is, in a line
	Encode int                         // not training, but the encoding of so many examples; 0: training
	Twin   string                      // the same network in torch/bench.py; "": none
	Load   func() (*Experiment, error) // reads its config anew
}

// Options of a measurement.
type Options struct {
	Rows    []Row
	Devices []Device
	Peers   []*Torch // PyTorch processes that take part
	Rounds  int
	Seconds float64       // of each side in a round
	Pause   time.Duration // between two sides: threads of the one before have gone to sleep by then
	Log     func(format string, args ...any)
	// Done is called after each row with what there is so far; nil: nothing.
	Done func(*Report) error
}

// side is one that is measured.
type side interface {
	// round runs for about that many seconds after a warm-up.
	round(ctx context.Context, seconds float64) (Figure, error)
	io.Closer
}

// entry is a side with its place in the report.
type entry struct {
	side
	result *Result
}

// Measure measures all rows. A peer that fails is left out and named in the report; a failure of ours is an error, with which the
// report holds the rows before.
func Measure(ctx context.Context, o Options) (*Report, error) {
	report := newReport(o)
	for _, row := range o.Rows {
		if err := measureRow(ctx, o, row, report); err != nil {
			report.drop(row.Name)
			return report, fmt.Errorf("%s: %w", row.Name, err)
		}
		if o.Done != nil {
			if err := o.Done(report); err != nil {
				return report, err
			}
		}
	}
	return report, nil
}

// measureRow opens all sides of a row and lets them take turns.
func measureRow(ctx context.Context, o Options, row Row, report *Report) error {
	var entries []*entry
	defer func() {
		for _, e := range entries {
			_ = e.Close() // all figures are taken
		}
	}()
	for _, d := range o.Devices {
		s, facts, err := openOurs(ctx, row, d)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		r := report.add(row, d, Ours, facts)
		entries = append(entries, &entry{s, r})
		for _, p := range o.Peers {
			for _, m := range p.Modes(d.Name) {
				s, err := p.open(ctx, row, d, m, facts)
				if err != nil {
					report.skip(row, d, p.Side(m), err)
					o.Log("%s: %s on %s is left out: %v", row.Name, p.Side(m), d.Name, err)
					continue
				}
				if s.parameters != facts.parameters {
					o.Log("%s: %s has %d parameters, ours %d", row.Name, p.Side(m), s.parameters, facts.parameters)
				}
				entries = append(entries, &entry{s, report.add(row, d, p.Side(m), facts)})
			}
		}
	}
	if err := takeTurns(ctx, o, row, entries, report); err != nil {
		return err
	}
	report.conclude(row.Name)
	return nil
}

// takeTurns measures every side in every round; who begins changes from round to round.
func takeTurns(ctx context.Context, o Options, row Row, entries []*entry, report *Report) error {
	order := slices.Clone(entries)
	for i := range o.Rounds {
		for _, e := range order {
			if e.result.Failed != "" {
				continue
			}
			if len(order) > 1 {
				select {
				case <-ctx.Done():
					return context.Cause(ctx)
				case <-time.After(o.Pause):
				}
			}
			f, err := e.round(ctx, o.Seconds)
			switch {
			case err != nil && ctx.Err() != nil:
				return context.Cause(ctx)
			case err != nil && e.result.Side != Ours:
				e.result.Failed = err.Error()
				o.Log("%s: %s on %s has failed: %v", row.Name, e.result.Side, e.result.Device, err)
				continue
			case err != nil:
				return fmt.Errorf("%s: %w", e.result.Device, err)
			}
			e.result.Rounds = append(e.result.Rounds, f)
			o.Log("%s, round %d/%d: %s on %s: %.3f ms, %.0f examples/s", row.Name, i+1, o.Rounds, e.result.Side, e.result.Device, f.StepMS, f.ExamplesPerSecond)
		}
		slices.Reverse(order)
	}
	report.dropFailed()
	return nil
}

// Figure is what one side did in one round.
type Figure struct {
	Steps             int     `json:"steps"`
	StepMS            float64 `json:"step_ms"` // median over blocks of steps
	ExamplesPerSecond float64 `json:"examples_per_second"`
	Joules            float64 `json:"joules,omitempty"` // drawn by the device meanwhile
	Examples          int     `json:"examples"`         // that were seen meanwhile
}

// block is a stretch of steps at whose end the device had done all of them.
type block struct {
	steps int
	took  time.Duration
}

// figure is the median of blocks; batch is the examples of a step.
func figure(blocks []block, batch int) Figure {
	var f Figure
	var ms []float64
	for _, b := range blocks {
		f.Steps += b.steps
		ms = append(ms, float64(b.took)/1e6/float64(b.steps))
	}
	f.StepMS = median(ms)
	f.ExamplesPerSecond = float64(batch) / f.StepMS * 1e3
	f.Examples = f.Steps * batch
	return f
}

// median of a list, which it sorts; NaN of an empty one.
func median(list []float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	slices.Sort(list)
	n := len(list)
	if n%2 == 1 {
		return list[n/2]
	}
	return (list[n/2-1] + list[n/2]) / 2
}
