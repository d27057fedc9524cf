package program

import (
	"aetrain/graph"
	"aetrain/op"
)

// FLOP counts the multiplications and additions of the step's product; 0 where it has none.
func (s Step) FLOP() float64 {
	if s.Node == nil {
		return 0
	}
	n := s.Node
	switch o := n.Op.(type) {
	case op.Product:
		batch, m, k, inner := o.Dims(n.In[0].Shape(), n.In[1].Shape())
		return 2 * float64(batch) * float64(m) * float64(k) * float64(inner)
	case op.Conv:
		return 2 * float64(n.Out[0].Shape.Size()) * float64(n.In[1].Shape()[1:].Size())
	case op.ConvTranspose:
		return 2 * float64(n.In[0].Shape().Size()) * float64(n.In[1].Shape()[1:].Size())
	case op.ConvWeightGrad:
		return 2 * float64(n.In[1].Shape().Size()) * float64(n.Out[0].Shape[1:].Size())
	case op.SelfAttention: // scores and values
		return 4 * float64(n.Out[1].Shape.Size()) * float64(n.Out[0].Shape[2]/o.Heads)
	case op.SelfAttentionGrad: // two for each of these
		return 8 * float64(n.In[1].Shape().Size()) * float64(n.In[2].Shape()[2]/o.Heads)
	case op.LSTMSequence, op.LSTMGrad, op.GRUSequence, op.GRUGrad, op.RNNSequence, op.RNNGrad:
		return recurrentFLOP(n)
	}
	return 0
}

// recurrentFLOP counts the products of the recurrent weight with the states of all examples at all times.
func recurrentFLOP(n *graph.Node) float64 {
	weight, times := 1, 0 // the input that holds the weight, and what of a sequence there is: N·T
	switch n.Op.(type) {
	case op.LSTMSequence:
		times = n.Out[2].Shape[:2].Size()
	case op.GRUSequence, op.RNNSequence:
		times = n.Out[1].Shape[:2].Size()
	case op.LSTMGrad:
		weight, times = 3, n.Out[0].Shape[:2].Size()
	case op.GRUGrad:
		weight, times = 2, n.Out[0].Shape[:2].Size()
	case op.RNNGrad:
		times = n.Out[0].Shape[:2].Size()
	}
	return 2 * float64(times) * float64(n.In[weight].Shape().Size())
}
