package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"
)

// Moments gathers mean and covariance of the rows of arrays, for [FrechetDistance].
type Moments struct {
	n        int
	offset   []float64 // the first row: sums of differences from it keep their digits
	sum      []float64
	products *mat.SymDense
}

// Add takes the rows of x, N×..., its axes after the first taken as one. Values that are not finite are refused.
func (m *Moments) Add(x *tensor.Dense) error {
	t, err := newTable(x)
	if err != nil || t.n == 0 {
		return err
	}
	if m.products == nil {
		m.offset, m.sum, m.products = append([]float64(nil), t.rows(0, 1)...), make([]float64, t.width), mat.NewSymDense(t.width, nil)
	}
	if t.width != len(m.sum) {
		return fmt.Errorf("rows have %d numbers, those before had %d", t.width, len(m.sum))
	}
	for from := 0; from < t.n; from += block {
		to := min(from+block, t.n)
		rows := mat.NewDense(to-from, t.width, append([]float64(nil), t.rows(from, to)...))
		for i := range to - from {
			for j, v := range rows.RawRowView(i) {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("row %d has a value that is not finite", m.n+from+i)
				}
				rows.Set(i, j, v-m.offset[j])
				m.sum[j] += v - m.offset[j]
			}
		}
		m.products.SymRankK(m.products, 1, rows.T())
	}
	m.n += t.n
	return nil
}

// mean returns that of the rows.
func (m *Moments) mean() []float64 {
	mean := make([]float64, len(m.sum))
	for j, s := range m.sum {
		mean[j] = m.offset[j] + s/float64(m.n)
	}
	return mean
}

// covariance returns that of the rows, divisor N-1.
func (m *Moments) covariance() *mat.SymDense {
	c := mat.NewSymDense(len(m.sum), nil)
	n := float64(m.n)
	for i := range m.sum {
		for j := range i + 1 {
			c.SetSym(i, j, (m.products.At(i, j)-m.sum[i]*m.sum[j]/n)/(n-1))
		}
	}
	return c
}

// FrechetDistance returns ‖μa - μb‖² + tr(Ca + Cb - 2(Ca·Cb)^½), the squared 2-Wasserstein distance of the normal distributions that
// have the moments of a and b: of features of images it is the Fréchet inception distance, by the network that gives the features.
// Both need two rows or more, of one length.
// Source: Dowson & Landau 1982, "The Fréchet distance between multivariate normal distributions"; Heusel et al. 2017, "GANs Trained
// by a Two Time-Scale Update Rule", eq. 6.
func FrechetDistance(a, b *Moments) (float64, error) {
	if a.n < 2 || b.n < 2 || len(a.sum) != len(b.sum) {
		return 0, fmt.Errorf("distance of %d rows of %d numbers and %d rows of %d; want two rows or more of one length", a.n, len(a.sum), b.n, len(b.sum))
	}
	distance := 0.0
	ma, mb := a.mean(), b.mean()
	for j := range ma {
		distance += (ma[j] - mb[j]) * (ma[j] - mb[j])
	}
	ca, cb := a.covariance(), b.covariance()
	root, err := squareRoot(ca)
	if err != nil {
		return 0, err
	}
	// (Ca·Cb)^½ has the eigenvalues' roots of Ca^½·Cb·Ca^½, which is symmetric.
	var left, both mat.Dense
	left.Mul(root, cb)
	both.Mul(&left, root)
	d, _ := both.Dims()
	symmetric := mat.NewSymDense(d, nil)
	for i := range d {
		for j := range i + 1 {
			symmetric.SetSym(i, j, (both.At(i, j)+both.At(j, i))/2)
		}
	}
	values, _, err := eigen(symmetric)
	if err != nil {
		return 0, err
	}
	distance += mat.Trace(ca) + mat.Trace(cb)
	for _, v := range values {
		distance -= 2 * math.Sqrt(v)
	}
	return max(distance, 0), nil
}

// squareRoot returns the symmetric root of a covariance.
func squareRoot(c *mat.SymDense) (*mat.Dense, error) {
	values, vectors, err := eigen(c)
	if err != nil {
		return nil, err
	}
	scaled := mat.DenseCopyOf(vectors)
	scaled.Apply(func(_, j int, v float64) float64 { return v * math.Sqrt(values[j]) }, scaled)
	var root mat.Dense
	root.Mul(scaled, vectors.T())
	return &root, nil
}
