package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"aetrain/bench/throughput"
)

// startPeers starts the peers that -peers names. For a page, one that is not here is left out and named.
func (o *benchOptions) startPeers(ctx context.Context, m *throughput.Options, t *talk, stderr io.Writer) error {
	if !o.Verbose {
		stderr = nil
	}
	for _, name := range o.peers() {
		start, path, err := o.starter(name)
		var p *throughput.Peer
		if err == nil {
			t.Detailf("starting %s", path)
			p, err = start(ctx, stderr)
		}
		switch {
		case err == nil:
			m.Peers, m.Pause = append(m.Peers, p), benchPauseGPU
			if o.Keep != "" {
				m.Fresh[p.Name] = start
			}
		case o.Keep != "" && ctx.Err() == nil:
			t.Linef("%s is left out: %v", name, err)
			m.Missing = append(m.Missing, throughput.Skipped{Side: filepath.Base(name), Reason: firstLine(err)})
		case name == torchPeer && path != "":
			return fmt.Errorf("-peers pytorch: %s: %w; \"make peers\" or \"pip install torch\" installs it, -python names another Python", path, err)
		default:
			return fmt.Errorf("-peers %s: %w", name, err)
		}
	}
	if len(m.Peers) > 0 && slices.ContainsFunc(m.Devices, func(d throughput.Device) bool { return d.Backend.Name() == cpuName }) {
		m.Pause = benchPause
	}
	return nil
}

// firstLine is an error's, for a page.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// starter is how to start a peer, and of what path; "" where there is none.
func (o *benchOptions) starter(name string) (throughput.Starter, string, error) {
	if name != torchPeer {
		return throughput.Program(name), name, nil
	}
	python := o.Python
	if python == "" {
		python = filepath.Join(".venv-peers", "bin", "python")
		if _, err := os.Stat(python); err != nil {
			python = "python3"
		}
	}
	path, err := exec.LookPath(python)
	if err != nil {
		return nil, "", fmt.Errorf("there is no %s; -python names another", python)
	}
	return throughput.Torch(path), path, nil
}

// serve answers the questions of another "aetrain bench".
func (o *benchOptions) serve(ctx context.Context, rows []throughput.Row, stdout io.Writer) error {
	open := func(q throughput.Question) (throughput.Device, error) {
		b, _, err := openDevice(cmp.Or(q.Device, cpuName), q.Threads)
		if err != nil {
			return throughput.Device{}, err
		}
		return throughput.Device{Name: b.Name(), Threads: q.Threads, Backend: b}, nil
	}
	return throughput.Self(rows, open).Serve(ctx, os.Stdin, stdout)
}
