package backend

import (
	"context"
	"time"
)

// Profiler is an Executable that can time the steps of its program one by one.
type Profiler interface {
	Executable
	// Profile runs the program at least once and as often as runs says, waiting for each step, and returns for each step of the
	// program the least time that it took. A step that runs together with one before it takes none. The program is really run:
	// states change as they do by Run, and more often where a device has to repeat a step to time it.
	Profile(ctx context.Context, runs int) ([]time.Duration, error)
}
