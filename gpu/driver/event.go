//go:build gpu && cgo

package driver

import (
	"time"

	"gorgonia.org/cu"
)

// Event is a mark in a stream: it is done when all work that was enqueued before its Record is.
type Event struct{ e cu.Event }

// NewEvent makes an event; one with timing can measure (Since), one without is cheaper.
func NewEvent(timing bool) (Event, error) {
	flags := cu.DisableTiming
	if timing {
		flags = cu.DefaultEvent
	}
	e, err := cu.MakeEvent(flags)
	return Event{e}, wrap("cuEventCreate", err)
}

// Record puts the mark at the end of the stream, taking it from where it was.
func (e Event) Record(s Stream) error { return wrap("cuEventRecord", e.e.Record(s.s)) }

// Synchronize waits for the event. One that was never recorded is done.
func (e Event) Synchronize() error { return wrap("cuEventSynchronize", e.e.Synchronize()) }

// Done reports whether the event has come, without waiting.
func (e Event) Done() (bool, error) {
	err := e.e.Query()
	if err == cu.NotReady {
		return false, nil
	}
	return err == nil, wrap("cuEventQuery", err)
}

// Since is the device's time between two events with timing that are done (resolution about half a microsecond).
func (e Event) Since(start Event) (time.Duration, error) {
	ms, err := start.e.Elapsed(e.e)
	return time.Duration(ms * float64(time.Millisecond)), wrap("cuEventElapsedTime", err)
}

// Destroy frees the event.
func (e Event) Destroy() error { return wrap("cuEventDestroy", cu.DestroyEvent(&e.e)) }
