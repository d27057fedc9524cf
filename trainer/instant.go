package trainer

import (
	"fmt"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/data"
)

// A data set in memory that the processor itself trains on needs no batches put together ahead: nothing is free beside the step
// that could do it. The workers read the examples of a batch as the step begins, straight into the program's inputs.

// instant are the readers of the fields that the model wants, in their order.
type instant []data.FieldReader

// readInstantly finds the fields' readers, where the device fills inputs itself and the set lies in memory; nil otherwise.
func (r *Run) readInstantly() instant {
	if r.resident != nil || !r.Backend.Capabilities().Fills {
		return nil
	}
	src := r.Splits.Train
	var readers instant
	for _, name := range r.fields {
		at := data.FieldIndex(src.Fields(), name)
		if at < 0 {
			return nil // the loader says what is missing
		}
		read := data.Instant(src, at)
		if read == nil {
			return nil
		}
		readers = append(readers, read)
	}
	return readers
}

// fill has a part's program read the fields of its examples, which are those of the batch that p.indices holds when it runs.
func (p *part) fill(readers instant) error {
	exe, ok := p.exe.(backend.Filler)
	if !ok {
		return fmt.Errorf("a program of %T is to fill its inputs", p.exe)
	}
	for _, f := range p.fields {
		read := readers[f.at]
		err := exe.Fill(f.name, func(dst *tensor.Dense, from, to int) { read(dst, p.indices[from:to]) })
		if err != nil {
			return err
		}
	}
	p.filled = true
	return nil
}

// unread reports whether the loader's batches are places of examples only.
func (r *Run) unread() bool { return r.resident != nil || r.instant != nil }
