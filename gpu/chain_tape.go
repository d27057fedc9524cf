//go:build gpu

package gpu

import (
	"math"

	"aetrain/graph"
)

// tapeSlots is how many values of a tape are alive at a time: CHAIN_SLOTS of kernels/cuda/chain.cu.
const tapeSlots = 32

// tape writes the code of a chain for the interpreter, kernels/cuda/chain.cu. Operands are loaded where they are first needed;
// where slots run out, the value that is needed last goes to scratch memory, or is read again if it is an operand.
type tape struct {
	k        *chainCode
	b        *binder
	code     []uint32
	pointers []memory
	slot     []int // by the chain's slot: the tape's, -1 while it has none
	holds    []int // by the tape's slot: the chain's, -1 if it is free
	spilled  []memory
	uses     [][]int // by the chain's slot: the ops that read it, len(ops) for totals and outputs that wait
	at       int     // the op that is written
	pinned   [tapeSlots]bool
}

// newTape writes k.
func newTape(b *binder, k *chainCode) *tape {
	n := len(k.types)
	t := &tape{k: k, b: b, slot: make([]int, n), holds: make([]int, tapeSlots), spilled: make([]memory, n), uses: make([][]int, n)}
	for i := range t.slot {
		t.slot[i] = -1
	}
	for i := range t.holds {
		t.holds[i] = -1
	}
	t.findUses()
	for i, o := range k.ops {
		t.at = i
		if o.function == "sum" {
			t.sum(o)
		} else {
			t.op(o)
		}
		t.early(o)
		t.done()
	}
	t.at = len(k.ops)
	t.totals()
	for _, o := range t.waiting() {
		t.store(o)
	}
	t.emit(codeEnd, 0, 0, 0)
	for _, o := range k.totals() {
		t.pointers = append(t.pointers, o.to)
	}
	return t
}

func (t *tape) findUses() {
	for i, o := range t.k.ops {
		for _, s := range o.in {
			t.uses[s] = append(t.uses[s], i)
		}
	}
	for _, o := range append(t.waiting(), t.k.totals()...) {
		t.uses[o.slot] = append(t.uses[o.slot], len(t.k.ops))
	}
}

// waiting are the outputs that are stored when all operands have been read.
func (t *tape) waiting() []chainOut {
	var list []chainOut
	for _, o := range t.k.outs {
		if t.late(o) {
			list = append(list, o)
		}
	}
	return list
}

func (t *tape) emit(op uint32, d, a, b int, words ...uint32) {
	t.code = append(t.code, op|uint32(d)<<8|uint32(a)<<16|uint32(b)<<24)
	t.code = append(t.code, words...)
}

// pointer is the number of m among the tape's addresses.
func (t *tape) pointer(m memory) uint32 {
	for i, p := range t.pointers {
		if p.same(m) {
			return uint32(i)
		}
	}
	t.pointers = append(t.pointers, m)
	return uint32(len(t.pointers) - 1)
}

// nextUse is the op that reads slot s next, behind all ops if none does.
func (t *tape) nextUse(s int) int {
	for _, u := range t.uses[s] {
		if u >= t.at {
			return u
		}
	}
	return len(t.k.ops) + 1
}

// free finds a slot of the tape, by putting away the value that is needed last if it has to.
func (t *tape) free() int {
	best, last := -1, -1
	for i, s := range t.holds {
		if s < 0 {
			return i
		}
		if u := t.nextUse(s); !t.pinned[i] && u > last {
			best, last = i, u
		}
	}
	s := t.holds[best]
	if s >= len(t.k.args) && t.spilled[s].block == nil && last <= len(t.k.ops) {
		t.spilled[s] = t.b.scratch(graph.Int32, t.k.size) // four bytes of any type
		t.emit(codeStore, best, 0, 0, t.pointer(t.spilled[s]))
	}
	t.slot[s], t.holds[best] = -1, -1
	return best
}

// place gives the chain's slot s a slot of the tape, pinned while the op is written.
func (t *tape) place(s int) int {
	d := t.free()
	t.slot[s], t.holds[d], t.pinned[d] = d, s, true
	return d
}

// need makes the value of s readable.
func (t *tape) need(s int) int {
	if d := t.slot[s]; d >= 0 {
		t.pinned[d] = true
		return d
	}
	d := t.place(s)
	if s >= len(t.k.args) {
		t.emit(codeLoad, d, 0, 0, t.pointer(t.spilled[s]))
		return d
	}
	a := t.k.args[s]
	byte8 := uint32(0)
	if a.dtype == graph.Uint8 {
		byte8 = 1
	}
	switch a.how {
	case readLiteral:
		t.emit(codeConst, d, 0, 0, a.bits)
	case readSingle:
		t.emit(codeOne+byte8, d, 0, 0, t.pointer(a.memory))
	case readDense:
		t.emit(codeLoad+byte8, d, 0, 0, t.pointer(a.memory))
	default:
		m1, s1 := divisor32(a.Inner)
		m2, s2 := divisor32(a.Period)
		t.emit(codeAt+byte8, d, 0, 0, t.pointer(a.memory), m1, uint32(s1), m2, uint32(s2), uint32(a.Period))
	}
	return d
}

// done releases what nothing reads behind the current op.
func (t *tape) done() {
	t.pinned = [tapeSlots]bool{}
	t.at++
	for i, s := range t.holds {
		if s >= 0 && t.nextUse(s) > len(t.k.ops) {
			t.slot[s], t.holds[i] = -1, -1
		}
	}
	t.at--
}

// op writes one function.
func (t *tape) op(o chainOp) {
	var in, out []int
	for _, s := range o.in {
		in = append(in, t.need(s))
	}
	for _, s := range o.out {
		out = append(out, t.place(s))
	}
	var words []uint32
	if o.update() {
		for i, s := range append(in, out...) {
			if i%4 == 0 {
				words = append(words, 0)
			}
			words[i/4] |= uint32(s) << (8 * (i % 4))
		}
		in, out = []int{0, 0}, []int{0}
	} else if len(in) == 3 {
		words = append(words, uint32(in[2]))
	}
	for _, x := range o.numbers {
		words = append(words, math.Float32bits(x))
	}
	if len(in) == 1 {
		in = append(in, 0)
	}
	t.emit(o.code, out[0], in[0], in[1], words...)
}

// sum adds operands one by one, so that two slots are enough for any number of them.
func (t *tape) sum(o chainOp) {
	first := t.need(o.in[0])
	acc := t.place(o.out[0])
	if len(o.in) == 1 {
		t.emit(pointOps["Move"].code, acc, first, 0)
	}
	for i, s := range o.in[1:] {
		x := t.need(s)
		if i == 0 {
			t.emit(pointOps["Add"].code, acc, first, x)
		} else {
			t.emit(pointOps["Add"].code, acc, acc, x)
		}
		t.pinned = [tapeSlots]bool{}
		t.pinned[acc] = true
	}
}

// late reports outputs that have to wait until all operands are read: they lie over one, or are one.
func (t *tape) late(o chainOut) bool {
	if o.slot < len(t.k.args) {
		return true
	}
	for _, a := range t.k.args {
		if a.how != readLiteral && a.same(o.to) {
			return true
		}
	}
	return false
}

// early stores the outputs of an op that need not wait.
func (t *tape) early(op chainOp) {
	for _, o := range t.k.outs {
		for _, s := range op.out {
			if o.slot == s && !t.late(o) {
				t.store(o)
			}
		}
	}
}

func (t *tape) store(o chainOut) {
	d, code := t.need(o.slot), codeStore
	if t.k.types[o.slot] == graph.Uint8 {
		code = codeStore8
	}
	t.emit(code, d, 0, 0, t.pointer(o.to))
	t.pinned = [tapeSlots]bool{}
}

func (t *tape) totals() {
	for i, o := range t.k.sums {
		t.emitTotal(codeSum, i, o)
	}
	for i, o := range t.k.rows {
		t.emitTotal(codeRow, i, o)
	}
	for i, o := range t.k.cols {
		t.emitTotal(codeColumn, i, o)
	}
}

func (t *tape) emitTotal(code uint32, i int, o chainOut) {
	t.emit(code, t.need(o.slot), i, 0)
	t.pinned = [tapeSlots]bool{}
}
