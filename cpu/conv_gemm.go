package cpu

import (
	"aetrain/cpu/gemm"
	"aetrain/op"
)

// bindConvGEMM and bindConvTransposeGEMM multiply the weights by the matrix of patches, which is made panel by panel while it is
// needed. A task is some rows of an image or some images; see convolution.cut.
func bindConvGEMM(b *binder, s *step) error {
	c := newConv2D(s.Op.(op.Conv), s.Case.In[0].Shape, s.Case.In[1].Shape, s.Case.Out[0].Shape)
	c.cut(b.b.tier, gemm.NR(b.b.tier))
	weights := s.in[1].f32
	b.convGEMM(s, c, [][]float32{weights})
	return nil
}

func bindConvTransposeGEMM(b *binder, s *step) error {
	c := newConvTranspose2D(s.Op.(op.ConvTranspose), s.Case.In[0].Shape, s.Case.In[1].Shape, s.Case.Out[0].Shape)
	c.cut(b.b.tier, gemm.NR(b.b.tier))
	b.convGEMM(s, c, b.packTransposed(c, s.in[1].f32))
	return nil
}

// packTransposed brings the weights Cin×Cout×KH×KW into the form that each phase needs, Cout×(Cin·taps), in a phase of tasks: the
// weights change with every step.
func (b *binder) packTransposed(c *convolution, w []float32) [][]float32 {
	packed := make([][]float32, len(c.phases))
	for i, p := range c.phases {
		packed[i] = alloc(c.outC * len(p.offs))
	}
	all := c.kh * c.kw
	b.items(c.outC, c.c*all*2, func(_ *worker, from, to int) {
		for o := from; o < to; o++ {
			group, m := o/c.m, o%c.m
			for i, p := range c.phases {
				dst := packed[i][o*len(p.offs) : (o+1)*len(p.offs)]
				for ch := range c.c {
					src := w[((group*c.c+ch)*c.m+m)*all:][:all]
					for j, t := range p.taps {
						dst[ch*len(p.taps)+j] = src[t]
					}
				}
			}
		}
	}).prepares(1)
	return packed
}

// convTask is what a task does: some images, or some rows of one.
type convTask struct {
	image, images int
	row, rows     int
}

// tasks lists all tasks.
func (c *convolution) tasks() []convTask {
	var ts []convTask
	rows := c.h[0].count
	for n := 0; n < c.n; n += c.images {
		for r := 0; r < rows; r += c.rows {
			ts = append(ts, convTask{n, min(c.images, c.n-n), r, min(c.rows, rows-r)})
		}
	}
	return ts
}

// covers says which images a task is about.
func covers(tasks []convTask) func(task int) (from, to int) {
	return func(task int) (from, to int) { return tasks[task].image, tasks[task].image + tasks[task].images }
}

// convProduct is the product of one phase for tasks of one size.
type convProduct struct {
	plan *gemm.Plan
	cols *patchColumns
	rows int // of results
}

// convSize is what the products of a task depend on.
type convSize struct{ images, rows, phase int }

// convGEMM appends the phase of tasks. weights holds, for each phase of c, rows of weights by result channel.
func (b *binder) convGEMM(s *step, c *convolution, weights [][]float32) {
	tasks, inPlace := c.tasks(), c.images == 1 && len(c.phases) == 1
	products := map[convSize]*convProduct{}
	var list [][]*convProduct // by task and phase
	scratch, local := 0, 0
	for _, t := range tasks {
		var ps []*convProduct
		for i, p := range c.phases {
			key := convSize{t.images, min(t.rows, p.rows-t.row), i}
			if products[key] == nil {
				products[key] = b.convProduct(c, p, key, inPlace)
				if q := products[key]; q.plan != nil {
					local = max(local, q.plan.LocalFloats())
				}
				scratch = max(scratch, c.m*key.images*key.rows*p.cols)
			}
			ps = append(ps, products[key])
		}
		list = append(list, ps)
	}
	if inPlace {
		scratch = 0
	}
	windows := c.images*c.win.size + windowSlack
	b.scratch(windows + scratch*c.stepW + local)
	type state struct {
		call gemm.Call
		pack patches
	}
	states := forEachWorker(b, func(*worker) *state { return new(state) })
	x, y := s.in[0].f32, s.out[0].f32
	b.phase(len(tasks), func(w *worker, task int) {
		t, st := tasks[task], states[w.id]
		win, sums := w.local[:windows], w.local[windows:windows+scratch*c.stepW]
		st.call.Local, st.call.PackerB = w.local[windows+scratch*c.stepW:], &st.pack
		c.fill(win, x, t)
		for g := range c.groups {
			for i, p := range c.phases {
				q := list[task][i]
				at := p.qx * scratch
				switch {
				case q.plan == nil:
					clear(sums[at : at+scratch])
				default:
					st.pack = patches{win[g*c.c*c.win.plane:], p.offs, q.cols}
					st.call.A = weights[i][g*c.m*len(p.offs):]
					if inPlace {
						st.call.C = y[((t.image*c.outC+g*c.m)*c.outH+t.row)*c.outW:]
					} else {
						st.call.C = sums[at : at+scratch]
					}
					q.plan.Do(0, &st.call)
				}
				if !inPlace && p.qx == min(c.stepW, c.outW)-1 {
					c.store(y, sums, scratch, t, g, p.qy, q.rows)
				}
			}
		}
		c.finish(s, w, t)
	}).byExample(c.n, covers(tasks))
}

// convProduct plans the product of one phase; its plan is nil where no tap meets the phase or no row is left.
func (b *binder) convProduct(c *convolution, p convPhase, key convSize, inPlace bool) *convProduct {
	q := &convProduct{rows: max(0, key.rows)}
	if key.rows <= 0 || len(p.offs) == 0 {
		return q
	}
	shape := gemm.Shape{M: c.m, N: key.images * key.rows * p.cols, K: len(p.offs)}
	if inPlace {
		shape.LDC = c.outH * c.outW
	}
	q.plan = gemm.NewPlan(b.b.tier, shape, gemm.Options{Serial: true, CustomB: true})
	q.cols = columnsOf(gemm.NR(b.b.tier), vectorMoves(b.b.tier), key.images, c.win.size, key.rows, c.sourceStep*c.win.pitch, p.cols)
	return q
}

// fill copies the windows of a task.
func (c *convolution) fill(win, x []float32, t convTask) {
	size := c.inC * c.inH * c.inW
	height := c.win.height - (c.rows-t.rows)*c.sourceStep
	for i := range t.images {
		c.win.fill(win[i*c.win.size:], x[(t.image+i)*size:(t.image+i+1)*size], t.row*c.sourceStep, height, 0, c.inC)
	}
}

// store moves the results of group g from sums, one block for each phase of columns, to the rows qy of the image.
func (c *convolution) store(y, sums []float32, block int, t convTask, g, qy, rows int) {
	columns := c.outW
	for o := range c.m {
		for i := range t.images {
			plane := y[((t.image+i)*c.outC+g*c.m+o)*c.outH*c.outW:]
			if c.stepW == 1 && c.stepH == 1 {
				n := rows * columns
				copy(plane[t.row*columns:t.row*columns+n], sums[(o*t.images+i)*n:])
				continue
			}
			for r := range rows {
				dst := plane[((t.row+r)*c.stepH+qy)*columns:][:columns]
				c.interleave(dst, sums, block, (o*t.images+i)*rows+r)
			}
		}
	}
}

// interleave writes row r of each block to a row of the image, in turn.
func (c *convolution) interleave(dst, sums []float32, block, r int) {
	if c.stepW == 2 && len(dst) > 1 {
		n0, n1 := (len(dst)+1)/2, len(dst)/2
		even, odd := sums[r*n0:(r+1)*n0], sums[block+r*n1:block+(r+1)*n1]
		interleave2(c.win.tier, dst, even[:n1], odd)
		if n0 > n1 {
			dst[2*n1] = even[n1]
		}
		return
	}
	for q, p := range c.w {
		src := sums[q*block+r*p.count:][:p.count]
		for j, v := range src {
			dst[j*c.stepW+q] = v
		}
	}
}

// finish runs the step's chain on a task's results.
func (c *convolution) finish(s *step, w *worker, t convTask) {
	if s.chain == nil {
		return
	}
	plane := c.outH * c.outW
	if t.rows == c.h[0].count {
		s.chain.run(w, t.image*c.outC*plane, t.images*c.outC*plane)
		return
	}
	from, to := t.row*c.stepH, min(c.outH, (t.row+t.rows)*c.stepH)
	for o := range c.outC {
		s.chain.run(w, (t.image*c.outC+o)*plane+from*c.outW, (to-from)*c.outW)
	}
}
