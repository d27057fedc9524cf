package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"aetrain/trainer"
)

// What commands write of a run on text is text, in each form.
func TestTextRun(t *testing.T) {
	l := newLab(t)
	l.write("t.toml", `name = "t"
seed = 1
[data]
source = "sentences"
examples = 120
batch = 20
validation = 20
[model]
preset = "text-vae"
latent_dim = 2
encoder = [{ layer = "embedding", units = 6 }, { layer = "gru", units = 6, return_sequences = false }]
decoder = [{ layer = "repeat" }, { layer = "teacher_forcing", units = 6 }, { layer = "gru", units = 8 }, { layer = "dense" }]
[optimizer]
learning_rate = 0.05
[train]
epochs = 6
monitor = "accuracy"
`)
	l.must("-config", "t.toml", "-out", "run")
	var runs struct{ Runs []*runInfo }
	l.json(&runs, "runs", ".")
	rows, err := trainer.ReadRows(filepath.Join(l.dir, "run"))
	if err != nil || len(runs.Runs) != 1 || runs.Runs[0].Best == nil {
		t.Fatalf("%d runs: %v", len(runs.Runs), err)
	}
	for _, row := range rows {
		if best := runs.Runs[0].Best; row.Split == "validation" && row.Metrics[best.Metric] > best.Value {
			t.Errorf("step %d has %s %v; the best is %+v", row.Step, best.Metric, row.Metrics[best.Metric], best)
		}
	}
	if lines := strings.Split(l.must("sample", "run", "-n", "2").stdout, "\n"); len(lines) != 4 || lines[0] != "example,x" {
		t.Errorf("sample says %q", lines)
	}
	l.must("sample", "run", "-n", "3", "-out", "s.txt")
	text := l.read("s.txt")
	if strings.Count(text, "\n") != 3 || strings.Trim(text, " abcdefghijklmnopqrstuvwxyz\n") != "" || len(text) < 12 {
		t.Errorf("s.txt is %q", text)
	}
	l.must("sample", "run", "-n", "3", "-out", "s.jsonl")
	for i, line := range strings.Split(strings.TrimSpace(l.read("s.jsonl")), "\n") {
		var o struct{ Example, X string }
		if err := json.Unmarshal([]byte(line), &o); err != nil || o.X != strings.Split(text, "\n")[i] {
			t.Errorf("line %d of s.jsonl is %s, s.txt %q (%v)", i, line, text, err)
		}
	}
	var r struct{ Metrics map[string]float64 }
	l.json(&r, "reconstruct", "run", "-out", "r.csv")
	if a := r.Metrics["accuracy"]; !(a > 0 && a <= 1) {
		t.Errorf("%v of the tokens are right", a)
	}
	if rows := strings.Split(strings.TrimSpace(l.read("r.csv")), "\n"); len(rows) != 21 || strings.HasPrefix(rows[1], ",") {
		t.Errorf("r.csv is %q", rows)
	}
	l.must("interpolate", "run", "-n", "1", "-steps", "3", "-out", "i.txt")
	if n := strings.Count(l.read("i.txt"), "\n"); n != 3 {
		t.Errorf("%d texts on the way, want 3", n)
	}
	l.must("interpolate", "run", "-traverse", "-steps", "2", "-out", "w.txt")
	if n := strings.Count(l.read("w.txt"), "\n"); n != 4 {
		t.Errorf("%d texts along 2 numbers, want 4", n)
	}
}
