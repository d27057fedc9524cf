package cpu

import (
	"context"
	"slices"
	"time"
)

// Profile runs the phases of each step as a job of their own. What it takes to start a job and to wait for its end, a microsecond
// or two, is part of each time; within Run, steps go over into one another. What is prepared ahead is no part of it.
func (e *executable) Profile(ctx context.Context, runs int) ([]time.Duration, error) {
	ready := slices.DeleteFunc(slices.Clone(e.phases), func(p phase) bool { return !p.ahead })
	e.b.workers.run(e.b.workers.prepare(ready))
	defer func() {
		for _, c := range e.writes {
			c.Add(1)
		}
	}()
	jobs := make([]*job, len(e.ends))
	from := 0
	for i, to := range e.ends {
		own := slices.DeleteFunc(slices.Clone(e.phases[from:to]), func(p phase) bool { return p.ahead })
		if len(own) > 0 {
			jobs[i] = e.b.workers.prepare(own)
		}
		from = to
	}
	best := make([]time.Duration, len(jobs))
	for run := range max(1, runs) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, j := range jobs {
			if j == nil {
				continue
			}
			start := time.Now()
			e.b.workers.run(j)
			if d := time.Since(start); run == 0 || d < best[i] {
				best[i] = d
			}
		}
	}
	return best, nil
}
