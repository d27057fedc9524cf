package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"aetrain/trainer"
)

func TestTrainWritesARun(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	o := l.must("-config", "tiny.toml")
	dirs, _ := filepath.Glob(filepath.Join(l.dir, "runs", "tiny-*"))
	if len(dirs) != 1 {
		t.Fatalf("runs are %v", dirs)
	}
	run := shortTo(t, l.dir, dirs[0])
	for _, part := range []string{"config.toml", "source.toml", "environment.json", "metrics.jsonl", "log.txt", "checkpoints/best/state.json", "checkpoints/last/model.safetensors", "samples"} {
		if !l.exists(run + "/" + part) {
			t.Errorf("%s is missing", part)
		}
	}
	if got := l.read(run + "/source.toml"); got != tiny {
		t.Errorf("source.toml is %q", got)
	}
	line := regexp.MustCompile(`(?m)^epoch 2/2  step 14  loss [\d.]+  reconstruction [\d.]+  kl [\d.e-]+  validation [\d.]+( \(best\))?  [\d,]+ examples/s$`)
	if !line.MatchString(o.stderr) {
		t.Errorf("stderr has no line of the last epoch:\n%s", o.stderr)
	}
	if !strings.Contains(o.stderr, "cpu: no CUDA in this build (CPU, ") {
		t.Errorf("stderr does not say why the CPU:\n%s", o.stderr)
	}
	if !strings.Contains(o.stdout, "done: 2 epochs, 14 steps") || !strings.HasSuffix(o.stdout, run+"\n") {
		t.Errorf("stdout is\n%s", o.stdout)
	}
	if log := l.read(run + "/log.txt"); log != o.stderr+o.stdout {
		t.Errorf("log.txt is\n%s\nthe terminal said\n%s", log, o.stderr+o.stdout)
	}
	var env environment
	if err := json.Unmarshal([]byte(l.read(run+"/environment.json")), &env); err != nil || env.Directory != realPath(t, l.dir) || len(env.Command) != 3 {
		t.Errorf("environment.json is %+v, %v", env, err)
	}
}

// shortTo is a path seen from a folder.
func shortTo(t *testing.T, from, path string) string {
	t.Helper()
	short, err := filepath.Rel(from, path)
	if err != nil {
		t.Fatal(err)
	}
	return short
}

func realPath(t *testing.T, path string) string {
	t.Helper()
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return real
}

// The rendered config trains the very same model, and so does -config with one dash or two, before or after.
func TestConfigRunsAgain(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	var r trainResult
	l.json(&r, "train", "--quiet", "tiny.toml", "-set", "model.latent_dim=2", "-out=a")
	if r.Run != "a" || r.Status != "done" || r.Epoch != 2 || r.Step != 14 || r.Metrics["train"]["loss"] <= 0 || r.Metrics["validation"]["mse"] <= 0 {
		t.Errorf("the result is %+v", r)
	}
	l.must("train", "a/config.toml", "-out", "b", "-quiet")
	const model = "/checkpoints/last/model.safetensors"
	if l.read("a"+model) != l.read("b"+model) {
		t.Error("the run's own config trains another model")
	}
	if l.read("a/config.toml") != l.read("b/config.toml") {
		t.Error("the run's own config is rendered anew in another way")
	}
}

func TestQuiet(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	if o := l.must("train", "tiny.toml", "-quiet", "-out", "a"); o.stdout+o.stderr != "" {
		t.Errorf("-quiet said %q", o.stdout+o.stderr)
	}
	if log := l.read("a/log.txt"); !strings.Contains(log, "epoch 2/2") {
		t.Errorf("log.txt is %q", log)
	}
}

func TestOverwrite(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	l.must("train", "tiny.toml", "-out", "a", "-quiet")
	l.write("a/notes.txt", "mine")
	l.must("train", "tiny.toml", "-out", "a", "-quiet", "-overwrite", "-set", "train.max_steps=1", "-set", "train.sample_every=0")
	if got := l.read("a/notes.txt"); got != "mine" {
		t.Error("-overwrite took a file that is no part of a run")
	}
	if l.exists("a/samples/samples-epoch-0001.png") {
		t.Error("-overwrite left pictures of the run before")
	}
}

func TestDryRun(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	o := l.must("train", "tiny.toml", "-dry-run")
	for _, want := range []string{"train        200 examples", "validation   60", "test         40", "encoder.mu", "parameters   1,038 (encoder 522, decoder 516)", "steps        7 an epoch, 14 in all", "first batch  loss"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("-dry-run does not say %q:\n%s", want, o.stdout)
		}
	}
	if o := l.must("train", "tiny.toml", "-dry-run", "-v"); !strings.Contains(o.stderr, "program: ") || !strings.Contains(o.stderr, "gemm") {
		t.Errorf("-v does not show programs and kernels:\n%s", o.stderr)
	}
	if entries, _ := os.ReadDir(l.dir); len(entries) != 1 {
		t.Errorf("something was written: %v", entries)
	}
}

func TestOverfitOneBatch(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	var r overfitResult
	l.json(&r, "train", "tiny.toml", "-overfit-one-batch", "-set", "model.preset=ae", "-set", "model.latent_dim=32", "-set", "model.encoder=[]", "-set", "data.batch=8", "-set", "optimizer.learning_rate=0.02")
	if !r.Passed || r.Examples != 8 || r.Steps < overfitLeast || r.End["loss"] >= r.Start["loss"] {
		t.Errorf("a wide autoencoder did not learn 8 examples: %+v", r)
	}
	o := l.run("train", "tiny.toml", "-overfit-one-batch", "-set", "optimizer.learning_rate=0")
	if o.code != 1 || !strings.Contains(o.stderr, "has not learnt one batch") {
		t.Errorf("a model that does not move: exit code %d, %s", o.code, o.stderr)
	}
	if entries, _ := os.ReadDir(l.dir); len(entries) != 1 {
		t.Errorf("something was written: %v", entries)
	}
}

// A training that is interrupted leaves a checkpoint and says how to go on; that gives the bits of an uninterrupted one.
func TestInterruptAndResume(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	long := []string{"train", "tiny.toml", "-set", "train.epochs=60", "-set", "train.sample_every=0"}
	l.must(append(long, "-out", "whole", "-quiet")...)
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		code   int
	}{{"interrupted", syscall.SIGINT, 130}, {"terminated", syscall.SIGTERM, 143}, {"killed", syscall.SIGKILL, -1}} {
		t.Run(c.name, func(t *testing.T) {
			l := &lab{t, l.dir}
			p := l.start(append(long, "-out", c.name, "-set", "train.log_every_steps=1")...)
			l.waitFor(c.name + "/checkpoints/last/state.json")
			p.signal(t, c.signal)
			o := l.finish(p)
			if o.code == 0 {
				t.Skip("the run was over before the signal came")
			}
			if o.code != c.code {
				t.Fatalf("exit code %d, want %d\n%s", o.code, c.code, o.stderr)
			}
			if c.code > 0 && !strings.HasSuffix(o.stderr, "to go on: aetrain -resume "+c.name+"\n") {
				t.Errorf("the last line does not show how to go on:\n%s", o.stderr)
			}
			if c.code > 0 && !strings.HasPrefix(o.stdout, "interrupted: ") {
				t.Errorf("stdout is\n%s", o.stdout)
			}
			var r trainResult
			l.json(&r, "-resume", c.name, "-set", "train.log_every_steps=3")
			if r.Status != "done" || r.Epoch != 60 {
				t.Errorf("resumed: %+v", r)
			}
			const model = "/checkpoints/last/model.safetensors"
			if l.read("whole"+model) != l.read(c.name+model) {
				t.Error("the weights differ from those of an uninterrupted run")
			}
		})
	}
}

func TestResume(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	l.must("train", "tiny.toml", "-out", "runs/a", "-quiet")
	before := l.read("runs/a/config.toml")

	if o := l.must("-resume", "latest"); !strings.Contains(o.stderr, "runs/a is finished (done, epoch 2, step 14)") || !strings.HasPrefix(o.stderr, "run runs/a\n") {
		t.Errorf("a finished run says\n%s", o.stderr)
	}
	o := l.run("-resume", "runs/a", "-set", "model.latent_dim=2", "-set", "optimizer.name=sgd", "-set", "train.epochs=3", "-set", "data.batch=8")
	for _, key := range []string{"model.latent_dim=2", "optimizer.name=sgd", "data.batch=8"} {
		if !strings.Contains(o.stderr, "-set "+key+": a resumed run cannot change this; begin a new one with train.start_from = \"runs/a\"") {
			t.Errorf("%s is not refused with the way out:\n%s", key, o.stderr)
		}
	}
	if o.code != 2 || strings.Contains(o.stderr, "train.epochs") || l.read("runs/a/config.toml") != before {
		t.Errorf("exit code %d, %s", o.code, o.stderr)
	}

	var r trainResult
	l.json(&r, "-resume", "runs/a", "-set", "train.epochs=4", "-set", "optimizer.learning_rate=1e-4", "-set", "model.penalties.kl.beta=0.5", "-set", "kernels.autotune=true")
	if r.Epoch != 4 || r.Step != 28 {
		t.Errorf("resumed: %+v", r)
	}
	if l.read("runs/a/config.step-14.toml") != before {
		t.Error("the former config is not kept")
	}
	if after := l.read("runs/a/config.toml"); !strings.Contains(after, "beta = 0.5") || !strings.Contains(after, "epochs = 4") {
		t.Errorf("config.toml does not follow:\n%s", after)
	}
	log := l.read("runs/a/log.txt")
	if !strings.Contains(log, "kernels.autotune = true, was false (from here on") || strings.Count(log, "bit for bit") != 1 {
		t.Errorf("the log does not say that bit-exactness ends:\n%s", log)
	}
	var env environment
	if err := json.Unmarshal([]byte(l.read("runs/a/environment.json")), &env); err != nil || len(env.Resumed) != 1 || env.Resumed[0].Step != 14 {
		t.Errorf("environment.json has %+v, %v", env.Resumed, err)
	}
	rows, err := trainer.ReadRows(filepath.Join(l.dir, "runs/a"))
	if err != nil || rows[len(rows)-1].Step != 28 {
		t.Errorf("metrics end with %+v, %v", rows[len(rows)-1:], err)
	}
}

func TestResumeEarlyStopped(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	var r trainResult
	l.json(&r, "train", "tiny.toml", "-out", "a", "-set", "optimizer.learning_rate=0", "-set", "train.early_stopping=2", "-set", "train.epochs=9")
	if r.Status != "early-stopped" || r.Epoch != 3 {
		t.Fatalf("a run that cannot improve: %+v", r)
	}
	if o := l.must("-resume", "a"); !strings.Contains(o.stderr, "a is finished (early-stopped, epoch 3, step 21); to go on: -set train.early_stopping=N") {
		t.Errorf("resumed: %s", o.stderr)
	}
	l.json(&r, "-resume", "a", "-set", "train.early_stopping=4")
	if r.Status != "early-stopped" || r.Epoch != 5 {
		t.Errorf("with more patience: %+v", r)
	}
}

// What a resume may change of stages, and by which key a run goes on that is finished.
func TestResumeStages(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	stages := `train.stages=[{depth=1,epochs=1,trains=["encoder"],optimizer={name="sgd"}},{epochs=1}]`
	l.must("train", "tiny.toml", "-out", "a", "-quiet", "-set", stages)
	for set, refused := range map[string]bool{
		"train.stages.0.depth=0":                    true,
		`train.stages.0.trains=["decoder"]`:         true,
		`train.stages.1.losses=["none"]`:            true,
		"train.stages.0.optimizer.name=adam":        true,
		"train.stages=[{epochs=3}]":                 true,
		"train.stages.1.name=last":                  false,
		"train.stages.1.epochs=1.5":                 false,
		"train.stages.0.optimizer.weight_decay=0.1": false,
	} {
		o := l.run("-resume", "a", "-dry-run", "-set", set)
		if said := strings.Contains(o.stderr, "a resumed run cannot change this; begin a new one with train.start_from = \"a\""); said != refused || (o.code == 2) != refused {
			t.Errorf("-set %s: exit code %d, refused %v, want %v\n%s", set, o.code, said, refused, o.stderr)
		}
	}
	if o := l.must("-resume", "a"); !strings.Contains(o.stderr, "to go on: -set train.stages.1.epochs=N") {
		t.Errorf("a finished run says\n%s", o.stderr)
	}
	var r trainResult
	l.json(&r, "-resume", "a", "-set", "train.stages.1.epochs=2")
	if r.Epoch != 3 || r.Step != 21 {
		t.Errorf("resumed: %+v", r)
	}
	l.must("-resume", "a", "-quiet", "-set", "train.max_steps=22", "-set", "train.stages.1.epochs=9")
	if o := l.must("-resume", "a"); !strings.Contains(o.stderr, "to go on: -set train.max_steps=N") {
		t.Errorf("a run that was bounded by steps says\n%s", o.stderr)
	}
	l.must("train", "tiny.toml", "-out", "b", "-quiet", "-set", "train.epochs=1", "-set", `model.bottleneck={kind="fsq",levels=[5,4]}`, "-set", "model.latent_dim=2",
		"-set", `model.prior={kind="autoregressive",layers=[{layer="gru",units=4}],epochs=1}`)
	if o := l.must("-resume", "b"); !strings.Contains(o.stderr, `its prior is trained, so more epochs are a new run with train.start_from = "b"`) {
		t.Errorf("a run with a prior says\n%s", o.stderr)
	}
}

func TestResumeWithoutACheckpoint(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	l.must("train", "tiny.toml", "-out", "a", "-quiet")
	if err := os.RemoveAll(filepath.Join(l.dir, "a/checkpoints")); err != nil {
		t.Fatal(err)
	}
	if o := l.must("-resume", "a"); !strings.Contains(o.stderr, "a has no checkpoint yet: from the start") || !strings.Contains(o.stdout, "done: 2 epochs, 14 steps") {
		t.Errorf("stderr\n%s\nstdout\n%s", o.stderr, o.stdout)
	}
	rows, err := trainer.ReadRows(filepath.Join(l.dir, "a"))
	if err != nil || len(rows) != 8 {
		t.Errorf("%d rows of metrics, want those of one run; %v", len(rows), err)
	}
}

func TestDamagedCheckpoint(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	l.must("train", "tiny.toml", "-out", "a", "-quiet")
	for _, c := range []struct{ file, checkpoint string }{{"model.safetensors", "best"}, {"model.safetensors", "last"}, {"state.json", "last"}} {
		path := filepath.Join(l.dir, "a/checkpoints", c.checkpoint, c.file)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, whole[:len(whole)/2], 0o644); err != nil {
			t.Fatal(err)
		}
		args := []string{"eval", "a", "-checkpoint", c.checkpoint}
		o := l.run(args...)
		if o.code != 1 || !strings.Contains(o.stderr, filepath.Join(c.checkpoint, c.file)) || o.stdout != "" {
			t.Errorf("%v with half of %s: exit code %d, %s", args, c.file, o.code, o.stderr)
		}
		if c.checkpoint == "last" {
			if o := l.run("-resume", "a", "-set", "train.epochs=3"); o.code != 1 || !strings.Contains(o.stderr, c.file) {
				t.Errorf("resume with half of %s: exit code %d, %s", c.file, o.code, o.stderr)
			}
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// What keeps training from writing ends it with a reason; the checkpoint before stays good.
func TestCheckpointCannotBeWritten(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	l.must("train", "tiny.toml", "-out", "a", "-quiet")
	folder := filepath.Join(l.dir, "a/samples")
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	l.write("a/samples", "a file where a folder should be")
	o := l.run("-resume", "a", "-set", "train.epochs=3")
	if o.code != 1 || !strings.Contains(o.stderr, "samples") {
		t.Errorf("exit code %d, %s", o.code, o.stderr)
	}
	if !strings.Contains(l.read("a/log.txt"), "samples") {
		t.Error("the log does not say what happened")
	}
	l.must("eval", "a", "-checkpoint", "last")
}

// The second signal ends the process at once; data that is being opened is given up at the first one.
func TestSecondSignal(t *testing.T) {
	l := newLab(t)
	l.write("tiny.toml", tiny)
	p := l.start("train", "tiny.toml", "-out", "a", "-set", "train.epochs=100000", "-set", "train.checkpoint_every=0", "-set", "train.sample_every=0")
	l.waitFor("a/metrics.jsonl")
	p.signal(t, syscall.SIGINT)
	p.signal(t, syscall.SIGINT)
	done := make(chan outcome, 1)
	go func() { done <- l.finish(p) }()
	select {
	case o := <-done:
		if o.code != 130 {
			t.Errorf("exit code %d\n%s", o.code, o.stderr)
		}
	case <-time.After(10 * time.Second):
		_ = p.Process.Kill() // it does not listen
		t.Error("two signals did not end it")
	}
}
