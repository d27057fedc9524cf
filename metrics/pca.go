package metrics

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"
)

// PCA is the principal component analysis of a data set: the best linear reconstruction from k numbers an example,
// and the optimum that a linear autoencoder with k latent dimensions reaches.
// Source: Baldi & Hornik 1989, "Neural networks and principal component analysis: learning from examples without
// local minima".
type PCA struct {
	Examples   int           // N
	Mean       []float64     // D
	Components *tensor.Dense // k×D, float64, orthonormal rows by falling variance; the largest element of each is positive
	Variances  []float64     // along all principal axes, min(N, D) of them, falling, divisor N-1
}

// FitPCA analyses x, N×... (flattened to N×D), N at least 2, keeping k components, 1 <= k <= min(N, D).
// It takes memory for D² float64 (the covariance), or where N < D for some times N·D. Values that are not finite
// are refused.
func FitPCA(x *tensor.Dense, k int) (*PCA, error) {
	t, err := newTable(x)
	if err != nil {
		return nil, fmt.Errorf("pca: %w", err)
	}
	n, d := t.n, t.width
	if n < 2 || k < 1 || k > min(n, d) {
		return nil, fmt.Errorf("pca: %d components of %d examples with %d elements; want 1 to min(N, D), and N at least 2", k, n, d)
	}
	p := &PCA{Examples: n}
	if p.Mean, err = columnMeans(t); err != nil {
		return nil, fmt.Errorf("pca: %w", err)
	}
	var components *mat.Dense
	if n >= d {
		components, err = p.fromCovariance(t, k)
	} else {
		components, err = p.fromSingularValues(t, k)
	}
	if err != nil {
		return nil, fmt.Errorf("pca: %w", err)
	}
	for i := range k {
		turnPositive(components.RawRowView(i))
	}
	p.Components = dense(components)
	return p, nil
}

// block is the number of examples that are widened to float64 at a time.
const block = 1024

// fromCovariance sets the variances and returns the first k eigenvectors, k×D, of the D×D covariance.
func (p *PCA) fromCovariance(t table, k int) (*mat.Dense, error) {
	covariance := mat.NewSymDense(t.width, nil)
	for from := 0; from < t.n; from += block {
		rows := p.centred(t, from, min(from+block, t.n))
		covariance.SymRankK(covariance, 1/float64(t.n-1), rows.T())
	}
	values, vectors, err := eigen(covariance)
	if err != nil {
		return nil, err
	}
	p.Variances = values
	components := mat.NewDense(k, t.width, nil)
	components.Copy(vectors.T())
	return components, nil
}

// fromSingularValues does the same for few examples of many elements, where D×D would be the larger matrix.
func (p *PCA) fromSingularValues(t table, k int) (*mat.Dense, error) {
	var svd mat.SVD
	if !svd.Factorize(p.centred(t, 0, t.n), mat.SVDThin) {
		return nil, fmt.Errorf("the singular values of the %d×%d data did not converge", t.n, t.width)
	}
	p.Variances = svd.Values(nil)
	for i, s := range p.Variances {
		p.Variances[i] = s * s / float64(t.n-1)
	}
	var v mat.Dense // D×N
	svd.VTo(&v)
	components := mat.NewDense(k, t.width, nil)
	components.Copy(v.T())
	return components, nil
}

// centred returns rows from to to of the table minus the mean.
func (p *PCA) centred(t table, from, to int) *mat.Dense {
	rows := t.rows(from, to)
	c := make([]float64, len(rows))
	for i := 0; i < len(rows); i += t.width {
		for j, m := range p.Mean {
			c[i+j] = rows[i+j] - m
		}
	}
	return mat.NewDense(to-from, t.width, c)
}

// ExplainedVarianceRatio returns each component's share of the total variance; NaN where the data do not vary.
func (p *PCA) ExplainedVarianceRatio() []float64 {
	total := 0.0
	for _, v := range p.Variances {
		total += v
	}
	ratios := make([]float64, p.Components.Shape()[0])
	for i := range ratios {
		ratios[i] = p.Variances[i] / total
	}
	return ratios
}

// Encode returns the coordinates of x (N×...) along the components, N×k, float64.
func (p *PCA) Encode(x *tensor.Dense) (*tensor.Dense, error) {
	rows, err := p.rows(x)
	if err != nil {
		return nil, err
	}
	var codes mat.Dense
	codes.Mul(rows, gonum(p.Components).T())
	return dense(&codes), nil
}

// Reconstruct returns the nearest points to x (N×...) in the components' subspace, in x's shape, float64.
func (p *PCA) Reconstruct(x *tensor.Dense) (*tensor.Dense, error) {
	rows, err := p.rows(x)
	if err != nil {
		return nil, err
	}
	components := gonum(p.Components)
	var codes, recon mat.Dense
	codes.Mul(rows, components.T())
	recon.Mul(&codes, components)
	out := recon.RawMatrix().Data
	for i := range out {
		out[i] += p.Mean[i%len(p.Mean)]
	}
	return tensor.New(tensor.WithShape(x.Shape().Clone()...), tensor.WithBacking(out)), nil
}

// rows returns x centred, N×D, if its examples have the size of those that were analysed.
func (p *PCA) rows(x *tensor.Dense) (*mat.Dense, error) {
	t, err := newTable(x)
	if err != nil {
		return nil, fmt.Errorf("pca: %w", err)
	}
	if t.n == 0 || t.width != len(p.Mean) {
		return nil, fmt.Errorf("pca: array is %v; want examples of %d elements, as those analysed", x.Shape(), len(p.Mean))
	}
	return p.centred(t, 0, t.n), nil
}

// columnMeans fails where an element is NaN or infinite, which would end in components without meaning.
func columnMeans(t table) ([]float64, error) {
	means := make([]float64, t.width)
	for from := 0; from < t.n; from += block {
		rows := t.rows(from, min(from+block, t.n))
		for i := 0; i < len(rows); i += t.width {
			for j := range means {
				means[j] += rows[i+j]
			}
		}
	}
	for j := range means {
		means[j] /= float64(t.n)
		if math.IsNaN(means[j]) || math.IsInf(means[j], 0) {
			return nil, fmt.Errorf("element %d of an example is not finite", j)
		}
	}
	return means, nil
}

// eigen returns the eigenvalues by falling size, none below zero, and the eigenvectors as columns.
func eigen(s *mat.SymDense) ([]float64, *mat.Dense, error) {
	var e mat.EigenSym
	if !e.Factorize(s, true) {
		return nil, nil, fmt.Errorf("the eigenvalues of a %d×%d matrix did not converge", s.SymmetricDim(), s.SymmetricDim())
	}
	values := e.Values(nil) // rising
	var rising mat.Dense
	e.VectorsTo(&rising)
	n := len(values)
	vectors := mat.NewDense(n, n, nil)
	for j := range n {
		vectors.SetCol(j, mat.Col(nil, n-1-j, &rising))
	}
	sort.Sort(sort.Reverse(sort.Float64Slice(values)))
	for i, v := range values {
		values[i] = math.Max(v, 0) // rounding leaves small negative ones
	}
	return values, vectors, nil
}

// turnPositive fixes the sign that an eigenvector leaves open.
func turnPositive(v []float64) {
	largest := 0
	for i := range v {
		if math.Abs(v[i]) > math.Abs(v[largest]) {
			largest = i
		}
	}
	if v[largest] < 0 {
		for i := range v {
			v[i] = -v[i]
		}
	}
}

// dense and gonum are one matrix for either library, over the same memory.
func dense(m *mat.Dense) *tensor.Dense {
	r, c := m.Dims()
	return tensor.New(tensor.WithShape(r, c), tensor.WithBacking(m.RawMatrix().Data))
}

func gonum(d *tensor.Dense) *mat.Dense {
	return mat.NewDense(d.Shape()[0], d.Shape()[1], d.Data().([]float64))
}
