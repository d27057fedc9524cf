package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(Product{}) }

// MatMul returns op(a)·op(b), where op transposes the last two axes if transA or transB says so.
// a is [...]×M×K and b [...]×K×N (before transposition); the leading axes must be equal, or one of the two has none,
// and is used with every matrix of the other. The result is [...]×M×N.
func MatMul(a, b graph.Value, transA, transB bool) graph.Value {
	return apply(Product{TransA: transA, TransB: transB}, a, b)
}

// Product is the op of [MatMul].
type Product struct{ TransA, TransB bool }

func (Product) Name() string        { return "MatMul" }
func (Product) Arguments() []string { return []string{"a", "b"} }

// Dims returns the number of matrices and M, N, K of a product of these inputs.
func (p Product) Dims(a, b graph.Shape) (batch, m, n, k int) {
	m, k = a[len(a)-2], a[len(a)-1]
	if p.TransA {
		m, k = k, m
	}
	n = b[len(b)-1]
	if p.TransB {
		n = b[len(b)-2]
	}
	lead := a[:len(a)-2]
	if len(lead) == 0 {
		lead = b[:len(b)-2]
	}
	return lead.Size(), m, n, k
}

func (p Product) Infer(in []graph.Spec) ([]graph.Spec, error) {
	a, b := in[0].Shape, in[1].Shape
	if in[0].DType != graph.Float32 || in[1].DType != graph.Float32 {
		return nil, fmt.Errorf("wants float32 matrices")
	}
	if len(a) < 2 || len(b) < 2 {
		return nil, fmt.Errorf("wants matrices, at least two axes each")
	}
	la, lb := a[:len(a)-2], b[:len(b)-2]
	if len(la) > 0 && len(lb) > 0 && !la.Equal(lb) {
		return nil, fmt.Errorf("leading axes %v and %v differ", la, lb)
	}
	_, m, n, k := p.Dims(a, b)
	kb := b[len(b)-2]
	if p.TransB {
		kb = b[len(b)-1]
	}
	if k != kb {
		return nil, fmt.Errorf("inner sizes %d and %d differ", k, kb)
	}
	lead := la
	if len(la) == 0 {
		lead = lb
	}
	return []graph.Spec{graph.F32(append(lead.Clone(), m, n)...)}, nil
}

// With y = a·b: da = dy·bᵀ and db = aᵀ·dy, transposed where the input was, summed over the matrices that shared an input.
func (p Product) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	a, b, dy := n.In[0], n.In[1], dOut[0]
	var da, db graph.Value
	if p.TransA {
		da = MatMul(b, dy, p.TransB, true)
	} else {
		da = MatMul(dy, b, false, !p.TransB)
	}
	if p.TransB {
		db = MatMul(dy, a, true, p.TransA)
	} else {
		db = MatMul(a, dy, !p.TransA, false)
	}
	return []graph.Value{sumTo(da, a.Shape()), sumTo(db, b.Shape())}
}

func (p Product) Eval(out, in []graph.Tensor) {
	a, b := in[0], in[1]
	batch, m, n, k := p.Dims(a.Shape, b.Shape)
	var stepA, stepB int
	if len(a.Shape) > 2 {
		stepA = m * k
	}
	if len(b.Shape) > 2 {
		stepB = k * n
	}
	// Strides of (row, inner) of a and of (inner, column) of b.
	ai, ak, bk, bj := k, 1, n, 1
	if p.TransA {
		ai, ak = 1, m
	}
	if p.TransB {
		bk, bj = 1, k
	}
	for g := range batch {
		x, y, z := a.Data[g*stepA:], b.Data[g*stepB:], out[0].Data[g*m*n:]
		for i := range m {
			for l := range k {
				f := x[i*ai+l*ak]
				for j := range n {
					z[i*n+j] += f * y[l*bk+j*bj]
				}
			}
		}
	}
}

func (Product) Examples() []graph.Example {
	of := func(transA, transB bool, a, b graph.Arg) graph.Example {
		return graph.Example{Op: Product{TransA: transA, TransB: transB}, Args: []graph.Arg{a, b}}
	}
	return []graph.Example{
		of(false, false, f32(3, 4), f32(4, 5)), of(true, false, f32(4, 3), f32(4, 5)),
		of(false, true, f32(3, 4), f32(5, 4)), of(true, true, f32(4, 3), f32(5, 4)),
		of(false, false, f32(2, 3, 4), f32(2, 4, 5)), of(true, true, f32(2, 4, 3), f32(2, 5, 4)),
		of(false, true, f32(2, 3, 4), f32(5, 4)), of(true, false, f32(4, 3), f32(2, 4, 5)),
		of(false, false, f32(1, 1), f32(1, 1)), of(false, false, f32(1, 7), f32(7, 1)), of(false, true, f32(17, 33), f32(19, 33)),
		bench(of(false, true, f32(128, 784), f32(400, 784))),
	}
}
