package cpu

import (
	"aetrain/cpu/vec"
	"aetrain/graph"
	"aetrain/op"
)

// bindGaussianSample computes z = mu + exp(logVar/2)·eps in one pass: eps is drawn into the output's rows. Where the program has the
// KL divergence of the same mu and logVar further on, it comes out of the same pass.
func bindGaussianSample(b *binder, s *step) error {
	rows, rowLen := rowsOf(s.Case.Out[0].Shape)
	draw := newDrawer(s, s.Op.(op.GaussianSampleOp).Stream, 2, b.b.vec.Normals)
	kl := b.takeKL(rows)
	mu, logVar, z, v := s.in[0].f32, s.in[1].f32, s.out[0].f32, b.b.vec
	block := max(1, blockSize/max(1, rowLen)) // rows at once, because they are short
	b.scratch(block * rowLen)
	tasks := (rows + block - 1) / block
	p := b.phase(tasks, func(w *worker, task int) {
		from, to := task*rows/tasks, (task+1)*rows/tasks
		i, j := from*rowLen, to*rowLen
		t := w.local[:j-i]
		for r := from; r < to; r++ {
			draw.fill(z[r*rowLen:(r+1)*rowLen], r)
		}
		scaleShift(v, z[i:j], t, mu[i:j], logVar[i:j])
		if kl.size > 0 {
			klRows(v, kl.f32[from:to], t, mu[i:j], logVar[i:j])
		}
	})
	p.byExample(rows, func(task int) (from, to int) { return task * rows / tasks, (task + 1) * rows / tasks })
	if kl.size > 0 {
		p.uses = append(p.uses, kl.use(false, true))
	}
	return nil
}

// bindGaussianSampleSplit is the same in two passes: all numbers first, then the arithmetic on larger pieces.
func bindGaussianSampleSplit(b *binder, s *step) error {
	draws := *s
	if err := bindDraw(b, &draws, s.Op.(op.GaussianSampleOp).Stream, 2, b.b.vec.Normals, nil); err != nil {
		return err
	}
	mu, logVar, z, v := s.in[0].f32, s.in[1].f32, s.out[0].f32, b.b.vec
	b.scratch(blockSize)
	b.phase((len(z)+taskSize-1)/taskSize, func(w *worker, task int) {
		for i := task * taskSize; i < min(len(z), (task+1)*taskSize); i += blockSize {
			j := min(len(z), i+blockSize)
			scaleShift(v, z[i:j], w.local[:j-i], mu[i:j], logVar[i:j])
		}
	})
	return nil
}

// scaleShift makes standard normal numbers z the sample mu + exp(logVar/2)·z; t is scratch as large as z.
func scaleShift(v *vec.Kernels, z, t, mu, logVar []float32) {
	v.MulS(t, logVar, 0.5)
	v.Exp(t, t)
	v.MulAdd(z, z, t, mu)
}

// takeKL finds the KLNormal behind the step that is being bound which reads the same mu and logVar, and gives its output memory of its
// own, as it is written now and not in its turn. What it returns is empty if there is none. Such a step is bound to nothing.
func (b *binder) takeKL(rows int) memory {
	j, ok := b.e.p.KLBehind(b.at)
	if !ok || b.trial {
		return memory{}
	}
	kl := newMemory(graph.Float32, rows)
	b.e.mem[b.e.p.Steps[j].Out[0]], b.taken[j] = kl, b.at
	return kl
}
