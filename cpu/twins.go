package cpu

import (
	"slices"

	"aetrain/cpu/vec"
	"aetrain/program"
)

// Twins are ops of a chain which share most of what they compute: the cross-entropy of logits and, for its gradient, their sigmoid both
// need the exponential. One kernel runs in place of the first, and the second is done then.

// twin is the op that runs with one before it, by the name of that; both read the first one's operand 0. The kernel writes the results
// of both from the first one's two operands.
type twin struct {
	second string
	kernel func(k *vec.Kernels) func(first, second, x, y []float32)
}

var twins = map[string]twin{
	"BCEWithLogits": {"Sigmoid", func(k *vec.Kernels) func(first, second, x, y []float32) { return k.BCEAndSigmoid }},
}

// twin returns the op after op i that is its twin, or 0.
func (k *compiler) twin(i int) int {
	o := &k.src.Ops[i]
	t, ok := twins[o.Node.Op.Name()]
	if !ok || anyWide(k.pick(o.In)) {
		return 0
	}
	for j := i + 1; j < len(k.src.Ops); j++ {
		if p := &k.src.Ops[j]; p.Node.Op.Name() == t.second && p.In[0] == o.In[0] && !slices.Contains(k.done, j) {
			return j
		}
	}
	return 0
}

// both writes the code of op i and its twin j.
func (k *compiler) both(i, j int) {
	o, p := &k.src.Ops[i], &k.src.Ops[j]
	for _, q := range []*program.ChainOp{o, p} {
		k.slots[q.Out[0]] = k.target(i, q.Out[0], q.Node.Out[0].DType)
	}
	first, second := &k.slots[o.Out[0]], &k.slots[p.Out[0]]
	x, y := k.vector(&k.slots[o.In[0]]), k.vector(&k.slots[o.In[1]])
	kernel := twins[o.Node.Op.Name()].kernel(k.b.b.vec)
	k.emit(func(w *worker, off, n int) {
		kernel(first.at(w, off, n), second.at(w, off, n), x.at(w, off, n), y.at(w, off, n))
	})
	k.done = append(k.done, j)
	k.release(i, o.In)
	k.drop(o.Out)
}
