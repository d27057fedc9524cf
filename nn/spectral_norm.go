package nn

import (
	"aetrain/graph"
	"aetrain/op"
)

// spectral divides a weight, seen as a matrix of its first axis by all others, by its largest singular value. That is estimated
// by one step of power iteration in each application of training; the vector goes on from step to step in the buffer weight_u.
// In gradients both vectors are constants.
// Source: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", algorithm 1.
func spectral(s *Scope, w graph.Value) graph.Value {
	return op.Mul(w, op.Reciprocal(largest(s, op.Reshape(w, w.Dim(0), -1))))
}

// largest estimates the largest singular value of m, outputs×inputs.
func largest(s *Scope, m graph.Value) graph.Value {
	outputs := m.Dim(0)
	kept := s.Buffer("weight_u", Normal(1), graph.F32(outputs))
	fixed := op.Stop(m)
	v := unitLength(op.MatMul(op.Reshape(kept, 1, outputs), fixed, false, false)) // 1×inputs
	next := unitLength(op.MatMul(v, fixed, false, true))                          // 1×outputs
	if s.Training() {
		s.Assign(kept, op.Reshape(next, outputs))
	}
	return op.AddConst(op.SumAll(op.Mul(op.MatMul(v, m, false, true), next)), spectralEps)
}

// spectralEps keeps the division finite where a weight is all zeros.
const spectralEps = 1e-12

func unitLength(v graph.Value) graph.Value {
	return op.Mul(v, op.Rsqrt(op.AddConst(op.SumAll(op.Square(v)), spectralEps)))
}
