package infer

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/model"
)

// rows runs a function over n rows, a batch at a time, and returns the wanted outputs, n rows each. in holds what is fed by name;
// d.row0 is the place of the first row.
func (m *Model) rows(ctx context.Context, function string, in map[string]*tensor.Dense, n int, d draws, wanted ...string) ([]*tensor.Dense, error) {
	if n == 0 {
		return nil, fmt.Errorf("%s: there are no rows", function)
	}
	if err := m.acquire(ctx); err != nil {
		return nil, err
	}
	defer m.release()
	var requests []request
	for _, size := range m.sizes(n, m.options.Batch) {
		requests = append(requests, request{function: function, batch: size, wanted: strings.Join(wanted, ",")})
	}
	runners, err := m.prepare(requests...)
	if err != nil {
		return nil, err
	}
	if err := m.checkFed(function, runners[0].fn, in); err != nil {
		return nil, err
	}
	results, err := m.results(runners[0], n, wanted)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", function, err)
	}
	for from := 0; from < n; from += m.options.Batch {
		to := min(n, from+m.options.Batch)
		r := runners[0]
		if to-from != r.fn.Batch {
			r = runners[len(runners)-1]
		}
		at := d
		at.row0 += from
		if err := r.take(in, from, to); err != nil {
			return nil, fmt.Errorf("%s: %w", function, err)
		}
		if function == sample {
			if err := m.drawCodes(ctx, to-from, part(in, from, to), at); err != nil {
				return nil, fmt.Errorf("%s: %w", function, err)
			}
		}
		if err := m.step(ctx, r, at); err != nil {
			return nil, fmt.Errorf("%s: %w", function, err)
		}
		for i, name := range wanted {
			if err := r.gives(name).exe.Fetch(name, backend.Rows(results[i], from, to)); err != nil {
				return nil, fmt.Errorf("%s: %w", function, err)
			}
		}
	}
	return results, nil
}

// results makes tensors of n rows for a function's outputs.
func (m *Model) results(r *runner, n int, wanted []string) ([]*tensor.Dense, error) {
	results := make([]*tensor.Dense, len(wanted))
	for i, name := range wanted {
		v, ok := r.fn.Outputs[name]
		if !ok {
			return nil, fmt.Errorf("the model has no %s", name)
		}
		spec := graph.Spec{Shape: v.Shape().Clone(), DType: v.Spec().DType}
		if err := checkRows(name, n, spec.Shape[1:].Size()); err != nil {
			return nil, err
		}
		spec.Shape[0] = n
		results[i] = backend.NewHost(spec)
	}
	return results, nil
}

// checkRows refuses results that are too large for one array: n rows of so many numbers each.
func checkRows(name string, n, each int) error {
	if most := math.MaxInt32 / max(1, each); n > most {
		return fmt.Errorf("%s of %d rows with %d numbers each do not fit into one array: take %d at most", name, n, each, most)
	}
	return nil
}

// checkFed reports fields that a function reads and that are not given.
func (m *Model) checkFed(function string, fn *model.Function, in map[string]*tensor.Dense) error {
	for _, f := range append(slices.Clone(m.model.Fields), m.model.ConditionFields()...) {
		if in[f.Name] == nil && slices.Contains(fn.Inputs, f.Name) {
			return fmt.Errorf("%s: the model reads the field %s too: run it over a source, not over an array", function, f.Name)
		}
	}
	return nil
}

// input checks what a user gives: rows of examples of spec, as one array N×... of that type. float64 is rounded; an example may be
// given flat. The result's memory is row-major.
func input(name string, x *tensor.Dense, spec graph.Spec) (*tensor.Dense, int, error) {
	if x == nil || x.Dims() == 0 {
		return nil, 0, fmt.Errorf("%s is no array of examples", name)
	}
	if x.IsMaterializable() { // a view
		x = x.Materialize().(*tensor.Dense)
	}
	n := x.Shape()[0]
	if x.Shape().TotalSize() != n*spec.Shape.Size() {
		return nil, 0, fmt.Errorf("%s is %v; want N examples of %v", name, x.Shape(), spec)
	}
	if v, ok := x.Data().([]float64); ok && spec.DType == graph.Float32 {
		x = backend.NewHost(graph.Spec{Shape: append(graph.Shape{n}, spec.Shape...)})
		for i, f := range v {
			x.Float32s()[i] = float32(f)
		}
	}
	if x.Dtype() != backend.HostType(spec.DType) {
		return nil, 0, fmt.Errorf("%s holds %v; want %v", name, x.Dtype(), spec.DType)
	}
	return x, n, nil
}
