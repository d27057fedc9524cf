package cpu

import "unsafe"

// patches packs the matrix of patches for a product, straight from a window: row k of that matrix is a channel and a tap, a
// column is a result, and what belongs to it lies at the window's offset of k plus that of the column. The matrix itself is
// never stored.
type patches struct {
	src  []float32
	offs []int
	cols *patchColumns
}

// patchColumns says where the columns of each panel lie: as few runs of neighbours.
type patchColumns struct {
	panel int // columns of a panel
	first []int32
	runs  []patchRun
}

// patchRun copies n columns; those without a source are filled with zeros.
type patchRun struct{ to, from, n int32 }

// columnsOf lists the runs of images·rows·cols results, images size floats apart, rows step floats.
func columnsOf(panel, images, size, rows, step, cols int) *patchColumns {
	p := &patchColumns{panel: panel}
	total := images * rows * cols
	for n := 0; n < total; n += panel {
		p.first = append(p.first, int32(len(p.runs)))
		end := min(total, n+panel)
		for i := n; i < end; {
			img, y, x := i/(rows*cols), i/cols%rows, i%cols
			k := min(end-i, cols-x)
			p.add(patchRun{int32(i - n), int32(img*size + y*step + x), int32(k)})
			i += k
		}
		if end < n+panel {
			p.runs = append(p.runs, patchRun{int32(end - n), -1, int32(n + panel - end)})
		}
	}
	p.first = append(p.first, int32(len(p.runs)))
	return p
}

// add appends a run, or lengthens the one before where it goes on.
func (p *patchColumns) add(r patchRun) {
	if n := len(p.runs); n > int(p.first[len(p.first)-1]) {
		if last := &p.runs[n-1]; last.from+last.n == r.from {
			last.n += r.n
			return
		}
	}
	p.runs = append(p.runs, r)
}

// zeros is what runs without a source read.
var zeros [64]float32

// PackB writes panels for gemm: element (k, n) of the patches at the n's panel, row k.
func (p *patches) PackB(dst []float32, k0, k1, n0, n1 int) {
	panel, offs := p.cols.panel, p.offs[k0:k1]
	for n := n0; n < n1; n += panel {
		runs := p.cols.runs[p.cols.first[n/panel]:p.cols.first[n/panel+1]]
		d := dst[:len(offs)*panel]
		dst = dst[len(d):]
		last := len(offs) - 1
		if panel%16 == 0 {
			p.wide(d, runs, offs[:last])
		} else {
			p.exact(d, runs, offs[:last])
		}
		p.exact(d[last*panel:], runs, offs[last:])
	}
}

// wide copies runs in whole vectors: what a run writes too much is written again by the next one, at last by the next row of the
// panel. So the panel's last row is left to exact.
func (p *patches) wide(dst []float32, runs []patchRun, offs []int) {
	if len(offs) == 0 {
		return
	}
	d, src, zero := unsafe.Pointer(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(p.src)), unsafe.Pointer(&zeros)
	for _, off := range offs {
		base := unsafe.Add(src, off*4)
		for i := range runs {
			r := &runs[i]
			to, from := unsafe.Add(d, int(r.to)*4), unsafe.Add(base, int(r.from)*4)
			if r.from < 0 {
				from = zero
			}
			switch {
			case r.n <= 4:
				*(*[4]float32)(to) = *(*[4]float32)(from)
			case r.n <= 8:
				*(*[8]float32)(to) = *(*[8]float32)(from)
			case r.n <= 16:
				*(*[16]float32)(to) = *(*[16]float32)(from)
			default:
				*(*[32]float32)(to) = *(*[32]float32)(from)
			}
		}
		d = unsafe.Add(d, p.cols.panel*4)
	}
}

// exact copies runs and nothing more.
func (p *patches) exact(dst []float32, runs []patchRun, offs []int) {
	for i, off := range offs {
		row := dst[i*p.cols.panel : (i+1)*p.cols.panel]
		for _, r := range runs {
			d := row[r.to : r.to+r.n]
			if r.from < 0 {
				clear(d)
			} else {
				copy(d, p.src[off+int(r.from):])
			}
		}
	}
}
