// Package throughput measures how fast models are trained and run: by aetrain on any number of devices and by peers (PyTorch, or any
// program that speaks the protocol of torch/bench.py), round by round in turn, so that all meet the same machine in the same state.
//
// [Measure] takes [Row]s (the standard ones are in rows.go) and returns a [Report]; [Profile] looks into one step; results.go keeps
// what was measured on each machine as a page. A round's figure is the median over blocks of steps, each of which ends when the device has done all of its work; a result is the median of the
// rounds, and a ratio the median of the rounds' ratios. Ours is the whole trainer: loader, shuffling, terms of the loss that are
// read every so often. PyTorch's is the bare step on batches that lie in the device's memory already.
package throughput

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/model"
	"aetrain/optim"
	"aetrain/trainer"
)

// Device is an open device and what is known of it.
type Device struct {
	Name    string // in the report: "cpu", "cuda:0", "cpu, 1 thread"
	Address string // as configs and peers know it, where that is another; "": Name
	Threads int    // that Go may use, and peers; 0: all
	Backend backend.Backend
	Peaks   Peaks
	Joules  func() (float64, error) // what it has drawn since some moment; nil: not known
}

// address is how configs and peers know the device.
func (d Device) address() string { return cmp.Or(d.Address, d.Name) }

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
	Twin   string                      // how peers know it; "": they do not
	Load   func() (*Experiment, error) // reads its config anew
}

// Options of a measurement.
type Options struct {
	Rows    []Row
	Devices []Device
	Peers   []*Peer            // that take part
	Fresh   map[string]Starter // sides whose start and memory are measured in processes of their own, by name; on the last processor
	Missing []Skipped          // peers that could not be started
	Rounds  int
	Seconds float64       // of each side in a round
	Pause   time.Duration // between two sides: threads of the one before have gone to sleep by then
	Log     func(format string, args ...any)
	// Done is called after each row with what there is so far; nil: nothing.
	Done func(*Report) error
}

// Side is one that is measured.
type Side interface {
	// round runs for a while.
	round(ctx context.Context, at pace) (Figure, error)
	io.Closer
}

// entry is a side with its place in the report.
type entry struct {
	Side
	result *Result
	peer   *Peer // nil: ours
	out    bool  // takes no further part
}

// Measure measures all rows. A peer that fails is left out and named in the report; a failure of ours is an error, with which the
// report holds the rows before.
func Measure(ctx context.Context, o Options) (*Report, error) {
	report := newReport(o)
	report.Skipped = append(report.Skipped, o.Missing...)
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

// Seconds that a row takes beside its rounds: opening, and processes of its own.
const (
	opening   = 2 * time.Second
	freshTime = 4 * time.Second
)

// About is about how long the measurement takes, if no step takes longer than a block and peers have three ways together.
func (o *Options) About() time.Duration {
	side := time.Duration((1+warmShare+blockShare)*o.Seconds*float64(time.Second)) + o.Pause
	device := time.Duration(o.Rounds*(1+min(3, 2*len(o.Peers))))*side + opening*time.Duration(1+len(o.Peers))
	row := time.Duration(len(o.Devices))*device + time.Duration(freshTimes(o.Rounds)*len(o.Fresh))*freshTime
	return time.Duration(len(o.Rows)) * row
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
		s, facts, err := openOurs(ctx, row, d, len(o.Peers) > 0)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		entries = append(entries, &entry{Side: s, result: report.add(row, d, Ours, facts)})
		for _, p := range o.Peers {
			entries = append(entries, openPeer(ctx, o, row, d, p, facts, report)...)
		}
	}
	report.begin(row)
	if err := takeTurns(ctx, o, row, entries, report); err != nil {
		return err
	}
	if err := measureFresh(ctx, o, row, entries); err != nil {
		return err
	}
	report.conclude(row.Name)
	return nil
}

// lossFactor is how far first losses may lie apart, as their weights are drawn differently.
const lossFactor = 2.5

// openPeer opens a peer's side of a row in all of its ways.
func openPeer(ctx context.Context, o Options, row Row, d Device, p *Peer, f facts, report *Report) []*entry {
	leave := func(side string, err error) {
		report.skip(row, d, side, err)
		o.Log("%s: %s on %s is left out: %v", row.Name, side, d.Name, err)
	}
	if row.Twin == "" {
		leave(p.Name, errors.New("peers know the standard rows alone"))
		return nil
	}
	ways, err := p.Ways(row.Twin, d.address())
	if err != nil {
		leave(p.Name, err)
		return nil
	}
	var entries []*entry
	for _, way := range ways {
		side := sideName(p, way)
		s, err := p.open(ctx, row, d, way, f)
		if err != nil {
			leave(side, err)
			continue
		}
		if s.parameters != f.parameters {
			o.Log("%s: %s has %d parameters, ours %d", row.Name, side, s.parameters, f.parameters)
		}
		if x := s.loss / f.loss; s.loss > 0 && f.loss > 0 && (x > lossFactor || x < 1/lossFactor) {
			o.Log("%s: the first loss of %s is %.4g, ours %.4g: it is another loss", row.Name, side, s.loss, f.loss)
		}
		entries = append(entries, &entry{Side: s, result: report.add(row, d, side, f), peer: p})
	}
	return entries
}

// sideName is a peer's way in reports.
func sideName(p *Peer, way string) string { return strings.TrimSpace(p.Name + " " + way) }

// takeTurns measures every side in every round; who begins changes from round to round.
func takeTurns(ctx context.Context, o Options, row Row, entries []*entry, report *Report) error {
	order := slices.Clone(entries)
	for i := range o.Rounds {
		report.handOver(o.Devices)
		for _, e := range order {
			if e.out {
				continue
			}
			if len(order) > 1 {
				select {
				case <-ctx.Done():
					return context.Cause(ctx)
				case <-time.After(o.Pause):
				}
			}
			f, err := e.round(ctx, paceOf(o.Seconds))
			switch {
			case err != nil && ctx.Err() != nil:
				return context.Cause(ctx)
			case err != nil && e.peer != nil:
				e.result.Failed, e.out = err.Error(), true
				o.Log("%s: %s on %s has failed: %v", row.Name, e.result.Side, e.result.Device, err)
				continue
			case err != nil:
				return fmt.Errorf("%s: %w", e.result.Device, err)
			}
			e.result.Rounds = append(e.result.Rounds, f)
			o.Log("%s, round %d/%d: %s on %s: %.3f ms, %.0f examples/s", row.Name, i+1, o.Rounds, e.result.Side, e.result.Device, f.StepMS, f.ExamplesPerSecond)
		}
		if i == 0 {
			retire(entries)
		}
		slices.Reverse(order)
	}
	report.dropFailed()
	return nil
}

// slowWay is how many times slower than its peer's best way, in the first round, a way is that takes no further part.
const slowWay = 1.25

// retire sends a peer's slow ways home: what counts is its best one.
func retire(entries []*entry) {
	type group struct {
		peer   *Peer
		device string
	}
	best := map[group]float64{}
	for _, e := range entries {
		if g := (group{e.peer, e.result.Device}); e.peer != nil && !e.out {
			best[g] = max(best[g], e.result.Rounds[0].ExamplesPerSecond)
		}
	}
	for _, e := range entries {
		if e.peer != nil && !e.out && e.result.Rounds[0].ExamplesPerSecond*slowWay < best[group{e.peer, e.result.Device}] {
			e.out = true
		}
	}
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
