//go:build gpu

package gpu

import (
	"fmt"
	"math"
	"slices"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/program"
)

// chainCode is a chain made ready for the device: functions, places in memory, and how its totals are added up. Slots are
// numbered as in [program.Chain]: the root if there is one, the operands, then what each op computes.
type chainCode struct {
	size  int
	args  []operand
	ops   []chainOp
	types []graph.DType // by slot
	outs  []chainOut
	sums  []chainOut // totals over all elements
	rows  []chainOut // totals over each row of len neighbouring elements; there are not both of rows and of columns
	cols  []chainOut // totals over each column, elements that lie len apart
	len   int
	folds []chainFold
}

// reading is how a chain reads an operand.
type reading uint8

const (
	readDense    reading = iota // element i
	readSingle                  // element 0
	readRepeated                // element (i / Inner) % Period
	readLiteral                 // a number that is known
)

// operand is what a chain reads.
type operand struct {
	memory
	program.Access
	how  reading
	bits uint32 // of a literal: float32 or int32
}

// chainOp is a function applied to slots. With the name "sum" it adds up any number of them.
type chainOp struct {
	pointOp
	numbers []float32
	in, out []int
}

// chainOut is a slot with the memory that it goes to.
type chainOut struct {
	slot int
	to   memory
}

// chainFold is a total that a kernel of its own adds up when the chain has written from.
type chainFold struct {
	from, to memory
	program.Access
}

// compileChain resolves c. Where it is an epilogue, slot 0 is root.
func (b *binder) compileChain(c *program.Chain, root *memory) (*chainCode, error) {
	if err := size32("an elementwise chain", c.Size); err != nil {
		return nil, err
	}
	k := &chainCode{size: c.Size}
	if root != nil {
		k.args = append(k.args, operand{memory: *root, Access: program.Access{Inner: 1, Period: c.Size}})
	}
	for _, a := range c.Args {
		k.args = append(k.args, b.operand(c, a))
	}
	for _, a := range k.args {
		k.types = append(k.types, a.dtype)
	}
	for _, o := range c.Ops {
		if err := k.op(o); err != nil {
			return nil, err
		}
	}
	for _, o := range c.Outs {
		k.outs = append(k.outs, chainOut{o.Slot, b.e.mem[o.Buffer]})
	}
	if c.Size > 0 {
		for _, t := range c.Sums {
			k.total(b, t, len(c.Ops)+len(c.Outs) > 0)
		}
	}
	return k, nil
}

// operand says how an argument is read.
func (b *binder) operand(c *program.Chain, a program.Arg) operand {
	o := operand{memory: b.e.mem[a.Buffer], Access: a.Access, how: readRepeated}
	buf := b.e.p.Buffers[a.Buffer]
	switch {
	case buf.Place == program.Constant && len(buf.Data) == 1:
		o.how, o.bits = readLiteral, math.Float32bits(float32(buf.Data[0]))
		if buf.DType != graph.Float32 {
			o.bits = uint32(int32(buf.Data[0]))
		}
	case a.Period == 1:
		o.how = readSingle
	case a.Inner == 1 && a.Period == c.Size:
		o.how = readDense
	}
	return o
}

// op adds the function of a node.
func (k *chainCode) op(o program.ChainOp) error {
	for _, s := range o.Node.Out {
		k.types = append(k.types, s.DType)
	}
	if _, ok := o.Node.Op.(graph.Sum); ok {
		k.ops = append(k.ops, chainOp{pointOp: pointOp{function: "sum", in: len(o.In), out: 1}, in: o.In, out: o.Out})
		return nil
	}
	p, numbers, ok := pointOf(o.Node)
	if !ok {
		return fmt.Errorf("%s has no cuda kernel: %w", o.Node.Op.Name(), backend.ErrUnsupported)
	}
	p.in = min(p.in, len(o.In)) // StraightThrough has an operand more than it reads
	op := chainOp{pointOp: p, in: o.In[:p.in], out: o.Out}
	for _, x := range numbers {
		op.numbers = append(op.numbers, float32(x))
	}
	k.ops = append(k.ops, op)
	return nil
}

// empty reports whether the chain's own kernel has nothing to write.
func (k *chainCode) empty() bool { return len(k.outs)+len(k.totals()) == 0 }

// totals lists what is added up by the chain's own kernel, in the order of its addresses.
func (k *chainCode) totals() []chainOut { return slices.Concat(k.sums, k.rows, k.cols) }

// written reports whether the chain stores to the memory of m.
func (k *chainCode) written(m memory) bool {
	for _, o := range k.outs {
		if o.to.same(m) {
			return true
		}
	}
	return false
}

// memories lists what the kernel is given: operands that are no literals, outputs, totals.
func (k *chainCode) memories() []memory {
	var list []memory
	for _, a := range k.args {
		if a.how != readLiteral {
			list = append(list, a.memory)
		}
	}
	for _, o := range slices.Concat(k.outs, k.totals()) {
		list = append(list, o.to)
	}
	return list
}
