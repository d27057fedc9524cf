package cpu

import (
	"math"

	"aetrain/cpu/vec"
	"aetrain/graph"
	"aetrain/op"
)

// update is the kernel of an optimiser's step, nil for other ops. Scalar operands are read when the step runs: the learning
// rate and the corrections change, and where ok is 0 everything stays as it was.
func (k *compiler) update(o graph.Op, out, in []*slot) instr {
	v := k.b.b.vec
	switch o := o.(type) {
	case op.SGDUpdateOp:
		h := vec.SGDArgs{WeightDecay: float32(o.WeightDecay)}
		return k.guarded(out, in, 2, in[3], func(w *worker, off, n int) {
			h := h
			h.LearningRate = in[2].number()
			v.SGD(out[0].at(w, off, n), in[0].at(w, off, n), in[1].at(w, off, n), &h)
		})
	case op.MomentumUpdateOp:
		h := vec.NewMomentumArgs(0, o.Momentum, o.WeightDecay, o.Nesterov)
		return k.guarded(out, in, 3, in[4], func(w *worker, off, n int) {
			h := h
			h.LearningRate = in[3].number()
			v.Momentum(out[0].at(w, off, n), out[1].at(w, off, n), in[0].at(w, off, n), in[1].at(w, off, n), in[2].at(w, off, n), &h)
		})
	case op.RMSPropUpdateOp:
		h := vec.NewRMSpropArgs(0, o.Alpha, o.Eps, o.WeightDecay)
		return k.guarded(out, in, 3, in[4], func(w *worker, off, n int) {
			h := h
			h.LearningRate = in[3].number()
			v.RMSprop(out[0].at(w, off, n), out[1].at(w, off, n), in[0].at(w, off, n), in[1].at(w, off, n), in[2].at(w, off, n), &h)
		})
	case op.AdamUpdateOp:
		return k.adam(o, out, in)
	}
	return nil
}

func (k *compiler) adam(o op.AdamUpdateOp, out, in []*slot) instr {
	kernel := k.b.b.vec.Adam
	h := vec.NewAdamArgs(0, o.Beta1, o.Beta2, o.Eps, o.WeightDecay, 1)
	if o.Decoupled {
		kernel, h.WeightDecay = k.b.b.vec.AdamW, 0
	}
	return k.guarded(out, in, 4, in[7], func(w *worker, off, n int) {
		h := h
		lr := in[4].number()
		h.StepSize = lr / in[5].number()
		h.InvSqrtBias2 = float32(1 / math.Sqrt(float64(in[6].number())))
		h.Decay = lr * float32(o.WeightDecay)
		kernel(out[0].at(w, off, n), out[1].at(w, off, n), out[2].at(w, off, n),
			in[0].at(w, off, n), in[1].at(w, off, n), in[2].at(w, off, n), in[3].at(w, off, n), &h)
	})
}

// guarded runs step where ok is not 0 and copies the old values otherwise; only scalars follow the first tensors inputs.
// It is nil, for the definition to take over, where an operand is of a form that the kernels do not read.
func (k *compiler) guarded(out, in []*slot, tensors int, ok *slot, step instr) instr {
	for i, s := range in {
		if (i < tensors) == (s.place == scalar) || s.place == wide {
			return nil
		}
	}
	return func(w *worker, off, n int) {
		if ok.number() != 0 {
			step(w, off, n)
			return
		}
		for i := range out {
			copy(out[i].at(w, off, n), in[i].at(w, off, n))
		}
	}
}
