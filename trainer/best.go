package trainer

import (
	"context"
	"fmt"
	"math"
	"sort"
	"strings"

	"aetrain/internal/registry"
	"aetrain/metrics"
)

func init() {
	add("best", func() Callback { return &BestSoFar{BestOptions: BestOptions{Monitor: lossTerm}} })
}

// BestOptions are the keys of [BestSoFar].
type BestOptions struct {
	Monitor string `toml:"monitor" doc:"the validation metric that says which checkpoint is best and when to stop early; each knows which way is better, terms are to be small" example:"\"loss\""`
}

// BestSoFar compares the monitored metric of each validation, or of each epoch's training terms where there is no validation,
// with the best one before, and keeps Run.Best.
type BestSoFar struct {
	BestOptions
	Memo BestMemory
}

// BestMemory is what a checkpoint keeps.
type BestMemory struct {
	Best *Best `json:"best,omitempty"`
}

// Best is the best validation so far.
type Best struct {
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
	Step   int     `json:"step"`
	Epoch  int     `json:"epoch"`
	Now    bool    `json:"-"`      // it is that of this very step
	Waited int     `json:"waited"` // measurements since
}

// Options returns the keys.
func (b *BestSoFar) Options() any { return &b.BestOptions }

// Memory is in checkpoints.
func (b *BestSoFar) Memory() any { return &b.Memo }

// On compares.
func (b *BestSoFar) On(_ context.Context, e Event, r *Run) error {
	r.Best = b.Memo.Best // another one once a checkpoint has been read
	switch {
	case e == Begin:
		if name, ok := registry.Find(b.Monitor, metrics.Names()); ok {
			b.Monitor = name
			r.Measured = append(r.Measured, name)
		}
	case e == StageBegin:
		r.Best, b.Memo.Best = nil, nil
	case e == Validated:
		return b.compare(r, r.Validation)
	case e == EpochEnd && (r.Splits.Validation == nil || r.Train.ValidateEvery == 0):
		return b.compare(r, r.EpochRow)
	case e == StepEnd && r.Best != nil:
		r.Best.Now = r.Best.Step == r.Step
	}
	return nil
}

func (b *BestSoFar) compare(r *Run, m map[string]float64) error {
	name := b.Monitor
	v, ok := m[name]
	if !ok && len(r.stages) > 1 { // some stages do not have it
		name = lossTerm
		v, ok = m[name]
	}
	if !ok {
		return fmt.Errorf("train.monitor: there is no %s; measured are %s", b.Monitor, strings.Join(sortedKeys(m), ", "))
	}
	if math.IsNaN(v) || math.IsInf(v, 0) { // no measurement, and JSON could not keep it
		return nil
	}
	if r.Best != nil && !better(name, v, r.Best.Value) {
		r.Best.Waited++
		r.Best.Now = false
		return nil
	}
	r.Best = &Best{Metric: name, Value: v, Step: r.Step, Epoch: r.Epoch, Now: true}
	b.Memo.Best = r.Best
	return nil
}

// better reports whether a is the better value of a figure; one without a direction, as a term, is better when it is smaller.
func better(name string, a, b float64) bool {
	if metrics.DirectionOf(name) == metrics.Rising {
		return a > b
	}
	return a < b
}

func sortedKeys(m map[string]float64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
