package program_test

import (
	"fmt"
	"math"

	"aetrain/graph"
	"aetrain/program"
)

// interpreter runs a Program in float64, as a backend would that takes every liberty which the contract leaves: chains go
// block by block, outputs are written as soon as a block's ops are done, and what Outs and Sums take from operands is
// read then. Every byte of the arena remembers the buffer that wrote it last, so that buffers which overlap while both are
// alive are seen when they are read.
type interpreter struct {
	p      *program.Program
	arena  []float64 // by byte, at an element's first
	owner  []int     // by byte
	memory map[int][]float64
	states map[string][]float64
	block  int
}

func newInterpreter(p *program.Program, feed map[string]graph.Tensor, block int) *interpreter {
	r := &interpreter{
		p: p, arena: make([]float64, p.ArenaBytes), owner: make([]int, p.ArenaBytes), memory: map[int][]float64{},
		states: map[string][]float64{}, block: block,
	}
	for i := range r.owner {
		r.owner[i] = -1
	}
	for i, b := range p.Buffers {
		switch b.Place {
		case program.Input:
			r.memory[i] = append([]float64(nil), feed[b.Name].Data...)
		case program.Constant:
			r.memory[i] = make([]float64, b.Size)
			for j := range r.memory[i] {
				r.memory[i][j] = b.Data[j%len(b.Data)]
			}
		}
	}
	for _, st := range p.States {
		x := graph.NewTensor(st.Spec)
		if fed, ok := feed[st.Name]; ok {
			copy(x.Data, fed.Data)
		} else if st.Init != nil {
			st.Init(0, st.Name, x)
		}
		r.states[st.Name], r.memory[st.Buffer] = x.Data, x.Data
	}
	return r
}

// fault is a broken promise of the program.
type fault string

func (r *interpreter) read(buffer, i int) float64 {
	b := r.p.Buffers[buffer]
	if b.Place != program.Arena {
		return r.memory[buffer][i]
	}
	at := b.Offset + i*b.DType.Bytes()
	for k := range b.DType.Bytes() {
		if r.owner[at+k] != buffer {
			panic(fault(fmt.Sprintf("element %d of buffer %d is read, but buffer %d was written there last", i, buffer, r.owner[at+k])))
		}
	}
	return r.arena[at]
}

func (r *interpreter) write(buffer, i int, x float64) {
	b := r.p.Buffers[buffer]
	if b.Place != program.Arena {
		r.memory[buffer][i] = x
		return
	}
	at := b.Offset + i*b.DType.Bytes()
	r.arena[at] = x
	for k := range b.DType.Bytes() {
		r.owner[at+k] = buffer
	}
}

func (r *interpreter) tensor(buffer int, s graph.Spec) graph.Tensor {
	t := graph.NewTensor(s)
	for i := range t.Data {
		t.Data[i] = r.read(buffer, i)
	}
	return t
}

// run executes a step of training, or of whatever the program is.
func (r *interpreter) run() (err error) {
	defer func() {
		if f, ok := recover().(fault); ok {
			err = fmt.Errorf("%s\n%v", string(f), r.p)
		}
	}()
	for i := range r.p.Steps {
		r.step(&r.p.Steps[i])
	}
	return nil
}

func (r *interpreter) step(s *program.Step) {
	var root []float64
	if s.Node != nil {
		in, out := make([]graph.Tensor, len(s.In)), make([]graph.Tensor, len(s.Out))
		for i, b := range s.In {
			in[i] = r.tensor(b, s.Node.In[i].Spec())
		}
		for i := range s.Out {
			out[i] = graph.NewTensor(s.Node.Out[i])
		}
		s.Node.Op.Eval(out, in)
		for i, b := range s.Out {
			if b >= 0 {
				for j, x := range out[i].Data {
					r.write(b, j, x)
				}
			}
		}
		root = out[0].Data
	}
	if s.Chain != nil {
		r.chain(s.Chain, root)
	}
}

func (r *interpreter) chain(c *program.Chain, root []float64) {
	sums := make([][]float64, len(c.Sums))
	for i, t := range c.Sums {
		sums[i] = make([]float64, r.p.Buffers[t.Buffer].Size)
	}
	for off := 0; off < c.Size; off += r.block {
		n := min(r.block, c.Size-off)
		var slots [][]float64
		arg := func(a program.Arg) []float64 {
			x := make([]float64, n)
			for i := range x {
				x[i] = r.read(a.Buffer, (off+i)/a.Inner%a.Period)
			}
			return x
		}
		first := 0
		if root != nil {
			slots, first = append(slots, root[off:off+n]), 1
		}
		for _, a := range c.Args {
			slots = append(slots, arg(a))
		}
		for _, o := range c.Ops {
			slots = append(slots, r.point(o, slots, n)...)
		}
		late := func(slot int) []float64 {
			if k := slot - first; k >= 0 && k < len(c.Args) {
				return arg(c.Args[k])
			}
			return slots[slot]
		}
		for _, o := range c.Outs {
			for i, x := range late(o.Slot) {
				r.write(o.Buffer, off+i, x)
			}
		}
		for k, t := range c.Sums {
			for i, x := range late(t.Slot) {
				sums[k][(off+i)/t.Inner%t.Period] += x
			}
		}
	}
	for k, t := range c.Sums {
		for i, x := range sums[k] {
			r.write(t.Buffer, i, x)
		}
	}
}

// point runs one op of a chain on a block.
func (r *interpreter) point(o program.ChainOp, slots [][]float64, n int) [][]float64 {
	in, out := make([]graph.Tensor, len(o.In)), make([]graph.Tensor, len(o.Out))
	for i, s := range o.In {
		in[i] = graph.Tensor{Spec: graph.Spec{Shape: graph.Shape{n}, DType: o.Node.In[i].Spec().DType}, Data: slots[s]}
		if o.Node.In[i].Rank() == 0 && o.Node.Out[0].Shape.Size() != 1 { // a scalar for all elements
			in[i].Shape, in[i].Data = nil, slots[s][:1]
		}
	}
	res := make([][]float64, len(out))
	for i := range out {
		out[i] = graph.NewTensor(graph.Spec{Shape: graph.Shape{n}, DType: o.Node.Out[i].DType})
		res[i] = out[i].Data
	}
	o.Node.Op.Eval(out, in)
	return res
}

// fetch returns an output.
func (r *interpreter) fetch(o program.Port) graph.Tensor { return r.tensor(o.Buffer, o.Spec) }

// differ says where two tensors are apart, measured by the largest element.
func differ(got, want []float64, tolerance float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d elements, want %d", len(got), len(want))
	}
	scale := 1e-2 // what cancels to less than that is noise
	for _, x := range want {
		if a := math.Abs(x); a > scale && !math.IsInf(a, 0) {
			scale = a
		}
	}
	for i, w := range want {
		if g := got[i]; g != w && !(math.IsNaN(g) && math.IsNaN(w)) && !(math.Abs(g-w) <= tolerance*scale) {
			return fmt.Errorf("element %d is %v, want %v (largest %v)", i, g, w, scale)
		}
	}
	return nil
}
