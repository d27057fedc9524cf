package infer

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/internal/registry"
	"aetrain/metrics"
	"aetrain/model"
)

// extraMetrics makes the metrics that are not computed anyway, by their names; whole are those that are no metric of batches.
func extraMetrics(names []string) (extra map[string]metrics.Metric, whole map[string]bool, err error) {
	extra, whole = map[string]metrics.Metric{}, map[string]bool{}
	for _, name := range names {
		canonical, ok := registry.Find(name, append(MetricNames(), MetricLoss))
		if !ok {
			return nil, nil, fmt.Errorf("unknown metric %q%s", name, registry.Suggest(name, MetricNames()))
		}
		switch canonical {
		case MetricNLL, MetricFID:
			whole[canonical] = true
		case MetricLoss, "mse":
		default:
			if extra[canonical], err = metrics.Make(canonical); err != nil {
				return nil, nil, err
			}
		}
	}
	return extra, whole, nil
}

// update shows a batch to the metrics.
func (m *Model) update(extra map[string]metrics.Metric, r *runner, b *data.Batch) error {
	if len(extra) == 0 {
		return nil
	}
	in := map[string]*tensor.Dense{}
	for name, x := range extra {
		args := make([]*tensor.Dense, len(x.Inputs()))
		for i, what := range x.Inputs() {
			if in[what] == nil {
				var err error
				if in[what], err = m.metricInput(r, b, what); err != nil {
					return err
				}
			}
			args[i] = in[what]
		}
		if err := x.Update(args...); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// What metrics take beside fields of the data, by name.
const (
	inputTarget = "target" // what was to be reconstructed, in the order and shape of recon
	inputRecon  = "recon"
	inputCode   = "code" // the posterior's mean, else the code

	inputScores = "scores" // recon of the clean input by way of the posterior's mean
	inputHidden = "hidden" // the field target: of users what was hidden of them
)

// fieldTarget is what a source calls what is to be found.
const fieldTarget = "target"

// ofScores takes the metrics out of extra that judge recon without noise.
func ofScores(extra map[string]metrics.Metric) map[string]metrics.Metric {
	scored := map[string]metrics.Metric{}
	for name, x := range extra {
		if slices.Contains(x.Inputs(), inputScores) {
			scored[name] = x
			delete(extra, name)
		}
	}
	return scored
}

// fieldsOf are the fields of the data that metrics take. The error names a metric and what src lacks.
func fieldsOf(extra map[string]metrics.Metric, src data.Source) (fields []string, err error) {
	for name, x := range extra {
		for _, in := range x.Inputs() {
			switch in {
			case inputTarget, inputRecon, inputCode, inputScores:
				continue
			case inputHidden:
				in = fieldTarget
			}
			if data.FieldIndex(src.Fields(), in) < 0 {
				return nil, fmt.Errorf("metric %s wants the field %s, which this data does not have", name, in)
			}
			fields = append(fields, in)
		}
	}
	return fields, nil
}

// Measurable are the metrics of package metrics for which src has what they take: those that a training may monitor.
func Measurable(src data.Source) []string {
	var names []string
	for _, name := range metrics.Names() {
		x, err := metrics.Make(name)
		if err == nil {
			_, err = fieldsOf(map[string]metrics.Metric{name: x}, src)
		}
		if err == nil {
			names = append(names, name)
		}
	}
	return names
}

// metricInput is what a batch has of an input of metrics.
func (m *Model) metricInput(r *runner, b *data.Batch, what string) (*tensor.Dense, error) {
	switch what {
	case inputRecon, inputScores:
		return m.fetch(r, "recon")
	case inputHidden:
		return b.Field(fieldTarget), nil
	case inputTarget:
		recon, err := m.fetch(r, "recon")
		if err != nil {
			return nil, err
		}
		return repeat(unit(b.Field(model.FieldX)), recon.Shape()), nil
	case inputCode:
		if r.fn.Outputs["mu"].Valid() {
			return m.fetch(r, "mu")
		}
		return m.fetch(r, "z")
	}
	return b.Field(what), nil
}

// unit is what the model makes of a stored x: bytes become [0, 1].
func unit(x *tensor.Dense) *tensor.Dense {
	v, ok := x.Data().([]uint8)
	if !ok {
		return x
	}
	const white = 255
	u := backend.NewHost(graph.F32(x.Shape()...))
	for i, b := range v {
		u.Float32s()[i] = float32(b) / white
	}
	return u
}

// repeat gives each row of x as many copies as shape, N·k×..., wants.
func repeat(x *tensor.Dense, shape tensor.Shape) *tensor.Dense {
	n := x.Shape()[0]
	k := shape[0] / n
	v, ok := x.Data().([]float32)
	if k == 1 || !ok {
		return x
	}
	r := backend.NewHost(graph.F32(shape...))
	each := len(v) / n
	for i := range n * k {
		copy(r.Float32s()[i*each:(i+1)*each], v[i/k*each:])
	}
	return r
}
