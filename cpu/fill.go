package cpu

import (
	"fmt"

	"gorgonia.org/tensor"

	"aetrain/backend"
)

// Fill makes the writing of an input the first phase of every run: workers share its rows.
func (e *executable) Fill(input string, fill func(dst *tensor.Dense, from, to int)) error {
	for _, in := range e.p.Inputs {
		if in.Name != input {
			continue
		}
		if len(in.Spec.Shape) == 0 || in.Spec.Shape.Size() == 0 {
			return fmt.Errorf("cpu: the input %s is %v: it has no rows to fill", input, in.Spec)
		}
		rows := in.Spec.Shape[0]
		per := max(1, taskSize/(in.Spec.Shape.Size()/rows))
		m := e.mem[in.Buffer]
		whole := tensor.New(tensor.WithShape(in.Spec.Shape...), tensor.WithBacking(m.slice()))
		var parts []*tensor.Dense
		for from := 0; from < rows; from += per {
			parts = append(parts, backend.Rows(whole, from, min(rows, from+per)))
		}
		e.fills = append(e.fills, phase{tasks: len(parts), run: func(_ *worker, task int) {
			fill(parts[task], task*per, min(rows, (task+1)*per))
		}})
		e.assemble()
		return nil
	}
	return fmt.Errorf("cpu: the program has no input %s", input)
}
