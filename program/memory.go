package program

import (
	"slices"
	"sort"

	"aetrain/graph"
)

// Reads lists the buffers that s reads, Writes those that it writes.
func (s Step) Reads() []int {
	bs := append([]int(nil), s.In...)
	if s.Chain != nil {
		for _, a := range s.Chain.Args {
			bs = append(bs, a.Buffer)
		}
	}
	return bs
}

// Writes lists the buffers that s writes.
func (s Step) Writes() []int {
	var bs []int
	for _, b := range s.Out {
		if b >= 0 {
			bs = append(bs, b)
		}
	}
	if s.Chain != nil {
		for _, o := range s.Chain.Outs {
			bs = append(bs, o.Buffer)
		}
		for _, t := range s.Chain.Sums {
			bs = append(bs, t.Buffer)
		}
	}
	return bs
}

// Spare finds a buffer for the step's product where only its chain reads that: one that the chain writes and neither reads nor
// the op takes, of the product's size; -1 if there is none.
func (p *Program) Spare(s *Step) int {
	if s.Chain == nil {
		return -1
	}
	size := s.Node.Out[0].Shape.Size()
	reads := s.Reads()
	for _, o := range s.Chain.Outs {
		if b := p.Buffers[o.Buffer]; b.DType == graph.Float32 && b.Size == size && !slices.Contains(reads, o.Buffer) {
			return o.Buffer
		}
	}
	return -1
}

// liveness sets First and Last of every buffer. What Fetch reads lives to the end.
func liveness(p *Program) {
	for i := range p.Buffers {
		p.Buffers[i].First, p.Buffers[i].Last = -1, -1
	}
	touch := func(step, b int) {
		if p.Buffers[b].First < 0 {
			p.Buffers[b].First = step
		}
		p.Buffers[b].Last = step
	}
	for i, s := range p.Steps {
		for _, b := range s.Reads() {
			touch(i, b)
		}
		for _, b := range s.Writes() {
			touch(i, b)
		}
	}
	for _, o := range p.Outputs {
		touch(len(p.Steps), o.Buffer)
	}
}

// cacheLine is the least alignment: two buffers never share a line.
const cacheLine = 64

// place puts the arena's buffers at offsets such that buffers alive at the same time never overlap: largest first,
// each into the smallest gap that holds it.
// Source: Pisarchyk & Lee 2020, "Efficient Memory Management for Deep Neural Net Inference", greedy by size.
func place(u *unit) error {
	p, align := u.p, u.t.Align
	if align < cacheLine {
		align = cacheLine
	}
	var order []int
	for i, b := range p.Buffers {
		if b.Place == Arena && b.First >= 0 {
			order = append(order, i)
		}
	}
	sort.SliceStable(order, func(i, j int) bool { return p.Buffers[order[i]].Bytes() > p.Buffers[order[j]].Bytes() })
	var placed []int // by offset
	for _, i := range order {
		b := &p.Buffers[i]
		b.Offset = gap(p, placed, *b, align)
		p.ArenaBytes = max(p.ArenaBytes, (b.Offset+b.Bytes()+align-1)/align*align)
		at := sort.Search(len(placed), func(k int) bool { return p.Buffers[placed[k]].Offset > b.Offset })
		placed = slices.Insert(placed, at, i)
	}
	return nil
}

// gap finds the smallest hole for b among placed buffers that are alive with it.
func gap(p *Program, placed []int, b Buffer, align int) int {
	best, bestSize, end := -1, 0, 0
	for _, k := range placed {
		o := p.Buffers[k]
		if o.Last < b.First || b.Last < o.First {
			continue
		}
		if hole := o.Offset - end; hole >= b.Bytes() && (best < 0 || hole < bestSize) {
			best, bestSize = end, hole
		}
		end = max(end, (o.Offset+o.Bytes()+align-1)/align*align)
	}
	if best >= 0 {
		return best
	}
	return end
}
