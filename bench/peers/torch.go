package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
)

// torch is torch_vae.py --serve: it takes a line "THREADS SECONDS" and answers with a line of JSON.
type torch struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	machine json.RawMessage // its first line
}

// startTorch starts the process and waits until it has loaded PyTorch. What it complains about goes to stderr.
func startTorch(ctx context.Context, stderr io.Writer, program string, args ...string) (*torch, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	t := &torch{cmd: cmd, in: in, out: bufio.NewScanner(out)}
	if err := t.read(&t.machine); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (*torch) name() string { return torchName }

func (t *torch) round(_ context.Context, threads int, seconds float64) (Figure, error) {
	var f Figure
	if _, err := fmt.Fprintf(t.in, "%d %g\n", threads, seconds); err != nil {
		return f, err
	}
	err := t.read(&f)
	if err == nil && (f.Steps == 0 || f.ExamplesPerSecond <= 0) {
		err = fmt.Errorf("the answer %q has no figures", t.out.Text())
	}
	return f, err
}

// read takes one line of JSON.
func (t *torch) read(into any) error {
	if !t.out.Scan() {
		if err := t.out.Err(); err != nil {
			return err
		}
		return fmt.Errorf("%s has ended without an answer", t.cmd.Path)
	}
	if err := json.Unmarshal(t.out.Bytes(), into); err != nil {
		return fmt.Errorf("%q is no JSON: %w", t.out.Text(), err)
	}
	return nil
}

// Close ends the process: it stops at the end of its input.
func (t *torch) Close() error {
	t.in.Close()
	return t.cmd.Wait()
}
