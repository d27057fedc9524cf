package metrics

import (
	"cmp"
	"math"
	"slices"
)

// Detection are the figures of a decision about examples, some of which are positive (anomalous).
type Detection struct {
	Precision float64 // of what is flagged, the share that is positive; NaN where nothing is flagged
	Recall    float64 // of what is positive, the share that is flagged; NaN where nothing is positive
	F1        float64 // their harmonic mean, 2·TP / (2·TP + FP + FN)
}

// Detect holds flags against the truth, an example each.
func Detect(flagged, positive []bool) Detection {
	var hits, flags, positives float64
	for i, p := range positive {
		if p {
			positives++
		}
		if flagged[i] {
			flags++
			if p {
				hits++
			}
		}
	}
	return Detection{Precision: hits / flags, Recall: hits / positives, F1: 2 * hits / (flags + positives)}
}

// sweep lowers a threshold through all scores, equal ones together, and visits each place. Scores are finite.
func sweep(scores []float64, positive []bool, visit func(score, hits, misses float64)) (positives, negatives float64) {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	for k, i := range order {
		if positive[i] {
			positives++
		} else {
			negatives++
		}
		if k+1 == len(order) || scores[order[k+1]] != scores[i] {
			visit(scores[i], positives, negatives)
		}
	}
	return positives, negatives
}

// ROCAUC is the probability that a positive example scores higher than another, equal scores counted half: the area under the curve of
// the true positive rate over the false positive rate. NaN unless there are both.
// Source: Fawcett 2006, "An introduction to ROC analysis", algorithm 3.
func ROCAUC(scores []float64, positive []bool) float64 {
	area, lastHits, lastMisses := 0.0, 0.0, 0.0
	positives, negatives := sweep(scores, positive, func(_, hits, misses float64) {
		area += (misses - lastMisses) * (hits + lastHits) / 2
		lastHits, lastMisses = hits, misses
	})
	return area / (positives * negatives)
}

// PRAUC is the average precision, Σ (R_k - R_k-1)·P_k over thresholds k: the area under the curve of precision over recall as steps,
// without interpolation. NaN where nothing is positive.
// Source: Davis & Goadrich 2006, "The relationship between Precision-Recall and ROC curves", for why lines between points are too good.
func PRAUC(scores []float64, positive []bool) float64 {
	sum, last := 0.0, 0.0
	positives, _ := sweep(scores, positive, func(_, hits, misses float64) {
		sum += (hits - last) * hits / (hits + misses)
		last = hits
	})
	return sum / positives
}

// BestF1 is the threshold with the largest F1, and that F1; examples at or above it are flagged. Of equally good thresholds it is the
// highest. NaN where nothing is positive.
func BestF1(scores []float64, positive []bool) (threshold, f1 float64) {
	all := 0.0
	for _, p := range positive {
		if p {
			all++
		}
	}
	threshold, f1 = math.NaN(), math.NaN()
	if all == 0 {
		return threshold, f1
	}
	sweep(scores, positive, func(score, hits, misses float64) {
		if f := 2 * hits / (hits + misses + all); math.IsNaN(f1) || f > f1 {
			threshold, f1 = score, f
		}
	})
	return threshold, f1
}

// Quantile is the q-quantile of numbers, 0 <= q <= 1, linear between neighbours, as NumPy has it; NaN of none.
// Source: Hyndman & Fan 1996, "Sample quantiles in statistical packages", definition 7.
func Quantile(numbers []float64, q float64) float64 {
	if len(numbers) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(numbers))
	at := q * float64(len(sorted)-1)
	low := min(int(at), len(sorted)-1)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}
