package trainer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aetrain/data"
	"aetrain/infer"
)

// What ended a training.
const (
	StatusDone        = "done"
	StatusStopped     = "early-stopped"
	StatusInterrupted = "interrupted"
	StatusFailed      = "failed"
)

// Fit runs steps until the last one, an error, or the end of ctx. Interrupted training is no error: Status tells.
func (r *Run) Fit(ctx context.Context) error {
	if r.Resume != "" {
		if err := r.resume(); err != nil {
			return err
		}
	}
	err := r.tell(ctx, Begin)
	if err == nil {
		err = r.start(ctx)
	}
	if err == nil {
		err = r.loop(ctx)
	}
	switch {
	case errors.Is(err, ErrStop):
		r.Status, err = StatusStopped, nil
	case err != nil && !(stopped(ctx) && errors.Is(err, ctx.Err())): // what went wrong just before a signal did go wrong
		r.Status = StatusFailed
	case stopped(ctx):
		r.Status, err = StatusInterrupted, nil
	default:
		r.Status = StatusDone
	}
	// Callbacks close their files and write the last checkpoint even where ctx is over.
	if e := r.tell(context.WithoutCancel(ctx), End); err == nil && !errors.Is(e, ErrStop) {
		err = e
	}
	return err
}

func (r *Run) loop(ctx context.Context) error {
	whole := context.WithoutCancel(ctx)
	for !stopped(ctx) {
		last := r.stageLast()
		if r.pending != nothing { // of the step just made, or of the one that a checkpoint was made after
			err := r.afterStep(ctx, whole, r.Index == 0, r.Step == last)
			if errors.Is(err, ErrStop) && r.more() { // early: the stage is over
				err = r.enter(ctx, whole)
			}
			if err != nil {
				return err
			}
			continue
		}
		if r.over(last) {
			if !r.more() {
				return nil
			}
			if err := r.enter(ctx, whole); err != nil {
				return err
			}
			continue
		}
		b, err := r.loader.Next(ctx)
		if err != nil {
			return err
		}
		s := r.now().steps[b.Size]
		if s == nil {
			return fmt.Errorf("a batch of %d examples came unannounced", b.Size)
		}
		// A step that consists of several programs is made as a whole: half of one would be in the checkpoint.
		if err := s.run(whole, r, b); err != nil {
			return fmt.Errorf("epoch %d, step %d: %w", r.Epoch+1, r.Step+1, err)
		}
		r.count(b)
	}
	return nil
}

// over reports whether the stage under way has made its last step.
func (r *Run) over(last int) bool {
	return last > 0 && r.Step >= last || r.now().prior && r.now().epochs == 0
}

// enter begins the next stage, which nothing interrupts, and its init passes.
func (r *Run) enter(ctx, whole context.Context) error {
	if err := r.nextStage(whole); err != nil {
		return err
	}
	return r.start(ctx)
}

// count notes that a step is done.
func (r *Run) count(b *data.Batch) {
	r.Step++
	r.Seen += b.Size
	r.Index = b.Index + 1
	r.sums.count(b.Size)
	if b.Last {
		r.Epoch, r.Index = r.Epoch+1, 0
	}
	r.pending = terms
	if r.Progress != nil {
		r.Progress.Step(r)
	}
}

// What has still to follow the last step. A checkpoint keeps it, so that an interruption leaves nothing out.
const (
	nothing    = ""
	terms      = "terms"      // all of it
	validation = "validation" // the terms are read
)

// afterStep reads terms, validates and tells callbacks, where it is time to. Interrupted, it leaves the rest to the resumed run, but
// for pictures and checkpoints: whole, which nothing interrupts, is theirs, since a resumed run begins behind them.
func (r *Run) afterStep(ctx, whole context.Context, epochEnd, final bool) error {
	if stopped(ctx) {
		return nil
	}
	if r.pending == terms && (epochEnd || final || r.Step%r.Train.LogEverySteps == 0) {
		if err := r.readTerms(ctx, epochEnd); errors.Is(err, errRolledBack) {
			return nil
		} else if err != nil {
			return err
		}
	}
	r.pending = validation
	if Every(r.Train.ValidateEvery).Due(r.Step, r.StepsPerEpoch) || final && r.Train.ValidateEvery > 0 {
		if err := r.validate(ctx); err != nil {
			if stopped(ctx) {
				return nil
			}
			return err
		}
	}
	r.pending = nothing
	if epochEnd || final {
		if err := r.tell(whole, EpochEnd); err != nil {
			return err
		}
		if r.Progress != nil {
			r.Progress.Epoch(r)
		}
	}
	return r.tell(whole, StepEnd)
}

func (r *Run) readTerms(ctx context.Context, epochEnd bool) error {
	if err := r.sums.pull(r.State); err != nil {
		return err
	}
	r.Row = r.sums.memory.Row.means()
	if epochEnd {
		r.EpochRow = r.sums.memory.Epoch.means()
	} else {
		epoch := r.sums.memory.Epoch // a copy: the epoch goes on
		r.EpochRow = epoch.means()
	}
	return r.tell(ctx, TermsRead)
}

// validate evaluates the validation split, if there is one, with every schedule at its final value.
func (r *Run) validate(ctx context.Context) error {
	if r.Splits.Validation == nil {
		return nil
	}
	m, err := r.Model.Evaluate(ctx, r.Splits.Validation, infer.EvaluateOptions{Metrics: r.Measured})
	if err != nil {
		return fmt.Errorf("validation: %w", err)
	}
	r.Validation = m
	for _, s := range r.schedules() {
		if w, ok := s.(interface{ Watch(float64) }); ok {
			w.Watch(m[lossTerm])
		}
	}
	return r.tell(ctx, Validated)
}

// tell tells all callbacks of an event, in order. Where several want to stop, all have heard of it.
func (r *Run) tell(ctx context.Context, e Event) error {
	var stop error
	for _, h := range r.Train.hooks {
		switch err := h.On(ctx, e, r); {
		case errors.Is(err, ErrStop):
			stop = err
		case err != nil:
			return fmt.Errorf("%s: %w", h.name, err)
		}
	}
	return stop
}

// clock is the time since some moment, for rates.
type clock struct {
	since    time.Time
	examples int
}

func (c *clock) rate(examples int) float64 {
	now := time.Now()
	n, d := examples-c.examples, now.Sub(c.since).Seconds()
	c.since, c.examples = now, examples
	if d <= 0 {
		return 0
	}
	return float64(n) / d
}
