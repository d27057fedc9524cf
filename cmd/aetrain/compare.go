package main

import (
	"context"
	"io"
	"math"
	"slices"

	"aetrain/internal/texttable"
	"aetrain/trainer"
)

var compareCommand = command{
	name: "compare", args: "RUN RUN...", summary: "show in which keys runs differ, and their last figures side by side; draw their curves",
	help: `
With -curves one run will do. The picture has a line a run, and the legend its last figure as the table has it: of train the mean over
the last epoch. Of several figures of one step the one made last counts; stages of a training are not joined; where a figure is no number,
the line has a gap. Where it is known which way is better, figures far worse than most, as the first ones of a training often are, leave
the picture rather than pressing the rest flat, and so do vast ones in any case; the axis tells the furthest of them, and the legend which
runs end outside.`,
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o compareOptions
		f.format(&o.Format)
		o.curvesOptions.add(f)
		o.talkOptions.add(f)
		return func(_ context.Context, args []string, stdout, stderr io.Writer) error {
			o.Runs = args
			return runCompare(o, stdout, stderr)
		}
	},
}

// compareOptions are the flags of "aetrain compare".
type compareOptions struct {
	Runs   []string
	Format string
	curvesOptions
	talkOptions
}

// compareResult is what "aetrain compare -format json" prints.
type compareResult struct {
	Runs        []*runInfo           `json:"runs"`
	Differences map[string][]*string `json:"differences"`      // by key: the value of each run as TOML, null where it lacks the key
	Curves      string               `json:"curves,omitempty"` // the file that was written
}

// runCompare compares runs.
func runCompare(o compareOptions, stdout, stderr io.Writer) error {
	if len(o.Runs) == 0 || len(o.Runs) == 1 && o.Curves == "" {
		return usagef("two runs or more are wanted, or one and -curves")
	}
	marks, err := o.checkCurves()
	if err != nil {
		return err
	}
	t := newTalk(stderr, o.talkOptions)
	var runs []*runInfo
	for _, which := range o.Runs {
		dir, err := findRun(which, t)
		if err != nil {
			return err
		}
		info, err := readRun(dir)
		if err != nil {
			return err
		}
		runs = append(runs, info)
	}
	if o.Curves != "" {
		if err := o.writeCurves(runs, marks); err != nil {
			return err
		}
	}
	keys, values := differences(runs)
	if o.Format == formatJSON {
		return writeJSON(stdout, compareResult{runs, values, o.Curves})
	}
	side := compareTable(runs, keys, values)
	if o.Curves != "" {
		side.Row("curves", o.Curves)
	}
	return side.Write(stdout)
}

// differences finds the keys in which configs differ, in the order of the first one that has them.
func differences(runs []*runInfo) (keys []string, values map[string][]*string) {
	all := map[string][]*string{}
	var order []string
	for i, r := range runs {
		for _, v := range r.cfg.Values() {
			if all[v.Key] == nil {
				all[v.Key] = make([]*string, len(runs))
				order = append(order, v.Key)
			}
			all[v.Key][i] = &v.Value
		}
	}
	values = map[string][]*string{}
	for _, key := range order {
		row := all[key]
		if slices.ContainsFunc(row, func(v *string) bool { return (v == nil) != (row[0] == nil) || v != nil && *v != *row[0] }) {
			keys, values[key] = append(keys, key), row
		}
	}
	return keys, values
}

// compareTable is a column a run.
func compareTable(runs []*runInfo, keys []string, values map[string][]*string) *texttable.Table {
	var t texttable.Table
	row := func(name string, cell func(i int) string) {
		cells := []string{name}
		for i := range runs {
			cells = append(cells, cell(i))
		}
		t.Row(cells...)
	}
	row("run", func(i int) string { return runs[i].Run })
	for _, key := range keys {
		row(key, func(i int) string {
			if values[key][i] == nil {
				return "-"
			}
			return *values[key][i]
		})
	}
	row("status", func(i int) string { return runs[i].Status })
	row("step", func(i int) string { return count(runs[i].Step) })
	for _, split := range []string{"train", "validation", "test"} {
		for _, name := range shown(floats(union(runs, split))) {
			row(split+"."+name, func(i int) string {
				if x := runs[i].metric(split + "." + name); !math.IsNaN(x) {
					return number(x)
				}
				return "-"
			})
		}
	}
	return &t
}

// union has every metric that some run has for a split.
func union(runs []*runInfo, split string) map[string]trainer.Number {
	all := map[string]trainer.Number{}
	for _, r := range runs {
		for name, x := range r.Metrics[split] {
			all[name] = x
		}
	}
	return all
}
