//go:build gpu

package gpu

import (
	"fmt"
	"strings"

	"aetrain/program"
)

// Neighbouring chains that have nothing to do with each other run as one launch: the updates of all parameters, the squared sums
// of a gradient's norm. A launch costs as much as a small chain, and a small model has more parameters than anything else.

// Limits of one launch.
const (
	mostSegments = 256
	mostBodies   = 8 // different chains, each of which a generated kernel has code for
)

// together is how many steps from i on, chains all of them, run as one launch.
func (b *binder) together(i int) int {
	bodies := map[string]bool{}
	steps := b.e.p.Steps
	for j := i; j < len(steps); j++ {
		if steps[j].Node != nil || j-i == mostSegments {
			return j - i
		}
		bodies[chainKey(b.e.p, steps[j].Chain)] = true
		if len(bodies) > mostBodies {
			return j - i
		}
		for k := i; k < j; k++ {
			if b.conflict(&steps[k], &steps[j]) {
				return j - i
			}
		}
	}
	return len(steps) - i
}

// conflict reports whether one of two steps writes memory that the other reads or writes.
func (b *binder) conflict(s, t *program.Step) bool {
	return b.touch(s.Writes(), t.Reads()) || b.touch(s.Writes(), t.Writes()) || b.touch(s.Reads(), t.Writes())
}

// touch reports whether buffers of two lists overlap.
func (b *binder) touch(s, t []int) bool {
	for _, i := range s {
		for _, j := range t {
			m, n := b.e.mem[i], b.e.mem[j]
			if m.block == n.block && m.off < n.off+n.bytes() && n.off < m.off+m.bytes() {
				return true
			}
		}
	}
	return false
}

// chainKey is equal for chains that compute the same, whatever their sizes and buffers are.
func chainKey(p *program.Program, c *program.Chain) string {
	var w strings.Builder
	for _, a := range c.Args {
		fmt.Fprintf(&w, "%v%v", p.Buffers[a.Buffer].DType, p.Buffers[a.Buffer].Place == program.Constant)
		switch {
		case a.Inner == 1 && a.Period == c.Size:
			w.WriteString("dense ")
		default:
			fmt.Fprintf(&w, "%v ", a.Access)
		}
	}
	for _, o := range c.Ops {
		fmt.Fprintf(&w, "%T%+v%v%v ", o.Node.Op, o.Node.Op, o.In, o.Out)
	}
	for _, o := range c.Outs {
		fmt.Fprintf(&w, "out%d ", o.Slot)
	}
	for _, t := range c.Sums {
		fmt.Fprintf(&w, "sum%d%v ", t.Slot, t.Period == 1)
	}
	return w.String()
}
