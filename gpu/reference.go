//go:build gpu

package gpu

import (
	"fmt"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/program"
)

// reference runs a step by the op's definition, in float64, on the host; strict mode refuses it.
func (b *binder) reference(i int, s *program.Step, st *step) error {
	if b.o.Strict {
		return fmt.Errorf("%s: %s has no cuda kernel, and strict mode refuses the reference: %w", s.Path, s.Kind(), backend.ErrUnsupported)
	}
	in, out := tensors(st.Case.In), tensors(st.Case.Out)
	b.host("reference", func() error {
		for j, m := range st.in {
			if err := m.read(in[j].Data); err != nil {
				return err
			}
		}
		for j := range out {
			clear(out[j].Data)
		}
		st.Op.Eval(out, in)
		for j, m := range st.out {
			if m.size > 0 {
				if err := m.write(out[j].Data); err != nil {
					return err
				}
			}
		}
		return nil
	})
	b.explain(i, s, "reference", "no kernel fits")
	if st.epilogue == nil {
		return nil
	}
	return b.chain(st.epilogue, &st.out[0])
}

func tensors(specs []graph.Spec) []graph.Tensor {
	list := make([]graph.Tensor, len(specs))
	for i, s := range specs {
		list[i] = graph.NewTensor(s)
	}
	return list
}
