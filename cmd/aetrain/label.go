package main

import (
	"aetrain/data"
	"aetrain/infer"
	"aetrain/model"
)

// labelOptions is the flag -label, for models that are told labels or have a decoder for each.
type labelOptions struct {
	Label    int
	Labelled bool // Label counts
}

// addLabel declares the flag; otherwise says what happens without it.
func (o *labelOptions) addLabel(f *flags, otherwise string) {
	f.IntVar(&o.Label, "label", 0, "the label, `L`, that a conditional model is told, or whose decoder is taken (default: "+otherwise+")")
}

// field is the field that the label stands in.
func (o labelOptions) field(r *openedRun) (model.Field, error) {
	fields := r.Model.Model().ConditionFields()
	if len(fields) != 1 || fields[0].Classes == 0 {
		return model.Field{}, usagef("-label %d: the model is told no label: train it with [model.condition] on = [\"label\"], or model.decoder_per = \"label\"", o.Label)
	}
	f := fields[0]
	if o.Label < 0 || o.Label >= f.Classes {
		return f, usagef("-label %d: %s is 0 to %d", o.Label, f.Name, f.Classes-1)
	}
	return f, nil
}

// given is what the model is told of n examples: the label that is asked for.
func (o labelOptions) given(r *openedRun, n int) (infer.Fields, error) {
	if !o.Labelled {
		return nil, nil
	}
	f, err := o.field(r)
	if err != nil {
		return nil, err
	}
	return infer.Labels(f.Name, o.Label, n), nil
}

// relabel gives all inputs the label that is asked for.
func (o labelOptions) relabel(r *openedRun) error {
	if !o.Labelled {
		return nil
	}
	f, err := o.field(r)
	if err != nil {
		return err
	}
	r.source = data.WithLabel(r.source, data.Field(f), int32(o.Label))
	return nil
}
