package main

import (
	"errors"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"aetrain/data"
	"aetrain/graph"
	"aetrain/infer"
	"aetrain/internal/registry"
	"aetrain/model"
)

// labelOptions is the flag -label, for models that are told labels or columns, or have a decoder for each label.
type labelOptions struct {
	Label    string // the value of the one condition, or NAME=VALUE of some of several, separated by commas
	Labelled bool   // Label counts
}

// addLabel declares the flag; otherwise says what happens without it.
func (o *labelOptions) addLabel(f *flags, otherwise string) {
	f.StringVar(&o.Label, "label", "", "what a conditional model is told, or whose decoder is taken: the label `L`, by name or number, or COLUMN=VALUE,... (default: "+otherwise+")")
}

// given is what the model is told of n examples.
func (o labelOptions) given(r *openedRun, n int) (infer.Fields, error) {
	if !o.Labelled {
		return nil, nil
	}
	fields := r.Model.Model().ConditionFields()
	if len(fields) == 0 {
		return nil, usagef("-label %s: the model is told no label: train it with [model.condition] on = [\"label\"], or model.decoder_per = \"label\"", o.Label)
	}
	given := infer.Fields{}
	for _, part := range strings.Split(o.Label, ",") {
		name, value, named := strings.Cut(part, "=")
		if !named {
			name, value = fields[0].Name, part
		}
		f, err := conditionCalled(fields, strings.TrimSpace(name))
		if err == nil && !named && len(fields) > 1 {
			err = errors.New("the model is told several things: write " + fields[0].Name + "=" + value)
		}
		if err == nil {
			given[f.Name], err = r.toldAs(f, strings.TrimSpace(value), n)
		}
		if err != nil {
			return nil, usagef("-label %s: %v", part, err)
		}
	}
	return given, nil
}

// relabel gives all inputs the label that is asked for.
func (o labelOptions) relabel(r *openedRun) error {
	given, err := o.given(r, 1)
	if err != nil || given == nil {
		return err
	}
	f := r.Model.Model().ConditionFields()[0]
	if len(given) != 1 || given[f.Name] == nil || f.Classes == 0 || r.Model.Model().IsColumn(f.Name) {
		return usagef("-label %s: inputs have their own columns; only a label can be another", o.Label)
	}
	r.source = data.WithLabel(r.source, data.Field(f), given[f.Name].Int32s()[0])
	return nil
}

// conditionCalled is the field of a name.
func conditionCalled(fields []model.Field, name string) (model.Field, error) {
	var names []string
	for _, f := range fields {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return model.Field{}, errors.New("the model is not told " + name + registry.Suggest(name, names) + ": it is told " + strings.Join(names, ", "))
}

// toldAs reads a value of a field: the name or the number of a label, or a number in the units of the data.
func (r *openedRun) toldAs(f model.Field, value string, n int) (*tensor.Dense, error) {
	if f.Spec.DType == graph.Int32 && len(f.Spec.Shape) == 0 {
		label, err := r.labelCalled(f, value)
		return infer.Labels(f.Name, label, n)[f.Name], err
	}
	v, err := strconv.ParseFloat(value, 32)
	if err != nil || f.Spec.DType != graph.Float32 || f.Spec.Shape.Size() != 1 {
		return nil, errors.New(f.Name + " wants a number")
	}
	x := float32(v)
	if r.units != nil && r.Model.Model().IsColumn(f.Name) {
		if x, err = r.units.FedAs(f.Name, x); err != nil {
			return nil, err
		}
	}
	all := tensor.New(tensor.WithShape(append([]int{n}, f.Spec.Shape...)...), tensor.Of(tensor.Float32))
	for i := range all.Float32s() {
		all.Float32s()[i] = x
	}
	return all, nil
}

// labelCalled is the number of a label, which is given by its name or by that number.
func (r *openedRun) labelCalled(f model.Field, value string) (int, error) {
	for i, word := range f.Words {
		if word == value {
			return i, nil
		}
	}
	i, err := strconv.Atoi(value)
	if len(f.Words) > 0 && (err != nil || r.Model.Model().IsColumn(f.Name)) {
		return 0, errors.New(f.Name + " is one of " + strings.Join(f.Words, ", ") + registry.Suggest(value, f.Words))
	}
	if err != nil || i < 0 || i >= f.Classes {
		return 0, errors.New(f.Name + " is 0 to " + strconv.Itoa(f.Classes-1))
	}
	return i, nil
}
