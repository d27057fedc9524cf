package cpu

// patches packs the matrix of patches for a product, straight from a window: row k of that matrix is a channel and a tap, a
// column is a result, and what belongs to it lies at the window's offset of k plus that of the column. The matrix itself is
// never stored.
type patches struct {
	src  []float32
	offs []int
	cols *patchColumns
}

// patchColumns says where the columns of each panel lie: in a few runs of neighbours. Behind the last column a panel goes on
// with whatever follows in the window: the product does not store what comes of it.
type patchColumns struct {
	panel  int // columns of a panel
	vector bool
	panels []patchPanel
}

type patchPanel struct {
	runs  []patchRun
	moves []patchMove // the same in steps of 8 floats
}

// patchRun copies n neighbours from a distance in the window to a place in the panel.
type patchRun struct{ to, from, n int32 }

// columnsOf lists the runs of images·rows·cols results, images size floats apart, rows step floats.
func columnsOf(panel int, vector bool, images, size, rows, step, cols int) *patchColumns {
	p := &patchColumns{panel: panel, vector: vector}
	total := images * rows * cols
	for n := 0; n < total; n += panel {
		var q patchPanel
		for i, end := n, min(total, n+panel); i < end; {
			img, y, x := i/(rows*cols), i/cols%rows, i%cols
			k := min(end-i, cols-x)
			q.add(patchRun{int32(i - n), int32(img*size + y*step + x), int32(k)})
			i += k
		}
		last := &q.runs[len(q.runs)-1]
		last.n = int32(panel) - last.to
		for _, r := range q.runs {
			for i := int32(0); i < r.n; i += 8 {
				q.moves = append(q.moves, patchMove{from: uintptr(r.from+i) * 4, to: uintptr(r.to+i) * 4})
			}
		}
		p.panels = append(p.panels, q)
	}
	return p
}

// add appends a run, or lengthens the one before where it goes on.
func (p *patchPanel) add(r patchRun) {
	if n := len(p.runs); n > 0 {
		if last := &p.runs[n-1]; last.from+last.n == r.from {
			last.n += r.n
			return
		}
	}
	p.runs = append(p.runs, r)
}

// PackB writes panels for gemm: element (k, n) of the patches at n's panel, row k. Moves of whole vectors write over the end of
// a row, where the next row follows; so the last row is copied exactly.
func (p *patches) PackB(dst []float32, k0, k1, n0, n1 int) {
	panel, offs := p.cols.panel, p.offs[k0:k1]
	exact := 0
	if p.cols.vector {
		exact = len(offs) - 1
	}
	for n := n0; n < n1; n += panel {
		q := &p.cols.panels[n/panel]
		d := dst[:len(offs)*panel]
		dst = dst[len(d):]
		movePatches(d, p.src, offs[:exact], q.moves, panel)
		movePatchesGo(d[exact*panel:], p.src, offs[exact:], q.runs, panel)
	}
}
