package cpu

import (
	"aetrain/cpu/cpuinfo"
	"aetrain/graph"
	"aetrain/op"
)

// winogradWeight is the gradient of a weight by the algorithm of the convolution, turned round: where the convolution computes
// Σ (form of samples) · (form of taps) for results, the gradient of a form of taps is
//
//	Σ_tiles (form of samples) · (form of the results' gradients)
//
// and tiles are the steps of matrix products. Samples and gradients are positions × channels here. A task sums some images for
// some channels of dy; the parts are added in order, so that the number of threads changes nothing.
type winogradWeight struct {
	tier   cpuinfo.Tier
	n      int
	ci, co int
	h, w   winogradAxis
	sums   []winogradSum
	taps   [][]term // by tap, of the forms' gradients
	forms  int      // forms of taps

	parts, images, rows int // of images; images, or rows of tiles of one, that are worked on together
	blocks, block       int // of channels of dy
	ldX, ldG            int // floats from one step of a product to the next
	xRows, steps        int // rows of samples, steps, of a block of images or rows
}

// winogradSum is what the convolution would sum: in the gradient, all that is multiplied by one form of results' gradients.
type winogradSum struct {
	h, w     int    // sums of the axes
	grad     []term // of a tile's results, place = row·(results of a row) + column
	products []winogradProduct
}

// winogradProduct is a form of samples, place = row·(samples of a row) + column, and the form of taps that gets its product.
type winogradProduct struct {
	in     []term
	weight int
}

// axisProduct is a product of one axis: which form of samples and which form of taps.
type axisProduct struct{ in, weight int }

// transposed lists, for each of n columns of a matrix of forms, the terms of its rows.
func transposed(forms [][]term, n int) [][]term {
	list := make([][]term, n)
	for i, form := range forms {
		for _, t := range form {
			list[t.at] = append(list[t.at], term{i, t.coef})
		}
	}
	return list
}

// bySum lists the products of an algorithm by the sum that they are part of.
func (b *bilinear) bySum() [][]axisProduct {
	list := make([][]axisProduct, b.sums)
	for _, g := range b.groups {
		for i, s := range g.sums {
			for j, in := range g.ins {
				list[s] = append(list[s], axisProduct{in, g.weights[i][j]})
			}
		}
	}
	return list
}

func newWinogradWeight(t cpuinfo.Tier, o op.ConvWeightGrad, x, dy graph.Shape) *winogradWeight {
	h, firstH := downAxis(o.StrideH, o.PadTop)
	w, firstW := downAxis(o.StrideW, o.PadLeft)
	g := &winogradWeight{
		tier: t, n: x[0], ci: x[1], co: dy[1], h: newAxis(h, firstH, x[2], dy[2]), w: newAxis(w, firstW, x[3], dy[3]),
		forms: len(h.weights) * len(w.weights),
	}
	gradsH, gradsW, productsW := transposed(h.outs, h.sums), transposed(w.outs, w.sums), w.bySum()
	for i, productsH := range h.bySum() {
		for j := range w.sums {
			sum := winogradSum{h: i, w: j, grad: tensorProduct(gradsH[i], gradsW[j], w.results)}
			for _, p := range productsH {
				for _, q := range productsW[j] {
					in := tensorProduct(h.ins[p.in], w.ins[q.in], w.samples)
					sum.products = append(sum.products, winogradProduct{in, p.weight*len(w.weights) + q.weight})
				}
			}
			g.sums = append(g.sums, sum)
		}
	}
	tapsH, tapsW := transposed(h.weights, 3), transposed(w.weights, 3)
	for i := range 3 {
		for j := range 3 {
			g.taps = append(g.taps, tensorProduct(tapsH[i], tapsW[j], len(w.weights)))
		}
	}
	g.cut()
	return g
}

// Sizes of a winogradWeight's tasks: how many there should be, elements of all parts, steps of a product, channels of dy.
const (
	winogradTasks    = 8
	winogradParts    = 1 << 19
	winogradSteps    = 128
	winogradChannels = 48
)

// cut sets what a task does, from the shapes alone.
func (g *winogradWeight) cut() {
	tiles := g.h.tiles * g.w.tiles
	g.parts = min(winogradTasks, g.n, max(2, winogradParts/g.size()))
	g.blocks = max(1, min((winogradTasks+g.parts-1)/g.parts, g.co/winogradChannels))
	g.block = ((g.co+g.blocks-1)/g.blocks + 7) / 8 * 8 // whole vectors
	g.blocks = (g.co + g.block - 1) / g.block
	g.images, g.rows = max(1, min((g.n+g.parts-1)/g.parts, winogradSteps/tiles)), g.h.tiles
	if tiles > winogradSteps {
		g.rows = max(1, winogradSteps/g.w.tiles)
	}
	g.ldX, g.ldG = oddLines(g.ci), oddLines(g.block)
	g.xRows = (g.rows-1)*g.h.step + g.h.samples
	g.steps = g.images * g.rows * g.w.tiles
}

// size is the number of sums of a part.
func (g *winogradWeight) size() int { return g.forms * g.co * g.ci }

// bindConvWeightWinograd appends the parts' sums, and what makes dW of them.
func bindConvWeightWinograd(b *binder, s *step) error {
	g := newWinogradWeight(b.b.tier, s.Op.(op.ConvWeightGrad), s.Case.In[0].Shape, s.Case.In[1].Shape)
	x, dy, dw := s.in[0].f32, s.in[1].f32, s.out[0].f32
	sums := alloc(g.parts * g.size())
	sizes := []int{
		oddLines(g.images * g.xRows * g.w.size * g.ci), oddLines(g.images * g.rows * g.h.results * g.w.count * g.block),
		g.steps * g.ldX, g.steps * g.ldG,
	}
	total := 0
	for _, n := range sizes {
		total += n
	}
	b.scratch(total)
	states := forEachWorker(b, func(*worker) *winogradWeightState {
		return &winogradWeightState{winogradWeight: g, x: x, dy: dy, transpose: b.b.vec.Transpose2D}
	})
	b.phase(g.parts*g.blocks, func(w *worker, task int) {
		st, local := states[w.id], w.local
		for i, part := range []*[]float32{&st.samples, &st.grads, &st.ins, &st.outs} {
			*part, local = local[:sizes[i]], local[sizes[i]:]
		}
		part := task / g.blocks
		st.c0 = task % g.blocks * g.block
		st.channels = min(g.block, g.co-st.c0)
		st.total = sums[part*g.size() : (part+1)*g.size()]
		st.run(part*g.n/g.parts, (part+1)*g.n/g.parts)
	}).byExample(g.n, shares(g.n, g.parts, g.blocks))
	g.combinePhase(b, dw, sums)
	return nil
}

// combinePhase appends the phase that adds the parts and makes gradients of taps of those of their forms.
func (g *winogradWeight) combinePhase(b *binder, dw, sums []float32) {
	forms, taps := g.forms*g.ci, 9*g.ci
	b.scratch(forms + taps)
	add, transpose := b.b.vec.Add, b.b.vec.Transpose2D
	lines := forEachWorker(b, func(*worker) *linear { return new(linear) })
	b.items(g.co, forms*(g.parts+1)+taps*4, func(w *worker, from, to int) {
		f, t, l := w.local[:forms], w.local[forms:forms+taps], lines[w.id]
		for o := from; o < to; o++ {
			for i := range g.forms {
				dst, at := f[i*g.ci:(i+1)*g.ci], (i*g.co+o)*g.ci
				copy(dst, sums[at:])
				for p := 1; p < g.parts; p++ {
					add(dst, dst, sums[p*g.size()+at:][:g.ci])
				}
			}
			for i, form := range g.taps {
				l.sum(g.tier, t[i*g.ci:(i+1)*g.ci], form, g.ci, func(at int) []float32 { return f[at*g.ci : (at+1)*g.ci] })
			}
			transpose(dw[o*taps:(o+1)*taps], t, 9, g.ci, 9, g.ci)
		}
	}).finishes()
}
