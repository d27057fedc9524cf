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

// A data set that fits lies in the device's memory: a step is fed the places of its examples and fetches them there. Transforms that
// draw, and those behind them, are then ops of the training program. The values are those that the loader would have fed, to the bit or
// to float32's rounding (data.Kept), so nothing else changes.

// Names of the resident set's states, and of the inputs of programs that read it.
const (
	residentPrefix = "data"
	inputRows      = "data.rows"  // int32 of N: which examples a step wants
	inputEpoch     = "data.epoch" // int32: what transforms draw by
	inputWhite     = "data.white" // float32: the byte that stands for 1
)

const white = 255

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
	kept *data.Kept
}

// supplied is the model of a stage as training programs are built from it.
func (r *Run) supplied(m *model.Model) *model.Model {
	if r.resident != nil {
		return m.Supplied(r.resident.supply)
	}
	return m
}

// fieldNames are the fields that any stage reads, in the data's order.
func (r *Run) fieldNames() []string {
	var names []string
	for _, f := range r.Options.Model.Fields {
		if slices.ContainsFunc(r.stages, func(st *stage) bool { return slices.Contains(st.model.FieldNames(), f.Name) }) {
			names = append(names, f.Name)
		}
	}
	return names
}

// keepResident puts the fields that the model reads into the device's memory: where the device has memory of its own and they
// fit, or where data.resident asks for it. Else Fed tells why not.
func (r *Run) keepResident() error {
	r.fields = r.fieldNames()
	asked, has := r.Data.Resident.Or(false), r.Backend.Capabilities()
	if !r.Data.Resident.Or(has.Own) {
		r.Fed = "the device has no memory of its own"
		if has.Own {
			r.Fed = "data.resident = false"
		}
		return nil
	}
	kept, err := data.Keep(r.Splits.Train)
	if err != nil && asked {
		return fmt.Errorf("data.resident: %w: leave resident out", err)
	}
	if err != nil {
		r.Fed = err.Error()
		return nil
	}
	bytes, found := r.residentBytes(kept)
	if !found {
		return nil // the loader says what is missing
	}
	if !asked && (bytes > residentMost || float64(bytes) > residentShare*float64(has.MemoryBytes)) {
		r.Fed = fmt.Sprintf("the set takes %.0f MiB, of which the device has %.0f free", mebibytes(bytes), mebibytes(has.MemoryBytes))
		return nil
	}
	if err := r.upload(kept); errors.Is(err, backend.ErrOutOfMemory) && !asked {
		r.State = r.Backend.NewState()
		r.Fed = "the device has too little memory for the set"
		return nil
	} else if err != nil {
		return fmt.Errorf("data.resident: %w", err)
	}
	r.resident = &resident{kept: kept}
	r.Logf("data set on the device: %.0f MiB", mebibytes(bytes))
	return nil
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// residentBytes is what the fields that the model reads take; false where one is missing.
func (r *Run) residentBytes(kept *data.Kept) (bytes int64, found bool) {
	for _, name := range r.fields {
		at := data.FieldIndex(kept.Fields(), name)
		if at < 0 {
			return 0, false
		}
		bytes += int64(kept.Fields()[at].Spec.Bytes()) * int64(kept.Len())
	}
	return bytes, true
}

// supply makes a field of the batch of what the device keeps.
func (s *resident) supply(g *graph.Graph, field string, batch graph.Spec) graph.Value {
	at := data.FieldIndex(s.kept.Fields(), field)
	rows := g.Input(inputRows, graph.I32(batch.Shape[0]))
	v := op.Gather(g.State(graph.Scratch, graph.Join(residentPrefix, field), s.whole(at), nil), rows)
	if at == 0 {
		defer g.Enter(residentPrefix)()
		v = s.kept.X(v, rows, g.Input(inputEpoch, graph.I32()), g.Input(inputWhite, graph.F32()))
	}
	return v
}

// whole is the Spec of a field of all examples.
func (s *resident) whole(at int) graph.Spec {
	f := s.kept.Fields()[at]
	return graph.Spec{Shape: append(graph.Shape{s.kept.Len()}, f.Spec.Shape...), DType: f.Spec.DType}
}

// upload reads the fields that the model wants of the training split, a piece at a time, and writes them to the State.
func (r *Run) upload(kept *data.Kept) error {
	fields, n := kept.Fields(), kept.Len()
	sets := make([]*tensor.Dense, len(fields)) // nil: not wanted
	for i, f := range fields {
		if slices.Contains(r.fields, f.Name) {
			sets[i] = backend.NewHost((&resident{kept: kept}).whole(i))
		}
	}
	for from := 0; from < n; from += uploadRows {
		to := min(n, from+uploadRows)
		dst := data.NewBatch(fields, to-from, nil)
		for i := range dst {
			if sets[i] != nil {
				dst[i] = backend.Rows(sets[i], from, to)
			}
		}
		if err := kept.Read(dst, from, to); err != nil {
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
	r.Fed = "the data set and the programs do not fit on the device together"
	r.Logf("%s: batches are fed", r.Fed)
	r.resident, r.State = nil, r.Backend.NewState()
	if err := r.loader.Close(); err != nil {
		return err
	}
	if err := r.openLoader(); err != nil {
		return err
	}
	return r.loadAll()
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

// feedRows feeds the places of the part's examples, and the epoch where it has changed.
func (p *part) feedRows(r *Run, b *data.Batch) error {
	if p.epoch != b.Epoch && hasInput(p.exe, inputEpoch) {
		r.feeds.integer.Int32s()[0] = int32(b.Epoch)
		if err := p.exe.Feed(inputEpoch, r.feeds.integer); err != nil {
			return err
		}
		p.epoch = b.Epoch
	}
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
	if err := data.ReadTraining(src, all, b.Indices, b.Epoch); err != nil {
		return nil, err
	}
	own := *b
	own.Fields = nil
	for _, name := range r.fields {
		own.Fields = append(own.Fields, all[data.FieldIndex(src.Fields(), name)])
	}
	return &own, nil
}
