//go:build gpu

package gpu

import (
	"context"
	"errors"
	"slices"
	"time"

	"aetrain/gpu/driver"
	"aetrain/graph"
	"aetrain/program"
)

// A part that takes less than profileTime is repeated in one graph until it takes about as long, at most profileSteps times: the clock
// of events ticks in half microseconds.
const (
	profileTime  = 200 * time.Microsecond
	profileSteps = 10
)

// Profile times the steps one by one and returns for each step of the program the least time that it took on the device in some of
// runs. Each is a small graph of its own, replayed while the device is at work, so that no launch counts. A step that runs together
// with the one before it takes none.
//
// It trains: each step runs several times, those that update weights and moments too, and what a step changes in place changes
// each time. The State is of no use for training or for its results afterwards.
func (e *executable) Profile(ctx context.Context, runs int) ([]time.Duration, error) {
	best := make([]time.Duration, len(e.p.Steps))
	err := e.dev.do(func() error {
		for i := 0; i < len(e.code); {
			if err := ctx.Err(); err != nil {
				return err
			}
			j := i
			for j < len(e.code) && e.code[j].step == e.code[i].step {
				j++
			}
			next := len(e.p.Steps)
			if j < len(e.code) {
				next = e.code[j].step
			}
			d, err := e.timed(e.code[i:j], e.repeatable(e.p.Steps[e.code[i].step:next]), max(1, runs))
			if err != nil {
				return e.dev.fail(err)
			}
			best[e.code[i].step] = d
			i = j
		}
		return nil
	})
	return best, err
}

// timed is the least time of the instructions of one step. What the host does counts as the host's time.
func (e *executable) timed(code []instruction, repeatable bool, runs int) (time.Duration, error) {
	if slices.ContainsFunc(code, func(i instruction) bool { return i.host != nil }) {
		return e.timedHost(code, runs)
	}
	once, err := e.timedGraph(code, 1, 1)
	if err != nil {
		return 0, err
	}
	times := 1
	if repeatable {
		times = int(min(profileSteps, profileTime/max(once, 1)))
	}
	if times = max(1, times); times == 1 && runs == 1 {
		return once, nil
	}
	return e.timedGraph(code, times, runs)
}

// timedGraph is the least time of the instructions in runs of a graph that holds them so many times.
func (e *executable) timedGraph(code []instruction, times, runs int) (time.Duration, error) {
	g, err := driver.Capture(e.dev.stream, func() error {
		for range times {
			for i := range code {
				if err := code[i].enqueue(e.dev.stream); err != nil {
					return e.named(&code[i], err)
				}
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	d, err := replay(g, e.dev.stream, runs)
	return d / time.Duration(times), errors.Join(err, g.Destroy())
}

// timedHost runs instructions of which some are the host's.
func (e *executable) timedHost(code []instruction, runs int) (best time.Duration, err error) {
	for run := range runs {
		start := time.Now()
		for i := range code {
			if code[i].host != nil {
				err = errors.Join(e.dev.stream.Synchronize(), code[i].host())
			} else {
				err = code[i].enqueue(e.dev.stream)
			}
			if err != nil {
				return 0, e.named(&code[i], err)
			}
		}
		if err := e.dev.stream.Synchronize(); err != nil {
			return 0, err
		}
		if d := time.Since(start); run == 0 || d < best {
			best = d
		}
	}
	return best, nil
}

// repeatable reports whether steps may run any number of times: where their results take the place of integers that they read, these
// may be indices, and out of bounds the next time.
func (e *executable) repeatable(steps []program.Step) bool {
	var writes []int
	for _, s := range steps {
		writes = append(writes, s.Writes()...)
	}
	for _, s := range steps {
		for _, r := range s.Reads() {
			m := e.mem[r]
			if m.dtype == graph.Int32 && slices.ContainsFunc(writes, func(w int) bool { return m.overlaps(e.mem[w]) }) {
				return false
			}
		}
	}
	return true
}

// overlaps reports whether two places share bytes.
func (m memory) overlaps(o memory) bool {
	return m.block == o.block && m.off < o.off+o.bytes() && o.off < m.off+m.bytes()
}
