package main

import (
	"encoding/json"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aetrain/internal/grid"
	"aetrain/trainer"
)

// row is a line of metrics.jsonl with one metric.
func row(split string, step int, metric string, value float64) trainer.Row {
	return trainer.Row{Step: step, Epoch: float64(step) / 10, Split: split, Metrics: map[string]trainer.Number{metric: trainer.Number(value)}}
}

// pretend makes the folder of a run that has written rows.
func (l *lab) pretend(dir string, rows ...trainer.Row) {
	l.t.Helper()
	var b strings.Builder
	for _, r := range rows {
		line, err := json.Marshal(r)
		if err != nil {
			l.t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	l.write(dir+"/config.toml", tiny)
	if len(rows) > 0 {
		l.write(dir+"/"+trainer.MetricsFile, b.String())
	}
}

// colours counts the pixels of each colour of a picture.
func (l *lab) colours(name string) map[color.RGBA]int {
	l.t.Helper()
	f, err := os.Open(filepath.Join(l.dir, name))
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	p, err := png.Decode(f)
	if err != nil {
		l.t.Fatal(err)
	}
	n := map[color.RGBA]int{}
	for y := range p.Bounds().Dy() {
		for x := range p.Bounds().Dx() {
			n[color.RGBAModel.Convert(p.At(x, y)).(color.RGBA)]++
		}
	}
	return n
}

// Colours of the first lines of a picture.
var (
	blue   = color.RGBA{0, 114, 178, 255}
	orange = color.RGBA{213, 94, 0, 255}
	green  = color.RGBA{0, 158, 115, 255}
)

func TestCompareCurves(t *testing.T) {
	l := newLab(t)
	var falling, flat []trainer.Row
	for step := 10; step <= 100; step += 10 {
		falling = append(falling, row("train", step, "loss", 200/float64(step)), row("validation", step, "loss", 300/float64(step)))
		flat = append(flat, row("train", step, "loss", 5))
	}
	l.pretend("a", falling...)
	l.pretend("flat", flat...)
	l.pretend("deep/a", falling...)

	var c compareResult
	l.json(&c, "compare", "a", "flat", "-curves", "new/folder/curves.png", "-mark", "published, x=0=2.5")
	n := l.colours("new/folder/curves.png")
	if c.Curves != "new/folder/curves.png" || len(c.Runs) != 2 || n[blue] < 300 || n[orange] < 600 || n[green] < 200 || n[green] > 900 {
		t.Errorf("curves %q of %d runs; %d pixels of the first run, %d of the second, %d of the mark", c.Curves, len(c.Runs), n[blue], n[orange], n[green])
	}
	if entries, _ := os.ReadDir(filepath.Join(l.dir, "new/folder")); len(entries) != 1 {
		t.Errorf("beside the picture there is %v", entries)
	}
	l.write("one.png", "what was here before")
	if o := l.must("compare", "a", "-curves", "one.png", "-metric", "validation.loss"); !strings.Contains(o.stdout, "curves") || !strings.Contains(o.stdout, "one.png") {
		t.Errorf("of one run:\n%s", o.stdout)
	}
	if n := l.colours("one.png"); n[blue] < 300 || n[orange] > 0 {
		t.Errorf("of one run: %d pixels of it, %d of another", n[blue], n[orange])
	}
	l.pretend("exploded", row("validation", 10, "loss", 25), row("validation", 90, "loss", 9), row("validation", 100, "loss", 1e30))
	l.must("compare", "a", "exploded", "-curves", "exploded.png", "-metric", "validation.loss")
	if alone, beside := l.colours("one.png")[blue], l.colours("exploded.png")[blue]; beside < alone/2 {
		t.Errorf("beside a run that exploded %d pixels are left of a curve that has %d alone", beside, alone)
	}
	l.must("compare", "a", "-curves", "log.PNG", "-scale", "log")
	if l.read("log.PNG") == l.read("one.png") {
		t.Error("a logarithmic axis changes nothing")
	}
}

func TestCompareCurvesMistakes(t *testing.T) {
	l := newLab(t)
	l.pretend("a", row("train", 10, "loss", 3), row("train", 10, "kl", 1), row("validation", 10, "loss", 3))
	l.pretend("trained", row("train", 10, "loss", 3))
	l.pretend("validated", row("validation", 10, "loss", 3))
	l.pretend("tested", row("test", 10, "nll", 3))
	l.pretend("empty")
	l.pretend("nan", row("validation", 10, "loss", math.NaN()))
	l.write("file", "")
	for _, c := range []struct {
		name, args string
		code       int
		want       string
	}{
		{"one run and no picture", "compare a", 2, "two runs or more are wanted, or one and -curves"},
		{"no run", "compare -curves x.png", 2, "two runs or more are wanted, or one and -curves"},
		{"not a picture", "compare a -curves x.svg", 2, "-curves x.svg: curves are drawn as .png"},
		{"no picture", "compare a a -metric train.kl", 2, "-metric, -mark and -scale are about the picture of -curves FILE.png"},
		{"no label", "compare a -curves x.png -mark 86.76", 2, "-mark 86.76: not of the form LABEL=VALUE"},
		{"no number", "compare a -curves x.png -mark VAE=good", 2, "-mark VAE=good: not of the form LABEL=VALUE"},
		{"a mark without a label", "compare a -curves x.png -mark =5", 2, "-mark =5: not of the form LABEL=VALUE"},
		{"a vast mark", "compare a -curves x.png -mark VAE=-1e308", 2, "-mark VAE=-1e308: the value is too large for a picture"},
		{"an infinite mark", "compare a -curves x.png -mark VAE=inf", 2, "-mark VAE=inf: not of the form LABEL=VALUE"},
		{"no such scale", "compare a -curves x.png -scale sqrt", 2, "it is one of auto, linear, log"},
		{"a slip in the metric", "compare a -curves x.png -metric validation.los", 2, "-metric validation.los: a has none; did you mean validation.loss?"},
		{"no split", "compare a -curves x.png -metric kl", 2, "-metric kl: a has none; did you mean train.kl?"},
		{"another metric", "compare a -curves x.png -metric validation.perplexity", 2, "a has none; it has validation.loss, train.kl, train.loss"},
		{"one run lacks it", "compare a trained -curves x.png -metric validation.loss", 2, "-metric validation.loss: trained has none; it has train.loss"},
		{"no loss at all", "compare a tested -curves x.png", 2, "-curves: not all runs have validation.loss or train.loss: tested has test.nll; say -metric SPLIT.METRIC"},
		{"no loss in common", "compare validated trained -curves x.png", 2, "-curves: not all runs have validation.loss or train.loss: validated has validation.loss; say"},
		{"an empty run", "compare a empty -curves x.png", 2, "-curves: empty has no figures yet"},
		{"only NaN", "compare nan -curves x.png", 1, "-curves x.png: grid: no finite values"},
		{"a file above", "compare a -curves file/x.png", 1, "file"},
		{"a folder there", "compare a -curves a.png", 1, "a.png"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "a folder there" {
				l.write("a.png/file", "")
			}
			o := l.run(strings.Fields(c.args)...)
			if o.code != c.code || !strings.Contains(o.stderr, c.want) || o.stdout != "" {
				t.Errorf("aetrain %s: exit code %d, want %d; stdout %q; stderr\n%s\nwant in it: %s", c.args, o.code, c.code, o.stdout, o.stderr, c.want)
			}
		})
	}
	if l.exists("x.png") {
		t.Error("a picture was left")
	}
}

// What was made again counts once, and what was made later of an earlier step stands at that step, in any split.
func TestLastMade(t *testing.T) {
	nan := math.NaN()
	rows := []trainer.Row{
		row("train", 10, "loss", 9), row("validation", 10, "loss", 8), row("train", 20, "loss", 7), row("train", 30, "loss", 6), row("train", 40, "kl", 1),
		row("train", 25, "loss", 5), row("train", 35, "loss", nan), row("train", 10, "loss", 8.5), row("test", 40, "loss", 4), row("test", 20, "loss", 3), row("test", 40, "loss", 2),
	}
	for _, c := range []struct{ split, metric, want string }{
		{"train", "loss", "10:8.5 20:7 25:5 30:6 35:NaN"}, {"validation", "loss", "10:8"}, {"test", "loss", "20:3 40:2"}, {"train", "kl", "40:1"}, {"test", "kl", ""},
	} {
		var got []string
		for _, r := range lastMade(rows, c.split, c.metric) {
			got = append(got, fmt.Sprintf("%d:%v", r.Step, r.Metrics[c.metric]))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s.%s: got %v, want %s", c.split, c.metric, got, c.want)
		}
	}
}

// of is what a run with these rows is read as.
func of(rows ...trainer.Row) *runInfo {
	return &runInfo{Run: "run", rows: rows, Metrics: lastRows(rows)}
}

func TestRunCurve(t *testing.T) {
	staged := []trainer.Row{row("train", 10, "loss", 9), row("train", 20, "loss", 8), row("train", 30, "loss", 3.5), row("validation", 30, "loss", 7)}
	staged[0].Stage, staged[1].Stage, staged[2].Stage = "layer 1", "layer 1", "all"
	c := of(staged...).curve("run", "train.loss")
	if got, want := fmt.Sprint(c), "{run: 3.500 after 3 epochs [[{1 9} {2 8}] [{3 3.5}]]}"; got != want {
		t.Errorf("a curve in stages is %s, want %s", got, want)
	}
	if got, want := of(staged[:1]...).curve("run", "train.loss").Name, "run: 9.000 after 1 epoch"; got != want {
		t.Errorf("the legend says %q, want %q", got, want)
	}
	rows := []trainer.Row{
		row("train", 10, "loss", 9), row("train", 15, "loss", 4), row("train", 20, "loss", 2), row("validation", 20, "loss", 7),
		row("test", 20, "loss", 6), row("test", 20, "nll", 5), row("test", 10, "loss", 8),
	}
	for metric, want := range map[string]string{
		"train.loss": "run: 3.000 after 2 epochs", "validation.loss": "run: 7.000 after 2 epochs", // of train: over the last epoch
		"test.loss": "run: 8.000 after 1 epoch", "test.nll": "run", // of test: what was written last
	} {
		r := of(rows...)
		got := r.curve("run", metric).Name
		if x := r.metric(metric); got != want || !math.IsNaN(x) && !strings.Contains(got, ": "+number(x)+" ") {
			t.Errorf("%s: the legend says %q, want %q; the table says %v", metric, got, want, x)
		}
	}
	infos := []*runInfo{{Run: "runs/a"}, {Run: "old/a"}, {Run: "runs/b"}}
	if got := strings.Join(curveLabels(infos), " "); got != "runs/a old/a b" {
		t.Errorf("labels are %s", got)
	}
}

// A side of the curves is that of the worse values where there are such: only they may leave the picture.
func TestCurvesKeepWhatIsBetter(t *testing.T) {
	for metric, want := range map[string]grid.Side{
		"validation.loss": grid.Above, "test.nll": grid.Above, "train.reconstruction": grid.Above, "validation.mse": grid.Above,
		"validation.accuracy": grid.Below, "validation.psnr": grid.Below,
		"train.kl": grid.Neither, "train.learning_rate": grid.Neither, "validation.active": grid.Neither,
	} {
		if got := (curvesOptions{}).chart(nil, metric, nil).Worse; got != want {
			t.Errorf("%s: side %v, want %v", metric, got, want)
		}
	}
}

func TestLong(t *testing.T) {
	for _, c := range []struct {
		first, last float64
		want        bool
	}{{1, 30, false}, {1, 31, true}, {0.01, 30, false}, {20, 400, false}, {0.5, 400, true}, {0, 0, false}} {
		rows := []trainer.Row{row("train", 1, "loss", 1), row("train", 2, "loss", 1)}
		rows[0].Epoch, rows[1].Epoch = c.first, c.last
		if got := long([]grid.Curve{of(rows...).curve("", "train.loss")}); got != c.want {
			t.Errorf("from epoch %v to %v: long is %v, want %v", c.first, c.last, got, c.want)
		}
	}
}
