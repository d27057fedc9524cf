package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"aetrain/configs"
	"aetrain/internal/cachedir"
	"aetrain/internal/grid"
	"aetrain/internal/registry"
	"aetrain/metrics"
	"aetrain/trainer"
)

// Axes of epochs.
const (
	scaleAuto   = "auto"
	scaleLinear = "linear"
	scaleLog    = "log"
)

// longCurve is how many times as far as the first epoch the last one must be for an axis of epochs to be logarithmic.
const longCurve = 30

// usualCurves are what is drawn where nothing is asked for: the first that all runs have.
var usualCurves = []string{"validation.loss", "train.loss"}

// worseSides are where values get worse.
var worseSides = map[metrics.Direction]grid.Side{metrics.Falling: grid.Above, metrics.Rising: grid.Below}

// curvesOptions are the flags of the picture of "aetrain compare".
type curvesOptions struct {
	Curves string // PNG to write; empty: none
	Metric string // SPLIT.METRIC; empty: the first of usualCurves that all runs have
	Scale  string
	Marks  texts // LABEL=VALUE
}

func (o *curvesOptions) add(f *flags) {
	f.StringVar(&o.Curves, "curves", "", "`FILE.png` to draw: a metric of the runs against epochs")
	f.StringVar(&o.Metric, "metric", "", "`SPLIT.METRIC` to draw, as validation.kl (default: validation.loss, else train.loss)")
	f.choose(&o.Scale, "scale", "axis of epochs: `auto|linear|log`; auto is log where the last epoch is beyond 30, and beyond 30 times the first", scaleAuto, scaleLinear, scaleLog)
	f.Var(&o.Marks, "mark", "`LABEL=VALUE`: a dashed line across the curves, at a published figure say (may be repeated)")
}

// checkCurves refuses what is wrong before anything is read, and returns the marks.
func (o curvesOptions) checkCurves() ([]grid.Mark, error) {
	if o.Curves == "" {
		if o.Metric != "" || len(o.Marks) > 0 || o.Scale != scaleAuto {
			return nil, usagef("-metric, -mark and -scale are about the picture of -curves FILE.png, which is missing")
		}
		return nil, nil
	}
	if strings.ToLower(filepath.Ext(o.Curves)) != ".png" {
		return nil, usagef("-curves %s: curves are drawn as .png", o.Curves)
	}
	var marks []grid.Mark
	for _, text := range o.Marks {
		at := strings.LastIndexByte(text, '=')
		label, figure := strings.TrimSpace(text[:max(0, at)]), strings.TrimSpace(text[at+1:])
		value, err := strconv.ParseFloat(figure, 64)
		if label == "" || err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, usagef("-mark %s: not of the form LABEL=VALUE with a number", text)
		}
		if !grid.Drawable(value) {
			return nil, usagef("-mark %s: the value is too large for a picture", text)
		}
		marks = append(marks, grid.Mark{Name: label + ": " + figure, Value: value})
	}
	return marks, nil
}

// writeCurves draws the runs.
func (o curvesOptions) writeCurves(runs []*runInfo, marks []grid.Mark) error {
	metric, err := o.metric(runs)
	if err != nil {
		return err
	}
	chart := o.chart(runs, metric, marks)
	err = cachedir.WriteFile(configs.ResolvePath(o.Curves), func(w io.Writer) error { return chart.Write(w) })
	if err != nil {
		return fmt.Errorf("-curves %s: %w", o.Curves, err)
	}
	return nil
}

// chart is the picture of a metric of the runs.
func (o curvesOptions) chart(runs []*runInfo, metric string, marks []grid.Mark) *grid.Chart {
	_, name, _ := strings.Cut(metric, ".")
	chart := &grid.Chart{XLabel: "epoch", YLabel: metric, Worse: worseSides[metrics.DirectionOf(name)], Marks: marks}
	for i, label := range curveLabels(runs) {
		chart.Curves = append(chart.Curves, runs[i].curve(label, metric))
	}
	if chart.LogX = o.Scale == scaleLog || o.Scale == scaleAuto && long(chart.Curves); chart.LogX {
		chart.XLabel += " (logarithmic)"
	}
	return chart
}

// metric is what is drawn. A run that lacks it is an error, which names what may have been meant.
func (o curvesOptions) metric(runs []*runInfo) (string, error) {
	wanted := []string{o.Metric}
	if o.Metric == "" {
		wanted = usualCurves
	}
	var lacks *runInfo
	for _, metric := range wanted {
		at := slices.IndexFunc(runs, func(r *runInfo) bool { return !slices.Contains(figuresOf(r.rows), metric) })
		if at < 0 {
			return metric, nil
		}
		lacks = runs[at]
	}
	switch has := figuresOf(lacks.rows); {
	case len(has) == 0:
		return "", usagef("-curves: %s has no figures yet", lacks.Run)
	case o.Metric == "":
		return "", usagef("-curves: not all runs have %s: %s has %s; say -metric SPLIT.METRIC", strings.Join(usualCurves, " or "), lacks.Run, strings.Join(has, ", "))
	default:
		return "", notMeasured(lacks.Run, o.Metric, has)
	}
}

// notMeasured tells that a run lacks the metric that was asked for.
func notMeasured(run, metric string, has []string) error {
	near := registry.Nearest(metric, has)
	for i := 0; near == "" && i < len(has); i++ {
		if strings.HasSuffix(has[i], "."+metric) {
			near = has[i]
		}
	}
	if near != "" {
		return usagef("-metric %s: %s has none; did you mean %s?", metric, run, near)
	}
	return usagef("-metric %s: %s has none; it has %s", metric, run, strings.Join(has, ", "))
}

// figuresOf lists the metrics of rows as SPLIT.METRIC, validation first.
func figuresOf(rows []trainer.Row) []string {
	seen := map[string]bool{}
	for _, row := range rows {
		for name := range row.Metrics {
			seen[row.Split+"."+name] = true
		}
	}
	var all []string
	for name := range seen {
		all = append(all, name)
	}
	slices.Sort(all)
	slices.SortStableFunc(all, func(a, b string) int { return splitOrder(a) - splitOrder(b) })
	return all
}

func splitOrder(metric string) int {
	split, _, _ := strings.Cut(metric, ".")
	return slices.Index([]string{"validation", "train", "test"}, split)
}

// curveLabels are the runs' folders by their last name, or whole where two have the same.
func curveLabels(runs []*runInfo) []string {
	times := map[string]int{}
	for _, r := range runs {
		times[filepath.Base(r.Run)]++
	}
	labels := make([]string, len(runs))
	for i, r := range runs {
		if labels[i] = filepath.Base(r.Run); times[labels[i]] > 1 {
			labels[i] = r.Run
		}
	}
	return labels
}

// curve is a metric of the run, in a piece for each stage of the training. Its name is the label and the figure that tables have.
func (r *runInfo) curve(label, metric string) grid.Curve {
	c := grid.Curve{Name: label}
	split, name, _ := strings.Cut(metric, ".")
	for i := len(r.rows) - 1; i >= 0; i-- {
		if last := r.rows[i]; last.Split == split {
			if x, has := r.Metrics[split][name]; has {
				c.Name = fmt.Sprintf("%s: %s after %s", label, number(float64(x)), epochs(last.Epoch))
			}
			break
		}
	}
	stage := ""
	for _, row := range lastMade(r.rows, split, name) {
		if len(c.Pieces) == 0 || row.Stage != stage {
			c.Pieces, stage = append(c.Pieces, nil), row.Stage
		}
		piece := &c.Pieces[len(c.Pieces)-1]
		*piece = append(*piece, grid.Point{X: row.Epoch, Y: float64(row.Metrics[name])})
	}
	return c
}

// lastMade are the rows of a split that have a metric, by their steps; of several of one step the one made last.
func lastMade(rows []trainer.Row, split, name string) []trainer.Row {
	var made []trainer.Row
	for _, row := range rows {
		if _, has := row.Metrics[name]; row.Split != split || !has {
			continue
		}
		at, same := slices.BinarySearchFunc(made, row.Step, func(r trainer.Row, step int) int { return r.Step - step })
		if same {
			made[at] = row
		} else {
			made = slices.Insert(made, at, row)
		}
	}
	return made
}

// long reports whether the last epoch is so many times the first one that on a linear axis most of what happens would be at its beginning.
func long(curves []grid.Curve) bool {
	first, last := math.Inf(1), 0.0
	for _, c := range curves {
		for _, piece := range c.Pieces {
			for _, p := range piece {
				if p.X > 0 {
					first, last = min(first, p.X), max(last, p.X)
				}
			}
		}
	}
	return last > longCurve*max(first, 1)
}
