package tasks

import (
	"errors"
	"fmt"

	"aetrain/metrics"
)

// fit finds the threshold: what scores higher is flagged. scores are those of validation; anomalous says which of them are labelled
// so, nil where there are no labels.
func (t Threshold) fit(scores []float64, anomalous []bool) (float64, error) {
	v := t.value()
	switch t.Kind {
	case fixed:
		return v, nil
	case quantile:
		return metrics.Quantile(scores, v), nil
	case contamination:
		return metrics.Quantile(scores, 1-v), nil
	case pot:
		return peaksOverThreshold(scores, v)
	}
	return bestThreshold(scores, anomalous)
}

// bestThreshold lies half-way between the lowest score that the best F1 flags and the next one below.
func bestThreshold(scores []float64, anomalous []bool) (float64, error) {
	some := false
	for _, a := range anomalous {
		some = some || a
	}
	if !some {
		return 0, errors.New("best-f1 wants labelled anomalies in the validation split, and there are none: train on all (data.train_on), or take quantile, contamination or pot")
	}
	lowest, _ := metrics.BestF1(scores, anomalous)
	below, any := 0.0, false
	for _, s := range scores {
		if s < lowest && (!any || s > below) {
			below, any = s, true
		}
	}
	if !any {
		return lowest - 1, nil // everything is flagged
	}
	return (lowest + below) / 2, nil
}

// initialShare is the share of scores that counts as peaks, fewestPeaks how many there are at least, unless those are more than
// mostShare of all.
const (
	initialShare = 0.02
	fewestPeaks  = 20
	mostShare    = 0.1
)

// peaksOverThreshold is the score that one more normal example exceeds with probability risk: a generalised Pareto distribution is fitted
// to the excesses over a high quantile t, and z = t + scale/shape·((risk·n/peaks)^-shape - 1).
// Source: Siffer, Fouque, Termier & Largouët 2017, "Anomaly Detection in Streams with Extreme Value Theory", eq. 1 and section 3.2.
func peaksOverThreshold(scores []float64, risk float64) (float64, error) {
	n := float64(len(scores))
	const fewest = fewestPeaks / mostShare / 2
	if n < fewest {
		return 0, fmt.Errorf("pot wants the tail of at least %d validation scores, there are %d: make the validation split larger, or take a quantile", int(fewest), len(scores))
	}
	share := max(initialShare, min(fewestPeaks/n, mostShare))
	level := metrics.Quantile(scores, 1-share)
	if risk >= share {
		return metrics.Quantile(scores, 1-risk), nil // not in the tail
	}
	var excesses []float64
	for _, s := range scores {
		if s > level {
			excesses = append(excesses, s-level)
		}
	}
	tail, err := metrics.FitPareto(excesses)
	if err != nil {
		return 0, fmt.Errorf("pot: the largest validation scores have no tail (%w): take a quantile", err)
	}
	return level + tail.Exceeded(risk*n/float64(len(excesses))), nil
}
