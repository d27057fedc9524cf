// Command peers measures training of the PyTorch examples' VAE (784-400-20-400-784, batch 128) by aetrain and by PyTorch,
// round by round in turn, so that both meet the same machine in the same state:
//
//	make peers                                     # PyTorch in .venv-peers, once
//	go run ./bench/peers -rounds 7 -seconds 5
//
// A round's figure is batch / median time of a step. What is reported is the median of the rounds, and as ratio the median of
// the rounds' ratios. Ours is the whole trainer: loader, shuffling, rows of terms. PyTorch's is the bare step of
// torch_vae.py in its fastest form, over batches that are in memory already.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	Config  string
	Python  string
	Script  string
	Out     string
	Threads string
	Rounds  int
	Seconds float64
}

func main() {
	var o options
	flag.StringVar(&o.Config, "config", "experiments/mnist/vae.toml", "the model that is trained, on noise instead of its data")
	flag.StringVar(&o.Python, "python", filepath.Join(".venv-peers", "bin", "python"), "Python that has PyTorch; without it, ours is measured alone")
	flag.StringVar(&o.Script, "script", filepath.Join("bench", "peers", "torch_vae.py"), "PyTorch's side")
	flag.StringVar(&o.Out, "out", "", "JSON `file` to write")
	flag.StringVar(&o.Threads, "threads", "1,2", "thread counts, with commas")
	flag.IntVar(&o.Rounds, "rounds", 7, "rounds of each")
	flag.Float64Var(&o.Seconds, "seconds", 5, "of each side in a round")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// run measures and prints the table to stdout; all talk goes to stderr.
func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	threads, err := parseThreads(o.Threads)
	if err != nil {
		return err
	}
	if o.Rounds < 1 || o.Seconds <= 0 {
		return errors.New("-rounds and -seconds must be positive")
	}
	us, err := openOurs(ctx, o.Config)
	if err != nil {
		return err
	}
	defer us.Close()
	sides := []side{us}
	report := Report{Time: time.Now().UTC().Truncate(time.Second), Config: o.Config, Ours: us.machine()}
	if _, err := os.Stat(o.Python); err != nil {
		report.Skipped = fmt.Sprintf("PyTorch: there is no %s (make peers installs it)", o.Python)
		fmt.Fprintln(stderr, "left out", report.Skipped)
	} else {
		torch, err := startTorch(ctx, stderr, o.Python, o.Script, "--serve")
		if err != nil {
			return err
		}
		defer torch.Close()
		sides, report.PyTorch = append(sides, torch), torch.machine
	}
	for _, n := range threads {
		rounds, err := measure(ctx, sides, n, o.Rounds, o.Seconds, stderr)
		if err != nil {
			return err
		}
		report.Rounds = append(report.Rounds, rounds...)
		report.Results = append(report.Results, summarize(n, rounds))
	}
	if err := report.table(stdout); err != nil || o.Out == "" {
		return err
	}
	text, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.Out, append(text, '\n'), 0o644)
}

func parseThreads(list string) ([]int, error) {
	var threads []int
	for _, word := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-threads: %q is not a number of threads", word)
		}
		threads = append(threads, n)
	}
	return threads, nil
}
