// Package mixture fits mixtures of normal distributions with full covariances: [Fit] is expectation maximisation, from a k-means++
// start.
package mixture

import (
	"errors"
	"fmt"
	"math"

	"aetrain/internal/philox"
)

// Mixture is Σ Weights_k·N(Means_k, Factors_k·Factors_kᵀ) of vectors of D numbers.
type Mixture struct {
	Weights []float64
	Means   [][]float64 // D each
	Factors [][]float64 // D×D each: lower triangular
}

// What ends the fit: so many rounds, or one that gains less in the mean log-likelihood of an example.
const (
	mostRounds = 100
	leastGain  = 1e-4
)

// ridge is added to the variances, as a share of the data's mean variance, so that a component on few points stays one.
const ridge = 1e-6

// Fit returns the mixture of so many components that fits rows x, N×d, and its mean log-likelihood in nats. The same seed gives the
// same mixture.
// Source: Dempster, Laird & Rubin 1977, "Maximum Likelihood from Incomplete Data via the EM Algorithm"; the start: Arthur &
// Vassilvitskii 2007, "k-means++".
func Fit(x []float64, d, components int, seed uint64) (*Mixture, float64, error) {
	n := 0
	if d > 0 {
		n = len(x) / d
	}
	if n == 0 || n*d != len(x) {
		return nil, 0, fmt.Errorf("%d numbers are no rows of %d", len(x), d)
	}
	if n < components {
		return nil, 0, fmt.Errorf("%d examples are too few for %d components", n, components)
	}
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, 0, fmt.Errorf("number %d of row %d is %v", i%d, i/d, v)
		}
	}
	f := &fit{x: x, n: n, d: d, share: make([]float64, n*components), floor: ridge * (meanVariance(x, n, d) + 1e-12)}
	f.spread(components, philox.New(seed, philox.Stream("mixture")))
	before := math.Inf(-1)
	var m *Mixture
	for range mostRounds {
		var err error
		if m, err = f.maximise(components); err != nil {
			return nil, 0, err
		}
		now := f.expect(m)
		if now-before < leastGain {
			return m, now, nil
		}
		before = now
	}
	return m, before, nil
}

// fit is a fit under way.
type fit struct {
	x     []float64
	n, d  int
	share []float64 // N×K: of each component in each row
	floor float64
}

func (f *fit) row(i int) []float64 { return f.x[i*f.d : (i+1)*f.d] }

// spread draws rows far from one another, and gives each row to the nearest of them.
func (f *fit) spread(k int, r *philox.Rand) {
	centres := [][]float64{f.row(int(r.Float32() * float32(f.n)))}
	nearest := make([]float64, f.n)
	at := make([]int, f.n)
	for i := range nearest {
		nearest[i] = distance(f.row(i), centres[0])
	}
	for c := 1; c < k; c++ {
		total := 0.0
		for _, v := range nearest {
			total += v
		}
		left, chosen := float64(r.Float32())*total, f.n-1
		for i, v := range nearest {
			if left -= v; left < 0 {
				chosen = i
				break
			}
		}
		centres = append(centres, f.row(chosen))
		for i := range nearest {
			if v := distance(f.row(i), centres[c]); v < nearest[i] {
				nearest[i], at[i] = v, c
			}
		}
	}
	for i, c := range at {
		f.share[i*k+c] = 1
	}
}

// maximise gives weights, means and covariances by the shares.
func (f *fit) maximise(k int) (*Mixture, error) {
	m := &Mixture{}
	for c := range k {
		total, mean := 0.0, make([]float64, f.d)
		for i := range f.n {
			w := f.share[i*k+c]
			total += w
			for j, v := range f.row(i) {
				mean[j] += w * v
			}
		}
		safe := math.Max(total, 1e-10)
		for j := range mean {
			mean[j] /= safe
		}
		factor, err := cholesky(f.covariance(k, c, mean, safe), f.d)
		if err != nil {
			return nil, err
		}
		m.Weights, m.Means, m.Factors = append(m.Weights, total/float64(f.n)), append(m.Means, mean), append(m.Factors, factor)
	}
	return m, nil
}

// covariance is that of one component, D×D.
func (f *fit) covariance(k, c int, mean []float64, total float64) []float64 {
	d := f.d
	cov, away := make([]float64, d*d), make([]float64, d)
	for i := range f.n {
		w := f.share[i*k+c]
		if w < 1e-12 {
			continue
		}
		for j, v := range f.row(i) {
			away[j] = v - mean[j]
		}
		for a := range d {
			wa, line := w*away[a], cov[a*d:]
			for b := 0; b <= a; b++ {
				line[b] += wa * away[b]
			}
		}
	}
	for a := range d {
		for b := 0; b <= a; b++ {
			cov[a*d+b] /= total
			cov[b*d+a] = cov[a*d+b]
		}
		cov[a*d+a] += f.floor
	}
	return cov
}

// expect gives the shares by the mixture, and returns the mean log-likelihood.
func (f *fit) expect(m *Mixture) float64 {
	k, sum := len(m.Weights), 0.0
	logs := make([]float64, k)
	for i := range f.n {
		total := m.logs(f.row(i), logs)
		for c, l := range logs {
			f.share[i*k+c] = math.Exp(l - total)
		}
		sum += total
	}
	return sum / float64(f.n)
}

// LogProb is the log-density of a vector, in nats.
func (m *Mixture) LogProb(x []float64) float64 { return m.logs(x, make([]float64, len(m.Weights))) }

// logs fills the components' log-densities with their weights, and returns the logarithm of their sum.
func (m *Mixture) logs(x, logs []float64) float64 {
	most := math.Inf(-1)
	for c, w := range m.Weights {
		logs[c] = math.Log(math.Max(w, 1e-300)) + logNormal(x, m.Means[c], m.Factors[c])
		most = math.Max(most, logs[c])
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - most)
	}
	return most + math.Log(sum)
}

// logNormal is log N(x; mean, factor·factorᵀ), by substitution.
func logNormal(x, mean, factor []float64) float64 {
	d := len(x)
	y := make([]float64, d)
	log := -0.5 * float64(d) * math.Log(2*math.Pi)
	for a := range d {
		v := x[a] - mean[a]
		for b := range a {
			v -= factor[a*d+b] * y[b]
		}
		y[a] = v / factor[a*d+a]
		log -= 0.5*y[a]*y[a] + math.Log(factor[a*d+a])
	}
	return log
}

// cholesky is the lower factor of a symmetric matrix.
func cholesky(m []float64, d int) ([]float64, error) {
	l := make([]float64, d*d)
	for a := range d {
		for b := 0; b <= a; b++ {
			v := m[a*d+b]
			for c := range b {
				v -= l[a*d+c] * l[b*d+c]
			}
			switch {
			case a != b:
				l[a*d+b] = v / l[b*d+b]
			case v > 0:
				l[a*d+a] = math.Sqrt(v)
			default:
				return nil, errors.New("a covariance is not positive: the codes of too few examples lie in a plane")
			}
		}
	}
	return l, nil
}

func distance(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	return sum
}

func meanVariance(x []float64, n, d int) float64 {
	sum := 0.0
	for j := range d {
		mean, squares := 0.0, 0.0
		for i := range n {
			mean += x[i*d+j] / float64(n)
		}
		for i := range n {
			squares += (x[i*d+j] - mean) * (x[i*d+j] - mean) / float64(n)
		}
		sum += squares / float64(d)
	}
	return sum
}
