package infer

import (
	"fmt"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
)

// Fields are fields of examples beside x, by name, a row each: what a model with a condition is told, such as labels (int32, N),
// and the mask of sequences that differ in length.
type Fields map[string]*tensor.Dense

// Labels are n times the same label, as the field of that name.
func Labels(field string, label, n int) Fields {
	t := backend.NewHost(graph.I32(n))
	for i := range t.Int32s() {
		t.Int32s()[i] = int32(label)
	}
	return Fields{field: t}
}

// told checks the fields that are given for n rows, and returns them by name. What the model does not read is passed over.
func (m *Model) told(function string, n int, given []Fields) (map[string]*tensor.Dense, error) {
	in := map[string]*tensor.Dense{}
	for _, fields := range given {
		for _, f := range m.model.GivenFields() {
			t := fields[f.Name]
			if t == nil {
				continue
			}
			rows, have, err := input(f.Name, t, f.Spec)
			if err == nil && have != n {
				err = fmt.Errorf("%s has %d rows, for %d examples", f.Name, have, n)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", function, err)
			}
			in[f.Name] = rows
		}
	}
	return in, nil
}

// eachTimes is what the model is told of n examples, each of its rows so many times: beside codes that are made of one.
func (m *Model) eachTimes(function string, n, times int, given []Fields) (Fields, error) {
	in, err := m.told(function, n, given)
	for name, t := range in {
		rows := tensor.New(tensor.WithShape(append([]int{n * times}, t.Shape()[1:]...)...), tensor.Of(t.Dtype()))
		for i := range n {
			for k := range times {
				if err := tensor.Copy(backend.Rows(rows, i*times+k, i*times+k+1), backend.Rows(t, i, i+1)); err != nil {
					return nil, fmt.Errorf("%s: %s: %w", function, name, err)
				}
			}
		}
		in[name] = rows
	}
	return in, err
}

// eachClass gives labels and categories that are missing one value after the other, and numeric columns that are missing 0: behind
// standardize the mean.
func (m *Model) eachClass(in map[string]*tensor.Dense, n int) {
	for _, f := range m.model.ConditionFields() {
		if in[f.Name] == nil && m.model.IsColumn(f.Name) && f.Spec.DType == graph.Float32 {
			in[f.Name] = backend.NewHost(graph.F32(n, 1))
		}
		if in[f.Name] != nil || f.Classes == 0 || len(f.Spec.Shape) > 0 {
			continue
		}
		t := backend.NewHost(graph.I32(n))
		for i := range t.Int32s() {
			t.Int32s()[i] = int32(i % f.Classes)
		}
		in[f.Name] = t
	}
}
