package throughput

import (
	"fmt"
	"io"
	"strings"

	"aetrain/internal/texttable"
)

// shownShare of a step's time is listed part by part; the rest are small ones, which only the JSON has.
const shownShare = 0.99

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
	var t texttable.Table
	t.AlignRight(0, 1, 2, 3, 4)
	t.Row("us", "of step", "GFLOP/s", "GB/s", "of limit", "by", "op", "kernel", "shape", "layer")
	sum, shown := 0.0, 0
	for _, part := range r.Parts {
		if sum > shownShare*r.SumMS*1e3 {
			break
		}
		sum, shown = sum+part.Micros, shown+1
		t.Row(digits(part.Micros), percent(part.Micros/1e3/r.SumMS), digits(part.GFLOPS), digits(part.GBps), percent(part.Share),
			part.BoundBy, part.name(), strings.TrimSpace(part.Kernel+" "+part.Precision), part.Shape, part.Path)
	}
	if err := t.Write(w); err != nil {
		return err
	}
	if rest := len(r.Parts) - shown; rest > 0 {
		fmt.Fprintf(w, "and %d more, %s us together\n", rest, digits(r.SumMS*1e3-sum))
	}
	if r.DepthFirst > 0 {
		_, err := fmt.Fprintf(w, "%d of the parts run depth first; here each is timed alone\n", r.DepthFirst)
		return err
	}
	return nil
}

// longestName of an op in the table.
const longestName = 44

// name is the op with what is fused with it.
func (t *PartTime) name() string {
	ops := t.Fused
	if t.Op != "Chain" {
		ops = append([]string{t.Op}, ops...)
	}
	text := strings.Join(ops, " ")
	if len(text) > longestName {
		cut := strings.LastIndex(text[:longestName-8], " ")
		text = fmt.Sprintf("%s ...%d", text[:max(cut, 0)], len(ops))
	}
	return text
}
