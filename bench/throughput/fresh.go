package throughput

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Steps of a fresh process: memory has reached its height by then.
const freshSteps = 8

// measureFresh starts the sides of a row in processes of their own, each in its plainest way, on the last of the processors (the one
// with the most threads): from the start to the end of the first step, and the memory of some steps.
func measureFresh(ctx context.Context, o Options, row Row, entries []*entry) error {
	last := Device{}
	for _, d := range o.Devices {
		if d.address() == "cpu" {
			last = d
		}
	}
	done := map[string]bool{}
	for _, e := range entries {
		name := Ours
		if e.peer != nil {
			name = e.peer.Name
		}
		start, wanted := o.Fresh[name]
		if !wanted || done[name] || e.result.Device != last.Name || e.result.Failed != "" {
			continue
		}
		done[name] = true
		err := e.result.measureFresh(ctx, start, row, last, freshTimes(o.Rounds))
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			o.Log("%s: the start of %s is not measured: %v", row.Name, name, err)
		default:
			o.Log("%s: %s takes %.0f ms from its start to its first step, and %.0f MB", row.Name, e.result.Side, e.result.StartMS, float64(e.result.PeakBytes)/1e6)
		}
	}
	return nil
}

// freshTimes is how many processes are started of each side.
func freshTimes(rounds int) int {
	if rounds > 3 {
		return 3
	}
	return 1
}

// measureFresh takes the median of the starts and the most of the memory.
func (res *Result) measureFresh(ctx context.Context, start Starter, row Row, d Device, times int) error {
	var ms []float64
	for range times {
		f, err := fresh(ctx, start, row, d, res)
		if err != nil {
			return err
		}
		ms = append(ms, f.startMS)
		res.PeakBytes = max(res.PeakBytes, f.peakBytes)
	}
	res.StartMS = median(ms)
	return nil
}

// freshFigure is what a fresh process did.
type freshFigure struct {
	startMS   float64
	peakBytes int64
}

// fresh starts a process and lets it make some steps, in the plainest of its ways.
func fresh(ctx context.Context, start Starter, row Row, d Device, r *Result) (f freshFigure, err error) {
	began := time.Now()
	p, err := start(ctx, nil)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	way := strings.TrimSpace(strings.TrimPrefix(r.Side, p.Name))
	s, err := p.open(ctx, row, d, way, facts{batch: r.Batch, precision: r.Precision})
	if err != nil {
		return f, err
	}
	if _, err := s.round(ctx, pace{steps: 1}); err != nil {
		return f, err
	}
	f.startMS = float64(time.Since(began)) / 1e6
	if _, err := s.round(ctx, pace{steps: freshSteps}); err != nil {
		return f, err
	}
	f.peakBytes, err = p.Peak()
	return f, err
}

// peakBytes is the memory that this process has had at most, 0 where the system does not tell.
func peakBytes() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}

// Self is our side as a peer: load reads a row's config, open opens a device with so many threads.
func Self(rows []Row, open func(q Question) (Device, error)) *Server {
	find := func(name string) *Row {
		for i := range rows {
			if rows[i].Twin == name {
				return &rows[i]
			}
		}
		return nil
	}
	return &Server{
		About: map[string]any{"name": Ours},
		Ways: func(row, _ string) []string {
			if find(row) == nil {
				return nil
			}
			return []string{""}
		},
		Open: func(ctx context.Context, q Question) (*Served, error) {
			row := find(q.Row)
			if row == nil {
				return nil, fmt.Errorf("there is no row %s", q.Row)
			}
			d, err := open(q)
			if err != nil {
				return nil, err
			}
			d.Threads = cmp.Or(d.Threads, q.Threads)
			s, f, err := openOurs(ctx, *row, d, false)
			if err != nil {
				return nil, errors.Join(err, d.Backend.Close())
			}
			return &Served{Side: &owner{s, d}, Parameters: f.parameters}, nil
		},
	}
}

// owner is a side that closes its device.
type owner struct {
	Side
	device Device
}

// Close implements io.Closer.
func (o *owner) Close() error { return errors.Join(o.Side.Close(), o.device.Backend.Close()) }
