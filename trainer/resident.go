package trainer

import (
	"errors"
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/model"
	"aetrain/op"
)

// A data set that fits lies in the device's memory: a step is fed the places of its examples and fetches them there. The values
// are those that the loader would have fed, so nothing else changes.

// Names of the resident set's states and of the input that says which examples a step wants.
const (
	residentPrefix = "data"
	inputRows      = "data.rows"
)

// What a data set may take where the config says "auto": a share of the device's free memory, and no more than the host can be
// expected to hold beside it while it is read.
const (
	residentShare = 0.4
	residentMost  = 8 << 30
)

// uploadRows is how many examples are read at once.
const uploadRows = 4096

// resident is a training split on the device.
type resident struct {
	model *model.Model // which takes its fields from there
}

// model is the one that training programs are built from.
func (r *Run) model() *model.Model {
	if r.resident != nil {
		return r.resident.model
	}
	return r.Options.Model
}

// keepResident puts the fields that the model reads into the device's memory: where the device has memory of its own and they
// fit, or where data.resident asks for it.
func (r *Run) keepResident() error {
	r.fields = r.Options.Model.FieldNames()
	src, has := r.Splits.Train, r.Backend.Capabilities()
	bytes := int64(0)
	for _, name := range r.fields {
		at := data.FieldIndex(src.Fields(), name)
		if at < 0 {
			return nil // the loader says what is missing
		}
		bytes += int64(src.Fields()[at].Spec.Bytes()) * int64(src.Len())
	}
	fits := bytes <= residentMost && float64(bytes) <= residentShare*float64(has.MemoryBytes)
	if !r.Data.Resident.Or(has.Own && fits && data.Fixed(src)) {
		return nil
	}
	if !data.Fixed(src) {
		return fmt.Errorf("data.resident: the transforms change training examples in every epoch: leave resident out")
	}
	if err := r.upload(); errors.Is(err, backend.ErrOutOfMemory) && !r.Data.Resident.Or(false) {
		r.State = r.Backend.NewState()
		return nil
	} else if err != nil {
		return fmt.Errorf("data.resident: %w", err)
	}
	r.resident = &resident{model: r.Options.Model.Supplied(func(g *graph.Graph, field string, s graph.Spec) graph.Value {
		rows := g.Input(inputRows, graph.I32(s.Shape[0]))
		set := graph.Spec{Shape: append(graph.Shape{src.Len()}, s.Shape[1:]...), DType: s.DType}
		return op.Gather(g.State(graph.Scratch, graph.Join(residentPrefix, field), set, nil), rows)
	})}
	if r.Data.Resident.Or(false) || has.Own {
		r.Logf("data set on the device: %.0f MiB", float64(bytes)/(1<<20))
	}
	return nil
}

// upload reads the fields that the model wants of the training split, a piece at a time, and writes them to the State.
func (r *Run) upload() error {
	src := r.Splits.Train
	fields, n := src.Fields(), src.Len()
	sets := make([]*tensor.Dense, len(fields)) // nil: not wanted
	for i, f := range fields {
		if slices.Contains(r.fields, f.Name) {
			sets[i] = backend.NewHost(graph.Spec{Shape: append(graph.Shape{n}, f.Spec.Shape...), DType: f.Spec.DType})
		}
	}
	for from := 0; from < n; from += uploadRows {
		to := min(n, from+uploadRows)
		dst, places := make([]*tensor.Dense, len(fields)), make([]int, to-from)
		for i, f := range fields {
			if sets[i] != nil {
				dst[i] = backend.Rows(sets[i], from, to)
			} else {
				dst[i] = backend.NewHost(graph.Spec{Shape: append(graph.Shape{to - from}, f.Spec.Shape...), DType: f.Spec.DType})
			}
		}
		for i := range places {
			places[i] = from + i
		}
		if err := src.Read(dst, places); err != nil {
			return err
		}
	}
	for _, name := range r.fields {
		if err := r.State.Write(graph.Join(residentPrefix, name), graph.Scratch, sets[data.FieldIndex(fields, name)]); err != nil {
			return err
		}
	}
	return nil
}

// feedInstead takes a set that "auto" has put on the device back, where the programs have no room beside it.
func (r *Run) feedInstead() error {
	r.Logf("the data set and the programs do not fit on the device together: batches are fed")
	r.resident, r.State = nil, r.Backend.NewState()
	clear(r.steps)
	if err := r.loader.Close(); err != nil {
		return err
	}
	if err := r.openLoader(); err != nil {
		return err
	}
	return r.load()
}

// rowsFor is what a program that reads the resident set is fed from; nil for others.
func rowsFor(e backend.Executable) *tensor.Dense {
	for _, in := range e.Program().Inputs {
		if in.Name == inputRows {
			return backend.NewHost(in.Spec)
		}
	}
	return nil
}

// feedRows feeds the places of the part's examples.
func (p *part) feedRows(b *data.Batch) error {
	rows := p.rowsOf.Int32s()
	for i := range rows {
		rows[i] = int32(b.Indices[p.from+i])
	}
	return p.exe.Feed(inputRows, p.rowsOf)
}

// fetched is a batch with its fields, which the loader has not read.
func (r *Run) fetched(b *data.Batch) (*data.Batch, error) {
	src := r.Splits.Train
	all := data.NewBatch(src.Fields(), b.Size, nil)
	if err := src.Read(all, b.Indices); err != nil {
		return nil, err
	}
	own := *b
	own.Fields = nil
	for _, name := range r.fields {
		own.Fields = append(own.Fields, all[data.FieldIndex(src.Fields(), name)])
	}
	return &own, nil
}
