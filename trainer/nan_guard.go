package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"aetrain/backend"
	"aetrain/checkpoint"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/model"
	"aetrain/optim"
	"aetrain/program"
)

func init() {
	add("nan-guard", func() Callback { return &NaNGuard{NaNOptions: NaNOptions{OnNaN: "stop"}} })
}

// NaNOptions are the keys of [NaNGuard].
type NaNOptions struct {
	OnNaN string `toml:"on_nan" choices:"stop|rollback" doc:"what follows a loss or gradient that is no number: stop, or go back to the last checkpoint at half the learning rate"`
}

// NaNGuard looks at each reading of the terms whether a step was not finite. The program has kept the state of the last good step,
// whose counter names the batch: the guard repeats that step with every value as output and names the first bad one.
type NaNGuard struct {
	NaNOptions
	rolled int // step of the checkpoint that was gone back to last
	times  int // how often in a row
}

// errRolledBack tells the loop that the State and its counters are those of a checkpoint now: nobody else hears of the terms read.
var errRolledBack = errors.New("gone back to a checkpoint")

// maxRollbacks is how often training goes back to one and the same checkpoint before it gives up.
const maxRollbacks = 5

// Options returns the keys.
func (g *NaNGuard) Options() any { return &g.NaNOptions }

// On looks.
func (g *NaNGuard) On(ctx context.Context, e Event, r *Run) error {
	if e != TermsRead {
		return nil
	}
	bad, err := r.bad()
	if err != nil || !bad {
		return err
	}
	where, err := r.diagnose(ctx)
	if err != nil {
		return fmt.Errorf("%w; looking for the place failed too: %w", ErrDiverged, err)
	}
	if g.OnNaN != "rollback" {
		return fmt.Errorf("%w: %s; the last checkpoint is untouched. A lower optimizer.learning_rate or train.clip_norm may help, or train.on_nan = \"rollback\"", ErrDiverged, where)
	}
	return g.rollback(r, where)
}

// rollback goes back to the last checkpoint at half the learning rate.
func (g *NaNGuard) rollback(r *Run, where string) error {
	dir, err := checkpoint.Find(r.Dir, checkpoint.Last)
	if r.Dir == "" || err != nil {
		return fmt.Errorf("%w: %s; there is no checkpoint to go back to", ErrDiverged, where)
	}
	scale := r.scale / 2
	if _, err := r.restore(dir); err != nil {
		return err
	}
	if r.Step == g.rolled {
		g.times++
	} else {
		g.rolled, g.times = r.Step, 1
	}
	if g.times > maxRollbacks {
		return fmt.Errorf("%w: %s, %d times after the checkpoint of step %d", ErrDiverged, where, g.times, r.Step)
	}
	r.scale = scale
	r.Logf("%s: going back to step %d at %.4g times the learning rate", where, r.Step, r.scale)
	if err := r.sums.drop(r.State); err != nil {
		return err
	}
	if err := dropRows(filepath.Join(r.Dir, MetricsFile), r.Step); err != nil {
		return err
	}
	if err := r.forgive(); err != nil {
		return err
	}
	return errRolledBack
}

// diagnose repeats the first bad step with every value as output and says where the first one that is not finite comes from.
func (r *Run) diagnose(ctx context.Context) (string, error) {
	counter := backend.NewHost(graph.I32())
	if err := r.State.Read(model.StateStep, counter); err != nil {
		return "", err
	}
	step := int(counter.Data().([]int32)[0])
	epoch, index := step/r.StepsPerEpoch, step%r.StepsPerEpoch
	name := fmt.Sprintf("epoch %d, step %d", epoch+1, step+1)
	if err := r.loader.Seek(epoch, index); err != nil {
		return "", err
	}
	b, err := r.loader.Next(ctx)
	if err == nil && r.unread() {
		b, err = r.fetched(b)
	}
	if err != nil {
		return "", err
	}
	for i, f := range r.fields {
		if x, ok := b.Fields[i].Data().([]float32); ok {
			if at := notFinite(x); at >= 0 {
				row := at / (len(x) / b.Size)
				return fmt.Sprintf("%s: field %s of training example %d is %v", name, f, b.Indices[row], x[at]), nil
			}
		}
	}
	defer func(now int) { r.Step = now }(r.Step)
	r.Step = step // schedules stand where they stood
	for phase := range r.now().model.Phases() {
		place, err := r.firstBad(ctx, b, phase)
		if place != "" || err != nil {
			return name + ": " + place, err
		}
	}
	return name + ": the values of this step are finite when it is repeated", nil
}

// firstBad repeats one phase of a step, changing no state, and describes the first value that is not finite; "" if all are.
func (r *Run) firstBad(ctx context.Context, b *data.Batch, phase int) (string, error) {
	fn, err := r.now().model.TrainPhase(b.Size, phase)
	if err != nil {
		return "", err
	}
	losses := r.losses(r.now(), fn)
	forward := len(fn.Graph.Nodes())
	for _, l := range losses {
		optim.Gradients(l.Value, l.Params)
	}
	outputs, nodes := map[string]graph.Value{}, fn.Graph.Nodes()
	for _, n := range nodes {
		for i, s := range n.Out {
			if s.DType == graph.Float32 {
				outputs[outputName(n, i)] = n.Value(i)
			}
		}
	}
	for _, s := range fn.Graph.States() {
		s.Now = s.Leaf // running statistics stay as they are
	}
	p, err := program.Compile(fn.Graph, outputs, r.target())
	if err != nil {
		return "", err
	}
	exes, err := r.Backend.Load(r.State, r.Kernels, p)
	if err != nil {
		return "", err
	}
	defer exes[0].Close()
	whole := part{feeder: r.feeder(exes[0], r.scalars(r.now(), &compiled{fn: fn, losses: losses})), to: b.Size}
	if err := r.feedConstants(whole, b.Size); err != nil {
		return "", err
	}
	if err := whole.run(ctx, r, b); err != nil {
		return "", err
	}
	for _, n := range nodes {
		for i, s := range n.Out {
			if s.DType != graph.Float32 {
				continue
			}
			h := backend.NewHost(s)
			if err := exes[0].Fetch(outputName(n, i), h); err != nil {
				return "", err
			}
			if at := notFinite(h.Data().([]float32)); at >= 0 {
				return describeBad(n, n.ID >= forward, h.Data().([]float32)[at]), nil
			}
		}
	}
	return "", nil
}

func outputName(n *graph.Node, i int) string { return fmt.Sprintf("%d.%d", n.ID, i) }

// describeBad names the layer, the op, and whether it is a gradient.
func describeBad(n *graph.Node, gradient bool, x float32) string {
	path := n.Path
	if path == "" {
		path = "the loss"
	}
	if read, ok := n.Op.(graph.Read); ok {
		path = read.Label
	}
	what := n.Op.Name()
	if gradient {
		what = "the gradient through " + path + " (" + what + ")"
	} else {
		what = path + " (" + what + ")"
	}
	return fmt.Sprintf("%s is %v", what, x)
}

// notFinite returns the index of the first NaN or infinity, -1 if there is none.
func notFinite(x []float32) int {
	for i, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return i
		}
	}
	return -1
}
