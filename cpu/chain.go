package cpu

import (
	"slices"

	"aetrain/graph"
	"aetrain/program"
)

// A chain runs elementwise ops over ranges of its iteration space, a block at a time: every value of a block stays in the
// first-level cache from the op that writes it to those that read it.

// blockSize is how many elements a block has: a dozen live values of 4 KB fit beside each other in a 48 KB cache.
const blockSize = 1024

// taskSize is how many elements a task has at least, when a chain runs on its own.
const taskSize = 16 * blockSize

// chainState is a worker's memory for chains: one block for each temporary.
type chainState struct{ blocks [][]float32 }

func (s *chainState) reserve(n int) {
	for len(s.blocks) < n {
		s.blocks = append(s.blocks, alloc(blockSize))
	}
}

// place of a slot's values.
type slotPlace uint8

const (
	dense  slotPlace = iota // in a buffer, element i at i
	block                   // in a temporary of the worker
	scalar                  // one number for all elements, read when the step runs
	wide                    // in a buffer of another type than float32, element i at i
)

// slot is where an instruction finds or leaves values.
type slot struct {
	place slotPlace
	mem   memory
	temp  int
}

// at returns elements off to off+n.
func (s *slot) at(w *worker, off, n int) []float32 {
	if s.place == block {
		return w.chain.blocks[s.temp][:n]
	}
	return s.mem.f32[off : off+n : off+n]
}

// number returns a scalar's value.
func (s *slot) number() float32 {
	if s.mem.f32 != nil {
		return s.mem.f32[0]
	}
	return float32(s.mem.at(0))
}

// instr computes n elements from off.
type instr func(w *worker, off, n int)

// chain is a compiled program.Chain.
type chain struct {
	size   int
	code   []instr
	sums   []*total
	temps  int
	rowLen int // tasks hold whole rows of this length; 1 where any split will do

	example int // elements of an example; 0: unknown
}

// compiler allots slots and writes code.
type compiler struct {
	b     *binder
	src   *program.Chain
	out   *chain
	slots []slot
	last  []int // op index that reads a slot last; len(Ops) where Outs or Sums do
	free  []int
	done  []int // ops that one before them has done
}

// chain compiles c. Where it is an epilogue, slot 0 is root, the product's output.
func (b *binder) chain(c *program.Chain, roots int, root memory) *chain {
	k := &compiler{b: b, src: c, out: &chain{size: c.Size, rowLen: 1, example: c.Example()}}
	n := roots + len(c.Args)
	for _, o := range c.Ops {
		n += len(o.Out)
	}
	k.slots, k.last = make([]slot, n), make([]int, n)
	k.liveness()
	if roots > 0 {
		k.slots[0] = slot{mem: root}
	}
	for i, a := range c.Args {
		k.operand(roots+i, a)
	}
	for i, o := range c.Ops {
		k.op(i, o)
	}
	k.results()
	b.slots = max(b.slots, k.out.temps)
	return k.out
}

func (k *compiler) liveness() {
	for i := range k.last {
		k.last[i] = -1
	}
	for i, o := range k.src.Ops {
		for _, in := range o.In {
			k.last[in] = i
		}
	}
	for _, o := range k.src.Outs {
		k.last[o.Slot] = len(k.src.Ops)
	}
	for _, t := range k.src.Sums {
		k.last[t.Slot] = len(k.src.Ops)
	}
}

// operand makes an argument readable: in place where it is dense or a scalar, gathered into a temporary otherwise.
func (k *compiler) operand(i int, a program.Arg) {
	m := k.b.e.mem[a.Buffer]
	switch {
	case a.Period == 1:
		k.slots[i] = slot{place: scalar, mem: m}
	case a.Inner == 1 && a.Period == k.src.Size && m.dtype != graph.Float32:
		k.slots[i] = slot{place: wide, mem: m}
	case a.Inner == 1 && a.Period == k.src.Size:
		k.slots[i] = slot{mem: m}
	default:
		k.slots[i] = k.temp()
		k.emit(gather(k.slots[i].temp, m, a.Access, k.b.b.vec.Fill))
	}
}

func (k *compiler) emit(f instr) { k.out.code = append(k.out.code, f) }

func (k *compiler) temp() slot {
	if n := len(k.free); n > 0 {
		t := k.free[n-1]
		k.free = k.free[:n-1]
		return slot{place: block, temp: t}
	}
	k.out.temps++
	return slot{place: block, temp: k.out.temps - 1}
}

// release gives back the temporaries of slots that op i reads last.
func (k *compiler) release(i int, slots []int) {
	for j, s := range slots {
		if k.last[s] == i && k.slots[s].place == block && !slices.Contains(slots[:j], s) {
			k.free = append(k.free, k.slots[s].temp)
		}
	}
}

// op writes the code of op i: its results go straight to their buffers where no later op reads what they overwrite.
func (k *compiler) op(i int, o program.ChainOp) {
	if slices.Contains(k.done, i) {
		k.release(i, o.In)
		k.drop(o.Out)
		return
	}
	if j := k.twin(i); j > 0 {
		k.both(i, j)
		return
	}
	single := len(o.Out) == 1
	if single {
		k.release(i, o.In) // its kernel may write over its own operands
	}
	for j, s := range o.Out {
		k.slots[s] = k.target(i, s, o.Node.Out[j].DType)
	}
	in, out := k.pick(o.In), k.pick(o.Out)
	k.emit(k.instruction(o.Node, out, in))
	if !single {
		k.release(i, o.In)
	}
	k.drop(o.Out)
}

// drop gives back the temporaries of results that nobody reads.
func (k *compiler) drop(slots []int) {
	for _, s := range slots {
		if k.last[s] < 0 && k.slots[s].place == block {
			k.free = append(k.free, k.slots[s].temp)
		}
	}
}

func (k *compiler) pick(slots []int) []*slot {
	list := make([]*slot, len(slots))
	for i, s := range slots {
		list[i] = &k.slots[s]
	}
	return list
}

// target decides where op i leaves slot s.
func (k *compiler) target(i, s int, d graph.DType) slot {
	for _, o := range k.src.Outs {
		if o.Slot == s {
			m := k.b.e.mem[o.Buffer]
			if m.dtype != graph.Float32 {
				return slot{place: wide, mem: m}
			}
			if !k.readLater(i, m) {
				return slot{mem: m}
			}
		}
	}
	if d != graph.Float32 {
		return slot{place: wide, mem: newMemory(d, k.src.Size)} // rare: an integer that stays inside of a chain
	}
	return k.temp()
}

// readLater reports whether an op after i reads an operand that lives in m.
func (k *compiler) readLater(i int, m memory) bool {
	for s := range k.slots {
		if k.last[s] > i && (k.slots[s].place == dense || k.slots[s].place == scalar) && same(k.slots[s].mem, m) && k.defined(s, i) {
			return true
		}
	}
	return false
}

// defined reports whether slot s has its place before op i runs.
func (k *compiler) defined(s, i int) bool {
	first := len(k.slots)
	for j := i; j < len(k.src.Ops); j++ {
		for _, o := range k.src.Ops[j].Out {
			first = min(first, o)
		}
	}
	return s < first
}

func same(a, b memory) bool {
	return a.f32 != nil && b.f32 != nil && &a.f32[0] == &b.f32[0]
}

// results writes what op left in temporaries, or what an argument already holds, to the chain's outputs, then adds the sums.
func (k *compiler) results() {
	for _, o := range k.src.Outs {
		s, m := &k.slots[o.Slot], k.b.e.mem[o.Buffer]
		switch {
		case s.place == wide && sameAny(s.mem, m), s.place == dense && same(s.mem, m):
		case m.dtype != graph.Float32 || s.place == wide:
			k.emit(copyWide(m, s.mem))
		case s.place == scalar:
			k.emit(func(w *worker, off, n int) { k.b.b.vec.Fill(m.f32[off:off+n], s.number()) })
		default:
			copyTo := k.b.b.vec.Copy
			k.emit(func(w *worker, off, n int) { copyTo(m.f32[off:off+n], s.at(w, off, n)) })
		}
	}
	for _, t := range k.src.Sums {
		k.total(t)
	}
}

func sameAny(a, b memory) bool {
	switch {
	case a.dtype != b.dtype || a.size == 0 || b.size == 0:
		return false
	case a.dtype == graph.Int32:
		return &a.i32[0] == &b.i32[0]
	case a.dtype == graph.Uint8:
		return &a.u8[0] == &b.u8[0]
	}
	return same(a, b)
}

// copyWide copies elements of any types.
func copyWide(dst, src memory) instr {
	one := src.size == 1 && dst.size != 1
	return func(_ *worker, off, n int) {
		for i := off; i < off+n; i++ {
			if one {
				dst.set(i, src.at(0))
			} else {
				dst.set(i, src.at(i))
			}
		}
	}
}

// gather copies a repeated operand into a temporary: runs of the operand, or of one of its numbers.
func gather(temp int, m memory, a program.Access, fill func([]float32, float32)) instr {
	return func(w *worker, off, n int) {
		dst := w.chain.blocks[temp][:n]
		if m.dtype != graph.Float32 {
			for i := range dst {
				dst[i] = float32(m.at((off + i) / a.Inner % a.Period))
			}
			return
		}
		for i := 0; i < n; {
			at := (off + i) / a.Inner % a.Period
			if a.Inner == 1 {
				i += copy(dst[i:], m.f32[at:a.Period])
				continue
			}
			run := min(n-i, a.Inner-(off+i)%a.Inner)
			fill(dst[i:i+run], m.f32[at])
			i += run
		}
	}
}

// run computes elements off to off+n.
func (c *chain) run(w *worker, off, n int) {
	for end := off + n; off < end; off += blockSize {
		m := min(blockSize, end-off)
		for _, f := range c.code {
			f(w, off, m)
		}
	}
}

// perTask is how many elements a task has: whole rows, and whole examples where these are not too large, a power of two of them, so
// that such tasks end where others do.
func (c *chain) perTask() int {
	if len(c.sums) == 0 {
		return taskSize
	}
	row := c.rowLen
	if c.example > 0 && c.example%row == 0 && c.example <= 2*taskSize {
		row = c.example
	}
	per := row
	for per < taskSize {
		per *= 2
	}
	return per
}

// bind appends the phases of a chain that is a step of its own.
func (c *chain) bind(b *binder) {
	if c.size == 0 {
		for _, t := range c.sums {
			b.phase(1, func(*worker, int) { clear(t.dst) })
		}
		return
	}
	per := c.perTask()
	tasks := (c.size + per - 1) / per
	for _, t := range c.sums {
		t.reserve(per, tasks)
	}
	p := b.phase(tasks, func(w *worker, task int) {
		from, to := task*per, min(c.size, (task+1)*per)
		for _, t := range c.sums {
			clear(t.partial(task))
		}
		for off := from; off < to; off += blockSize {
			m := min(blockSize, to-off)
			for _, f := range c.code {
				f(w, off, m)
			}
			for _, t := range c.sums {
				t.add(w, task, off, m)
			}
		}
	})
	unit := 1
	if c.example > 0 && c.size%c.example == 0 {
		unit = c.example
	}
	if p.units = c.size / unit; len(c.sums) == 0 {
		p.span = func(w *worker, from, to int) { c.run(w, from*unit, (to-from)*unit) }
	} else {
		p.cover = func(task int) (from, to int) { return task * per / unit, min(c.size, (task+1)*per) / unit }
		if per%unit > 0 {
			p.units = 0
		}
	}
	for _, t := range c.sums {
		t.combine(b, tasks)
	}
}
