package trainer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gorgonia.org/tensor"

	"aetrain/data"
	"aetrain/infer"
	"aetrain/internal/grid"
	"aetrain/model"
)

func init() {
	add("samples", func() Callback { return &Samples{SampleOptions: SampleOptions{Every: 1}} })
}

// SampleOptions are the keys of [Samples].
type SampleOptions struct {
	Every Every `toml:"sample_every" min:"0" doc:"epochs between pictures of reconstructions and samples; fractions are allowed, 0 is never"`
}

// Samples writes pictures to samples/: the same few examples (and what a corruption leaves of them) above their reconstructions, and
// draws from the prior where there is one, always of the same codes.
type Samples struct {
	SampleOptions
	x      *tensor.Dense
	told   infer.Fields // of the same examples, where the model has a condition or a mask
	noisy  bool
	low    float64 // of the data, for the greys of a picture
	high   float64
	folder string
}

const (
	pairsShown   = 10
	plotsAbreast = 5 // of vectors and series, whose plots are wide
	samplesShown = 64
	sampleSeed   = 1
)

// Options returns the keys.
func (s *Samples) Options() any { return &s.SampleOptions }

// On draws.
func (s *Samples) On(ctx context.Context, e Event, r *Run) error {
	if r.Dir == "" || s.Every == 0 {
		return nil
	}
	switch {
	case e == Begin:
		return s.prepare(ctx, r)
	case e == StepEnd && s.Every.Due(r.Step, r.StepsPerEpoch):
		return s.draw(ctx, r)
	}
	return nil
}

// Uses implements Using.
func (s *Samples) Uses(r *Run, m *infer.Model) map[string]int {
	if r.Dir == "" || s.Every == 0 {
		return nil
	}
	uses := map[string]int{"reconstruct": min(pairsShown, shown(r).Len())}
	if r.Options.Model.Config.Corrupts() {
		uses = map[string]int{"denoise": uses["reconstruct"]}
	}
	if m.HasPrior() {
		uses["sample"] = samplesShown
	}
	return uses
}

// shown is the split whose first examples are.
func shown(r *Run) data.Source {
	if r.Splits.Validation != nil {
		return r.Splits.Validation
	}
	return r.Splits.Train
}

// prepare takes the first examples of the validation split, else of training.
func (s *Samples) prepare(ctx context.Context, r *Run) error {
	s.folder = filepath.Join(r.Dir, "samples")
	src := shown(r)
	var err error
	if s.x, err = infer.Read(ctx, src, model.FieldX, pairsShown); err != nil {
		return fmt.Errorf("pictures: %w", err)
	}
	s.told = infer.Fields{}
	for _, f := range r.Options.Model.GivenFields() {
		if data.FieldIndex(src.Fields(), f.Name) < 0 { // a column of x
			continue
		}
		if s.told[f.Name], err = infer.Read(ctx, src, f.Name, pairsShown); err != nil {
			return fmt.Errorf("pictures: %w", err)
		}
	}
	stats, err := data.Measure(ctx, src, model.FieldX, 1000)
	if err != nil {
		return fmt.Errorf("pictures: %w", err)
	}
	s.low, s.high = stats.Min, stats.Max
	s.noisy = r.Options.Model.Config.Corrupts()
	return os.MkdirAll(s.folder, 0o755)
}

func (s *Samples) draw(ctx context.Context, r *Run) error {
	shown, err := s.reconstruct(ctx, r)
	if err != nil {
		return fmt.Errorf("pictures: %w", err)
	}
	o := grid.Options{Low: s.low, High: s.high, Columns: pairsShown, Apart: r.Options.Model.Config.GivesShares()}
	if len(r.Options.Model.X) < 3 {
		o.Columns = plotsAbreast
	}
	text, ending := r.Splits.Vocabulary() != nil, "png"
	if text {
		ending = "txt"
	}
	err = s.write(r, "reconstructions", ending, func(w io.Writer) error {
		if text {
			return r.writeText(w, shown...)
		}
		return grid.WriteStacks(w, o, shown...)
	})
	if err != nil {
		return err
	}
	if !r.Model.HasPrior() {
		return nil
	}
	drawn, err := r.Model.Sample(ctx, samplesShown, sampleSeed)
	if err != nil {
		return fmt.Errorf("pictures: %w", err)
	}
	o.Columns = 0
	return s.write(r, "samples", ending, func(w io.Writer) error {
		if text {
			return r.writeText(w, drawn)
		}
		return grid.Write(w, drawn, o)
	})
}

// reconstruct returns the examples, what the encoder sees where that is something else, and what comes back.
func (s *Samples) reconstruct(ctx context.Context, r *Run) ([]*tensor.Dense, error) {
	if s.noisy {
		seen, back, err := r.Model.Denoise(ctx, s.x, 0, s.told)
		return []*tensor.Dense{s.x, seen, back}, err
	}
	back, err := r.Model.Reconstruct(ctx, s.x, s.told)
	return []*tensor.Dense{s.x, back}, err
}

// write makes samples/KIND-epoch-0007.png, or samples/KIND-step-1234.png within an epoch; text ends in txt.
func (s *Samples) write(r *Run, kind, ending string, draw func(io.Writer) error) error {
	name := fmt.Sprintf("%s-step-%d.%s", kind, r.Step, ending)
	if r.Index == 0 {
		name = fmt.Sprintf("%s-epoch-%04d.%s", kind, r.Epoch, ending)
	}
	var file bytes.Buffer
	if err := draw(&file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(filepath.Join(s.folder, name), file.Bytes(), 0o644)
}
