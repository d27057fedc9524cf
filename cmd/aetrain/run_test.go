package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/trainer"
)

// trained is a lab with the run "runs/a".
func trained(t *testing.T, sets ...string) *lab {
	t.Helper()
	l := newLab(t)
	l.write("tiny.toml", tiny)
	args := []string{"train", "tiny.toml", "-out", "runs/a", "-quiet"}
	for _, s := range sets {
		args = append(args, "-set", s)
	}
	l.must(args...)
	return l
}

func TestEval(t *testing.T) {
	l := trained(t)
	var r runResult
	o := l.json(&r, "eval", "-metrics", "nll,psnr", "-samples", "10")
	if o.stderr == "" || !strings.Contains(o.stderr, "runs/a") {
		t.Errorf("the run is not named on stderr: %q", o.stderr)
	}
	if r.Run != "runs/a" || r.Checkpoint != "best" || r.Split != "test" || r.Examples != 40 {
		t.Errorf("the result is %+v", r)
	}
	for _, name := range []string{"loss", "reconstruction", "kl", "mse", "nll", "psnr"} {
		if r.Metrics[name] == 0 {
			t.Errorf("%s is not measured: %v", name, r.Metrics)
		}
	}
	rows, err := trainer.ReadRows(filepath.Join(l.dir, "runs/a"))
	if last := rows[len(rows)-1]; err != nil || last.Split != "test" || last.Metrics["loss"] != r.Metrics["loss"] {
		t.Errorf("metrics end with %+v, %v", last, err)
	}
	if got := l.must("eval", "-run", "runs/a", "-split", "validation", "-checkpoint", "last", "-limit", "7").stdout; !strings.Contains(got, "validation, 7 examples") || !strings.Contains(got, "last (step 14)") {
		t.Errorf("eval says\n%s", got)
	}
	l.npy("ours.npy", 9, graph.Shape{1, 6, 6}, 0, 1)
	l.json(&r, "eval", "runs/a", "-in", "ours.npy")
	if r.In != "ours.npy" || r.Examples != 9 {
		t.Errorf("of a file: %+v", r)
	}
	l.npy("other.npy", 9, graph.Shape{5}, 0, 1)
	for args, want := range map[string]string{
		"eval runs/a -in other.npy":           "its examples are 5, the model was trained on 1x6x6",
		"eval runs/a -in none.npy":            "no such file or folder: " + l.dir + "/none.npy",
		"eval runs/a -split tests":            "no split is called",
		"eval runs/a -checkpoint step-3":      "there is no checkpoint step-3; there are best, last",
		"eval runs/a -samples 3":              "add -metrics nll",
		"eval runs/a -set model.latent_di=3":  "did you mean latent_dim?",
		"decode runs/a -in other.npy":         "its codes have 5 numbers, the model's 3",
		"interpolate runs/a -steps 1":         "-steps is 2 or more",
		"sample runs/a -n 0":                  "it is 1 or more",
		"reconstruct runs/a -n -1":            "it is 1 or more",
		"encode runs/a -in ours.npy -out x.y": ".y files are not written",
	} {
		if o := l.run(strings.Fields(args)...); o.code != 2 || !strings.Contains(o.stderr, want) {
			t.Errorf("aetrain %s: exit code %d, %s", args, o.code, o.stderr)
		}
	}
}

// A code that is written in any form decodes to what reconstruct gives.
func TestEncodeDecodeReconstruct(t *testing.T) {
	l := trained(t, `data.transforms=[{ kind = "scale", to = [0.25, 0.75] }]`)
	l.must("reconstruct", "runs/a", "-out", "whole.csv")
	want := l.read("whole.csv")
	if n := strings.Count(want, "\n"); n != 41 || !strings.HasPrefix(want, "example,x0,x1,") {
		t.Fatalf("reconstruct wrote %d lines: %.60s", n, want)
	}
	for _, form := range []string{"npy", "csv", "jsonl", "parquet"} {
		l.must("encode", "-out", "z."+form)
		l.must("decode", "-in", "z."+form, "-out", "x.csv")
		if got := l.read("x.csv"); !sameNumbers(t, got, want) {
			t.Errorf("by way of %s: another reconstruction", form)
		}
	}
	if got := l.must("encode", "-format", "text").stdout; got != l.read("z.csv") {
		t.Error("encode without -out is not the CSV")
	}
	var r runResult
	l.json(&r, "encode", "-split", "validation")
	if len(r.Rows) != 60 || len(r.Rows[0]["z"].([]any)) != 3 {
		t.Errorf("encode -format json has %d rows", len(r.Rows))
	}
	l.json(&r, "reconstruct", "-n", "7")
	if len(r.Rows) != 7 || r.Examples != 7 {
		t.Errorf("seven reconstructions are %d rows of %d examples", len(r.Rows), r.Examples)
	}
	l.json(&r, "reconstruct", "-corrupt", "-out", "x.jsonl")
	if r.Metrics["mse"] <= 0 || r.Out != "x.jsonl" {
		t.Errorf("reconstruct: %+v", r)
	}
}

// sameNumbers compares columns of numbers of two CSVs.
func sameNumbers(t *testing.T, a, b string) bool {
	t.Helper()
	read := func(text string) []float32 {
		path := filepath.Join(t.TempDir(), "x.csv")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		values, err := csvCodes(context.Background(), path, 36)
		if err != nil {
			t.Fatal(err)
		}
		return values
	}
	x, y := read(a), read(b)
	for i := range x {
		if d := x[i] - y[i]; d > 1e-5 || d < -1e-5 {
			return false
		}
	}
	return len(x) == len(y)
}

func TestPictures(t *testing.T) {
	l := trained(t)
	l.npy("one.npy", 1, graph.Shape{1, 6, 6}, 0, 1)
	for _, args := range []string{
		"sample runs/a -n 70 -seed 4 -out a.png", "reconstruct runs/a -out b.png", "reconstruct runs/a -corrupt -out c.png", "interpolate runs/a -out d.png -n 9 -steps 9",
		"reconstruct runs/a -in one.npy -out e.png", "encode runs/a -out f.png", "data preview -config tiny.toml -out g.png", "data preview -source random -n 3 -out h.png",
		"interpolate runs/a -traverse -out i.png",
	} {
		l.must(strings.Fields(args)...)
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
		if _, err := png.Decode(bytes.NewReader([]byte(l.read(name + ".png")))); err != nil {
			t.Errorf("%s.png: %v", name, err)
		}
	}
	l.must("sample", "runs/a", "-n", "3", "-out", "folder")
	if found, _ := filepath.Glob(filepath.Join(l.dir, "folder", "00000?.png")); len(found) != 3 {
		t.Errorf("the folder has %v", found)
	}
	if l.must("sample", "runs/a", "-n", "3", "-out", "s1.csv", "-seed", "1"); l.read("s1.csv") == "" {
		t.Error("nothing was sampled")
	}
	l.must("sample", "runs/a", "-n", "3", "-out", "s2.csv", "-seed", "1")
	l.must("sample", "runs/a", "-n", "3", "-out", "s3.csv", "-seed", "2")
	if l.read("s1.csv") != l.read("s2.csv") || l.read("s1.csv") == l.read("s3.csv") {
		t.Error("the seed does not decide what is drawn")
	}
}

func TestSampleWithoutAPrior(t *testing.T) {
	l := trained(t, "model.preset=ae")
	if o := l.run("sample", "runs/a", "-out", "a.png"); o.code != 1 || !strings.Contains(o.stderr, "no prior") || l.exists("a.png") {
		t.Errorf("exit code %d, %s", o.code, o.stderr)
	}
}

func TestRunsAndCompare(t *testing.T) {
	l := trained(t)
	l.must("train", "tiny.toml", "-out", "runs/b", "-quiet", "-set", "model.latent_dim=5", "-set", "train.epochs=3", "-set", "data.shape=[4]")
	l.write("runs/broken/config.toml", "[")
	var r struct{ Runs []*runInfo }
	o := l.json(&r, "runs", "-sort", "validation.loss")
	if len(r.Runs) != 2 || r.Runs[0].Run != "runs/b" || r.Runs[0].Status != "done" || r.Runs[0].Step != 21 || r.Runs[0].Best == nil {
		t.Errorf("runs are %s", o.stdout)
	}
	if !strings.Contains(o.stderr, "runs/broken is passed over") {
		t.Errorf("stderr is %q", o.stderr)
	}
	for _, sorted := range []string{"name", "status", "epoch", "step", "started", "best", "test.kl", "train.loss"} {
		if got := l.must("runs", "-sort", sorted).stdout; !strings.Contains(got, "runs/a") {
			t.Errorf("-sort %s shows\n%s", sorted, got)
		}
	}
	if o := l.run("runs", "elsewhere"); o.code != 2 || !strings.Contains(o.stderr, "no such folder: "+l.dir+"/elsewhere") {
		t.Errorf("of no folder: %+v", o)
	}

	var c compareResult
	l.json(&c, "compare", "runs/a", "runs/b")
	values := func(key string) string {
		text, _ := json.Marshal(c.Differences[key])
		return string(text)
	}
	if len(c.Runs) != 2 || values("model.latent_dim") != `["3","5"]` || values("data.shape") != `["[1, 6, 6]","4"]` || c.Differences["seed"] != nil {
		t.Errorf("%d runs; model.latent_dim %s, data.shape %s", len(c.Runs), values("model.latent_dim"), values("data.shape"))
	}
	got := l.must("compare", "runs/a", "runs/b").stdout
	for _, want := range []string{"model.latent_dim", "validation.loss", "train.kl"} {
		if !strings.Contains(got, want) {
			t.Errorf("compare does not show %s:\n%s", want, got)
		}
	}
}

func TestData(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	var s statsResult
	l.json(&s, "data", "stats", "-config", "tiny.toml")
	if s.Source != "random" || s.Splits["train"] != 200 || s.Fields["x"] != "1x6x6" || !s.Stats["test"].Finite || s.Stats["train"].Max > 1 {
		t.Errorf("stats are %+v", s)
	}
	if got := l.must("data", "stats", "-source", "random").stdout; !strings.Contains(got, "9000 examples") {
		t.Errorf("stats of a source:\n%s", got)
	}
	if got := l.must("data", "get", "-source", "random", "-set", "data.examples=7").stdout; !strings.HasPrefix(got, "random: 7 examples of 1x28x28") {
		t.Errorf("get says %q", got)
	}
	if got := l.must("data", "list").stdout; !strings.Contains(got, "fashion-mnist  dir") {
		t.Errorf("list says\n%s", got)
	}
}

func TestInit(t *testing.T) {
	l := newLab(t)
	for _, preset := range strings.Fields("ae overcomplete denoising sparse conv-ae vae beta-vae conv-vae") {
		file := preset + ".toml"
		l.must("init", "-preset", preset, "-out", file)
		l.must("check", file)
	}
	text := l.read("vae.toml")
	for _, want := range []string{"name = \"vae\"", "source = \"digits\"", "# inputs", "preset = \"vae\"", "# test = 0.2"} {
		if want != "# inputs" && !strings.Contains(text, want) {
			t.Errorf("vae.toml lacks %q", want)
		}
	}
	l.must("train", "vae.toml", "-quiet", "-dry-run", "-set", "data.source=random")
	if got := l.must("init", "-preset", "vae").stdout; got != text {
		t.Error("without -out it is another config")
	}

	l.npy("ours/x.npy", 40, graph.Shape{5}, -2, 8)
	l.must("init", "-preset", "vae", "-data", "ours", "-out", "ours.toml", "-quiet")
	var r trainResult
	l.json(&r, "train", "ours.toml", "-out", "a", "-set", "train.epochs=1")
	if !strings.Contains(l.read("ours.toml"), `kind = "scale"`) || r.Status != "done" {
		t.Errorf("a config for one's own arrays: %+v", r)
	}
	l.write("none/readme.md", "")
	if o := l.run("init", "-data", "none"); o.code != 2 || !strings.Contains(o.stderr, "no data of a known form") {
		t.Errorf("of a folder without data: exit code %d, %s", o.code, o.stderr)
	}
	l.write("idx/train-images-idx3-ubyte", "\x00\x00\x08\x03\x00\x00\x00\x04\x00\x00\x00\x02\x00\x00\x00\x02"+strings.Repeat("\x00\xff\x10\x20", 4))
	if got := l.must("init", "-preset", "ae", "-data", "idx").stdout; !strings.Contains(got, `source = "mnist"`) || !strings.Contains(got, `dir = "`+l.dir+`/idx"`) {
		t.Errorf("of IDX files:\n%.600s", got)
	}
}

// Codes in files are refused or read, never more.
func FuzzCodes(f *testing.F) {
	for _, seed := range []string{"example,z0,z1\n0,1,2\n", "1,2\n3,4\n", `{"z":[1,2]}`, "example\n", "\"", "a,b\nx,y\n", "\x93NUMPY\x01\x00"} {
		f.Add(seed)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		for _, ext := range []string{".csv", ".jsonl", ".npy"} {
			path := filepath.Join(dir, "codes"+ext)
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			values, err := readCodes(context.Background(), path, 2)
			if err == nil && (len(values) == 0 || len(values)%2 != 0) {
				t.Errorf("%s: %d numbers", ext, len(values))
			}
		}
	})
}
