package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"aetrain/configs"
	"aetrain/internal/texttable"
	"aetrain/metrics"
	"aetrain/trainer"
)

var runsCommand = command{
	name: "runs", args: "[DIR]", summary: "list the runs under runs/, or below DIR",
	help: `
Status: done, early-stopped; unfinished where a resume has more to do (it may be training now); begun without a checkpoint yet.
Figures are the last ones of each split, those of train are means over the last epoch.`,
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o runsOptions
		f.StringVar(&o.Sort, "sort", "started", "`KEY` to sort by: name, status, epoch, step, started, best, or a metric of a split as validation.loss; best first")
		f.format(&o.Format)
		o.talkOptions.add(f)
		return func(_ context.Context, args []string, stdout, stderr io.Writer) error {
			o.Dir = runsDir
			if len(args) > 0 {
				o.Dir, args = configs.ResolvePath(args[0]), args[1:]
				if info, err := os.Stat(o.Dir); err != nil || !info.IsDir() {
					return usagef("no such folder: %s", o.Dir)
				}
			}
			if err := noArguments(args); err != nil {
				return err
			}
			return runRuns(o, stdout, stderr)
		}
	},
}

// runsOptions are the flags of "aetrain runs".
type runsOptions struct {
	Dir    string
	Sort   string
	Format string
	talkOptions
}

// runInfo is what the files of a run tell of it. Metrics are the last row of each split.
type runInfo struct {
	Run     string                               `json:"run"`
	Name    string                               `json:"name"`
	Status  string                               `json:"status"`
	Epoch   trainer.Number                       `json:"epoch"`
	Step    int                                  `json:"step"`
	Started time.Time                            `json:"started"`
	Best    *runBest                             `json:"best"` // null: none yet
	Metrics map[string]map[string]trainer.Number `json:"metrics"`

	cfg  *configs.Config
	rows []trainer.Row // of metrics.jsonl
}

// runBest is the best value of the monitored metric.
type runBest struct {
	Metric string         `json:"metric"`
	Value  trainer.Number `json:"value"`
	Epoch  int            `json:"epoch"`
	Step   int            `json:"step"`
}

// runRuns lists runs.
func runRuns(o runsOptions, stdout, stderr io.Writer) error {
	dirs, err := listRuns(o.Dir)
	if err != nil {
		return err
	}
	t := newTalk(stderr, o.talkOptions)
	all := []*runInfo{}
	for _, dir := range dirs {
		info, err := readRun(shortPath(configs.ResolvePath(dir)))
		if err != nil {
			t.Linef("%s is passed over: %v", dir, err)
			continue
		}
		all = append(all, info)
	}
	if err := sortRuns(all, o.Sort); err != nil {
		return err
	}
	if o.Format == formatJSON {
		return writeJSON(stdout, map[string][]*runInfo{"runs": all})
	}
	if len(all) == 0 {
		t.Linef("there is no run under %s", configs.ResolvePath(o.Dir))
		return nil
	}
	return listTable(all, o.Sort).Write(stdout)
}

// listTable shows runs, a line each: the loss of each split, and what they are sorted by.
func listTable(all []*runInfo, sorted string) *texttable.Table {
	columns := []string{"train.loss", "validation.loss", "test.loss"}
	if split, _, ok := strings.Cut(sorted, "."); ok && split != "" && !slices.Contains(columns, sorted) {
		columns = append(columns, sorted)
	}
	var t texttable.Table
	t.Row(append([]string{"run", "status", "epoch", "step"}, append(columns, "best")...)...)
	t.AlignRight(2, 3, 4, 5, 6)
	if len(columns) > 3 {
		t.AlignRight(7)
	}
	for _, r := range all {
		cells := []string{r.Run, r.Status, fmt.Sprintf("%.4g", float64(r.Epoch)), count(r.Step)}
		for _, c := range columns {
			if x := r.metric(c); math.IsNaN(x) {
				cells = append(cells, "-")
			} else {
				cells = append(cells, number(x))
			}
		}
		best := "-"
		if r.Best != nil {
			best = fmt.Sprintf("%s %s at epoch %d", r.Best.Metric, number(float64(r.Best.Value)), r.Best.Epoch)
		}
		t.Row(append(cells, best)...)
	}
	return &t
}

// metric is the last value of "validation.loss", NaN where there is none.
func (r *runInfo) metric(key string) float64 {
	split, name, _ := strings.Cut(key, ".")
	if x, ok := r.Metrics[split][name]; ok {
		return float64(x)
	}
	return math.NaN()
}

// sortRuns sorts, best or newest first; runs that lack the key come last.
func sortRuns(all []*runInfo, key string) error {
	compare := map[string]func(a, b *runInfo) int{
		"name":    func(a, b *runInfo) int { return cmp.Compare(a.Name, b.Name) },
		"status":  func(a, b *runInfo) int { return cmp.Compare(a.Status, b.Status) },
		"epoch":   func(a, b *runInfo) int { return cmp.Compare(b.Epoch, a.Epoch) },
		"step":    func(a, b *runInfo) int { return cmp.Compare(b.Step, a.Step) },
		"started": func(a, b *runInfo) int { return b.Started.Compare(a.Started) },
		"best":    func(a, b *runInfo) int { return byFigure(a.best(), b.best(), a.Best != nil && rising(a.Best.Metric)) },
	}[key]
	if compare == nil {
		split, name, ok := strings.Cut(key, ".")
		if !ok || !slices.Contains([]string{"train", "validation", "test"}, split) {
			return usagef("-sort %s: it is name, status, epoch, step, started, best, or a metric of a split as validation.loss", key)
		}
		compare = func(a, b *runInfo) int { return byFigure(a.metric(key), b.metric(key), rising(name)) }
	}
	slices.SortStableFunc(all, func(a, b *runInfo) int {
		return cmp.Or(compare(a, b), b.Started.Compare(a.Started), cmp.Compare(a.Run, b.Run))
	})
	return nil
}

func (r *runInfo) best() float64 {
	if r.Best == nil {
		return math.NaN()
	}
	return float64(r.Best.Value)
}

// byFigure compares two figures, the better one first and none at all last.
func byFigure(a, b float64, largerIsBetter bool) int {
	switch {
	case math.IsNaN(a) && math.IsNaN(b):
		return 0
	case math.IsNaN(a):
		return 1
	case math.IsNaN(b):
		return -1
	case largerIsBetter:
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}

// rising reports whether a figure is better when it is larger.
func rising(name string) bool { return metrics.DirectionOf(name) == metrics.Rising }

// readRun reads a run's folder.
func readRun(dir string) (*runInfo, error) {
	e, err := readRunConfig(dir)
	if e == nil {
		return nil, err
	}
	cfg := e.cfg
	r := &runInfo{Run: dir, Name: cfg.Name, Status: "begun", Started: runBegan(dir), cfg: cfg}
	rows, err := trainer.ReadRows(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	r.rows, r.Metrics = rows, lastRows(rows)
	for _, row := range rows {
		if row.Split != "test" {
			r.Epoch, r.Step = trainer.Number(row.Epoch), row.Step
		}
	}
	last, err := lastCheckpoint(dir)
	if err != nil {
		return nil, err
	}
	if last == nil {
		return r, nil
	}
	r.Status = "unfinished"
	if status := e.train.Finished(e.model, last.Meta, stepsPerEpoch(rows, last.Meta)); status != "" {
		r.Status = status
	}
	var memory trainer.BestMemory
	if _, err := last.Meta.Get("best", &memory); err == nil {
		if b := memory.Best; b != nil {
			r.Best = &runBest{b.Metric, trainer.Number(b.Value), b.Epoch, b.Step}
		}
	}
	return r, nil
}

// readRunConfig reads a run's config as far as it can be read: its data may have moved, which is no matter here.
func readRunConfig(dir string) (*experiment, error) {
	return readExperiment(configs.LoadOptions{File: dir + "/" + configFile})
}

// lastRows are the last figures of each split. Those of train are means over the rows of the last epoch.
func lastRows(rows []trainer.Row) map[string]map[string]trainer.Number {
	last := map[string]map[string]trainer.Number{}
	for _, row := range rows {
		last[row.Split] = row.Metrics
	}
	if last["train"] != nil {
		last["train"] = lastEpoch(rows)
	}
	return last
}

// lastEpoch are the means of the training rows of the last epoch, each weighted by its steps; the learning rate is the last one.
func lastEpoch(rows []trainer.Row) map[string]trainer.Number {
	var train []trainer.Row
	for _, row := range rows {
		if row.Split == "train" {
			train = append(train, row)
		}
	}
	end := train[len(train)-1]
	begin := math.Ceil(end.Epoch-1e-9) - 1
	sums, steps := map[string]trainer.Number{}, trainer.Number(0)
	for i, row := range train {
		if row.Epoch <= begin+1e-9 {
			continue
		}
		weight := trainer.Number(row.Step)
		if i > 0 {
			weight -= trainer.Number(train[i-1].Step)
		}
		steps += weight
		for name, x := range row.Metrics {
			sums[name] += weight * x
		}
	}
	for name := range sums {
		sums[name] /= max(steps, 1)
	}
	sums["learning_rate"] = end.Metrics["learning_rate"]
	return sums
}

// checkpointName is the folder's name of a checkpoint: best, last, step-N.
func checkpointName(dir string) string {
	return strings.TrimSuffix(dir[strings.LastIndexAny(dir, `/\`)+1:], ".old")
}
