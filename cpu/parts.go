package cpu

import (
	"slices"
	"unsafe"

	"aetrain/program"
)

// parts is what is known of a phase beside its tasks: the memory that it uses, and, where it works example by example, which part of
// its values each task is about. Values of different shapes are compared by fractions: units from..to of n stand for that fraction of
// every value that is read or written by example, along its first axis.
type parts struct {
	step  int  // of the program
	chain bool // which is a chain alone
	uses  []use
	units int                           // of the values; 0: the phase does not work example by example
	cover func(task int) (from, to int) // the units that a task computes; nil where there is span
	span  func(w *worker, from, to int) // computes any units
	count int                           // units of span
	role  role
	reads []int // inputs that a phase of preparation reads
}

// byExample says that a phase works example by example, by tasks that cover units.
func (p *phase) byExample(units int, cover func(task int) (from, to int)) {
	p.units, p.cover = units, cover
}

// separate says so of a phase of items, any range of which may run on its own.
func (p *phase) separate() { p.units = p.count }

// single is the cover of tasks of one unit each.
func single(task int) (from, to int) { return task, task + 1 }

// shares is the cover of tasks that are about parts of n examples, some of them about the same one.
func shares(n, parts, tasks int) func(task int) (from, to int) {
	return func(task int) (from, to int) {
		part := task / tasks
		return part * n / parts, (part + 1) * n / parts
	}
}

// prepares says that a phase reads only these inputs of its step, and writes only memory that belongs to its step.
func (p *phase) prepares(inputs ...int) { p.role, p.reads = prepares, inputs }

// finishes says that a phase writes what the step's phases before it have left in memory that belongs to the step.
func (p *phase) finishes() { p.role = finishes }

// role is what a phase of several does in its step.
type role uint8

const (
	works    role = iota // it may read and write all that the step does
	prepares             // it writes only memory that belongs to the step
	finishes             // it reads only memory that belongs to the step
)

// use is memory that a phase reads or writes.
type use struct {
	from, to uintptr
	size     int  // elements
	whole    bool // not example by example
	write    bool
}

func (m memory) use(whole, write bool) use {
	var p unsafe.Pointer
	switch {
	case m.f32 != nil:
		p = unsafe.Pointer(unsafe.SliceData(m.f32))
	case m.i32 != nil:
		p = unsafe.Pointer(unsafe.SliceData(m.i32))
	case m.u8 != nil:
		p = unsafe.Pointer(unsafe.SliceData(m.u8))
	}
	return use{from: uintptr(p), to: uintptr(p) + uintptr(m.size*m.dtype.Bytes()), size: m.size, whole: whole, write: write}
}

// conflicts reports whether the order of two uses matters; each: even if it is kept for each example.
func (u use) conflicts(v use, each bool) bool {
	return (u.write || v.write) && u.from < v.to && v.from < u.to && !(each && !u.whole && !v.whole && u.same(v))
}

func (u use) same(v use) bool { return u.from == v.from && u.to == v.to }

// conflicts reports whether the order of two phases matters; each: even if it is kept for each example. Phases of one step have
// memory in common that is not listed.
func (p *phase) conflicts(q *phase, each bool) bool {
	if p.step == q.step {
		return true
	}
	for _, u := range p.uses {
		for _, v := range q.uses {
			if u.conflicts(v, each) {
				return true
			}
		}
	}
	return false
}

// describe notes what the phases of step i use.
func (b *binder) describe(i int, s *program.Step, phases []phase) {
	inputs, outputs, known := []int(nil), true, true
	if s.Node != nil {
		inputs, outputs, known = program.ByExample(s.Node)
	}
	for k := range phases {
		p := &phases[k]
		p.step, p.chain = i, s.Node == nil
		switch {
		case p.role == prepares:
			for _, in := range p.reads {
				p.uses = append(p.uses, b.e.mem[s.In[in]].use(true, false))
			}
		case p.role == finishes:
			for _, out := range finished(s) {
				p.uses = append(p.uses, b.e.mem[out].use(true, true))
			}
		default:
			if !known {
				p.units = 0
			}
			b.list(p, s, inputs, outputs)
		}
	}
}

// finished are the buffers that a phase behind s's other ones writes: a chain alone leaves only its sums to it.
func finished(s *program.Step) []int {
	if s.Node != nil {
		return s.Writes()
	}
	list := make([]int, len(s.Chain.Sums))
	for i, t := range s.Chain.Sums {
		list[i] = t.Buffer
	}
	return list
}

// list notes what one phase uses: all that its step does. A phase by examples whose step's outputs are not parted leaves those to
// the phases behind it.
func (b *binder) list(p *phase, s *program.Step, inputs []int, outputs bool) {
	mixed := p.units == 0
	for k, in := range s.In {
		p.uses = append(p.uses, b.e.mem[in].use(mixed || !slices.Contains(inputs, k), false))
	}
	if !mixed && !outputs {
		return
	}
	for _, out := range s.Out {
		if out >= 0 {
			p.uses = append(p.uses, b.e.mem[out].use(mixed, true))
		}
	}
	if s.Chain == nil {
		return
	}
	for _, a := range s.Chain.Args {
		p.uses = append(p.uses, b.e.mem[a.Buffer].use(mixed || !a.Dense(s.Chain.Size), false))
	}
	for _, o := range s.Chain.Outs {
		p.uses = append(p.uses, b.e.mem[o.Buffer].use(mixed, true))
	}
	for _, t := range s.Chain.Sums {
		if mixed || t.Dense(s.Chain.Size) { // others are written by the phases behind this one
			p.uses = append(p.uses, b.e.mem[t.Buffer].use(mixed, true))
		}
	}
}
