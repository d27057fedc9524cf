package throughput

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aetrain/backend"
	"aetrain/program"
)

// Profiles are the parts of a step, of each row on each device.
type Profiles struct {
	Devices  []DeviceFacts `json:"devices"`
	Profiles []*RowProfile `json:"profiles"`
}

// RowProfile is one step, part by part.
type RowProfile struct {
	Row       string     `json:"row"`
	Device    string     `json:"device"`
	Precision string     `json:"precision"`
	Batch     int        `json:"batch"`
	StepMS    float64    `json:"step_ms"`  // of a whole step as it runs in training, the median of a round
	SumMS     float64    `json:"sum_ms"`   // of its parts, each timed alone
	LimitMS   float64    `json:"limit_ms"` // the sum of their roofline limits
	Parts     []PartTime `json:"parts"`    // costliest first
	// DepthFirst is how many of the parts run block by block with others in a whole step.
	DepthFirst int `json:"depth_first,omitempty"`
}

// PartTime is a step of a program.
type PartTime struct {
	Program int    `json:"program"` // of those that a training step runs one after the other
	Step    int    `json:"step"`
	Op      string `json:"op"`
	Kernel  string `json:"kernel"`
	// Precision is that of the part's product, where it is not the profile's.
	Precision string   `json:"precision,omitempty"`
	Path      string   `json:"path"`
	Shape     string   `json:"shape"`
	Fused     []string `json:"fused,omitempty"` // elementwise ops on its output, or all that it is; total: results are added up
	Micros    float64  `json:"us"`
	GFLOP     float64  `json:"gflop"`
	MB        float64  `json:"mb"` // of operands and results
	GFLOPS    float64  `json:"gflops"`
	GBps      float64  `json:"gb_per_s"`
	Limit     float64  `json:"limit_us"` // what the device's peaks allow: its arithmetic, or its operands and results through main memory
	Share     float64  `json:"share"`    // limit / time; above 1 where operands stay in a cache
	BoundBy   string   `json:"bound_by"` // "compute" or "memory": which limit is the higher one
}

// profileRuns is how often a step is run; the least time of each part counts.
const profileRuns = 30

// Profile times the parts of a step for each row and device. Where it fails, it returns what it has so far.
func Profile(ctx context.Context, o Options) (*Profiles, error) {
	p := &Profiles{Profiles: []*RowProfile{}}
	for _, d := range o.Devices {
		p.Devices = append(p.Devices, factsOf(d))
	}
	for _, row := range o.Rows {
		for _, d := range o.Devices {
			r, err := profileRow(ctx, o, row, d)
			if err != nil {
				return p, fmt.Errorf("%s: %s: %w", row.Name, d.Name, err)
			}
			o.Log("%s on %s: a step takes %.3f ms, its parts one by one %.3f ms", row.Name, d.Name, r.StepMS, r.SumMS)
			p.Profiles = append(p.Profiles, r)
		}
	}
	return p, nil
}

// profileRow measures a row as it runs, and then its parts.
func profileRow(ctx context.Context, o Options, row Row, d Device) (r *RowProfile, err error) {
	s, f, err := openOurs(ctx, row, d, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	fig, err := s.round(ctx, paceOf(o.Seconds))
	if err != nil {
		return nil, err
	}
	r = &RowProfile{Row: row.Name, Device: d.Name, Precision: f.precision, Batch: f.batch, StepMS: fig.StepMS}
	exes, err := executables(s)
	if err != nil {
		return nil, err
	}
	if e, ok := s.(*encoding); ok {
		defer exes[0].Close()
		r.Batch = e.batch()
		r.StepMS *= float64(r.Batch) / float64(f.batch)
	}
	for i, e := range exes {
		if err := r.addProgram(ctx, i, e, d); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(r.Parts, func(a, b PartTime) int { return cmp.Compare(b.Micros, a.Micros) })
	return r, nil
}

// executables are the programs of a step of ours. Training is held back between rounds, so that nobody else runs them.
func executables(s Side) ([]backend.Executable, error) {
	switch s := s.(type) {
	case *training:
		return longest(s.run), nil
	case *encoding:
		e, err := s.load()
		return []backend.Executable{e}, err
	}
	return nil, fmt.Errorf("%T has no steps of ours", s)
}

// Kernels counts, for each op of a row's training step on a device, how often each kernel was chosen.
func Kernels(ctx context.Context, row Row, d Device) (counts map[string]map[string]int, err error) {
	o, err := open(ctx, row)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.splits.Close()) }()
	r, err := o.newRun(d, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	counts = map[string]map[string]int{}
	for _, e := range longest(r) {
		chosen := map[int]backend.Choice{} // the last one of a step: how it runs
		for _, c := range e.Explain() {
			chosen[c.Step] = c
		}
		for _, c := range chosen {
			if counts[c.Op] == nil {
				counts[c.Op] = map[string]int{}
			}
			counts[c.Op][c.Kernel]++
		}
	}
	return counts, nil
}

// addProgram times one program.
func (r *RowProfile) addProgram(ctx context.Context, number int, e backend.Executable, d Device) error {
	profiler, ok := e.(backend.Profiler)
	if !ok {
		return errors.New("this device does not time the parts of a step")
	}
	times, err := profiler.Profile(ctx, profileRuns)
	if err != nil {
		return err
	}
	p := e.Program()
	chosen := map[int]backend.Choice{} // the last one of a step: how it runs
	for _, c := range e.Explain() {
		chosen[c.Step] = c
	}
	for i := range p.Steps {
		c := chosen[i]
		if c.DepthFirst {
			r.DepthFirst++
		}
		if times[i] == 0 { // another step does it in the same pass
			continue
		}
		part := PartTime{Program: number, Step: i, Op: p.Steps[i].Kind(), Kernel: c.Kernel, Path: p.Steps[i].Path, Shape: c.Shape, Precision: c.Precision}
		part.describe(&p.Steps[i])
		part.measure(times[i], p.Steps[i].FLOP(), float64(Traffic(p, &p.Steps[i])), d.Peaks, cmp.Or(c.Precision, r.Precision))
		r.SumMS += part.Micros / 1e3
		r.LimitMS += part.Limit / 1e3
		r.Parts = append(r.Parts, part)
	}
	return nil
}

// describe names the ops of a chain, and its size where it stands alone.
func (t *PartTime) describe(s *program.Step) {
	if s.Chain == nil {
		return
	}
	var names []string
	for _, o := range s.Chain.Ops {
		names = append(names, o.Node.Op.Name())
	}
	if len(s.Chain.Sums) > 0 {
		names = append(names, "total")
	}
	t.Fused = names
	if s.Node == nil {
		t.Shape = fmt.Sprint(s.Chain.Size)
	}
}

// measure fills in the figures of a part.
// Source of the roofline: Williams, Waterman & Patterson 2009, "Roofline: an insightful visual performance model".
func (t *PartTime) measure(took time.Duration, flop, moved float64, peaks Peaks, precision string) {
	t.Micros, t.GFLOP, t.MB = float64(took)/1e3, flop/1e9, moved/1e6
	if s := took.Seconds(); s > 0 {
		t.GFLOPS, t.GBps = t.GFLOP/s, moved/1e9/s
	}
	compute, memory := 0.0, 0.0
	if peak := peaks.GFLOPS[precision]; peak > 0 {
		compute = t.GFLOP / peak * 1e6
	}
	if peaks.GBps > 0 {
		memory = moved / 1e9 / peaks.GBps * 1e6
	}
	if t.Limit, t.BoundBy = memory, "memory"; compute > memory {
		t.Limit, t.BoundBy = compute, "compute"
	}
	if t.Micros > 0 {
		t.Share = t.Limit / t.Micros
	}
}
