// Package tasks are applications of a trained model, a file each, without flags or printing: [Anomaly] scores examples and flags the
// unusual ones, [Recommend] ranks what users do not have yet.
package tasks

import (
	"context"
	"errors"
	"fmt"
	"math"

	"aetrain/data"
	"aetrain/graph"
	"aetrain/infer"
	"aetrain/metrics"
)

// AnomalyOptions say how examples are scored.
type AnomalyOptions struct {
	Config   *AnomalyConfig
	Normal   data.Labels                           // which labels are normal; empty: 0
	Progress func(what string, done, examples int) // may be nil
}

// Anomalies are scored examples. Where examples are windows, they are the rows of the series: a row's score is the mean over the windows
// that hold it.
type Anomalies struct {
	Score     string // reconstruction, likelihood or latent
	Threshold float64
	FittedOn  string // the split whose scores made the threshold; "": none
	Rows      []AnomalyRow
	Flagged   int
	Uncovered int                // rows of series that no window holds: they have no score
	Labelled  bool               // rows have labels
	Metrics   map[string]float64 // against labels: roc_auc, pr_auc, precision, recall, f1; nil where there are none
}

// AnomalyRow is one scored example.
type AnomalyRow struct {
	Name      string // file, row number or time
	Score     float64
	Anomaly   bool      // it scores higher than the threshold
	Label     int32     // where there are labels; -1: not known
	Anomalous bool      // its label is known, and none of the normal ones
	Strength  []Feature // the features that are most unusual, the strongest first; only of reconstructions of tables, vectors and series
}

// Anomaly scores src and flags what scores higher than the threshold, which is fitted to the validation split (without one, the training
// split). splits is the run's own data; nil: the threshold has to be fixed, and codes have nothing to be compared with.
func Anomaly(ctx context.Context, m *infer.Model, splits *data.Splits, src data.Source, o AnomalyOptions) (*Anomalies, error) {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if len(o.Normal) == 0 {
		o.Normal = data.Labels{"0"}
	}
	s, err := newScorer(ctx, m, splits, o)
	if err != nil {
		return nil, err
	}
	found := &Anomalies{Score: o.Config.Score}
	if found.Threshold, found.FittedOn, err = s.threshold(ctx, splits); err != nil {
		return nil, err
	}
	scored, err := s.score(ctx, src, "scoring", true)
	if err != nil {
		return nil, err
	}
	found.fill(scored, s)
	return found, nil
}

// fill makes rows of scores, and holds them against labels.
func (a *Anomalies) fill(scored *scores, s *scorer) {
	var values []float64
	var flagged, anomalous []bool
	for i, score := range scored.values {
		if math.IsNaN(score) { // no window holds it
			a.Uncovered++
			continue
		}
		row := AnomalyRow{Name: data.ExampleName(scored.rows, i), Score: score, Anomaly: score > a.Threshold, Label: -1, Strength: scored.strongest(i)}
		if row.Anomaly {
			a.Flagged++
		}
		if scored.labels != nil {
			if row.Label = scored.labels[i]; row.Label >= 0 {
				values, flagged = append(values, score), append(flagged, row.Anomaly)
				row.Anomalous = s.anomalous(row.Label)
				anomalous = append(anomalous, row.Anomalous)
			}
		}
		a.Rows = append(a.Rows, row)
	}
	a.Labelled = scored.labels != nil
	if len(values) > 0 {
		d := metrics.Detect(flagged, anomalous)
		a.Metrics = map[string]float64{"roc_auc": metrics.ROCAUC(values, anomalous), "pr_auc": metrics.PRAUC(values, anomalous),
			"precision": d.Precision, "recall": d.Recall, "f1": d.F1}
	}
}

// threshold is fitted to the scores of validation, else of training.
func (s *scorer) threshold(ctx context.Context, splits *data.Splits) (threshold float64, on string, err error) {
	t := s.o.Config.Threshold
	if t.Kind == fixed {
		return t.value(), "", nil
	}
	if splits == nil {
		return 0, "", fmt.Errorf("the threshold %s is of the run's validation scores, and its data is not there", t.Kind)
	}
	fitted, on := splits.Validation, "validation"
	if fitted == nil {
		fitted, on = splits.Train, "train"
	}
	scored, err := s.score(ctx, fitted, "scoring "+on, false)
	if err != nil {
		return 0, "", err
	}
	var values []float64
	var anomalous []bool
	for i, v := range scored.values {
		unknown := t.Kind == bestF1 && scored.labels != nil && scored.labels[i] < 0
		if math.IsNaN(v) || unknown {
			continue
		}
		values = append(values, v)
		if scored.labels != nil {
			anomalous = append(anomalous, s.anomalous(scored.labels[i]))
		}
	}
	threshold, err = t.fit(values, anomalous)
	return threshold, on, err
}

// anomalous reports whether a label is known and none of the normal ones.
func (s *scorer) anomalous(label int32) bool {
	return label >= 0 && !s.o.Normal.Has(label, s.labelNames)
}

// readLabels are the labels of a source, nil where it has none.
func readLabels(ctx context.Context, src data.Source) ([]int32, error) {
	at := data.FieldIndex(src.Fields(), "label")
	if at < 0 || src.Fields()[at].Spec.DType != graph.Int32 || len(src.Fields()[at].Spec.Shape) > 0 {
		return nil, nil
	}
	all, err := infer.Read(ctx, src, "label", 0)
	if err != nil {
		return nil, err
	}
	return all.Int32s(), nil
}

// errNotFinite is why a score cannot be compared.
var errNotFinite = errors.New("its score is not finite")
