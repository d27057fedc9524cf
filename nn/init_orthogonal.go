package nn

import (
	"gonum.org/v1/gonum/mat"

	"aetrain/graph"
	"aetrain/internal/philox"
)

func init() { Initialisers.Add("orthogonal", func() Initialiser { return orthogonalInit{} }) }

// orthogonalInit makes the rows of the weight, seen as a matrix of its first axis by the others, orthonormal (its columns, if
// they are fewer); biases 0. The matrix is Q of a normal matrix's QR, with R's diagonal made positive, so that it is uniform
// over orthogonal matrices.
// Source: Saxe et al. 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", section 3.
type orthogonalInit struct{}

func (orthogonalInit) Weight(seed uint64, name string, t graph.Tensor) {
	if len(t.Data) == 0 {
		return
	}
	rows := t.Shape[0]
	cols := len(t.Data) / rows
	tall, narrow := max(rows, cols), min(rows, cols)
	r := philox.New(seed, philox.Stream(name))
	drawn := mat.NewDense(tall, narrow, nil)
	for i := range tall {
		for j := range narrow {
			drawn.Set(i, j, r.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(drawn)
	var q, upper mat.Dense
	qr.QTo(&q)
	qr.RTo(&upper)
	for i := range tall {
		for j := range narrow {
			v := q.At(i, j)
			if upper.At(j, j) < 0 {
				v = -v
			}
			at := i*cols + j
			if rows < cols {
				at = j*cols + i
			}
			t.Data[at] = float64(float32(v))
		}
	}
}

func (orthogonalInit) Bias(int) graph.Init { return nil }
