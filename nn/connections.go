package nn

import (
	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/op"
)

// thinned is a dense layer's weight with those connections alone that the layer has: a mask beside it, connections, of the weight's
// shape. shared is the path of the layer whose weight, and so whose mask, it is; "": its own.
// Source: Chen, Sathe, Aggarwal & Turaga 2017, "Outlier Detection with Autoencoder Ensembles", section 3.1.
func (s *Scope) thinned(shared string, w graph.Value) graph.Value {
	if s.b.o.Connections == nil || s.given != nil { // what is given is whole
		return w
	}
	path, _ := s.Inner(s.path)
	share := s.b.o.Connections(path)
	if share >= 1 {
		return w
	}
	owner := s
	if shared != "" {
		owner = s.At(shared)
	}
	return op.Mul(w, op.Stop(owner.Buffer("connections", drawnConnections(share), w.Spec())))
}

// drawnConnections fills with ones, each with probability share, and zeros.
func drawnConnections(share float64) graph.Init {
	return func(seed uint64, name string, t graph.Tensor) {
		r := philox.New(seed, philox.Stream(name))
		for i := range t.Data {
			t.Data[i] = 0
			if r.Float64() < share {
				t.Data[i] = 1
			}
		}
	}
}
