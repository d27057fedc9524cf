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
		x, lr := k.tensors(in, 2), in[2]
		hs := perWorker(k, vec.SGDArgs{WeightDecay: float32(o.WeightDecay)})
		return guarded(out, x, in[3], func(w *worker, off, n int) {
			h := hs[w.id]
			h.LearningRate = lr.first(w, off)
			v.SGD(out[0].at(w, off, n), x[0].at(w, off, n), x[1].at(w, off, n), h)
		})
	case op.MomentumUpdateOp:
		x, lr := k.tensors(in, 3), in[3]
		hs := perWorker(k, vec.NewMomentumArgs(0, o.Momentum, o.WeightDecay, o.Nesterov))
		return guarded(out, x, in[4], func(w *worker, off, n int) {
			h := hs[w.id]
			h.LearningRate = lr.first(w, off)
			v.Momentum(out[0].at(w, off, n), out[1].at(w, off, n), x[0].at(w, off, n), x[1].at(w, off, n), x[2].at(w, off, n), h)
		})
	case op.RMSPropUpdateOp:
		x, lr := k.tensors(in, 3), in[3]
		hs := perWorker(k, vec.NewRMSpropArgs(0, o.Alpha, o.Eps, o.WeightDecay))
		return guarded(out, x, in[4], func(w *worker, off, n int) {
			h := hs[w.id]
			h.LearningRate = lr.first(w, off)
			v.RMSprop(out[0].at(w, off, n), out[1].at(w, off, n), x[0].at(w, off, n), x[1].at(w, off, n), x[2].at(w, off, n), h)
		})
	case op.RMSPropMomentumUpdateOp:
		return k.rmsPropMomentum(o, out, in)
	case op.AdamUpdateOp:
		return k.adam(o, out, in)
	}
	return nil
}

func (k *compiler) adam(o op.AdamUpdateOp, out, in []*slot) instr {
	kernel := k.b.b.vec.Adam
	args := vec.NewAdamArgs(0, o.Beta1, o.Beta2, o.Eps, o.WeightDecay, 1)
	if o.Decoupled {
		kernel, args.WeightDecay = k.b.b.vec.AdamW, 0
	}
	x, hs := k.tensors(in, 4), perWorker(k, args)
	return guarded(out, x, in[7], func(w *worker, off, n int) {
		h, lr := hs[w.id], in[4].first(w, off)
		h.StepSize = lr / in[5].first(w, off)
		h.InvSqrtBias2 = float32(1 / math.Sqrt(float64(in[6].first(w, off))))
		h.Decay = lr * float32(o.WeightDecay)
		kernel(out[0].at(w, off, n), out[1].at(w, off, n), out[2].at(w, off, n),
			x[0].at(w, off, n), x[1].at(w, off, n), x[2].at(w, off, n), x[3].at(w, off, n), h)
	})
}

// rmsPropMomentum is rare enough to be put together from smaller kernels. All results are complete before one is stored: an
// output may lie where an operand was.
func (k *compiler) rmsPropMomentum(o op.RMSPropMomentumUpdateOp, out, in []*slot) instr {
	v, x, lr := k.b.b.vec, k.tensors(in, 4), in[4]
	t := []slot{k.temp(), k.temp(), k.temp()}
	for _, s := range t {
		k.free = append(k.free, s.temp)
	}
	decay, alpha, rest, eps, momentum := float32(o.WeightDecay), float32(o.Alpha), float32(1-o.Alpha), float32(o.Eps), float32(o.Momentum)
	return guarded(out, x, in[5], func(w *worker, off, n int) {
		p, b := x[0].at(w, off, n), x[2].at(w, off, n)
		g, v2, b2 := t[0].at(w, off, n), t[1].at(w, off, n), t[2].at(w, off, n)
		v.Copy(g, x[3].at(w, off, n))
		v.AXPY(g, p, decay)
		v.Square(v2, g)
		v.MulS(v2, v2, rest)
		v.AXPY(v2, x[1].at(w, off, n), alpha)
		v.Sqrt(b2, v2)
		v.AddS(b2, b2, eps)
		v.Div(b2, g, b2)
		v.AXPY(b2, b, momentum)
		v.MulS(g, b2, -lr.first(w, off))
		v.Add(g, g, p)
		v.Copy(out[0].at(w, off, n), g)
		v.Copy(out[1].at(w, off, n), v2)
		v.Copy(out[2].at(w, off, n), b2)
	})
}

// tensors makes the first n operands vectors: parameters of a single element look like scalars.
func (k *compiler) tensors(in []*slot, n int) []*slot {
	x := make([]*slot, n)
	for i := range x {
		x[i] = k.vector(in[i])
	}
	return x
}

// perWorker copies a kernel's arguments to memory of each worker: what is passed by pointer would be allocated otherwise.
func perWorker[T any](k *compiler, args T) []*T {
	return forEachWorker(k.b, func(*worker) *T {
		own := args
		return &own
	})
}

// first is the number in a slot that holds one: a scalar, or the only element of the iteration space.
func (s *slot) first(w *worker, off int) float32 {
	if s.place == scalar {
		return s.number()
	}
	return s.at(w, off, 1)[0]
}

// guarded runs step where ok is not 0 and copies the old values, the first of x, otherwise.
func guarded(out, x []*slot, ok *slot, step instr) instr {
	return func(w *worker, off, n int) {
		if ok.first(w, off) != 0 {
			step(w, off, n)
			return
		}
		for i := range out {
			copy(out[i].at(w, off, n), x[i].at(w, off, n))
		}
	}
}
