package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write golden files")

// program is the command, built once.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "aetrain")
	if err == nil {
		program = filepath.Join(dir, "aetrain")
		build := exec.Command("go", "build", "-o", program, ".")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// lab is a working directory of a test's own, with a cache of its own.
type lab struct {
	t   *testing.T
	dir string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	return &lab{t, t.TempDir()}
}

// write makes a file.
func (l *lab) write(name, text string) string {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		l.t.Fatal(err)
	}
	return path
}

func (l *lab) read(name string) string {
	l.t.Helper()
	text, err := os.ReadFile(filepath.Join(l.dir, name))
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

func (l *lab) exists(name string) bool {
	_, err := os.Lstat(filepath.Join(l.dir, name))
	return err == nil
}

// command is the process to be.
func (l *lab) command(args ...string) *exec.Cmd {
	c := exec.Command(program, args...)
	c.Dir = l.dir
	c.Env = append(os.Environ(), "AETRAIN_CACHE="+filepath.Join(l.dir, "cache"), "HOME="+l.dir)
	return c
}

// outcome is how a process ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs the command to its end.
func (l *lab) run(args ...string) outcome {
	l.t.Helper()
	return l.finish(l.start(args...))
}

// process is a command under way.
type process struct {
	*exec.Cmd
	out, err bytes.Buffer
}

func (l *lab) start(args ...string) *process {
	l.t.Helper()
	p := &process{Cmd: l.command(args...)}
	p.Stdout, p.Stderr = &p.out, &p.err
	if err := p.Start(); err != nil {
		l.t.Fatal(err)
	}
	return p
}

func (l *lab) finish(p *process) outcome {
	l.t.Helper()
	err := p.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.t.Fatal(err)
	}
	return outcome{p.ProcessState.ExitCode(), p.out.String(), p.err.String()}
}

// must runs a command that has to succeed.
func (l *lab) must(args ...string) outcome {
	l.t.Helper()
	o := l.run(args...)
	if o.code != 0 {
		l.t.Fatalf("aetrain %s: exit code %d\n%s", strings.Join(args, " "), o.code, o.stderr)
	}
	return o
}

// json runs a command with -format json and decodes what it prints, which is one object and nothing else.
func (l *lab) json(into any, args ...string) outcome {
	l.t.Helper()
	o := l.must(append(args, "-format", "json")...)
	d := json.NewDecoder(strings.NewReader(o.stdout))
	if err := d.Decode(into); err != nil {
		l.t.Fatalf("aetrain %s: %v in\n%s", strings.Join(args, " "), err, o.stdout)
	}
	if d.More() {
		l.t.Fatalf("aetrain %s: something follows the object:\n%s", strings.Join(args, " "), o.stdout)
	}
	return o
}

// waitFor waits until a file is there, while a process runs.
func (l *lab) waitFor(name string) {
	l.t.Helper()
	for range 1000 {
		if l.exists(name) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	l.t.Fatalf("%s did not come", name)
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// golden compares a text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./cmd/aetrain -update writes it anew); got\n%s\nwant\n%s", path, got, want)
	}
}

// tiny is an experiment of a fraction of a second.
const tiny = `name = "tiny" # a comment
seed = 3
[data]
source = "random"
shape = [1, 6, 6]
examples = 300
batch = 32
validation = 60
test = 40
[model]
preset = "vae"
latent_dim = 3
encoder = [{ layer = "dense", units = 12, activation = "relu" }]
[train]
epochs = 2
log_every_steps = 3
`
