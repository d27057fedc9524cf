//go:build gpu

package gpu

import (
	"slices"

	"aetrain/graph"
	"aetrain/program"
)

// store is what a kernel of a product computes while it stores: a bias, then a function of one operand.
type store struct {
	bias       any // memory, or nilMemory
	activation int
}

// plain stores what was computed.
var plain = store{bias: nilMemory{}}

// activations are the functions that a store may end with, by their number in kernels/cuda/tile.cuh.
var activations = map[string]int{"ReLU": 1, "Sigmoid": 2, "Tanh": 3, "Softplus": 4}

// storeOf takes what our own kernels compute in their store off the step's epilogue: a bias read as a says, and a function that
// alone reads the sum.
func (b *binder) storeOf(s *step, a program.Access) store {
	st := plain
	if productWanted(s) {
		return st
	}
	before := outsOf(s)
	if bias, relu, ok := b.takeBias(s, a, true); ok {
		st.bias = bias
		if relu {
			st.activation = activations["ReLU"]
			return st
		}
	}
	if outsOf(s) == before { // else the sum itself is wanted, too
		st.activation = b.takeActivation(s)
	}
	return st
}

// productWanted says that the product itself is read by other steps, so that a store must not change it.
func productWanted(s *step) bool { return s.Step.Out[0] >= 0 }

// outsOf counts the outputs of a step's epilogue.
func outsOf(s *step) int {
	if s.epilogue == nil {
		return 0
	}
	return len(s.epilogue.Outs)
}

// takeActivation takes a function that alone reads the product off the step's epilogue; 0 where there is none.
func (b *binder) takeActivation(s *step) int {
	c := s.epilogue
	if c == nil || slotReaders(c, 0) != 1 {
		return 0
	}
	i := slices.IndexFunc(c.Ops, func(o program.ChainOp) bool { return slices.Contains(o.In, 0) })
	if i < 0 {
		return 0
	}
	o := c.Ops[i]
	number := activations[o.Node.Op.Name()]
	if number == 0 || o.Node.Out[0].DType != graph.Float32 {
		return 0
	}
	rest := without(c, map[int]bool{i: true}, o.Out[0])
	rest.Outs = slices.DeleteFunc(rest.Outs, func(o program.Out) bool { return o.Slot == 0 && b.e.mem[o.Buffer].same(s.out[0]) })
	s.epilogue = rest
	if len(rest.Outs)+len(rest.Sums) == 0 {
		s.epilogue = nil
	}
	return number
}

// of is the store of a kernel whose sums are complete, or plain where sumParts follows.
func (s store) of(parts int) store {
	if parts == 1 {
		return s
	}
	return plain
}
