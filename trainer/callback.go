package trainer

import (
	"context"
	"errors"

	"aetrain/configs"
	"aetrain/infer"
	"aetrain/internal/registry"
)

// Event is a moment of training that callbacks hear of.
type Event uint8

const (
	Begin      Event = iota // before the first step, of a resumed run too
	TermsRead               // Run.Row holds means since the last row, each log_every_steps and at each epoch's end
	Validated               // Run.Validation is new
	EpochEnd                // after TermsRead and Validated of the epoch's last step
	StepEnd                 // after every step and after the events above
	StageBegin              // a stage begins behind another one: what was best is no measure of it
	End                     // after the last step, whatever ended training; Run.Status says what
)

// String returns the event's name.
func (e Event) String() string {
	return [...]string{"begin", "terms read", "validated", "epoch end", "step end", "stage begin", "end"}[e]
}

// Callback does one thing beside training: writing metrics, checkpoints, pictures, stopping early.
type Callback interface {
	// On hears of an event. An error ends training; ErrStop does so quietly.
	On(ctx context.Context, e Event, r *Run) error
}

// Configured is implemented by callbacks that own keys of [train].
type Configured interface {
	// Options returns a pointer to the struct of keys, which holds their defaults.
	Options() any
}

// Stateful is implemented by callbacks that remember something in a checkpoint.
type Stateful interface {
	// Memory returns a pointer to what is written as JSON to the checkpoint and read back on resume.
	Memory() any
}

// Using is implemented by callbacks that apply the model, so that what they need is loaded before training begins.
type Using interface {
	// Uses says how many examples are given to which function of m, the model of a stage; see [infer.Model.Prepare].
	Uses(r *Run, m *infer.Model) map[string]int
}

// ErrStop ends training without an error, for example early.
var ErrStop = errors.New("stop")

// ErrDiverged is wrapped by the error that ends a training whose loss or gradient is no number any more.
var ErrDiverged = errors.New("training has diverged")

// Callbacks is the registry of callbacks by name; each adds itself in its own file.
var Callbacks = registry.New[Callback]("callback")

// order is that in which callbacks hear of an event: what others read is written first, checkpoints see what was decided before,
// and who may stop training comes last.
var order = []string{"nan-guard", "best", "metrics-log", "samples", "checkpoint", "progress", "early-stopping"}

// hook is a callback with the name that it is registered under.
type hook struct {
	Callback
	name string
}

// newHooks makes all registered callbacks, those that order does not name at the end.
func newHooks() []hook {
	var list []hook
	named := map[string]bool{}
	for _, name := range append(append([]string(nil), order...), Callbacks.Names()...) {
		if named[name] {
			continue
		}
		named[name] = true
		if c, ok := Callbacks.Make(name); ok {
			list = append(list, hook{c, name})
		}
	}
	return list
}

// add registers a callback and declares the keys that it owns, from the init function of its file.
func add(name string, make func() Callback) {
	Callbacks.Add(name, make)
	if o, ok := make().(Configured); ok {
		configs.Declare("train", o.Options)
	}
}
