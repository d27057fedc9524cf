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

// Peer is a process that answers the protocol of torch/bench.py: PyTorch, or any other program.
type Peer struct {
	Name    string          // "pytorch"
	Machine json.RawMessage // what it says of itself

	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	said   tail
	folder string // of the script; "": none
	count  int    // of sides
}

// Starter starts a peer. What it complains about goes to stderr, which may be nil.
type Starter func(ctx context.Context, stderr io.Writer) (*Peer, error)

// Torch starts the Python of that path, with torch/bench.py; it is there when it has loaded PyTorch.
func Torch(python string) Starter {
	return func(ctx context.Context, stderr io.Writer) (*Peer, error) {
		folder, err := os.MkdirTemp("", "aetrain-bench")
		if err != nil {
			return nil, err
		}
		p := &Peer{folder: folder}
		file := filepath.Join(folder, "bench.py") // torch.compile wants a file
		if err := os.WriteFile(file, script, 0o600); err != nil {
			return nil, errors.Join(err, os.RemoveAll(folder))
		}
		if err := p.start(ctx, stderr, python, file); err != nil {
			return nil, errors.Join(err, os.RemoveAll(folder))
		}
		return p, nil
	}
}

// Program starts a program that answers the protocol.
func Program(path string, args ...string) Starter {
	return func(ctx context.Context, stderr io.Writer) (*Peer, error) {
		p := &Peer{}
		return p, p.start(ctx, stderr, path, args...)
	}
}

// start runs the process and reads its first line.
func (t *Peer) start(ctx context.Context, stderr io.Writer, python string, args ...string) error {
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
	var about struct{ Name string }
	if t.Machine, err = t.read(); err == nil {
		err = json.Unmarshal(t.Machine, &about)
	}
	if err == nil && about.Name == "" {
		err = fmt.Errorf("%s does not say its name", t.Machine)
	}
	if err != nil {
		t.in.Close()
		_ = t.cmd.Wait() // what it has to say is said
		return t.explain(err)
	}
	t.Name = about.Name
	return nil
}

// explain adds the last line that the process has written.
func (t *Peer) explain(err error) error {
	if last := t.said.last(); last != "" {
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}

// errEnded means that the process is gone.
var errEnded = errors.New("it has ended without an answer")

// read takes one line, which has to be JSON.
func (t *Peer) read() (json.RawMessage, error) {
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

// ask sends a question and waits for the answer.
func (t *Peer) ask(q Question) (answer, error) {
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

// Ways are how the peer can run a row on a device, plainest first; none: it cannot.
func (t *Peer) Ways(row, device string) ([]string, error) {
	a, err := t.ask(Question{Do: "ways", Row: row, Device: device})
	return a.Ways, err
}

// Peak is the memory in bytes that the process has had at most, 0 if it does not know.
func (t *Peer) Peak() (int64, error) {
	a, err := t.ask(Question{Do: "memory"})
	return a.PeakBytes, err
}

// peerSide is one network in the process.
type peerSide struct {
	peer       *Peer
	id         int
	batch      int
	parameters int
	loss       float64 // of the first batch with the first weights; 0: not known
	joules     func() (float64, error)
}

// open makes the row's network in the process.
func (t *Peer) open(ctx context.Context, row Row, d Device, way string, f facts) (*peerSide, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	t.count++
	s := &peerSide{peer: t, id: t.count, batch: f.batch, joules: d.Joules}
	a, err := t.ask(Question{Do: "open", ID: s.id, Row: row.Twin, Device: d.address(), Way: way, Precision: f.precision, Batch: f.batch, Threads: d.Threads})
	if err != nil {
		return nil, err
	}
	s.parameters, s.loss = a.Parameters, a.Loss
	return s, nil
}

// round warms up and measures, as ours does in [pacer].
func (s *peerSide) round(_ context.Context, p pace) (Figure, error) {
	if p.warmSteps > 0 {
		if _, err := s.peer.ask(Question{Do: "warm", ID: s.id, Seconds: p.warm, Steps: p.warmSteps}); err != nil {
			return Figure{}, err
		}
	}
	from := energy(s.joules)
	a, err := s.peer.ask(Question{Do: "measure", ID: s.id, Seconds: p.seconds, Block: p.block, Steps: p.steps})
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
func (s *peerSide) Close() error {
	_, err := s.peer.ask(Question{Do: "close", ID: s.id})
	return err
}

// Close ends the process: it stops at the end of its input.
func (t *Peer) Close() error {
	t.in.Close()
	err := t.cmd.Wait()
	if t.folder != "" {
		err = errors.Join(err, os.RemoveAll(t.folder))
	}
	return err
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
