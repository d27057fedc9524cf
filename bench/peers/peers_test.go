package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain plays torch_vae.py where the environment says so.
func TestMain(m *testing.M) {
	switch os.Getenv("PEERS_TEST") {
	case "serve":
		serve(os.Stdin, os.Stdout)
	case "dead":
		os.Exit(3)
	case "noise":
		fmt.Println("{}")
		fmt.Println("Traceback")
	default:
		os.Exit(m.Run())
	}
}

// serve answers each line with a figure that is 1000 examples a second a thread.
func serve(in io.Reader, out io.Writer) {
	fmt.Fprintln(out, `{"torch": "0.0"}`)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var threads int
		var seconds float64
		fmt.Sscan(lines.Text(), &threads, &seconds)
		fmt.Fprintf(out, `{"threads": %d, "steps": %d, "median_ms": 128, "examples_per_second": %d}`+"\n", threads, int(seconds*10), 1000*threads)
	}
}

func TestTorch(t *testing.T) {
	t.Setenv("PEERS_TEST", "serve")
	p, err := startTorch(t.Context(), io.Discard, os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if string(p.machine) != `{"torch": "0.0"}` {
		t.Errorf("machine is %s", p.machine)
	}
	for _, threads := range []int{1, 2} {
		f, err := p.round(t.Context(), threads, 0.5)
		if err != nil {
			t.Fatal(err)
		}
		want := Figure{Steps: 5, MedianMS: 128, ExamplesPerSecond: float64(1000 * threads)}
		if f != want {
			t.Errorf("got %+v, want %+v", f, want)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestTorchFails(t *testing.T) {
	t.Setenv("PEERS_TEST", "dead")
	if _, err := startTorch(t.Context(), io.Discard, os.Args[0]); err == nil || !strings.Contains(err.Error(), "without an answer") {
		t.Errorf("a process that ends at once gives %v", err)
	}
	t.Setenv("PEERS_TEST", "noise")
	p, err := startTorch(t.Context(), io.Discard, os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.round(t.Context(), 1, 1); err == nil {
		t.Error("an answer that is no JSON is taken")
	}
}

// fake is a side with given rates.
type fake struct {
	side  string
	rates []float64
	order *[]string
}

func (f *fake) name() string { return f.side }

func (f *fake) round(context.Context, int, float64) (Figure, error) {
	*f.order = append(*f.order, f.side)
	if len(f.rates) == 0 {
		return Figure{}, errors.New("no more")
	}
	r := f.rates[0]
	f.rates = f.rates[1:]
	return Figure{Steps: 1, MedianMS: 128e3 / r, ExamplesPerSecond: r}, nil
}

func TestRounds(t *testing.T) {
	var order []string
	sides := []side{
		&fake{oursName, []float64{300, 100, 400}, &order},
		&fake{torchName, []float64{100, 100, 100}, &order},
	}
	rounds, err := measure(t.Context(), sides, 2, 3, 1, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(order, " "), "aetrain pytorch pytorch aetrain aetrain pytorch"; got != want {
		t.Errorf("order is %s, want %s", got, want)
	}
	res := summarize(2, rounds)
	if res.Examples[oursName] != 300 || res.Examples[torchName] != 100 || res.Ratio != 3 || res.Threads != 2 {
		t.Errorf("got %+v", res)
	}
	var out bytes.Buffer
	if err := (Report{Results: []Result{res}}).table(&out); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(out.String(), "\n"); len(lines) != 3 || !strings.HasSuffix(strings.TrimSpace(lines[1]), "3.00") {
		t.Errorf("the table is\n%s", out.String())
	}
	if _, err := measure(t.Context(), sides, 2, 1, 1, io.Discard); err == nil {
		t.Error("the error of a side is lost")
	}
}

// TestRatio is the median of ratios and not the ratio of medians: a machine that slows down hits both sides of a round.
func TestRatio(t *testing.T) {
	var rounds []Round
	for _, r := range [][2]float64{{200, 100}, {20, 10}, {90, 60}} {
		rounds = append(rounds, Round{1, map[string]Figure{oursName: {ExamplesPerSecond: r[0]}, torchName: {ExamplesPerSecond: r[1]}}})
	}
	if got := summarize(1, rounds).Ratio; got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	delete(rounds[0].Figures, torchName)
	delete(rounds[1].Figures, torchName)
	delete(rounds[2].Figures, torchName)
	if got := summarize(1, rounds).Ratio; got != 0 {
		t.Errorf("without PyTorch the ratio is %v", got)
	}
}

func TestFigure(t *testing.T) {
	var times []time.Duration
	for i := 20; i > 0; i-- {
		times = append(times, time.Duration(i)*time.Millisecond)
	}
	f := figure(times, 128)
	if f.Steps != 20 || f.MedianMS != 10.5 || f.P10MS != 3 || f.P90MS != 19 || math.Abs(f.ExamplesPerSecond-128/10.5e-3) > 1e-6 {
		t.Errorf("got %+v", f)
	}
}

func TestThreads(t *testing.T) {
	if got, err := parseThreads("1, 4"); err != nil || len(got) != 2 || got[1] != 4 {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "0", "1,x"} {
		if _, err := parseThreads(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestOurs trains for a moment: the experiment's file, the sets and the stopwatch fit together.
func TestOurs(t *testing.T) {
	o, err := openOurs(t.Context(), "../../experiments/mnist/vae.toml")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	f, err := o.round(t.Context(), 1, 0.02)
	if err != nil {
		t.Fatal(err)
	}
	if f.Steps < least || f.ExamplesPerSecond <= 0 || o.batch != 128 {
		t.Errorf("got %+v, batch %d", f, o.batch)
	}
}
