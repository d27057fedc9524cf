package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"
)

// PPCA is probabilistic principal component analysis at its maximum likelihood:
//
//	z ~ N(0, I_q),  x | z ~ N(W·z + Mean, Variance·I_D)
//
// It is the model of a linear VAE with a gaussian likelihood, and its LogLikelihood the best mean ELBO that such a
// VAE can reach, since the exact posterior is gaussian with a covariance that suitable W make diagonal.
// Source: Tipping & Bishop 1999, "Probabilistic principal component analysis", eqs. 7, 8 and section 3.2;
// Lucas, Tucker, Grosse & Norouzi 2019, "Don't blame the ELBO!", section 4, for the VAE.
type PPCA struct {
	Mean          []float64     // D
	W             *tensor.Dense // D×q, float64, orthogonal columns
	Variance      float64       // of the noise, in squared units of the data
	LogLikelihood float64       // nats per example: mean log p(x) over the examples that were analysed

	axes      *mat.Dense // q×D, orthonormal
	variances []float64  // of x along the axes, q
}

// Probabilistic returns the PPCA with q latent dimensions, 1 <= q <= k and q < D, with the best noise variance: the
// mean variance along the axes left out. It fails where that is zero: the likelihood has no bound then.
func (p *PCA) Probabilistic(q int) (*PPCA, error) {
	d := len(p.Mean)
	if q < 1 || q > p.Components.Shape()[0] || q >= d {
		return nil, fmt.Errorf("ppca: %d latent dimensions of %d elements; want 1 to the %d components kept, and fewer than elements", q, d, p.Components.Shape()[0])
	}
	left := 0.0
	for _, v := range p.likelihoodVariances()[min(q, len(p.Variances)):] {
		left += v
	}
	return p.ProbabilisticAt(q, left/float64(d-q))
}

// ProbabilisticAt is Probabilistic with the noise variance given, as a VAE with `variance = 1.0` has it. Axes along
// which the data vary less than the noise stay unused: their columns of W are zero.
func (p *PCA) ProbabilisticAt(q int, variance float64) (*PPCA, error) {
	d := len(p.Mean)
	if q < 1 || q > p.Components.Shape()[0] {
		return nil, fmt.Errorf("ppca: %d latent dimensions; want 1 to the %d components kept", q, p.Components.Shape()[0])
	}
	if !(variance > 0) || math.IsInf(variance, 1) {
		return nil, fmt.Errorf("ppca: noise variance is %g; want a positive number", variance)
	}
	m := &PPCA{Mean: p.Mean, Variance: variance, variances: make([]float64, q)}
	m.axes = mat.DenseCopyOf(gonum(p.Components).Slice(0, q, 0, d))
	w := mat.NewDense(d, q, nil)
	all := p.likelihoodVariances()
	quadratic := 0.0 // mean of (x-Mean)ᵀ C⁻¹ (x-Mean)
	for j, v := range all {
		model := variance // of x along this axis, under the model
		if j < q {
			model = math.Max(v, variance)
			m.variances[j] = model
			for i := range d {
				w.Set(i, j, m.axes.At(j, i)*math.Sqrt(model-variance)) // eq. 7
			}
		}
		quadratic += v / model
	}
	m.W = dense(w)
	m.LogLikelihood = m.constant() - quadratic/2
	return m, nil
}

// LogProb returns log p(x) of each example of x, N×..., in nats.
func (m *PPCA) LogProb(x *tensor.Dense) ([]float64, error) {
	t, err := newTable(x)
	if err != nil {
		return nil, fmt.Errorf("ppca: %w", err)
	}
	d := len(m.Mean)
	if t.width != d {
		return nil, fmt.Errorf("ppca: array is %v; want examples of %d elements, as those analysed", x.Shape(), d)
	}
	logProb := make([]float64, t.n)
	centred := mat.NewVecDense(d, nil)
	codes := mat.NewVecDense(len(m.variances), nil)
	for i := range logProb {
		for j, v := range t.rows(i, i+1) {
			centred.SetVec(j, v-m.Mean[j])
		}
		codes.MulVec(m.axes, centred)
		quadratic := mat.Dot(centred, centred) / m.Variance
		for j, model := range m.variances { // C⁻¹ differs from I/Variance along the axes only
			quadratic += codes.AtVec(j) * codes.AtVec(j) * (1/model - 1/m.Variance)
		}
		logProb[i] = m.constant() - quadratic/2
	}
	return logProb, nil
}

// constant is the log-density at the mean: -(D·log 2π + log |C|) / 2.
func (m *PPCA) constant() float64 {
	d, q := float64(len(m.Mean)), float64(len(m.variances))
	sum := d*math.Log(2*math.Pi) + (d-q)*math.Log(m.Variance)
	for _, v := range m.variances {
		sum += math.Log(v)
	}
	return -sum / 2
}

// likelihoodVariances are the variances with the divisor N, which maximum likelihood takes, not N-1.
func (p *PCA) likelihoodVariances() []float64 {
	v := make([]float64, len(p.Variances))
	for i := range v {
		v[i] = p.Variances[i] * float64(p.Examples-1) / float64(p.Examples)
	}
	return v
}
