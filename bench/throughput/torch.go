package throughput

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// script is PyTorch's side. It carries the protocol's description.
//
//go:embed torch/bench.py
var script []byte

// Torch is a process of Python with torch/bench.py.
type Torch struct {
	Machine json.RawMessage // what it says of itself
	GPU     bool            // it sees one

	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	said   tail
	folder string // of the script
	count  int    // of sides
}

// StartTorch starts the Python of that path and waits until it has loaded PyTorch. What it complains about goes to stderr, which may
// be nil.
func StartTorch(ctx context.Context, python string, stderr io.Writer) (*Torch, error) {
	folder, err := os.MkdirTemp("", "aetrain-bench")
	if err != nil {
		return nil, err
	}
	t := &Torch{folder: folder}
	file := filepath.Join(folder, "bench.py") // torch.compile wants a file
	if err := os.WriteFile(file, script, 0o600); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err := t.start(ctx, stderr, python, file); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return t, nil
}

// start runs the process and reads its first line.
func (t *Torch) start(ctx context.Context, stderr io.Writer, python string, args ...string) error {
	t.cmd = exec.CommandContext(ctx, python, args...)
	t.cmd.WaitDelay = 5 * time.Second // for what it has started itself
	t.cmd.Stderr = &t.said
	if stderr != nil {
		t.cmd.Stderr = io.MultiWriter(stderr, &t.said)
	}
	in, err := t.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := t.cmd.Start(); err != nil {
		return err
	}
	t.in, t.out = in, bufio.NewScanner(out)
	t.out.Buffer(nil, 16<<20)
	var about struct{ GPU string }
	if t.Machine, err = t.read(); err == nil {
		err = json.Unmarshal(t.Machine, &about)
	}
	if err != nil {
		t.in.Close()
		_ = t.cmd.Wait() // what it has to say is said
		return t.explain(err)
	}
	t.GPU = about.GPU != ""
	return nil
}

// explain adds the last line that the process has written.
func (t *Torch) explain(err error) error {
	if last := t.said.last(); last != "" {
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}

// errEnded means that the process is gone.
var errEnded = errors.New("it has ended without an answer")

// read takes one line, which has to be JSON.
func (t *Torch) read() (json.RawMessage, error) {
	if !t.out.Scan() {
		if err := t.out.Err(); err != nil {
			return nil, err
		}
		return nil, errEnded
	}
	line := bytes.Clone(t.out.Bytes())
	if !json.Valid(line) {
		return nil, fmt.Errorf("the answer %.80q is no JSON", line)
	}
	return line, nil
}

// question is a line to the process, answer one from it; see torch/bench.py.
type question struct {
	Do        string  `json:"do"`
	ID        int     `json:"id"`
	Row       string  `json:"row,omitempty"`
	Device    string  `json:"device,omitempty"`
	Mode      string  `json:"mode,omitempty"`
	Precision string  `json:"precision,omitempty"`
	Batch     int     `json:"batch,omitempty"`
	Threads   int     `json:"threads,omitempty"`
	Seconds   float64 `json:"seconds,omitempty"`
	Block     float64 `json:"block,omitempty"`
	Steps     int     `json:"steps,omitempty"`
}

type answer struct {
	Error      string
	Parameters int
	Blocks     [][2]float64
}

// ask sends a question and waits for the answer.
func (t *Torch) ask(q question) (answer, error) {
	var a answer
	text, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	if _, err := t.in.Write(append(text, '\n')); err != nil {
		return a, t.explain(errEnded)
	}
	line, err := t.read()
	if err != nil {
		return a, t.explain(err)
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// Modes are the ways in which PyTorch can run on a device.
func (t *Torch) Modes(device string) []string {
	if strings.HasPrefix(device, "cuda") {
		return []string{"eager", "compile", "graph"}
	}
	return []string{"eager", "compile"}
}

// Side is the name of a mode in reports.
func (t *Torch) Side(mode string) string { return "pytorch " + mode }

// torchSide is one network in the process.
type torchSide struct {
	torch      *Torch
	id         int
	batch      int
	parameters int
	joules     func() (float64, error)
}

// open makes the row's network in the process.
func (t *Torch) open(ctx context.Context, row Row, d Device, mode string, f facts) (*torchSide, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	switch cuda := strings.HasPrefix(d.Name, "cuda"); {
	case row.Twin == "":
		return nil, errors.New("PyTorch knows the standard rows alone")
	case cuda && !t.GPU:
		return nil, errors.New("PyTorch sees no GPU")
	}
	t.count++
	s := &torchSide{torch: t, id: t.count, batch: f.batch, joules: d.Joules}
	a, err := t.ask(question{Do: "open", ID: s.id, Row: row.Twin, Device: d.Name, Mode: mode, Precision: f.precision, Batch: f.batch, Threads: f.threads})
	if err != nil {
		return nil, err
	}
	s.parameters = a.Parameters
	return s, nil
}

// round warms up and measures, as ours does in [pacer].
func (s *torchSide) round(_ context.Context, seconds float64) (Figure, error) {
	if _, err := s.torch.ask(question{Do: "warm", ID: s.id, Seconds: warmShare * seconds, Steps: leastWarm}); err != nil {
		return Figure{}, err
	}
	from := energy(s.joules)
	a, err := s.torch.ask(question{Do: "measure", ID: s.id, Seconds: seconds, Block: blockShare * seconds, Steps: leastSteps})
	if err != nil {
		return Figure{}, err
	}
	if len(a.Blocks) == 0 {
		return Figure{}, errors.New("the answer has no figures")
	}
	var blocks []block
	for _, b := range a.Blocks {
		blocks = append(blocks, block{int(b[0]), time.Duration(b[1] * 1e9)})
	}
	f := figure(blocks, s.batch)
	if now := energy(s.joules); now > from && from > 0 {
		f.Joules = now - from
	}
	return f, nil
}

// Close forgets the network.
func (s *torchSide) Close() error {
	_, err := s.torch.ask(question{Do: "close", ID: s.id})
	return err
}

// Close ends the process: it stops at the end of its input.
func (t *Torch) Close() error {
	t.in.Close()
	return errors.Join(t.cmd.Wait(), os.RemoveAll(t.folder))
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	const most = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if extra := len(t.text) - most; extra > 0 {
		t.text = t.text[extra:]
	}
	return len(p), nil
}

// last is the last line that says something.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
