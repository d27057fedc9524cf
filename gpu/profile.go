//go:build gpu

package gpu

import (
	"context"
	"errors"
	"time"

	"aetrain/gpu/driver"
)

// Profile runs the program's steps one by one, without the recorded graph, and returns for each step of the program the least time
// that it took on the device in some of runs. A step that runs together with the one before it takes none.
func (e *executable) Profile(ctx context.Context, runs int) ([]time.Duration, error) {
	best := make([]time.Duration, len(e.p.Steps))
	err := e.dev.do(func() error {
		from, err := driver.NewEvent(true)
		if err != nil {
			return err
		}
		defer from.Destroy()
		to, err := driver.NewEvent(true)
		if err != nil {
			return err
		}
		defer to.Destroy()
		for run := range max(1, runs) {
			if err := ctx.Err(); err != nil {
				return err
			}
			for i := 0; i < len(e.code); {
				j := i
				for j < len(e.code) && e.code[j].step == e.code[i].step {
					j++
				}
				d, err := e.timed(e.code[i:j], from, to)
				if err != nil {
					return e.dev.fail(err)
				}
				if at := e.code[i].step; run == 0 || d < best[at] {
					best[at] = d
				}
				i = j
			}
		}
		return nil
	})
	return best, err
}

// timed runs the instructions of one step between two events. What the host does counts as the host's time.
func (e *executable) timed(code []instruction, from, to driver.Event) (time.Duration, error) {
	start := time.Now()
	if err := from.Record(e.dev.stream); err != nil {
		return 0, err
	}
	host := false
	for i := range code {
		var err error
		if code[i].host != nil {
			host = true
			err = errors.Join(e.dev.stream.Synchronize(), code[i].host())
		} else {
			err = code[i].enqueue(e.dev.stream)
		}
		if err != nil {
			return 0, e.named(&code[i], err)
		}
	}
	if err := errors.Join(to.Record(e.dev.stream), to.Synchronize()); err != nil {
		return 0, err
	}
	if host {
		return time.Since(start), nil
	}
	return to.Since(from)
}
