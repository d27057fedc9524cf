package infer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/model"
)

// Rows are the results of one batch.
type Rows struct {
	Row0  int                      // place of the first row in the source
	N     int                      // rows
	Out   map[string]*tensor.Dense // by name, N rows each; they stay as they are until visit returns
	Batch *data.Batch              // what was read
}

// Each runs a function over a source, a batch at a time, in its order: "encode" (z, and mu and log_var of a gaussian code),
// "reconstruct" (recon too), "denoise" (input, recon) or "evaluate" (loss, a scalar; each term as "term.NAME", each figure as
// "metric.NAME", of each example; recon, z) or "score" (score, the reconstruction's term of the clean example; errors, that of each of its
// elements) or "distance" (score, the distance of the code to the centre that training drew codes to). limit is how many examples, 0 all.
// An error of visit ends it; m computes nothing else meanwhile, so visit may not ask it to.
func (m *Model) Each(ctx context.Context, src data.Source, function string, limit int, visit func(*Rows) error) error {
	switch function {
	case encode, reconstruct, denoise, evaluate, score, distance:
	default:
		return fmt.Errorf("nothing is called %q: want encode, reconstruct, denoise, evaluate, score or distance", function)
	}
	q := request{function: function, arrays: function == evaluate}
	return m.each(ctx, head(src, limit), q, draws{seed: m.options.Seed}, nil, nil, func(r *runner, b *data.Batch) error {
		rows := &Rows{Row0: b.Row0, N: b.Size, Out: map[string]*tensor.Dense{}, Batch: b}
		for _, p := range r.exe.Program().Outputs {
			t, err := m.fetch(r, p.Name)
			if err != nil {
				return err
			}
			rows.Out[p.Name] = t
		}
		if r.fn.Steps {
			t, err := m.fetch(r, "recon")
			if err != nil {
				return err
			}
			rows.Out["recon"] = t
		}
		return visit(rows)
	})
}

// each runs the Program of q over a source and calls then after each batch, which has the fields that are named beside the Program's.
func (m *Model) each(ctx context.Context, src data.Source, q request, d draws, fields []string, progress func(done, total int), then func(*runner, *data.Batch) error) error {
	return m.over(ctx, src, []request{q}, m.options.Batch, fields, func(rs []*runner, b *data.Batch) error {
		at := d
		at.row0 = b.Row0
		if err := m.step(ctx, rs[0], at); err != nil {
			return err
		}
		if err := then(rs[0], b); err != nil {
			return err
		}
		if progress != nil {
			progress(b.Row0+b.Size, src.Len())
		}
		return nil
	})
}

// over reads a source in its order and calls visit for each batch, with a runner for each request, whose batch sizes are filled in and
// whose fields are fed. Fields that are named are read too.
func (m *Model) over(ctx context.Context, src data.Source, requests []request, batch int, fields []string, visit func([]*runner, *data.Batch) error) error {
	if src.Len() == 0 {
		return fmt.Errorf("%s: the data has no examples", requests[0].function)
	}
	if err := m.acquire(ctx); err != nil {
		return err
	}
	defer m.release()
	bySize, err := m.prepareSizes(m.sizes(src.Len(), batch), requests)
	if err != nil {
		return err
	}
	loader, err := data.NewLoader(src, data.LoaderOptions{Batch: batch, Fields: m.wanted(bySize, fields), Epochs: 1, Alloc: m.backend.Host})
	if err != nil {
		return err
	}
	defer loader.Close()
	for {
		b, err := loader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		runners := bySize[b.Size]
		for _, r := range runners {
			for i, f := range loader.Fields() {
				if err := r.feed(f.Name, b.Fields[i]); err != nil {
					return err
				}
			}
		}
		if err := visit(runners, b); err != nil {
			return err
		}
	}
}

// prepareSizes loads the Programs of all requests at all sizes.
func (m *Model) prepareSizes(sizes []int, requests []request) (map[int][]*runner, error) {
	var all []request
	for _, size := range sizes {
		for _, q := range requests {
			q.batch = size
			all = append(all, q)
		}
	}
	runners, err := m.prepare(all...)
	if err != nil {
		return nil, err
	}
	bySize := map[int][]*runner{}
	for i, q := range all {
		bySize[q.batch] = append(bySize[q.batch], runners[i])
	}
	return bySize, nil
}

// wanted are the fields that any of the runners reads, x, and those that are named.
func (m *Model) wanted(bySize map[int][]*runner, named []string) []string {
	reads := map[string]bool{model.FieldX: true}
	for _, runners := range bySize {
		for _, r := range runners {
			for _, p := range r.exe.Program().Inputs {
				reads[p.Name] = true
			}
		}
	}
	var names []string
	for _, f := range m.model.Fields {
		if reads[f.Name] {
			names = append(names, f.Name)
		}
	}
	for _, name := range named {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// first is the beginning of a source.
type first struct {
	data.Source
	n int
}

func (f first) Len() int          { return f.n }
func (f first) Name(i int) string { return data.ExampleName(f.Source, i) }

// head is the first n examples of src; 0: all.
func head(src data.Source, n int) data.Source {
	if n <= 0 || n >= src.Len() {
		return src
	}
	return first{src, n}
}

// Read returns a field of the first limit examples of a source (0: all) as one tensor, examples along the first axis.
func Read(ctx context.Context, src data.Source, field string, limit int) (*tensor.Dense, error) {
	src = head(src, limit)
	at := data.FieldIndex(src.Fields(), field)
	if at < 0 {
		return nil, fmt.Errorf("the data has no field %s", field)
	}
	if src.Len() == 0 {
		return nil, errors.New("the data has no examples")
	}
	spec := src.Fields()[at].Spec
	all := backend.NewHost(graph.Spec{Shape: append(graph.Shape{src.Len()}, spec.Shape...), DType: spec.DType})
	loader, err := data.NewLoader(src, data.LoaderOptions{Batch: min(src.Len(), defaultBatch), Fields: []string{field}, Epochs: 1})
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	for {
		b, err := loader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if err := tensor.Copy(backend.Rows(all, b.Row0, b.Row0+b.Size), b.Fields[0]); err != nil {
			return nil, err
		}
	}
}
