package trainer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"aetrain/backend"
	"aetrain/checkpoint"
	"aetrain/configs"
	"aetrain/graph"
	"aetrain/infer"
	"aetrain/model"
	"aetrain/optim"
)

// StageConfig is [[train.stages]]: stages follow one another over the same State.
type StageConfig struct {
	Name      string           `toml:"name" doc:"what log and metrics call the stage" example:"\"fine-tune\""`
	Epochs    float64          `toml:"epochs" min:"0" doc:"length of the stage; 0: train.epochs"`
	Trains    []string         `toml:"trains" doc:"what the stage trains of what its losses train, by the beginnings of names; left out: all, with depth the layers that no stage before has trained" example:"[\"encoder\"]"`
	Depth     int              `toml:"depth" min:"0" doc:"the encoder's first so many layers with their mirror, without the bottleneck; 0: the whole model"`
	Losses    []string         `toml:"losses" doc:"those of [model.losses] that the stage minimises; left out: all" example:"[\"pretrain\"]"`
	Optimizer *configs.Section `toml:"optimizer" doc:"an optimizer of its own; what it lacks comes from [optimizer]"`
}

// stage is one of the stages of a training, ready to run.
type stage struct {
	name      string
	options   model.StageOptions
	epochs    float64 // 0: no end is known
	trains    []string
	prior     bool          // the prior's, when the autoencoder is done
	optimizer *optim.Config // nil: [optimizer]
	model     *model.Model
	work      *infer.Model
	steps     map[int]*step // by batch size
	sums      *sums
}

// plan lists the stages: those of the config, or the one that is the whole training; then the prior's, where it comes later.
// The error joins mistakes in the configuration, each a *model.Error with its key.
func (c *Config) plan(m *model.Model) ([]*stage, error) {
	configured := c.Stages
	if len(configured) == 0 {
		configured = []StageConfig{{}}
	}
	var list []*stage
	var errs []error
	seen := map[string]bool{} // paths of layers that stages by depth have trained
	for i, sc := range configured {
		st := &stage{name: sc.Name, epochs: sc.Epochs, trains: sc.Trains, optimizer: c.optimizers[stageOwner(i)]}
		if st.epochs == 0 {
			st.epochs = c.Epochs
		}
		if st.name == "" && len(c.Stages) > 0 {
			st.name = fmt.Sprintf("stage %d", i+1)
		}
		var err error
		st.options = model.StageOptions{Depth: sc.Depth, Losses: sc.Losses}
		if st.model, err = m.Stage(st.options); err != nil {
			errs = append(errs, atStage(i, err))
			continue
		}
		if sc.Depth > 0 {
			st.trains = unseen(st.model.LayerPaths(), seen, sc.Trains)
		}
		if err := st.check(sc.Trains); err != nil {
			errs = append(errs, atStage(i, err))
		}
		if st.epochs == 0 && i < len(configured)-1 {
			errs = append(errs, atStage(i, &model.Error{Key: "epochs", Err: errors.New("is missing: without it, or train.epochs, the stages behind this one never begin")}))
		}
		list = append(list, st)
	}
	if later, ok := m.LaterPrior(); ok {
		own, err := m.Stage(model.StageOptions{Prior: true})
		if err != nil {
			errs = append(errs, err)
		}
		list = append(list, &stage{name: "prior", epochs: later.TrainEpochs(), prior: true, model: own})
	}
	return list, errors.Join(errs...)
}

// Check holds [[train.stages]] to the model. The error joins mistakes in the configuration, each a *model.Error with its key.
func (c *Config) Check(m *model.Model) error {
	_, err := c.plan(m)
	return err
}

func stageOwner(i int) string { return fmt.Sprintf("stages[%d]", i) }

// atStage gives a mistake the key of its stage.
func atStage(i int, err error) error {
	var e *model.Error
	if errors.As(err, &e) {
		return &model.Error{Key: graph.Join("train."+stageOwner(i), e.Key), Err: e.Err}
	}
	return err
}

// unseen are those layers that no stage before has trained; wanted, where somebody has said so.
func unseen(paths []string, seen map[string]bool, wanted []string) []string {
	var fresh []string
	for _, p := range paths {
		if !seen[p] {
			fresh = append(fresh, p)
		}
		seen[p] = true
	}
	if len(wanted) > 0 {
		return wanted
	}
	return fresh
}

// check finds stages that train nothing, and beginnings of names among trains that nothing has.
func (st *stage) check(trains []string) error {
	var names []string
	for phase := range st.model.Phases() {
		fn, err := st.model.TrainPhase(st.model.SmallestBatch(), phase)
		if err != nil {
			return &model.Error{Err: fmt.Errorf("the model of this stage cannot be built: %w", err)}
		}
		for _, l := range fn.Losses {
			for _, p := range st.parameters(l, fn.Graph) {
				names = append(names, p.Name)
			}
		}
	}
	for i, t := range trains {
		if len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return model.Trains([]string{t}, name) }) {
			return &model.Error{Key: fmt.Sprintf("trains[%d]", i), Err: fmt.Errorf("nothing that the stage's losses train is called so: %s", t)}
		}
	}
	if len(names) > 0 {
		return nil
	}
	return &model.Error{Key: "trains", Err: fmt.Errorf("nothing that the stage's losses train is called so: %s", strings.Join(st.trains, ", "))}
}

// parameters are those that a loss trains in this stage.
func (st *stage) parameters(l model.Loss, g *graph.Graph) []*graph.State {
	return slices.DeleteFunc(l.Parameters(g), func(s *graph.State) bool { return !model.Trains(st.trains, s.Name) })
}

// now is the stage under way.
func (r *Run) now() *stage { return r.stages[r.Stage] }

// StageName is the name of the stage under way; "" where training has one stage only.
func (r *Run) StageName() string {
	if len(r.stages) < 2 {
		return ""
	}
	if r.now().name == "" {
		return "autoencoder"
	}
	return r.now().name
}

// stageMemory is what a checkpoint says of its stage: which model its weights are those of. A prior that is done is part of the model.
func (r *Run) stageMemory() infer.StageMemory {
	st := r.now()
	if st.prior { // what is at work is the autoencoder as it was trained last
		return infer.StageMemory{Name: st.name, Losses: r.stages[r.Stage-1].options.Losses, Prior: true}
	}
	return infer.StageMemory{Name: st.name, Depth: st.options.Depth, Losses: st.options.Losses}
}

// end is the step after which a stage ends that begins after a step, 0 if there is no end. max_steps bounds the autoencoder's.
func (r *Run) end(st *stage, first int) int {
	return r.Train.end(st, first, float64(r.StepsPerEpoch))
}

func (c *Config) end(st *stage, first int, stepsPerEpoch float64) int {
	last := 0
	if st.epochs > 0 || st.prior {
		last = first + int(st.epochs*stepsPerEpoch+0.5)
	}
	if m := c.MaxSteps; m > 0 && !st.prior && (last == 0 || m < last) {
		last = max(m, first)
	}
	return last
}

// LastStep is the number of steps after which training is done, 0 if there is no end.
func (r *Run) LastStep() int {
	if len(r.stages) == 0 { // a Run that was not made by New
		return r.end(&stage{epochs: r.Train.Epochs}, 0)
	}
	last := r.stageFirst
	for _, st := range r.stages[r.Stage:] {
		if last = r.end(st, last); last == 0 && st.epochs == 0 && !st.prior {
			return 0
		}
	}
	return last
}

// stageLast is that of the stage under way.
func (r *Run) stageLast() int { return r.end(r.now(), r.stageFirst) }

// Finished says how a run that has come to a checkpoint has ended, "" where there is more to do. perEpoch is how many steps an epoch
// has, 0 if that is not known.
func (c *Config) Finished(m *model.Config, meta checkpoint.Meta, perEpoch float64) string {
	stages := max(1, len(c.Stages))
	later, isLater := m.Prior.(model.Later)
	if isLater {
		stages++
	}
	if meta.Stage < stages-1 {
		return ""
	}
	st, first := &stage{epochs: c.Epochs}, 0
	if len(c.Stages) > 0 && c.Stages[len(c.Stages)-1].Epochs > 0 {
		st.epochs = c.Stages[len(c.Stages)-1].Epochs
	}
	if isLater {
		st = &stage{epochs: later.TrainEpochs(), prior: true}
	}
	var own memory
	if ok, err := meta.Get(memoryKey, &own); ok && err == nil {
		first = own.First
	}
	if perEpoch == 0 {
		if st.prior && st.epochs > 0 {
			return ""
		}
		st.epochs = 0
	}
	if last := c.end(st, first, perEpoch); last > 0 && meta.Step >= last {
		return StatusDone
	}
	if perEpoch == 0 {
		return ""
	}
	var best BestMemory
	if ok, err := meta.Get("best", &best); !ok || err != nil || best.Best == nil {
		return ""
	}
	for _, h := range c.hooks {
		s, ok := h.Callback.(*EarlyStopping)
		if ok && s.EarlyStopping > 0 && float64(meta.Step-best.Best.Step) >= (s.EarlyStopping-1e-9)*perEpoch {
			return StatusStopped
		}
	}
	return ""
}

// Longer is the key by which a resume makes a run go on that has ended at a checkpoint with a status of [Config.Finished], "" where
// none does: a prior is not trained again.
func (c *Config) Longer(m *model.Config, meta checkpoint.Meta, status string) string {
	last := len(c.Stages) - 1
	if _, isLater := m.Prior.(model.Later); isLater {
		return ""
	}
	switch {
	case status == StatusStopped:
		return "train.early_stopping"
	case c.MaxSteps > 0 && meta.Step >= c.MaxSteps:
		return "train.max_steps"
	case last >= 0 && c.Stages[last].Epochs > 0:
		return fmt.Sprintf("train.stages.%d.epochs", last)
	}
	return "train.epochs"
}

// more reports whether there is a stage behind the one under way.
func (r *Run) more() bool { return r.Stage+1 < len(r.stages) }

// nextStage begins the stage behind the one under way: optimisers and what counts as best begin anew, schedules at their beginning.
// The prior is that of the best autoencoder.
func (r *Run) nextStage(ctx context.Context) error {
	if r.stages[r.Stage+1].prior {
		if err := r.takeBest(); err != nil {
			return err
		}
	}
	if err := r.clearOptimizers(); err != nil {
		return err
	}
	r.choose(r.Stage + 1)
	r.stageFirst, r.pending = r.Step, nothing
	r.sums.memory = sumMemory{}
	if err := r.sums.drop(r.State); err != nil {
		return err
	}
	for _, s := range r.schedules() {
		if s, ok := s.(interface{ Reset() }); ok {
			s.Reset()
		}
	}
	r.Logf("stage %d of %d: %s", r.Stage+1, len(r.stages), r.StageName())
	if r.now().prior && r.now().epochs == 0 {
		return r.fitPrior(ctx) // what was best still is
	}
	return r.tell(ctx, StageBegin)
}

// choose makes a stage the one under way.
func (r *Run) choose(i int) {
	r.Stage = i
	st := r.now()
	r.Model, r.sums = st.work, st.sums
}

// clearOptimizers sets all that optimisers keep to 0.
func (r *Run) clearOptimizers() error {
	for _, name := range r.State.Names() {
		spec, kind, _ := r.State.Spec(name)
		if kind == graph.Buffer && model.Under(name, optim.Prefix) {
			if err := r.State.Write(name, kind, backend.NewHost(spec)); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeBest goes back to the best weights of the autoencoder, for a prior of its codes; the count of steps goes on. Where nothing is
// written, the last ones stay.
func (r *Run) takeBest() error {
	if r.Dir == "" || r.Best == nil {
		return nil
	}
	dir := filepath.Join(r.Dir, checkpoint.Folder, checkpoint.Best)
	keep := map[string]bool{}
	for _, name := range r.State.Names() {
		keep[name] = name == model.StateStep || model.Under(name, "prior")
	}
	return checkpoint.LoadSome(dir, r.State, func(name string) bool { return !keep[name] })
}

// fitPrior fits a prior that needs no training, and keeps it in every checkpoint of the autoencoder that it is that of.
func (r *Run) fitPrior(ctx context.Context) error {
	if err := r.Model.FitPrior(ctx, r.Splits.Train); err != nil {
		return fmt.Errorf("prior: %w", err)
	}
	if r.Dir == "" {
		return nil
	}
	if err := r.save(checkpoint.Best); err != nil {
		return err
	}
	return r.save(checkpoint.Last)
}

// declare gives the State those states of the whole model that no stage's program has, with their first values, so that every
// checkpoint is that of the whole model.
func (r *Run) declare() error {
	for phase := range r.Options.Model.Phases() {
		fn, err := r.Options.Model.TrainPhase(r.Options.Model.SmallestBatch(), phase)
		if err != nil {
			return err
		}
		for _, s := range fn.Graph.States() {
			if _, _, have := r.State.Spec(s.Name); have || s.Kind == graph.Scratch || s.Name == model.StateStep {
				continue
			}
			h := backend.NewHost(s.Spec)
			if s.Init != nil && s.Spec.DType == graph.Float32 {
				t := graph.NewTensor(s.Spec)
				s.Init(r.Seed, s.Name, t)
				for i, x := range t.Data {
					h.Float32s()[i] = float32(x)
				}
			}
			if err := r.State.Write(s.Name, s.Kind, h); err != nil {
				return err
			}
		}
	}
	return nil
}
