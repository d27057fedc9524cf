package program

import (
	"fmt"

	"aetrain/graph"
)

// verifyGraph checks what every pass relies on: nodes stand in order, after their inputs, in one graph, and each has the
// shapes and types that its op's rule gives for those of its inputs.
func verifyGraph(u *unit) error {
	for id, n := range u.m.g.Nodes() {
		if n.ID != id || n.Graph() != u.m.g {
			return fmt.Errorf("node %d (%s) is numbered %d, or belongs to another graph", id, n.Op.Name(), n.ID)
		}
		if err := verifyNode(u.m.g, n); err != nil {
			return fmt.Errorf("node %d (%s, %s): %w", id, n.Op.Name(), n.Path, err)
		}
	}
	for _, r := range u.m.roots() {
		if r.Graph() != u.m.g || r.Index >= len(r.Node.Out) {
			return fmt.Errorf("a value to compute is none of the graph")
		}
	}
	for _, a := range u.m.assigns {
		if st := u.m.g.Lookup(a.name); st == nil || !st.Spec.Equal(a.value.Spec()) {
			return fmt.Errorf("state %s is assigned %v", a.name, a.value.Spec())
		}
	}
	return nil
}

func verifyNode(g *graph.Graph, n *graph.Node) error {
	in := make([]graph.Spec, len(n.In))
	for i, v := range n.In {
		if v.Graph() != g || v.Node.ID >= n.ID || v.Index < 0 || v.Index >= len(v.Node.Out) {
			return fmt.Errorf("input %d is no earlier value of the graph", i)
		}
		in[i] = v.Spec()
	}
	out, err := n.Op.Infer(in)
	if err != nil {
		return err
	}
	if len(out) != len(n.Out) {
		return fmt.Errorf("has %d outputs, its rule gives %d", len(n.Out), len(out))
	}
	for i := range out {
		if !out[i].Equal(n.Out[i]) {
			return fmt.Errorf("output %d is %v, its rule gives %v", i, n.Out[i], out[i])
		}
	}
	return nil
}

// Verify checks what every backend relies on: buffers are written before they are read, only what may change is written,
// every operand has the size that is read of it, what a chain overwrites is read by its ops alone, slots are defined before
// they are used, and live buffers never overlap.
func Verify(p *Program) error {
	written := make([]bool, len(p.Buffers))
	for i, b := range p.Buffers {
		written[i] = b.Place != Arena
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if err := s.verify(p, written); err != nil {
			return fmt.Errorf("step %d (%s): %w", i, s.Kind(), err)
		}
		for _, b := range s.Writes() {
			written[b] = true
		}
	}
	for _, o := range p.Outputs {
		if !written[o.Buffer] {
			return fmt.Errorf("output %s is never written", o.Name)
		}
	}
	return verifyPlan(p)
}

func (s *Step) verify(p *Program, written []bool) error {
	for _, b := range s.Reads() {
		if !written[b] {
			return fmt.Errorf("reads buffer %d before it is written", b)
		}
	}
	for _, b := range s.Writes() {
		if place := p.Buffers[b].Place; place == Constant || place == Input {
			return fmt.Errorf("writes buffer %d, which is read-only", b)
		}
	}
	if s.Node != nil {
		for i, b := range s.In {
			if in := s.Node.In[i].Spec(); p.Buffers[b].Size != in.Shape.Size() || p.Buffers[b].DType != in.DType {
				return fmt.Errorf("operand %d is %v, its buffer holds %d of %v", i, in, p.Buffers[b].Size, p.Buffers[b].DType)
			}
			for _, w := range s.Writes() {
				if w == b {
					return fmt.Errorf("operand %d is written while it is read", i)
				}
			}
		}
	}
	if s.Chain == nil {
		return nil
	}
	if err := s.Chain.verifySizes(p); err != nil {
		return err
	}
	return s.verifySlots()
}

// verifySizes holds buffers against the ways in which the chain reads and writes them.
func (c *Chain) verifySizes(p *Program) error {
	for _, a := range c.Args {
		if c.Size > 0 && (p.Buffers[a.Buffer].Size != a.Period || a.Inner < 1 || c.Size%(a.Inner*a.Period) != 0) {
			return fmt.Errorf("reads buffer %d of %d elements as /%d%%%d", a.Buffer, p.Buffers[a.Buffer].Size, a.Inner, a.Period)
		}
	}
	for _, o := range c.Outs {
		if p.Buffers[o.Buffer].Size != c.Size {
			return fmt.Errorf("writes %d elements to buffer %d of %d", c.Size, o.Buffer, p.Buffers[o.Buffer].Size)
		}
	}
	for _, t := range c.Sums {
		if c.Size > 0 && (p.Buffers[t.Buffer].Size != t.Period || t.Inner < 1 || c.Size%(t.Inner*t.Period) != 0) {
			return fmt.Errorf("adds to buffer %d of %d elements as /%d%%%d", t.Buffer, p.Buffers[t.Buffer].Size, t.Inner, t.Period)
		}
	}
	return nil
}

func (s *Step) verifySlots() error {
	c, args := s.Chain, 0
	if s.Node != nil {
		args = 1
	}
	defined := args + len(c.Args)
	for _, o := range c.Ops {
		for _, in := range o.In {
			if in < 0 || in >= defined {
				return fmt.Errorf("%s reads slot %d of %d", o.Node.Op.Name(), in, defined)
			}
		}
		for _, out := range o.Out {
			if out != defined {
				return fmt.Errorf("%s writes slot %d, the next is %d", o.Node.Op.Name(), out, defined)
			}
			defined++
		}
	}
	for _, o := range c.Outs {
		if o.Slot < 0 || o.Slot >= defined || c.overwritten(o.Slot-args) {
			return fmt.Errorf("slot %d is never computed, or overwritten before it is stored", o.Slot)
		}
	}
	for _, t := range c.Sums {
		if t.Slot < 0 || t.Slot >= defined || c.overwritten(t.Slot-args) {
			return fmt.Errorf("slot %d is never computed, or overwritten before it is added up", t.Slot)
		}
	}
	return nil
}

// overwritten reports whether operand i, if there is one, lies in a buffer that the chain writes.
func (c *Chain) overwritten(i int) bool {
	return i >= 0 && i < len(c.Args) && c.writes(c.Args[i].Buffer)
}

func verifyPlan(p *Program) error {
	for i, a := range p.Buffers {
		if a.Place != Arena || a.First < 0 {
			continue
		}
		if a.Offset+a.Bytes() > p.ArenaBytes {
			return fmt.Errorf("buffer %d ends behind the arena", i)
		}
		for j := range i {
			b := p.Buffers[j]
			if b.Place == Arena && b.First >= 0 && a.First <= b.Last && b.First <= a.Last &&
				a.Offset < b.Offset+b.Bytes() && b.Offset < a.Offset+a.Bytes() {
				return fmt.Errorf("buffers %d and %d overlap", i, j)
			}
		}
	}
	return nil
}
