// Package trainer trains a model: it turns losses into training programs, runs them over the data, and tells callbacks.
//
// [New] compiles and loads everything, [Run.Fit] is the loop (loop.go), step.go builds the programs. All that is not the loop
// itself - metrics, checkpoints, pictures, early stopping, the guard against NaN - is a callback, a file each.
package trainer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"aetrain/backend"
	"aetrain/checkpoint"
	"aetrain/data"
	"aetrain/infer"
	"aetrain/model"
	"aetrain/optim"
)

// Options are all that a training needs.
type Options struct {
	Dir       string // of the run; empty: nothing is written
	Name      string
	Seed      uint64
	Train     *Config
	Data      *data.Config
	Optimizer *optim.Config
	Model     *model.Model
	Splits    *data.Splits
	Backend   backend.Backend
	Kernels   backend.Options // wishes for kernels; its Seed is not used
	Log       io.Writer       // what people read, a line each; nil: nothing
	Progress  Progress        // nil: none
	Resume    string          // checkpoint folder to go on from
}

// Progress shows how far training is, on a terminal or in a log.
type Progress interface {
	// Step is called after every step.
	Step(r *Run)
	// Epoch is called at each epoch's end.
	Epoch(r *Run)
	// Close ends the display.
	Close()
}

// Run is a training under way, as callbacks see it.
type Run struct {
	Options
	State backend.State
	Model *infer.Model // over the same State

	Step          int // steps done
	Epoch         int // epochs done
	Index         int // batches of the current epoch done
	StepsPerEpoch int
	Examples      int // in the training split
	Seen          int // examples trained on by this process

	Row        map[string]float64 // of the last TermsRead: means since the row before
	EpochRow   map[string]float64 // means over the epoch that has just ended, or so far
	Validation map[string]float64 // of the last Validated; nil before the first one
	Measured   []string           // metrics that validation takes beside the loss and its terms; callbacks add to it as training begins
	Best       *Best              // what counts as the best so far; kept by the callback "best"
	Status     string             // "done", "early-stopped", "interrupted", "failed"; set at End
	Rate       float64            // learning rate of the last step
	Fed        string             // why batches are fed instead of made on the device; "": they are made there

	Stage int // the stage under way, from 0

	stages     []*stage
	stageFirst int      // steps that were done when it began
	started    []string // parts whose init pass is done

	network *infer.NetworkOrigin // of the frozen network; nil: there is none from elsewhere

	pending  string   // what has still to follow the last step
	fields   []string // of a batch, in their order
	loader   *data.Loader
	resident *resident // nil: batches are fed, or
	instant  instant   // read as a step begins; nil: they are not
	feeds    feeds
	sums     *sums   // of the stage under way
	scale    float64 // of the learning rate: halved by each rollback
}

// New builds the training programs of every batch size that occurs, and those for validation and pictures, and loads them over one
// State: a device that has too little memory says so here.
func New(o Options) (*Run, error) {
	r := &Run{Options: o, scale: 1}
	r.State = o.Backend.NewState()
	err := r.takeNetwork()
	if err != nil {
		return nil, err
	}
	if r.stages, err = o.Train.plan(o.Model); err != nil {
		return nil, err
	}
	if err := r.keepResident(); err != nil {
		return nil, err
	}
	r.instant = r.readInstantly()
	if err := r.openLoader(); err != nil {
		return nil, err
	}
	err = r.loadAll()
	if errors.Is(err, backend.ErrOutOfMemory) && r.resident != nil && !r.Data.Resident.Or(false) {
		err = r.feedInstead()
	}
	if err != nil {
		r.loader.Close()
		return nil, err
	}
	if err := errors.Join(r.declare(), r.startFrom()); err != nil {
		r.Close()
		return nil, err
	}
	r.choose(0)
	return r, nil
}

// takeNetwork reads what a frozen network starts with, before programs are loaded and states begin; a resumed run has it.
func (r *Run) takeNetwork() (err error) {
	if r.Resume == "" {
		if r.network, err = infer.TakeNetwork(r.Options.Model); r.network != nil {
			r.Logf("features of %s (SHA-256 %.12s)", r.network.Path, r.network.Digest)
			for _, difference := range infer.UnlikeNetwork(r.Options.Model, r.Data) {
				r.Logf("the network's run saw other examples than it is shown here: there %s", difference)
			}
		}
	}
	return err
}

// loadAll loads the training programs, and those that will be wanted beside them; none where it fails.
func (r *Run) loadAll() error {
	if err := r.load(); err != nil {
		return err
	}
	for _, st := range r.stages {
		st.work = infer.New(st.model, r.Backend, r.State, infer.Options{Batch: r.Data.Batch, Seed: r.Seed, Kernels: r.Kernels})
		if err := st.work.Prepare(context.Background(), r.uses(st.work)); err != nil {
			return errors.Join(fmt.Errorf("for validation and pictures: %w", err), r.closePrograms())
		}
	}
	return nil
}

// uses says how many examples will be given to which function of the model of a stage.
func (r *Run) uses(m *infer.Model) map[string]int {
	uses := map[string]int{}
	if r.Splits.Validation != nil && r.Train.ValidateEvery > 0 {
		uses["evaluate"] = r.Splits.Validation.Len()
	}
	for _, h := range r.Train.hooks {
		if u, ok := h.Callback.(Using); ok {
			maps.Copy(uses, u.Uses(r, m))
		}
	}
	return uses
}

// closePrograms frees what loadAll has loaded.
func (r *Run) closePrograms() error {
	var errs []error
	for _, st := range r.stages {
		for _, s := range st.steps {
			s.close()
		}
		st.steps = nil
		if st.work != nil {
			errs = append(errs, st.work.Close())
		}
		st.work = nil
	}
	return errors.Join(errs...)
}

// startFrom takes the best weights of another run, where the config says so; a resumed run has its own.
func (r *Run) startFrom() error {
	if r.Train.StartFrom == "" || r.Resume != "" {
		return nil
	}
	dir, err := checkpoint.Find(r.Train.StartFrom, "")
	var own memory
	if err == nil {
		var meta checkpoint.Meta
		if meta, _, err = checkpoint.LoadWeights(dir, r.State); err == nil {
			_, err = meta.Get(memoryKey, &own)
		}
	}
	if err != nil {
		return fmt.Errorf("train.start_from: %w", err)
	}
	r.Logf("starting from the weights of %s", dir)
	r.started = own.Started // what has not been found for those weights yet is found now
	parts, _ := r.Options.Model.Starts()
	for _, part := range parts {
		if model.StartsWeights(part) && !slices.Contains(r.started, part) { // they are there, and trained
			r.started = append(r.started, part)
		}
	}
	return nil
}

// openLoader begins reading the training split.
func (r *Run) openLoader() error {
	o := r.Options
	r.Examples = o.Splits.Train.Len()
	var err error
	r.loader, err = data.NewLoader(o.Splits.Train, data.LoaderOptions{
		Batch: o.Data.Batch, Fields: r.fields, Seed: o.Seed, Shuffle: o.Data.Shuffle, DropLast: o.Data.DropLast,
		MinLast: o.Model.MinBatch(), Training: true, Workers: o.Data.Workers, Alloc: o.Backend.Host,
		Unread: r.unread(), Blocks: o.Model.BlockField(),
	})
	if err != nil {
		return err
	}
	r.StepsPerEpoch = r.loader.Steps()
	if r.StepsPerEpoch == 0 {
		r.loader.Close()
		return fmt.Errorf("data: %d training examples make no batch of %d", r.Examples, o.Data.Batch)
	}
	return nil
}

// Close frees what New has reserved; the backend stays open.
func (r *Run) Close() error {
	return errors.Join(r.closePrograms(), r.loader.Close())
}

// Logf writes a line for people.
func (r *Run) Logf(format string, args ...any) {
	if r.Log != nil {
		fmt.Fprintf(r.Log, format+"\n", args...)
	}
}

// progress is where the stage under way stands, for schedules.
func (r *Run) progress() optim.Progress {
	return optim.Progress{Step: r.Step - r.stageFirst, StepsPerEpoch: float64(r.StepsPerEpoch), Epochs: r.epochs()}
}

// epochs is how many are planned of the stage under way, 0 if there is no end.
func (r *Run) epochs() float64 {
	e := r.now().epochs
	if most := r.Train.MaxSteps; most > 0 && !r.now().prior {
		if m := float64(most-r.stageFirst) / float64(r.StepsPerEpoch); e == 0 || m < e {
			e = m
		}
	}
	return e
}

// EpochsDone is how many epochs are done of all stages, fractions included.
func (r *Run) EpochsDone() float64 { return float64(r.Step) / float64(max(1, r.StepsPerEpoch)) }

// stopped reports whether ctx wants training to end.
func stopped(ctx context.Context) bool { return ctx.Err() != nil }
