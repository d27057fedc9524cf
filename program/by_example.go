package program

import (
	"slices"

	"aetrain/graph"
	"aetrain/op"
)

// ByExample says which inputs of n are read an example at a time: part i of n equal parts of such an input, along its first axis, is
// all that part i of the outputs needs of it, whatever divides the first axes. Other inputs are read as a whole: weights, scalars.
// outputs tells whether the outputs are parted in the same way; those of a weight's gradient are sums over the examples. The third
// result is false where n mixes examples otherwise, or where nothing is known of it.
func ByExample(n *graph.Node) (inputs []int, outputs, ok bool) {
	if len(n.In) == 0 || n.In[0].Rank() == 0 || n.Out[0].Shape.Size() == 0 {
		return nil, false, false
	}
	all := make([]int, len(n.In))
	for i := range all {
		all[i] = i
	}
	switch o := n.Op.(type) {
	case op.Conv, op.ConvTranspose:
		return all[:1], true, true
	case op.ConvWeightGrad:
		return all[:2], false, true
	case op.Product:
		return productByExample(o, n)
	case op.GaussianSampleOp:
		return all[:2], true, true
	case op.LogSumExpOp:
		return all, true, o.Axis > 0
	case op.Reduce:
		return all, true, !slices.Contains(o.Axes, 0)
	case op.TransposeOp:
		return all, true, o.Perm[0] == 0
	}
	switch n.Op.Name() {
	case "LayerNorm":
		return all[:1], true, n.In[0].Rank() > 1
	case "MaxPool2D", "MaxPool2DGrad", "MaxPool2DGather", "AvgPool2D", "AvgPool2DGrad", "Upsample2D", "Upsample2DGrad", "KLNormal":
		return all, true, true
	case "Softmax", "LogSoftmax", "ArgMax":
		return all, true, n.In[0].Rank() > 1
	}
	return nil, false, false
}

// productByExample: rows of a matrix times another one, or a batch of products.
func productByExample(p op.Product, n *graph.Node) (inputs []int, outputs, ok bool) {
	batch, _, _, _ := p.Dims(n.In[0].Shape(), n.In[1].Shape())
	a, b := n.In[0].Rank() > 2, n.In[1].Rank() > 2
	switch {
	case batch == 1:
		return []int{0}, true, !p.TransA
	case a && b:
		return []int{0, 1}, true, true
	case a:
		return []int{0}, true, true
	}
	return []int{1}, true, true
}

// Dense reports whether part i of n equal parts of an operand that is read in this way belongs to part i of the iteration space of
// so many elements: it is as large, or has one element for each run of them.
func (a Access) Dense(size int) bool { return a.Inner*a.Period == size }

// Example is how many elements an example has where the chain walks over a batch, by the shapes of what it computes or adds up; 0
// where these say nothing of it.
func (c *Chain) Example() int {
	for _, t := range c.Sums {
		if n := t.Inner * t.Period; t.Period > 1 && n < c.Size {
			return n
		}
	}
	for _, o := range c.Ops {
		if dims := o.Node.Out[0].Shape; len(dims) > 1 && dims[0] > 0 && dims.Size() == c.Size {
			return c.Size / dims[0]
		}
	}
	return 0
}
