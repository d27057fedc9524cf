package tasks

import (
	"errors"

	"gonum.org/v1/gonum/mat"
)

// mostEASE bounds the side of the matrix that EASE inverts: the fewer of users and items.
const mostEASE = 4096

// ease is the shallow linear autoencoder: x·B with zeros on B's diagonal, B = I - P·diag(1/diag P), P = (XᵀX + λI)⁻¹. The score of an
// item that the user does not have is therefore -(x·P)_j/P_jj. Where there are fewer users than items,
// P = (I - Xᵀ(XXᵀ + λI)⁻¹X)/λ takes its place, so that only the smaller side is ever inverted.
// Source: Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data", eq. 6-8.
type ease struct {
	train    *clickLists
	inverse  *mat.SymDense // of XᵀX + λI, or of XXᵀ + λI
	byUser   bool          // which
	lambda   float64
	diagonal []float64 // of P
}

// smaller is the fewer of users and items.
func (c *clickLists) smaller() int { return min(len(c.of), c.items) }

// easeLambda is the weight of the ridge, in clicks: the paper's best values lie between 200 and 1,000 for sets of 100,000 users and more,
// of some thousand users a smaller one is as good.
const easeLambda = 100

// gram is XXᵀ by user, or XᵀX by item.
func (c *clickLists) gram(byUser bool) *mat.SymDense {
	if !byUser {
		g := mat.NewSymDense(c.items, nil)
		for u, of := range c.of {
			for a, i := range of {
				for b, j := range of[a:] {
					g.SetSym(int(i), int(j), g.At(int(i), int(j))+float64(c.value[u][a])*float64(c.value[u][a+b]))
				}
			}
		}
		return g
	}
	g := mat.NewSymDense(len(c.of), nil)
	row := make([]float64, c.items)
	for u := range c.of {
		clear(row)
		for a, i := range c.of[u] {
			row[i] = float64(c.value[u][a])
		}
		for v := u; v < len(c.of); v++ {
			g.SetSym(u, v, c.dot(v, row))
		}
	}
	return g
}

// dot is the product of a user's row with another row.
func (c *clickLists) dot(u int, row []float64) float64 {
	sum := 0.0
	for a, i := range c.of[u] {
		sum += float64(c.value[u][a]) * row[i]
	}
	return sum
}

func newEASE(train *clickLists, lambda float64) (*ease, error) {
	return easeBy(train, lambda, len(train.of) < train.items)
}

// easeBy inverts the products of users, or those of items.
func easeBy(train *clickLists, lambda float64, byUser bool) (*ease, error) {
	e := &ease{train: train, byUser: byUser, lambda: lambda, inverse: &mat.SymDense{}, diagonal: make([]float64, train.items)}
	sum := train.gram(e.byUser)
	for i := range sum.SymmetricDim() {
		sum.SetSym(i, i, sum.At(i, i)+lambda)
	}
	var factor mat.Cholesky
	if !factor.Factorize(sum) {
		return nil, errors.New("ease: the products of the training users are not positive definite")
	}
	if err := factor.InverseTo(e.inverse); err != nil {
		return nil, err
	}
	e.fillDiagonal()
	return e, nil
}

// fillDiagonal computes P_jj = (1 - x_jᵀ·K·x_j)/λ of each item's column x_j, by user; by item it stands in the inverse.
func (e *ease) fillDiagonal() {
	if !e.byUser {
		for j := range e.diagonal {
			e.diagonal[j] = e.inverse.At(j, j)
		}
		return
	}
	type click struct {
		user  int
		value float64
	}
	columns := make([][]click, e.train.items)
	for u, of := range e.train.of {
		for a, i := range of {
			columns[i] = append(columns[i], click{u, float64(e.train.value[u][a])})
		}
	}
	for j, column := range columns {
		sum := 0.0
		for _, a := range column {
			for _, b := range column {
				sum += a.value * b.value * e.inverse.At(a.user, b.user)
			}
		}
		e.diagonal[j] = (1 - sum) / e.lambda
	}
}

// scores are -(x·P)_j/P_jj.
func (e *ease) scores(known, out []float32) {
	for j, v := range e.throughP(known) {
		out[j] = float32(-v / e.diagonal[j])
	}
}

// throughP is x·P.
func (e *ease) throughP(known []float32) []float64 {
	x := make([]float64, len(known))
	for j, v := range known {
		x[j] = float64(v)
	}
	n := e.inverse.SymmetricDim()
	if !e.byUser {
		var y mat.VecDense
		y.MulVec(e.inverse, mat.NewVecDense(n, x))
		return y.RawVector().Data
	}
	alike := mat.NewVecDense(n, nil) // X·x
	for u := range n {
		alike.SetVec(u, e.train.dot(u, x))
	}
	var weights mat.VecDense
	weights.MulVec(e.inverse, alike)
	for u := range n {
		for a, i := range e.train.of[u] {
			x[i] -= float64(e.train.value[u][a]) * weights.AtVec(u)
		}
	}
	for j := range x {
		x[j] /= e.lambda
	}
	return x
}
