// Package metrics turns arrays on the host into figures: how near reconstructions are to what they reconstruct, and
// the linear optima that autoencoders are held against.
//
// A metric that a configuration names is an accumulator: it sees batch after batch and then gives its value (see
// [Metric]; [Make] finds one by name). [FitPCA] is the place to begin reading about the linear optima.
package metrics

import (
	"fmt"

	"aetrain/internal/registry"

	"gorgonia.org/tensor"
)

// Metric gathers a figure over batches.
type Metric interface {
	// Inputs names what Update takes, in order: "target" and "recon" (of one shape, N×...) for those that judge
	// reconstructions.
	Inputs() []string
	// Update adds a batch. Float32, float64, int32 and uint8 arrays are taken. An error leaves the figure as it was.
	Update(in ...*tensor.Dense) error
	// Value returns the figure over everything since the metric was made, NaN before the first example.
	Value() float64
	// LargerIsBetter tells which way training should move the figure.
	LargerIsBetter() bool
}

// metrics holds what `-metrics` and `monitor` can name.
var metrics = registry.New[Metric]("metric")

// Make returns a new, empty metric with its defaults. The error names the nearest known one.
func Make(name string) (Metric, error) {
	m, ok := metrics.Make(name)
	if !ok {
		return nil, metrics.Unknown(name)
	}
	return m, nil
}

// Names returns the names of all metrics, sorted.
func Names() []string { return metrics.Names() }

// reconInputs is what metrics of reconstructions take.
type reconInputs struct{}

// Inputs returns "target" and "recon".
func (reconInputs) Inputs() []string { return []string{"target", "recon"} }

// pair returns a batch's targets and reconstructions, both N×..., of one shape.
func pair(in []*tensor.Dense) (target, recon []float64, shape tensor.Shape, err error) {
	if len(in) != 2 {
		return nil, nil, nil, fmt.Errorf("wants target and recon, got %d arrays", len(in))
	}
	shape = in[0].Shape()
	if shape.Dims() == 0 || !shape.Eq(in[1].Shape()) {
		return nil, nil, nil, fmt.Errorf("target is %v and recon is %v; want the same examples", shape, in[1].Shape())
	}
	if target, err = floats(in[0]); err != nil {
		return nil, nil, nil, fmt.Errorf("target: %w", err)
	}
	if recon, err = floats(in[1]); err != nil {
		return nil, nil, nil, fmt.Errorf("recon: %w", err)
	}
	return target, recon, shape, nil
}

// floats returns the elements of d as float64, row-major; d's own memory where it is float64 already.
func floats(d *tensor.Dense) ([]float64, error) {
	t, err := newTable(d)
	if err != nil {
		return nil, err
	}
	return t.rows(0, t.n), nil
}

// table reads an array N×... as N rows of float64, some at a time: a whole data set widened would be large.
type table struct {
	n, width int // width is the elements of a row; 1 for a vector
	rows     func(from, to int) []float64
}

func newTable(d *tensor.Dense) (table, error) {
	if d.Shape().Dims() == 0 {
		return table{}, fmt.Errorf("array is a scalar; want examples along a first axis")
	}
	if d.IsMaterializable() { // a slice or a transposed view: its memory is not row-major
		m, ok := d.Materialize().(*tensor.Dense)
		if !ok {
			return table{}, fmt.Errorf("cannot read a view of %v", d.Shape())
		}
		d = m
	}
	t := table{n: d.Shape()[0]}
	if t.n > 0 {
		t.width = d.Shape().TotalSize() / t.n
	}
	switch v := d.Data().(type) {
	case []float64:
		t.rows = func(from, to int) []float64 { return v[from*t.width : to*t.width] }
	case []float32:
		t.rows = func(from, to int) []float64 { return widen(v[from*t.width : to*t.width]) }
	case []int32:
		t.rows = func(from, to int) []float64 { return widen(v[from*t.width : to*t.width]) }
	case []uint8:
		t.rows = func(from, to int) []float64 { return widen(v[from*t.width : to*t.width]) }
	default:
		return table{}, fmt.Errorf("elements are %v; want float32, float64, int32 or uint8", d.Dtype())
	}
	return t, nil
}

func widen[T float32 | int32 | uint8](v []T) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}
