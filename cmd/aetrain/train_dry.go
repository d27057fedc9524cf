package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/infer"
	"aetrain/internal/texttable"
	"aetrain/trainer"
)

// dryResult is what "-dry-run -format json" prints.
type dryResult struct {
	Splits        map[string]int    `json:"splits"`
	Fields        map[string]string `json:"fields"`
	Layers        []dryLayer        `json:"layers"`
	Parameters    dryParameters     `json:"parameters"`
	Memory        dryMemory         `json:"memory"`
	StepsPerEpoch int               `json:"steps_per_epoch"`
	Steps         int               `json:"steps"` // of the whole training; 0: no end
	Loss          trainer.Number    `json:"loss"`  // of the first batch, with the first weights
}

type dryLayer struct {
	Path       string `json:"path"`
	Kind       string `json:"kind"`
	Output     []int  `json:"output"`
	Parameters int    `json:"parameters"`
}

type dryParameters struct {
	Encoder int `json:"encoder"`
	Decoder int `json:"decoder"`
}

// dryMemory is in bytes.
type dryMemory struct {
	Parameters int `json:"parameters"`
	Other      int `json:"other"` // states beside the parameters: the optimizer's, running statistics
	Arena      int `json:"arena"` // what a training step works in
}

// dryRun does everything but train: it opens the data, compiles the programs, looks at a batch, and writes nothing.
func dryRun(ctx context.Context, e *experiment, o trainOptions, t *talk, stdout io.Writer) error {
	job := &trainJob{experiment: e, talk: t, options: o}
	r, closeAll, err := job.open(ctx)
	if err != nil {
		return err
	}
	defer closeAll()
	job.explain(r)
	result, err := lookAt(ctx, r)
	if err != nil {
		return err
	}
	if o.Format == formatJSON {
		return writeJSON(stdout, result)
	}
	var b strings.Builder
	if err := data.Describe(&b, r.Splits); err != nil {
		return err
	}
	result.write(&b)
	_, err = io.WriteString(stdout, b.String())
	return err
}

// lookAt gathers the figures and runs the first batch through the model.
func lookAt(ctx context.Context, r *trainer.Run) (*dryResult, error) {
	out := &dryResult{Splits: map[string]int{}, Fields: map[string]string{}, StepsPerEpoch: r.StepsPerEpoch, Steps: r.LastStep()}
	for name, s := range map[string]data.Source{"train": r.Splits.Train, "validation": r.Splits.Validation, "test": r.Splits.Test} {
		if s != nil {
			out.Splits[name] = s.Len()
		}
	}
	for _, f := range r.Splits.Fields() {
		out.Fields[f.Name] = f.Spec.String()
	}
	rows, err := r.Options.Model.Summary()
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		out.Layers = append(out.Layers, dryLayer{row.Path, row.Kind, append([]int{}, row.Out...), row.Parameters})
	}
	if out.Parameters.Encoder, out.Parameters.Decoder, err = r.Options.Model.Parameters(); err != nil {
		return nil, err
	}
	out.Memory = memoryOf(r.State, r.Executables())
	batch := min(r.Data.Batch, r.Splits.Train.Len())
	measured, err := r.Model.Evaluate(ctx, r.Splits.Train, infer.EvaluateOptions{Limit: batch})
	if err != nil {
		return nil, err
	}
	if loss := measured["loss"]; math.IsNaN(loss) || math.IsInf(loss, 0) {
		return nil, fmt.Errorf("the loss of the first %d examples is %v before any training", batch, loss)
	}
	out.Loss = trainer.Number(measured["loss"])
	return out, nil
}

// memoryOf adds up what training keeps.
func memoryOf(st backend.State, programs []backend.Executable) dryMemory {
	var m dryMemory
	for _, name := range st.Names() {
		spec, kind, _ := st.Spec(name)
		if bytes := spec.Shape.Size() * spec.DType.Bytes(); kind == graph.Param {
			m.Parameters += bytes
		} else {
			m.Other += bytes
		}
	}
	for _, p := range programs {
		m.Arena = max(m.Arena, p.Program().ArenaBytes)
	}
	return m
}

// write writes the result for people.
func (d *dryResult) write(w *strings.Builder) {
	fmt.Fprintln(w)
	var t texttable.Table
	t.AlignRight(3)
	t.Row("layer", "kind", "output", "parameters")
	for _, l := range d.Layers {
		t.Row(l.Path, l.Kind, graph.Shape(l.Output).String(), count(l.Parameters))
	}
	t.Write(w)
	fmt.Fprintf(w, "\nparameters   %s (encoder %s, decoder %s)\n", count(d.Parameters.Encoder+d.Parameters.Decoder), count(d.Parameters.Encoder), count(d.Parameters.Decoder))
	fmt.Fprintf(w, "memory       %s: parameters %s, optimizer and statistics %s, a step's arena %s\n",
		bytesText(int64(d.Memory.Parameters+d.Memory.Other+d.Memory.Arena)), bytesText(int64(d.Memory.Parameters)), bytesText(int64(d.Memory.Other)), bytesText(int64(d.Memory.Arena)))
	fmt.Fprintf(w, "steps        %s an epoch", count(d.StepsPerEpoch))
	if d.Steps > 0 {
		fmt.Fprintf(w, ", %s in all", count(d.Steps))
	}
	fmt.Fprintf(w, "\nfirst batch  loss %s with untrained weights\n", number(float64(d.Loss)))
}
