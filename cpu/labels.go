package cpu

import (
	"context"
	"runtime/pprof"
	"sync/atomic"

	"aetrain/program"
)

// labelled is whether programs that are loaded from now on carry labels.
var labelled atomic.Bool

// LabelProfiles makes programs that are loaded from now on label what their threads do in CPU profiles: layer (where the step
// belongs in the model), op and kernel, for "go tool pprof -tags". Without it a step does nothing for profiles.
func LabelProfiles(on bool) { labelled.Store(on) }

// labels are those of each phase; nil where nobody wants any.
func (e *executable) labels() []context.Context {
	if !labelled.Load() {
		return nil
	}
	kernels := make([]string, len(e.p.Steps))
	for _, c := range e.choices {
		kernels[c.Step] = c.Kernel // the last one is how it runs
	}
	list := make([]context.Context, 0, len(e.phases))
	for i := range e.p.Steps {
		s := &e.p.Steps[i]
		l := pprof.WithLabels(context.Background(), pprof.Labels("layer", layerOf(s), "op", s.Kind(), "kernel", kernels[i]))
		for len(list) < e.ends[i] {
			list = append(list, l)
		}
	}
	return list
}

// layerOf is a step's path; updates of parameters have none.
func layerOf(s *program.Step) string {
	if s.Path == "" {
		return "(none)"
	}
	return s.Path
}
