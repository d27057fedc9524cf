package metrics

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"
)

// PrincipalAngles returns the angles between the subspaces that the columns of a (D×p) and b (D×q) span, in radians,
// largest first, as many as the smaller of the two dimensions. All are zero if and only if one subspace contains the
// other. A linear decoder's weight, out×in, has its subspace in the columns; components of [PCA] are rows, so
// that [PCA.Subspace] turns them.
//
// Small angles come from sines, large ones from cosines, so that both are exact to rounding.
// Source: Knyazev & Argentati 2002, "Principal angles between subspaces in an A-based scalar product", algorithm 3.1.
func PrincipalAngles(a, b *tensor.Dense) ([]float64, error) {
	qa, err := orthonormalBasis(a)
	if err != nil {
		return nil, fmt.Errorf("principal angles: first subspace: %w", err)
	}
	qb, err := orthonormalBasis(b)
	if err != nil {
		return nil, fmt.Errorf("principal angles: second subspace: %w", err)
	}
	if qa.RawMatrix().Rows != qb.RawMatrix().Rows {
		return nil, fmt.Errorf("principal angles: subspaces lie in %d and %d dimensions", qa.RawMatrix().Rows, qb.RawMatrix().Rows)
	}
	if qa.RawMatrix().Cols < qb.RawMatrix().Cols {
		qa, qb = qb, qa // project the smaller one onto the larger
	}
	var inside, outside, projected mat.Dense
	inside.Mul(qa.T(), qb)      // singular values: cosines
	projected.Mul(qa, &inside)  //
	outside.Sub(qb, &projected) // singular values: sines
	cosines, err := singularValues(&inside)
	if err != nil {
		return nil, err
	}
	sines, err := singularValues(&outside)
	if err != nil {
		return nil, err
	}
	slices.Reverse(sines) // the smallest sine belongs to the largest cosine
	angles := make([]float64, len(cosines))
	for i, c := range cosines {
		if c*c >= 0.5 {
			angles[i] = math.Asin(math.Min(sines[i], 1))
		} else {
			angles[i] = math.Acos(c)
		}
	}
	slices.Reverse(angles)
	return angles, nil
}

// Subspace returns the components as columns, D×k, as PrincipalAngles takes them.
func (p *PCA) Subspace() *tensor.Dense {
	return dense(mat.DenseCopyOf(gonum(p.Components).T()))
}

// orthonormalBasis returns orthonormal columns that span those of d; directions below rounding are left out.
func orthonormalBasis(d *tensor.Dense) (*mat.Dense, error) {
	if d.Shape().Dims() != 2 {
		return nil, fmt.Errorf("array is %v; want a matrix of columns", d.Shape())
	}
	data, err := floats(d)
	if err != nil {
		return nil, err
	}
	rows, cols := d.Shape()[0], d.Shape()[1]
	if rows == 0 || cols == 0 {
		return nil, fmt.Errorf("array is %v; want at least one column", d.Shape())
	}
	var svd mat.SVD
	if !svd.Factorize(mat.NewDense(rows, cols, slices.Clone(data)), mat.SVDThin) {
		return nil, fmt.Errorf("singular values did not converge: are there NaNs?")
	}
	values := svd.Values(nil)
	smallest := values[0] * float64(max(rows, cols)) * 0x1p-52
	rank := 0
	for rank < len(values) && values[rank] > smallest {
		rank++
	}
	if rank == 0 {
		return nil, fmt.Errorf("all columns are zero")
	}
	var u mat.Dense
	svd.UTo(&u)
	return mat.DenseCopyOf(u.Slice(0, rows, 0, rank)), nil
}

func singularValues(m *mat.Dense) ([]float64, error) {
	var svd mat.SVD
	if !svd.Factorize(m, mat.SVDNone) {
		return nil, fmt.Errorf("principal angles: singular values did not converge")
	}
	return svd.Values(nil), nil
}
