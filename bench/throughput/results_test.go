package throughput

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// machineReport is of a machine with one device and two sides for each row.
func machineReport(cpu string, rate float64, rows ...string) *Report {
	d := []DeviceFacts{{"cpu, 2 threads", "CPU, 2 threads", "avx2", Peaks{map[string]float64{"float32": 200}, 20, "measured"}}}
	r := &Report{CPU: cpu, Cores: 2, System: "linux/amd64", Go: "go1", Devices: d, Peers: []json.RawMessage{[]byte(`{"name": "pytorch", "torch": "2.0"}`)}}
	for _, row := range rows {
		r.Rows = append(r.Rows, &RowFacts{Row: row, Text: "text of " + row, Time: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Rounds: 3, Seconds: 1, HandOverNS: []float64{70, 65, 200}})
		for _, side := range []struct {
			name string
			rate float64
		}{{Ours, rate}, {"pytorch eager", rate / 3}, {"pytorch compile", rate / 2}} {
			r.Results = append(r.Results, &Result{Row: row, Device: d[0].Name, Side: side.name, Precision: "float32", GFLOP: 1, StartMS: 100, PeakBytes: 5e7,
				Rounds: []Figure{{StepMS: 128e3 / side.rate, ExamplesPerSecond: side.rate}}})
		}
		r.conclude(row)
	}
	return r
}

// TestKeep measures rows anew, on two machines, on a page that has words of its own.
func TestKeep(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "RESULTS.md")
	if err := os.WriteFile(page, []byte("# Mine\n\nwords\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Report{
		machineReport("Zen 3", 1000, "lstm", "vae-128"), machineReport("Xeon 8", 4000, "vae-128"), machineReport("Zen 3", 2000, "vae-128"),
	} {
		if err := r.Keep(dir); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	for _, want := range []string{
		"# Mine\n\nwords\n\n" + generatedFrom,
		"## Zen 3, 2 cores", "## Xeon 8, 2 cores", "measured peak 200 GFLOP/s", "pytorch 2.0",
		"](results/zen-3-2-cores-avx2.png)", "](results/xeon-8-2-cores-avx2.png)",
		"| `vae-128` text of vae-128 | 64.0 | 8% | pytorch eager 192 (3.00), pytorch compile 128 (2.00) | **2.00** | 70.0 (65.0–200) | 2026-01-02, 3 × 1.00 s |",
		"| `lstm` text of lstm | 128 |", "| `vae-128` text of vae-128 | 32.0 |",
		"| `lstm` | aetrain 100 ms, 50.0 MB | pytorch eager 100 ms, 50.0 MB | pytorch compile 100 ms, 50.0 MB |",
		generatedTo + "\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "| `vae-128` text"); n != 2 {
		t.Errorf("vae-128 has %d lines, want one of each machine", n)
	}
	if zen := got[strings.Index(got, "## Zen"):]; strings.Index(zen, "`vae-128`") > strings.Index(zen, "`lstm`") {
		t.Errorf("the rows are not in their order:\n%s", zen)
	}
	if err := os.WriteFile(filepath.Join(dir, "results", "zen-3-2-cores-avx2.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := machineReport("Zen 3", 1000, "lstm").Keep(dir); err == nil || !strings.Contains(err.Error(), "begin anew") {
		t.Errorf("a damaged file gives %v", err)
	}
}

// TestHeadline keeps each peer's best way.
func TestHeadline(t *testing.T) {
	var sides []string
	for _, res := range machineReport("Zen 3", 1000, "vae-128").headline().Results {
		sides = append(sides, res.Side)
	}
	if got := strings.Join(sides, ", "); got != "aetrain, pytorch compile" {
		t.Errorf("got %s", got)
	}
}

// TestRetire sends home what is 1.25 times slower than the best way of the same peer on the same device.
func TestRetire(t *testing.T) {
	torch, other := &Peer{}, &Peer{}
	of := func(p *Peer, device string, rate float64) *entry {
		return &entry{peer: p, result: &Result{Device: device, Rounds: []Figure{{ExamplesPerSecond: rate}}}}
	}
	entries := []*entry{of(nil, "a", 1), of(torch, "a", 100), of(torch, "a", 81), of(torch, "a", 79), of(torch, "b", 10), of(other, "a", 5)}
	retire(entries)
	for i, want := range []bool{false, false, false, true, false, false} {
		if entries[i].out != want {
			t.Errorf("side %d takes no further part: %v, want %v", i, entries[i].out, want)
		}
	}
}

// TestServe asks a server as Measure asks a peer, and measures start and memory of a process.
func TestServe(t *testing.T) {
	t.Setenv("BENCH_TEST", "steps")
	start := Program(os.Args[0])
	p, err := start(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ways, err := p.Ways("vae-128", "cpu")
	if err != nil || p.Name != "stepper" || len(ways) != 1 {
		t.Fatalf("%s has the ways %q, %v", p.Name, ways, err)
	}
	s, err := p.open(t.Context(), Row{Twin: "vae-128"}, Device{Name: "cpu"}, ways[0], facts{batch: 10})
	if err != nil || s.parameters != 7 || s.loss != 3.5 {
		t.Fatalf("got %+v, %v", s, err)
	}
	f, err := s.round(t.Context(), paceOf(0.02))
	if err != nil || f.Steps < leastSteps || f.StepMS < 1 || f.Examples != 10*f.Steps {
		t.Errorf("got %+v, %v", f, err)
	}
	if _, err := p.open(t.Context(), Row{Twin: "other"}, Device{Name: "cpu"}, "", facts{}); err == nil || !strings.Contains(err.Error(), "only one row") {
		t.Errorf("another row gives %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.round(t.Context(), paceOf(0.01)); err == nil {
		t.Error("what is closed was measured")
	}
	res := &Result{Side: "stepper", Batch: 10}
	if err := res.measureFresh(t.Context(), start, Row{Twin: "vae-128"}, Device{Name: "cpu"}, 1); err != nil || res.StartMS < 1 {
		t.Errorf("got %+v, %v", res, err)
	}
}

// serveSteps is a server whose steps take a millisecond.
func serveSteps(in io.Reader, out io.Writer) error {
	s := &Server{
		About: map[string]any{"name": "stepper"},
		Ways:  func(string, string) []string { return []string{"plain"} },
		Open: func(_ context.Context, q Question) (*Served, error) {
			if q.Row != "vae-128" {
				return nil, errors.New("there is only one row")
			}
			step := func(context.Context) error { time.Sleep(time.Millisecond); return nil }
			return &Served{Side: Steps(q.Batch, step), Parameters: 7, Loss: 3.5}, nil
		},
	}
	return s.Serve(context.Background(), in, out)
}

// TestSelf serves our own side of a row.
func TestSelf(t *testing.T) {
	s := Self([]Row{row(t, "vae-128")}, func(Question) (Device, error) { return device(t), nil })
	if s.Ways("vae-129", "cpu") != nil || len(s.Ways("vae-128", "cpu")) != 1 {
		t.Error("the rows are mixed up")
	}
	o, err := s.Open(t.Context(), Question{Row: "vae-128", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := o.round(t.Context(), pace{steps: 1}); err != nil || f.Steps != 1 || o.Parameters != 652824 {
		t.Errorf("got %+v, %v", f, err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
}
