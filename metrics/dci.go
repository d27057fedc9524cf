package metrics

import "math"

func init() {
	metrics.Add("disentanglement", func() Metric { return &DCI{figure: disentanglement} })
	metrics.Add("completeness", func() Metric { return &DCI{figure: completeness} })
	metrics.Add("informativeness", func() Metric { return &DCI{figure: informativeness} })
}

// DCI is one of three figures of how codes hold known factors: disentanglement (each code unit is important to one factor only, 1 is
// best, units weighed by their importance), completeness (each factor is held by one unit only) and informativeness (how much of the
// factors' variance a linear model finds in the code, R²).
//
// Importance is the size of a lasso's weights between standardised codes and factors, one lasso a factor: a factor that the code
// holds in a bent way (an angle, say) counts as far as a straight line finds it.
// Source: Eastwood & Williams 2018, "A Framework for the Quantitative Evaluation of Disentangled Representations", section 2 and
// section 4.1 (lasso regressors).
type DCI struct {
	factorInputs
	figure func(importance [][]float64, r2 []float64) float64
}

// lassoPenalty is the weight of the absolute weights, on standardised columns, as in the paper's experiments.
const lassoPenalty = 0.02

// Value returns the figure, NaN while no example was seen, or no factor or code varies.
func (m *DCI) Value() float64 {
	if len(m.codes) == 0 {
		return math.NaN()
	}
	codes := make([][]float64, len(m.codes[0]))
	for j := range codes {
		codes[j] = standardized(column(m.codes, j))
	}
	var importance [][]float64 // of each factor: by unit
	var r2 []float64
	for k := range m.factors[0] {
		factor := column(m.factors, k)
		if _, variance := moments(factor); variance == 0 {
			continue
		}
		weights, explained := lasso(codes, standardized(factor), lassoPenalty)
		for j, w := range weights {
			weights[j] = math.Abs(w)
		}
		importance, r2 = append(importance, weights), append(r2, explained)
	}
	return m.figure(importance, r2)
}

// LargerIsBetter returns true.
func (*DCI) LargerIsBetter() bool { return true }

// disentanglement weighs 1 - H_K(P_j) of each unit j by its share of all importance.
func disentanglement(importance [][]float64, _ []float64) float64 {
	if len(importance) == 0 {
		return math.NaN()
	}
	byUnit := make([][]float64, len(importance[0]))
	for j := range byUnit {
		byUnit[j] = column(importance, j)
	}
	return concentration(byUnit)
}

// completeness weighs 1 - H_D(P_k) of each factor k by its share of all importance.
func completeness(importance [][]float64, _ []float64) float64 { return concentration(importance) }

// informativeness is the mean over factors.
func informativeness(_ [][]float64, r2 []float64) float64 {
	var m mean
	for _, v := range r2 {
		m.add(v)
	}
	return m.value()
}

// concentration returns how far each row stands on one column: 1 - entropy to the base of its length, rows weighed by their sums.
func concentration(rows [][]float64) float64 {
	var total, sum float64
	for _, row := range rows {
		of := 0.0
		for _, v := range row {
			of += v
		}
		if of == 0 {
			continue
		}
		h := 0.0
		for _, v := range row {
			if p := v / of; p > 0 && len(row) > 1 {
				h -= p * math.Log(p) / math.Log(float64(len(row)))
			}
		}
		total += of
		sum += of * (1 - h)
	}
	return sum / total // NaN where nothing is important
}

// lasso minimises ‖y - X·w‖²/2n + penalty·‖w‖₁ by coordinate descent; columns and y are standardised. It returns w and R².
// Source: Friedman, Hastie & Tibshirani 2010, "Regularization Paths for Generalized Linear Models via Coordinate Descent", eq. 5.
func lasso(columns [][]float64, y []float64, penalty float64) (w []float64, r2 float64) {
	const rounds, enough = 1000, 1e-7
	n := float64(len(y))
	w = make([]float64, len(columns))
	rest := append([]float64(nil), y...)
	for range rounds {
		largest := 0.0
		for j, x := range columns {
			along := 0.0
			for i, v := range x {
				along += v * rest[i]
			}
			along = along/n + w[j]
			to := math.Copysign(max(math.Abs(along)-penalty, 0), along)
			if step := to - w[j]; step != 0 {
				for i, v := range x {
					rest[i] -= step * v
				}
				w[j], largest = to, max(largest, math.Abs(step))
			}
		}
		if largest < enough {
			break
		}
	}
	left := 0.0
	for _, v := range rest {
		left += v * v
	}
	return w, 1 - left/n
}
