package infer

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Describe writes what the model is: where it comes from, what goes in and comes out, a line a layer, the number of parameters.
func (m *Model) Describe(w io.Writer) error {
	rows, err := m.model.Summary()
	if err != nil {
		return err
	}
	encoder, decoder, err := m.model.Parameters()
	if err != nil {
		return err
	}
	if m.run.config != nil {
		fmt.Fprintf(w, "%s, %s: epoch %d, step %d\n", m.run.config.Name, m.run.checkpoint, m.run.meta.Epoch, m.run.meta.Step)
	}
	fmt.Fprintf(w, "input %v, code %v\n\n", m.fieldSpec("x"), m.model.Code)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "layer\tkind\toutput\tparameters")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%v\t%d\n", r.Path, r.Kind, r.Out, r.Parameters)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n%d parameters: encoder %d, decoder %d\n", encoder+decoder, encoder, decoder)
	return err
}
