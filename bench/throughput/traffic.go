package throughput

import (
	"aetrain/graph"
	"aetrain/program"
)

// Traffic is how many bytes a step reads and writes, each operand and each result once: what would go through memory if nothing
// stayed in a cache from step to step and everything did within one.
func Traffic(p *program.Program, s *program.Step) int64 {
	n := int64(0)
	if s.Node != nil {
		n += node(s)
	}
	if c := s.Chain; c != nil {
		for _, a := range c.Args {
			n += int64(min(a.Period, c.Size)) * width(p, a.Buffer)
		}
		for _, o := range c.Outs {
			n += int64(c.Size) * width(p, o.Buffer)
		}
		for _, t := range c.Sums {
			n += int64(min(t.Period, c.Size)) * width(p, t.Buffer)
		}
	}
	return n
}

// node is the traffic of the step's op without its chain.
func node(s *program.Step) int64 {
	n := int64(0)
	for i, out := range s.Node.Out {
		if i < len(s.Out) && s.Out[i] >= 0 {
			n += size(out)
		}
	}
	for i, in := range s.Node.In {
		read := size(in.Spec())
		if i == 0 && selects[s.Node.Op.Name()] {
			read = min(read, size(s.Node.Out[0]))
		}
		n += read
	}
	return n
}

// selects are the ops that read only what they put out.
var selects = map[string]bool{"Gather": true, "Slice": true}

func size(s graph.Spec) int64 { return int64(s.Bytes()) }

func width(p *program.Program, buffer int) int64 { return int64(p.Buffers[buffer].DType.Bytes()) }
