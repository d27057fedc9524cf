package trainer

import (
	"context"
	"fmt"
)

func init() { add("early-stopping", func() Callback { return &EarlyStopping{} }) }

// EarlyStoppingOptions are the keys of [EarlyStopping].
type EarlyStoppingOptions struct {
	EarlyStopping float64 `toml:"early_stopping" min:"0" doc:"epochs without improvement of the monitored metric after which training ends; 0: never"`
}

// EarlyStopping ends training when the monitored metric has not improved for so many epochs.
type EarlyStopping struct {
	EarlyStoppingOptions
	due bool // after what belongs to this step: pictures, checkpoints
}

// Options returns the keys.
func (s *EarlyStopping) Options() any { return &s.EarlyStoppingOptions }

// On compares the time since the best validation with what is borne.
func (s *EarlyStopping) On(_ context.Context, e Event, r *Run) error {
	if e == StageBegin {
		s.due = false
	}
	if s.EarlyStopping == 0 || r.Best == nil {
		return nil
	}
	waited := float64(r.Step-r.Best.Step) / float64(r.StepsPerEpoch)
	if e == Validated || e == EpochEnd {
		s.due = waited+1e-9 >= s.EarlyStopping
	}
	if e != StepEnd || !s.due {
		return nil
	}
	r.Logf("no better %s than %.6g for %.4g epochs (best at step %d): stopping early", r.Best.Metric, r.Best.Value, waited, r.Best.Step)
	return fmt.Errorf("early stopping: %w", ErrStop)
}
