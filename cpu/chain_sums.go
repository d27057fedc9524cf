package cpu

import "aetrain/program"

// total adds up a slot by tasks and then over tasks, always in the same order.
type total struct {
	access program.Access
	from   *slot
	size   int
	dst    []float32
	parts  []float32 // tasks × Period; unused where tasks hold whole rows
	direct bool      // each task owns its elements of dst
	rows   int       // direct: elements of dst that a task owns
	sum    func([]float32) float32
	plus   func(dst, a, b []float32)
}

func (k *compiler) total(t program.Total) {
	m := k.b.e.mem[t.Buffer]
	o := &total{access: t.Access, from: k.vector(&k.slots[t.Slot]), size: k.src.Size, dst: m.f32, sum: k.b.b.vec.Sum, plus: k.b.b.vec.Add}
	// Rows that end where the next element of dst begins need no partial sums, if they are short enough to share out.
	if t.Period > 1 && t.Inner*t.Period == k.src.Size && t.Inner <= taskSize && (k.out.rowLen == 1 || k.out.rowLen == t.Inner) {
		o.direct, k.out.rowLen = true, t.Inner
	}
	k.out.sums = append(k.out.sums, o)
}

func (t *total) reserve(per, tasks int) {
	t.rows = per / t.access.Inner
	if !t.direct {
		t.parts = alloc(tasks * t.access.Period)
	}
}

// partial is what task adds to.
func (t *total) partial(task int) []float32 {
	if !t.direct {
		return t.parts[task*t.access.Period : (task+1)*t.access.Period]
	}
	return t.dst[min(task*t.rows, len(t.dst)):min((task+1)*t.rows, len(t.dst))]
}

func (t *total) add(w *worker, task, off, n int) {
	x := t.from.at(w, off, n)
	dst, base := t.partial(task), 0
	if t.direct {
		base = task * t.rows
	}
	a := t.access
	if a.Period == 1 {
		dst[0] += t.sum(x)
		return
	}
	for i := 0; i < n; {
		at := (off+i)/a.Inner%a.Period - base
		if a.Inner == 1 {
			run := min(n-i, a.Period-at)
			t.plus(dst[at:at+run], dst[at:at+run], x[i:i+run])
			i += run
			continue
		}
		run := min(n-i, a.Inner-(off+i)%a.Inner)
		dst[at] += t.sum(x[i : i+run])
		i += run
	}
}

// combine adds the partial sums of all tasks, in order.
func (t *total) combine(b *binder, tasks int) {
	if t.direct {
		return
	}
	const width = 4096
	p := t.access.Period
	b.phase((p+width-1)/width, func(_ *worker, task int) {
		from, to := task*width, min(p, (task+1)*width)
		dst := t.dst[from:to]
		copy(dst, t.parts[from:to])
		for i := 1; i < tasks; i++ {
			t.plus(dst, dst, t.parts[i*p+from:i*p+to])
		}
	}).finishes()
}
