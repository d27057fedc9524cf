package program

import "aetrain/op"

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
	}
	return 0
}
