package tasks

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"aetrain/data"
	"aetrain/infer"
)

// gaussian is the distribution of training codes.
type gaussian struct {
	mean  []float64
	whole mat.Cholesky // of the covariance
}

// shrinkage is the share of the mean variance that is added to each, so that directions in which codes hardly vary do not decide alone.
const shrinkage = 1e-3

// codesOf are a batch's codes: means where the code is drawn.
func codesOf(b *infer.Rows) []float32 {
	if mu := b.Out["mu"]; mu != nil {
		return mu.Float32s()
	}
	return b.Out["z"].Float32s()
}

// fitCodes takes mean and covariance of the codes of the training split.
func (s *scorer) fitCodes(ctx context.Context, train data.Source) error {
	g := &gaussian{}
	var products *mat.SymDense
	n := 0.0
	err := s.Each(ctx, train, "encode", 0, func(b *infer.Rows) error {
		z := codesOf(b)
		d := len(z) / b.N
		const most = 4096
		if d > most {
			return fmt.Errorf("latent: a code has %d numbers, more than the %d whose covariance is taken: score reconstructions", d, most)
		}
		if g.mean == nil {
			g.mean, products = make([]float64, d), mat.NewSymDense(d, nil)
		}
		row := mat.NewVecDense(d, nil)
		for i := range b.N {
			for j, v := range z[i*d : (i+1)*d] {
				row.SetVec(j, float64(v))
				g.mean[j] += float64(v)
			}
			products.SymRankOne(products, 1, row)
		}
		n += float64(b.N)
		s.o.Progress("encoding train", b.Row0+b.N, train.Len())
		return nil
	})
	if err != nil {
		return err
	}
	d := len(g.mean)
	centre := mat.NewVecDense(d, g.mean)
	centre.ScaleVec(1/n, centre)
	products.ScaleSym(1/n, products)
	products.SymRankOne(products, -1, centre)
	spread := shrinkage * products.Trace() / float64(d)
	for j := range d {
		products.SetSym(j, j, products.At(j, j)+spread)
	}
	if !g.whole.Factorize(products) {
		return fmt.Errorf("latent: the codes of training do not vary: score reconstructions")
	}
	s.codes = g
	return nil
}

// distance is the squared Mahalanobis distance (z-mean)' covariance⁻¹ (z-mean).
// Source: Denouden et al. 2018, "Improving Reconstruction Autoencoder Out-of-distribution Detection with Mahalanobis Distance", eq. 3.
func (g *gaussian) distance(z []float32) float64 {
	d := mat.NewVecDense(len(z), nil)
	for j, v := range z {
		d.SetVec(j, float64(v)-g.mean[j])
	}
	solved := mat.NewVecDense(len(z), nil)
	_ = g.whole.SolveVecTo(solved, d) // its only error warns of a large condition number, which shrinkage bounds
	return mat.Dot(d, solved)
}
