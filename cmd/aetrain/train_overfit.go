package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gorgonia.org/tensor"

	"aetrain/configs"
	"aetrain/data"
	"aetrain/infer"
	"aetrain/internal/texttable"
	"aetrain/model"
	"aetrain/trainer"
)

// How long one batch is trained on, and what is enough. A model that only learns the mean of the batch explains nothing of its variance;
// after 300 steps the presets explain 36 to 99% of that of 128 digits, but for sparse, which takes 1000 to begin (measured).
const (
	overfitLeast  = 300
	overfitMost   = 1000
	overfitLook   = 100 // steps between looks whether it is enough
	overfitEnough = 0.25
)

// overfitSets make a training of one batch out of any config.
var overfitSets = []string{
	fmt.Sprintf("train.max_steps=%d", overfitMost), "train.epochs=0", "train.validate_every=0", "train.early_stopping=0", "train.monitor=loss",
}

// overfitResult is what "-overfit-one-batch -format json" prints. MSE is a mean over elements, of data as the network is fed.
type overfitResult struct {
	Examples  int                       `json:"examples"`
	Steps     int                       `json:"steps"`
	Start     map[string]trainer.Number `json:"start"`
	End       map[string]trainer.Number `json:"end"`
	Variance  trainer.Number            `json:"variance"`  // of each element over the batch, on average: the error of always giving the mean example
	Explained trainer.Number            `json:"explained"` // share of it that reconstructions explain at the end
	Passed    bool                      `json:"passed"`
}

// overfitOneBatch trains on one batch again and again. A model that cannot learn that cannot learn anything; it writes nothing.
func overfitOneBatch(ctx context.Context, e *experiment, o trainOptions, t *talk, stdout io.Writer) error {
	e, err := loadExperiment(configs.LoadOptions{File: e.cfg.File, Bytes: e.cfg.Source, Sets: append(o.Sets[:len(o.Sets):len(o.Sets)], overfitSets...)})
	if err != nil {
		return err
	}
	splits, err := e.openData(ctx, t)
	if err != nil {
		return err
	}
	defer splits.Close()
	m, err := e.buildModel(ctx, splits)
	if err != nil {
		return err
	}
	b, err := openBackend(e.train, t)
	if err != nil {
		return err
	}
	defer b.Close()
	batch := &oneBatch{Source: splits.Train, n: min(e.data.Batch, splits.Train.Len())}
	r, err := trainer.New(trainer.Options{
		Name: e.cfg.Name, Seed: e.cfg.Seed, Train: e.train, Data: e.data, Optimizer: e.optimizer, Model: m, Backend: b, Kernels: e.kernels, Log: t,
		Splits: &data.Splits{Train: batch, Pipeline: splits.Pipeline},
	})
	if err != nil {
		return errors.Join(model.Report(e.cfg, err), e.cfg.Err())
	}
	defer r.Close()
	result, err := overfit(ctx, r, batch, t)
	if err != nil {
		return err
	}
	return result.print(o, stdout)
}

// overfit trains and compares before with after.
func overfit(ctx context.Context, r *trainer.Run, batch *oneBatch, t *talk) (*overfitResult, error) {
	x, err := infer.Read(ctx, batch, model.FieldX, 0)
	if err != nil {
		return nil, err
	}
	variance := max(meanVariance(x), 1e-30)
	evaluate := func() (m map[string]float64, explained float64, err error) {
		m, err = r.Model.Evaluate(ctx, batch, infer.EvaluateOptions{})
		return m, 1 - m["mse"]/variance, err
	}
	start, _, err := evaluate()
	if err != nil {
		return nil, err
	}
	training, enough := context.WithCancel(ctx)
	defer enough()
	r.Progress = &overfitProgress{talk: t, look: func() {
		if _, explained, err := evaluate(); err == nil && explained > overfitEnough {
			enough()
		}
	}}
	err = r.Fit(training)
	r.Progress.Close()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	end, explained, err := evaluate()
	return &overfitResult{
		Examples: batch.Len(), Steps: r.Step, Start: numbers(start), End: numbers(end), Variance: trainer.Number(variance),
		Explained: trainer.Number(explained), Passed: explained > overfitEnough,
	}, err
}

// meanVariance is the variance of each element of N×... over N, on average.
func meanVariance(x *tensor.Dense) float64 {
	n := x.Shape()[0]
	values, ok := x.Data().([]float32)
	if !ok || n == 0 {
		return 0
	}
	size, sum := len(values)/n, 0.0
	for i := range size {
		mean, squares := 0.0, 0.0
		for k := range n {
			mean += float64(values[k*size+i]) / float64(n)
		}
		for k := range n {
			d := float64(values[k*size+i]) - mean
			squares += d * d
		}
		sum += squares / float64(n)
	}
	return sum / float64(size)
}

// print writes the result; a model that has not learnt is a failure.
func (r *overfitResult) print(o trainOptions, stdout io.Writer) error {
	if o.Format == formatJSON {
		if err := writeJSON(stdout, r); err != nil {
			return err
		}
	} else {
		var t texttable.Table
		t.Row("start", terms(floats(r.Start)))
		t.Row("end", terms(floats(r.End)))
		if err := t.Write(stdout); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(stdout, "%d steps on %d examples: reconstructions explain %.1f%% of their variance\n", r.Steps, r.Examples, 100*r.Explained); err != nil {
			return err
		}
	}
	if !r.Passed {
		return fmt.Errorf("the model has not learnt one batch by heart: look at the layers (-dry-run), the learning rate and the penalties' weights")
	}
	if o.Format == formatJSON {
		return nil
	}
	_, err := fmt.Fprintln(stdout, "passed: the model can learn")
	return err
}

// floats undoes numbers.
func floats(m map[string]trainer.Number) map[string]float64 {
	out := make(map[string]float64, len(m))
	for k, v := range m {
		out[k] = float64(v)
	}
	return out
}

// oneBatch is the first n examples of a source.
type oneBatch struct {
	data.Source
	n int
}

func (b *oneBatch) Len() int { return b.n }

func (b *oneBatch) Read(dst []*tensor.Dense, indices []int) error {
	for _, i := range indices {
		if i < 0 || i >= b.n {
			return fmt.Errorf("example %d of %d is wanted", i, b.n)
		}
	}
	return b.Source.Read(dst, indices)
}

// overfitProgress shows a training that has steps and no epochs to speak of, and looks now and then whether it is enough.
type overfitProgress struct {
	talk *talk
	look func()
}

// Step moves the bar.
func (p *overfitProgress) Step(r *trainer.Run) {
	p.talk.show("one batch", int64(r.Step), overfitMost, "steps")
	if r.Step >= overfitLeast && r.Step%overfitLook == 0 {
		p.look()
	}
}

// Epoch is each step here.
func (*overfitProgress) Epoch(*trainer.Run) {}

// Close takes the bar away.
func (p *overfitProgress) Close() { p.talk.done() }
