package cpu

// items appends a phase over n items of about cost elements each. Tasks hold as many items as make up taskSize elements, so
// what a task does depends on the shapes alone.
func (b *binder) items(n, cost int, run func(w *worker, from, to int)) *phase {
	if n <= 0 {
		return new(phase)
	}
	per := max(1, taskSize/max(1, cost))
	p := b.phase((n+per-1)/per, func(w *worker, task int) { run(w, task*per, min(n, (task+1)*per)) })
	p.count, p.span = n, run
	return p
}

// forEachWorker makes one value for each worker, for state that tasks may change.
func forEachWorker[T any](b *binder, make func(w *worker) T) []T {
	var list []T
	for _, w := range b.b.workers.all {
		list = append(list, make(w))
	}
	return list
}

// copyRange copies n elements of memories of one type.
func copyRange(dst memory, to int, src memory, from, n int) {
	switch {
	case dst.f32 != nil:
		copy(dst.f32[to:to+n], src.f32[from:from+n])
	case dst.i32 != nil:
		copy(dst.i32[to:to+n], src.i32[from:from+n])
	case dst.u8 != nil:
		copy(dst.u8[to:to+n], src.u8[from:from+n])
	}
}

// fillRange writes x to n elements.
func fillRange(dst memory, to, n int, x float64) {
	if dst.f32 == nil {
		for i := to; i < to+n; i++ {
			dst.set(i, x)
		}
		return
	}
	d, v := dst.f32[to:to+n], float32(x)
	for i := range d {
		d[i] = v
	}
}
