package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestHelp(t *testing.T) {
	l := newLab(t)
	golden(t, "help.txt", l.must("help").stdout)
	for _, c := range commands() {
		got := l.must("help", c.name).stdout
		golden(t, "help-"+c.name+".txt", got)
		if again := l.must(c.name, "--help").stdout; again != got {
			t.Errorf("%s --help differs from help %s", c.name, c.name)
		}
	}
}

// What could not be written is a failure of the command.
func TestNoSpace(t *testing.T) {
	for _, args := range []string{"help", "help compare", "compare -help", "-help", "list", "list presets"} {
		if err := dispatch(context.Background(), strings.Fields(args), noSpace{}, io.Discard); !errors.Is(err, errNoSpace) {
			t.Errorf("aetrain %s to a full disk: %v", args, err)
		}
	}
}

var errNoSpace = errors.New("no space left")

type noSpace struct{}

func (noSpace) Write([]byte) (int, error) { return 0, errNoSpace }

func TestList(t *testing.T) {
	l := newLab(t)
	golden(t, "list.txt", l.must("list").stdout)
	var all map[string][]listItem
	l.json(&all, "list")
	for _, kind := range []string{"layers", "presets", "kernels", "data_sources", "ops"} {
		if len(all[kind]) == 0 {
			t.Errorf("list -format json has no %s", kind)
		}
	}
	if got := l.must("list", "preset").stdout; !strings.Contains(got, "ae  ") {
		t.Errorf("list preset lacks ae: %.40q", got)
	}
	if o := l.run("list", "layrs"); o.code != 2 || !strings.Contains(o.stderr, "did you mean layers?") {
		t.Errorf("list layrs: exit code %d, %s", o.code, o.stderr)
	}
}

func TestExplain(t *testing.T) {
	l := newLab(t)
	if all := l.must("explain").stdout; !strings.Contains(all, "\ntrain.device\n") {
		t.Errorf("explain lists\n%s", all)
	}
	o := l.must("explain", "optimizer.learning_rate")
	golden(t, "explain.txt", o.stdout)
	for _, key := range []string{"kernels.autotune", "kernels.conv2d", "train.epochs", "model.penalties.kl.beta", "data.dir", "train.sample_every"} {
		if o := l.run("explain", key); o.code != 0 || !strings.Contains(o.stdout, "meaning") {
			t.Errorf("explain %s: exit code %d, %s%s", key, o.code, o.stdout, o.stderr)
		}
	}
	if o := l.run("explain", "data.bach"); o.code != 2 || !strings.Contains(o.stderr, "did you mean data.batch?") {
		t.Errorf("explain data.bach: exit code %d, %s", o.code, o.stderr)
	}
}

func TestDoctorAndVersion(t *testing.T) {
	l := newLab(t)
	var h health
	l.json(&h, "doctor")
	if h.Threads < 1 || len(h.Tiers) == 0 || !h.CacheOK || h.PeakGFLOPS["go"] <= 0 {
		t.Errorf("doctor found %+v", h)
	}
	if one := h.PeakGFLOPS[h.Tiers[len(h.Tiers)-1]]; h.PeakAll < one/2 || h.Threads > 1 && h.HandOverNS <= 0 || h.Kernels["MatMul"]["gemm"] == 0 {
		t.Errorf("doctor found %v GFLOP/s on all threads, a hand-over of %d ns, the kernels %v", h.PeakAll, h.HandOverNS, h.Kernels)
	}
	if got := l.must("--version").stdout; !strings.HasPrefix(got, "aetrain ") {
		t.Errorf("version is %q", got)
	}
}

func TestCommandLine(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	l.write("taken/config.toml", tiny)
	l.write("file", "")
	for _, c := range []struct {
		name   string
		args   string
		code   int
		stderr string
	}{
		{"nothing", "", 2, "no command is given"},
		{"unknown command", "trian tiny.toml", 2, `unknown command "trian"; did you mean train?`},
		{"file in place of a command", "tiny.toml", 2, "aetrain train tiny.toml"},
		{"flags before the command", "-quiet eval", 2, "the command comes first: aetrain eval"},
		{"unknown flag", "train tiny.toml -ot x", 2, "unknown flag -ot; did you mean -out?"},
		{"flag without a value", "train tiny.toml -out", 2, "flag needs an argument: -out"},
		{"word that is not a choice", "runs -format yaml", 2, "it is one of text, json"},
		{"no config", "train", 2, "no config is given"},
		{"two arguments", "train tiny.toml tiny.toml", 2, `takes no argument, got "tiny.toml"`},
		{"config that is not there", "-config nope.toml", 2, "no such config file: " + l.dir + "/nope.toml"},
		{"config that is a folder", "-config taken", 1, "cannot be read"},
		{"resume with a config", "-resume taken -config tiny.toml", 2, "-resume takes the config of the run"},
		{"resume with a folder", "-resume taken -out x", 2, "-resume goes on in the run's own folder"},
		{"resume of what is no run", "-resume cache", 2, "no such run"},
		{"resume of a folder", "-resume .", 2, "is not a run: it has no config.toml"},
		{"latest of none", "-resume latest", 2, "there is no run under " + l.dir + "/runs"},
		{"run in the way", "train tiny.toml -out taken", 2, "holds a run already"},
		{"file in the way", "train tiny.toml -out file", 2, "not a folder"},
		{"file above", "train tiny.toml -out file/run", 1, "file/run"},
		{"no CUDA", "train tiny.toml -device cuda", 1, "no CUDA in this build"},
		{"no such device", "train tiny.toml -device tpu", 2, `train.device=tpu: "tpu" is none of auto, cpu, cuda and cuda:N`},
		{"run that is not there", "eval -run nope", 2, "no such run: " + l.dir + "/nope"},
		{"run twice", "eval -run taken taken", 2, "the run is given twice"},
		{"run without a checkpoint", "eval taken", 2, "there is no checkpoint yet"},
		{"in and split", "eval taken -in x.npy -split all", 2, "-in and -split exclude one another"},
		{"form that is not written", "encode taken -out z.xlsx", 2, ".xlsx files are not written; it is .npy, .csv, .jsonl, .parquet"},
		{"unknown metric", "eval taken -metrics psnrr", 2, `unknown metric "psnrr"; did you mean psnr?`},
		{"one run to compare", "compare taken", 2, "two runs or more"},
		{"sort by nothing", "runs -sort loss", 2, "-sort loss: it is"},
		{"data of nothing", "data stats", 2, "-config F or -source NAME is missing"},
		{"data of what", "data show", 2, "it is get, list, preview or stats"},
		{"unknown source", "data stats -source mnits", 2, "did you mean mnist?"},
		{"unknown preset", "init -preset vea", 2, "did you mean vae?"},
		{"init on a file", "init -out tiny.toml", 2, "the file is there already"},
		{"check without a file", "check", 2, "no file is given"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := l.run(strings.Fields(c.args)...)
			if o.code != c.code || !strings.Contains(o.stderr, c.stderr) || o.stdout != "" {
				t.Errorf("aetrain %s: exit code %d, want %d; stdout %q; stderr\n%s\nwant in it: %s", c.args, o.code, c.code, o.stdout, o.stderr, c.stderr)
			}
		})
	}
	if l.exists("runs") {
		t.Error("something was written under runs/")
	}
}

func TestFlagsAnywhere(t *testing.T) {
	f := newFlags("test")
	var n int
	var sets texts
	var loud bool
	f.IntVar(&n, "n", 0, "")
	f.BoolVar(&loud, "loud", false, "")
	f.sets(&sets)
	rest, err := f.parse([]string{"a", "--n=3", "b", "-loud", "c", "-set", "x=1", "--set", "y=2", "--", "-d"})
	if err != nil || strings.Join(rest, " ") != "a b c -d" || n != 3 || !loud || sets.String() != "x=1 y=2" {
		t.Errorf("got %v, n %d, loud %v, sets %v, %v", rest, n, loud, sets, err)
	}
	if !f.given("n") || f.given("nothing") {
		t.Error("given is wrong")
	}
}
