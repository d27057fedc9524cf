package program

import (
	"fmt"
	"strings"

	"aetrain/graph"
)

// Kind is the step's op, "Chain" for elementwise work alone.
func (s Step) Kind() string {
	if s.Node != nil {
		return s.Node.Op.Name()
	}
	return "Chain"
}

// String lists the program, a line a step.
func (p *Program) String() string {
	var b strings.Builder
	params := 0
	for _, s := range p.States {
		if s.Kind == graph.Param {
			params += s.Spec.Shape.Size()
		}
	}
	fmt.Fprintf(&b, "program: %d nodes, %d after simplification, %d steps, %d parameters, arena %d bytes\n",
		p.NodesBefore, p.NodesAfter, len(p.Steps), params, p.ArenaBytes)
	for _, in := range p.Inputs {
		fmt.Fprintf(&b, "  input  %-12s %s = %v\n", in.Name, p.ref(in.Buffer), in.Spec)
	}
	for _, st := range p.States {
		mark := ""
		if st.Assigned {
			mark = ", assigned"
		}
		fmt.Fprintf(&b, "  state  %s = %v (%v%s)\n", p.ref(st.Buffer), st.Spec, st.Kind, mark)
	}
	for i, s := range p.Steps {
		fmt.Fprintf(&b, "  %3d  %s", i, p.describe(s))
		if s.Path != "" {
			fmt.Fprintf(&b, "   # %s", s.Path)
		}
		b.WriteByte('\n')
	}
	for _, o := range p.Outputs {
		fmt.Fprintf(&b, "  output %-12s %s = %v\n", o.Name, p.ref(o.Buffer), o.Spec)
	}
	return b.String()
}

func (p *Program) describe(s Step) string {
	var b strings.Builder
	if s.Node != nil {
		var ins, outs []string
		for _, in := range s.In {
			ins = append(ins, p.ref(in))
		}
		for _, out := range s.Out {
			if out >= 0 {
				outs = append(outs, p.ref(out))
			}
		}
		name := s.Node.Op.Name()
		if attrs := strings.TrimPrefix(opKey(s.Node.Op), name+":"); strings.Contains(attrs, "{") {
			name += attrs[strings.Index(attrs, "{"):]
		}
		if len(outs) > 0 {
			fmt.Fprintf(&b, "%s = ", strings.Join(outs, ", "))
		}
		fmt.Fprintf(&b, "%s(%s) %v", name, strings.Join(ins, ", "), s.Node.Out[0].Shape)
	}
	if c := s.Chain; c != nil {
		if s.Node != nil {
			b.WriteString(" then ")
		}
		b.WriteString(p.describeChain(c, s.Node != nil))
	}
	return b.String()
}

func (p *Program) describeChain(c *Chain, root bool) string {
	names := []string{}
	if root {
		names = append(names, "y")
	}
	for _, a := range c.Args {
		name := p.ref(a.Buffer)
		if a.Period != c.Size || a.Inner != 1 {
			name += fmt.Sprintf("[/%d%%%d]", a.Inner, a.Period)
		}
		names = append(names, name)
	}
	var parts []string
	for _, o := range c.Ops {
		var ins, outs []string
		for _, in := range o.In {
			ins = append(ins, names[in])
		}
		for range o.Out {
			names = append(names, fmt.Sprintf("t%d", len(names)))
			outs = append(outs, names[len(names)-1])
		}
		name := o.Node.Op.Name()
		if attrs := strings.TrimPrefix(opKey(o.Node.Op), name+":"); strings.Contains(attrs, "C:") {
			name += strings.TrimSuffix(attrs[strings.Index(attrs, " C:")+3:], "}")
		}
		parts = append(parts, fmt.Sprintf("%s=%s(%s)", strings.Join(outs, ","), name, strings.Join(ins, ",")))
	}
	for _, o := range c.Outs {
		parts = append(parts, fmt.Sprintf("%s:=%s", p.ref(o.Buffer), names[o.Slot]))
	}
	for _, t := range c.Sums {
		parts = append(parts, fmt.Sprintf("%s[/%d%%%d]+=%s", p.ref(t.Buffer), t.Inner, t.Period, names[t.Slot]))
	}
	return fmt.Sprintf("chain<%d> %s", c.Size, strings.Join(parts, "; "))
}

// ref names a buffer: its name where it has one, a number for a constant, b3 for arena memory.
func (p *Program) ref(b int) string {
	buf := p.Buffers[b]
	switch {
	case buf.Name != "":
		return buf.Name
	case buf.Place == Constant && buf.Size == 1:
		return fmt.Sprintf("%g", buf.Data[0])
	case buf.Place == Constant:
		return fmt.Sprintf("const%d", b)
	}
	return fmt.Sprintf("b%d", b)
}
