package throughput

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteTable prints the parts of each step, costliest first.
func (p *Profiles) WriteTable(w io.Writer) error {
	if err := (&Report{Devices: p.Devices}).writeDevices(w); err != nil {
		return err
	}
	for i, r := range p.Profiles {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := r.writeTable(w); err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(w, "\nlimit: by the device's peaks; by memory, as if operands and results came from main memory and went there, so that what\nstays in a cache goes beyond 100%\n")
	return err
}

// writeTable prints one step.
func (r *RowProfile) writeTable(w io.Writer) error {
	fmt.Fprintf(w, "%s on %s, %s, batch %d: %s ms a step; its parts one by one %s ms, by the roofline %s ms\n",
		r.Row, r.Device, r.Precision, r.Batch, digits(r.StepMS), digits(r.SumMS), digits(r.LimitMS))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  us\tof step\tGFLOP/s\tGB/s\tof limit\tby\top\tkernel\tshape\tlayer")
	for _, part := range r.Parts {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", digits(part.Micros), percent(part.Micros/1e3/r.SumMS), digits(part.GFLOPS),
			digits(part.GBps), percent(part.Share), part.BoundBy, part.Op, part.Kernel, part.Shape, part.Path)
	}
	return t.Flush()
}
