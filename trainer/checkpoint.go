package trainer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"aetrain/checkpoint"
	"aetrain/infer"
)

func init() {
	add("checkpoint", func() Callback { return &Checkpoints{CheckpointOptions: CheckpointOptions{Every: 1}} })
}

// CheckpointOptions are the keys of [Checkpoints].
type CheckpointOptions struct {
	Every Every `toml:"checkpoint_every" min:"0" doc:"epochs between checkpoints; fractions are allowed, 0 is only at the end"`
	Keep  int   `toml:"keep" min:"0" doc:"how many checkpoints step-N are kept beside best and last"`
}

// Checkpoints writes checkpoints/last as often as the config says and at the end, checkpoints/best whenever the monitored metric is
// the best so far, and keeps some as checkpoints/step-N.
type Checkpoints struct {
	CheckpointOptions
	saved int // step of the newest "last"; -1: none
	stage int // and its stage
}

// Options returns the keys.
func (c *Checkpoints) Options() any { return &c.CheckpointOptions }

// On saves.
func (c *Checkpoints) On(_ context.Context, e Event, r *Run) error {
	if r.Dir == "" {
		return nil
	}
	switch e {
	case Begin:
		c.saved = -1
		if r.Resume != "" {
			c.saved, c.stage = r.Step, r.Stage
		}
	case StepEnd:
		return c.save(r, r.Best != nil && r.Best.Now, c.Every.Due(r.Step, r.StepsPerEpoch))
	case End:
		// Where training failed, what was saved last is the last good state.
		return c.save(r, false, r.Status != StatusFailed && (c.saved != r.Step || c.stage != r.Stage))
	}
	return nil
}

// save writes best and last where they are due. After a step that was not finite the State stands still while the loop counts on,
// until the terms are read: such a moment is not kept, and the checkpoint before it is what to go back to.
func (c *Checkpoints) save(r *Run, best, last bool) error {
	if !best && !last {
		return nil
	}
	if bad, err := r.bad(); bad || err != nil {
		return err
	}
	if best {
		if err := r.save(checkpoint.Best); err != nil {
			return err
		}
	}
	if last {
		return c.last(r)
	}
	return nil
}

func (c *Checkpoints) last(r *Run) error {
	if err := r.save(checkpoint.Last); err != nil {
		return err
	}
	c.saved, c.stage = r.Step, r.Stage
	if c.Keep == 0 {
		return nil
	}
	if err := r.save(checkpoint.StepName(r.Step)); err != nil {
		return err
	}
	return checkpoint.Keep(filepath.Join(r.Dir, checkpoint.Folder), c.Keep)
}

// memory is what the loop itself keeps in a checkpoint.
type memory struct {
	Sums      sumMemory            `json:"sums"`
	Scale     float64              `json:"learning_rate_scale"`
	Schedules map[string][]float64 `json:"schedules,omitempty"`  // by loss, as Run.schedules
	Pending   string               `json:"pending,omitempty"`    // what has still to follow the last step
	First     int                  `json:"stage_step,omitempty"` // steps done when the stage began
	Started   []string             `json:"started,omitempty"`    // parts whose init pass is done
	Network   *infer.NetworkOrigin `json:"network,omitempty"`    // what features are of
}

// memoryKey is the loop's place among what callbacks keep.
const memoryKey = "trainer"

// remembering is implemented by schedules that look at how training goes.
type remembering interface {
	Memory() []float64
	SetMemory([]float64)
}

// save writes the checkpoint of this moment under a name.
func (r *Run) save(name string) error {
	if err := r.sums.pull(r.State); err != nil {
		return err
	}
	m := checkpoint.Meta{
		Name: r.Name, Seed: r.Seed, Stage: r.Stage, Epoch: r.Epoch, Step: r.Step, Batch: r.Index,
		Precision: r.Precision(), Device: r.Backend.Name(), Platform: r.Backend.Capabilities().Platform, Kernels: r.kernels(),
	}
	for _, f := range r.Options.Model.Fields {
		m.Fields = append(m.Fields, checkpoint.Field(f))
	}
	if r.Best != nil {
		m.Monitor, m.Best, m.BestEpoch = r.Best.Metric, &r.Best.Value, float64(r.Best.Epoch)
	}
	own := memory{Sums: r.sums.memory, Scale: r.scale, Pending: r.pending, First: r.stageFirst, Started: r.started, Network: r.network, Schedules: map[string][]float64{}}
	for name, s := range r.schedules() {
		if s, ok := s.(remembering); ok {
			own.Schedules[name] = s.Memory()
		}
	}
	if err := errors.Join(m.Put(memoryKey, own), m.Put(infer.StageKey, r.stageMemory())); err != nil {
		return err
	}
	for _, h := range r.Train.hooks {
		if s, ok := h.Callback.(Stateful); ok {
			if err := m.Put(h.name, s.Memory()); err != nil {
				return err
			}
		}
	}
	var stored []checkpoint.Stored
	for _, s := range r.Splits.Pipeline.State() {
		stored = append(stored, checkpoint.Stored{Name: s.Name, Value: s.Value})
	}
	return checkpoint.Save(filepath.Join(r.Dir, checkpoint.Folder, name), r.State, stored, m)
}

// kernels are the candidates that run, by op, layer and shape: a resume with others gives other bits.
func (r *Run) kernels() map[string]string {
	chosen := map[string]string{}
	for _, e := range r.Executables() {
		for _, c := range e.Explain() {
			if c.FLOP > 0 {
				chosen[strings.Join([]string{c.Op, c.Path, c.Shape}, " ")] = c.Kernel
			}
		}
	}
	return chosen
}

// resume goes back to the checkpoint that the options name.
func (r *Run) resume() error {
	m, err := r.restore(r.Resume)
	if err != nil {
		return err
	}
	for _, change := range r.changes(m) {
		r.Logf("%s: going on will not give the same bits", change)
	}
	return nil
}

// changes says in what this process computes otherwise than the one that wrote a checkpoint.
func (r *Run) changes(m checkpoint.Meta) []string {
	if m.Device != r.Backend.Name() || m.Precision != r.Precision() {
		return []string{fmt.Sprintf("the checkpoint was made on %s in %s", m.Device, m.Precision)}
	}
	var all []string
	now := r.Backend.Capabilities().Platform
	for _, name := range slices.Sorted(maps.Keys(union(now, m.Platform))) {
		if then := m.Platform[name]; m.Platform != nil && then != now[name] {
			all = append(all, fmt.Sprintf("%s was %s and is now %s", name, orNone(then), orNone(now[name])))
		}
	}
	chosen := r.kernels()
	for _, k := range slices.Sorted(maps.Keys(m.Kernels)) {
		if now, ok := chosen[k]; ok && now != m.Kernels[k] {
			all = append(all, fmt.Sprintf("%s was computed by %s and is now by %s", k, m.Kernels[k], now))
		}
	}
	return all
}

// union has the keys of both.
func union(a, b map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}

func orNone(version string) string {
	if version == "" {
		return "none"
	}
	return version
}

// restore loads a checkpoint into the State and puts the loop where it was.
func (r *Run) restore(dir string) (checkpoint.Meta, error) {
	m, _, err := checkpoint.Load(dir, r.State)
	if err != nil {
		return m, err
	}
	if m.Seed != r.Seed {
		return m, fmt.Errorf("%s: was made with seed %d, this run has %d", dir, m.Seed, r.Seed)
	}
	if m.Stage < 0 || m.Stage >= len(r.stages) {
		return m, fmt.Errorf("%s: is of stage %d, the config has %d", dir, m.Stage+1, len(r.stages))
	}
	r.choose(m.Stage)
	r.Step, r.Epoch, r.Index = m.Step, m.Epoch, m.Batch
	own := memory{Scale: 1}
	if _, err := m.Get(memoryKey, &own); err != nil {
		return m, fmt.Errorf("%s: %w", dir, err)
	}
	r.sums.memory, r.scale, r.pending = own.Sums, own.Scale, own.Pending
	r.stageFirst, r.started, r.network = own.First, own.Started, own.Network
	for name, s := range r.schedules() {
		if s, ok := s.(remembering); ok {
			s.SetMemory(own.Schedules[name])
		}
	}
	for _, h := range r.Train.hooks {
		if s, ok := h.Callback.(Stateful); ok {
			memory := s.Memory()
			reflect.ValueOf(memory).Elem().SetZero() // what the checkpoint does not mention had not happened yet
			if _, err := m.Get(h.name, memory); err != nil {
				return m, fmt.Errorf("%s: %w", dir, err)
			}
		}
	}
	return m, r.loader.Seek(r.Epoch, r.Index)
}
