package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"aetrain/backend"
	"aetrain/bench/throughput"
	"aetrain/configs"
	"aetrain/internal/registry"
)

var benchCommand = command{
	name: "bench", args: "[ROW...]", summary: "measure how fast models train here, beside PyTorch if asked to",
	help: `
Without -config it measures the standard rows, or those that are named (aetrain list bench-rows); * stands for anything: conv-vae-*.
With -config it measures a config of yours, on its own data; -set data.source=random takes noise instead.

Sides take turns, round by round. A figure is the median of the rounds: examples a second, time of a step, GFLOP/s of its products
and their share of the device's peak, GB/s that its operands and results make, and joules where NVML tells them. Ours is the whole
trainer with its loader; PyTorch's is the bare step on batches that lie on the device.

A peer is pytorch, or the path of a program that answers lines of JSON as bench/throughput/torch/bench.py does. Each runs in all of its
ways; those that are slow in the first round take no further part. -serve makes this command such a program.

-profile runs the steps of a program one by one instead and lists them, costliest first, beside what the device's peaks allow.
-out DIR gets bench.json, bench.txt and bench.png, or profile.json and profile.txt. -keep DIR gets RESULTS.md with a table of all rows
that were ever measured there, machine by machine, and measures start and memory of each side in processes of their own, too.`,
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		var o benchOptions
		f.StringVar(&o.Config, "config", "", "measure this experiment's `FILE` instead of the standard rows")
		f.sets(&o.Sets)
		f.StringVar(&o.Device, "device", "", "`LIST` of auto, cpu, cuda[:N] with commas (default: the processor, and a GPU if there is one)")
		f.IntVar(&o.Rounds, "rounds", 5, "rounds of each side")
		f.Float64Var(&o.Seconds, "seconds", 1, "of each side in a round")
		f.StringVar(&o.Threads, "threads", "", "of the processor, a number or `LIST` with commas (default all)")
		f.StringVar(&o.Precision, "precision", "", "of products, `float32|tf32|bf16`, on both sides where the device has it (default the config's)")
		f.StringVar(&o.Peers, "peers", "", "measure these too: `LIST` of pytorch and of programs' paths, with commas")
		f.StringVar(&o.Python, "python", "", "`PATH` of a Python that has PyTorch (default .venv-peers/bin/python, else python3)")
		f.BoolVar(&o.Profile, "profile", false, "list the parts of a step, their times and what the device's peaks allow")
		f.StringVar(&o.Out, "out", "", "`DIR` to write the result to")
		f.StringVar(&o.Keep, "keep", "", "`DIR` of RESULTS.md, to which the rows are added")
		f.BoolVar(&o.Serve, "serve", false, "be a peer: answer lines of JSON")
		f.format(&o.Format)
		o.cpuProfile.add(f)
		o.talkOptions.add(f)
		return withArguments(&o, o.take, runBench)
	},
}

// benchOptions are the flags of "aetrain bench".
type benchOptions struct {
	Config    string   // the experiment's file; "": the standard rows
	Rows      []string // of the standard ones, patterns; none: all
	Sets      texts    // overrides KEY=VALUE
	Device    string   // list
	Rounds    int
	Seconds   float64
	Threads   string // list of numbers; "": all
	Precision string
	Peers     string // list: "pytorch", paths of programs
	Python    string
	Profile   bool
	Out       string // folder; "": nothing is written
	Keep      string // folder of RESULTS.md; "": none
	Serve     bool   // answer questions instead of asking them
	Format    string
	cpuProfile
	talkOptions

	threads    []int    // what Threads says; 0: all
	precisions []string // that the rows ask for
}

// take adds the arguments, and refuses what does not go together.
func (o *benchOptions) take(args []string) error {
	o.Rows = args
	for _, name := range o.devices() {
		if !devices.MatchString(name) {
			return usagef("-device: %q is none of auto, cpu, cuda and cuda:N", name)
		}
	}
	for _, word := range words(cmp.Or(o.Threads, "0")) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 0 || n == 0 && len(words(o.Threads)) > 1 {
			return usagef("-threads: %q is not a number of threads", word)
		}
		o.threads = append(o.threads, n)
	}
	slices.Sort(o.threads) // the order of the page
	o.threads = slices.Compact(o.threads)
	switch {
	case o.Config != "" && len(o.Rows) > 0:
		return usagef("rows are the standard ones, -config is another; give one of them")
	case o.Rounds < 1:
		return usagef("-rounds: at least 1 is wanted, got %d", o.Rounds)
	case !(o.Seconds > 0):
		return usagef("-seconds: a number above 0 is wanted, got %v", o.Seconds)
	case o.Keep != "" && o.Config != "":
		return usagef("-keep: the page holds the standard rows alone")
	case o.Peers != "" && o.Config != "":
		return usagef("-peers: PyTorch knows the standard rows alone")
	case o.Profile && o.Keep != "":
		return usagef("-profile has no figures for -keep; -out takes them")
	case o.Profile && o.Peers != "":
		return usagef("-profile looks into our own steps; leave -peers out")
	}
	for _, p := range o.peers() {
		if p != torchPeer && !strings.ContainsRune(p, filepath.Separator) {
			return usagef("-peers: there is no %q%s; a program's path has a %c", p, registry.Suggest(p, []string{torchPeer}), filepath.Separator)
		}
	}
	return nil
}

// torchPeer is the peer that this command knows.
const torchPeer = "pytorch"

// devices are the names in -device, peers those in -peers.
func (o *benchOptions) devices() []string { return words(o.Device) }
func (o *benchOptions) peers() []string   { return words(o.Peers) }

// words splits a list at commas; each is taken once.
func words(text string) []string {
	var list []string
	for _, w := range strings.Split(text, ",") {
		if w = strings.TrimSpace(w); w != "" && !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

// endless makes a training go on for as long as it is watched, and nothing beside it.
var endless = []string{
	"train.epochs=1000000", "train.max_steps=0", "train.early_stopping=0", "train.validate_every=0", "train.sample_every=0",
	"train.checkpoint_every=0",
}

// How long a side rests before the next one, where peers take part: on the processor their threads spin for a while.
const (
	benchPause    = 400 * time.Millisecond
	benchPauseGPU = 50 * time.Millisecond
)

// runBench measures, or looks into steps.
func runBench(ctx context.Context, o benchOptions, stdout, stderr io.Writer) (err error) {
	t := newTalk(stderr, o.talkOptions)
	defer t.done()
	stop, err := o.cpuProfile.start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	rows, err := o.rows()
	if err != nil {
		return err
	}
	if o.Serve {
		return o.serve(ctx, rows, stdout)
	}
	for _, r := range rows { // mistakes first
		e, err := r.Load()
		if err != nil {
			return err
		}
		o.precisions = append(o.precisions, e.Train.Precision)
	}
	list, err := o.open(t)
	if err != nil {
		return err
	}
	defer func() {
		for _, d := range list {
			_ = d.Backend.Close() // all figures are taken
		}
	}()
	if o.Profile {
		return o.profile(ctx, rows, list, t, stdout)
	}
	return o.measure(ctx, rows, list, t, stdout, stderr)
}

// rows are those to be measured.
func (o *benchOptions) rows() ([]throughput.Row, error) {
	if o.Config != "" {
		load := func() (*throughput.Experiment, error) { return o.load(configs.LoadOptions{File: o.Config}) }
		return []throughput.Row{{Name: strings.TrimSuffix(filepath.Base(o.Config), ".toml"), Text: o.Config, Load: load}}, nil
	}
	all := throughput.Standard(func(name string, text []byte) (*throughput.Experiment, error) {
		return o.load(configs.LoadOptions{File: name, Bytes: text})
	})
	if len(o.Rows) == 0 {
		return all, nil
	}
	var chosen []throughput.Row
	for _, r := range all {
		if slices.ContainsFunc(o.Rows, func(p string) bool { return matches(p, r.Name) }) {
			chosen = append(chosen, r)
		}
	}
	for _, p := range o.Rows {
		if !slices.ContainsFunc(all, func(r throughput.Row) bool { return matches(p, r.Name) }) {
			var names []string
			for _, r := range all {
				names = append(names, r.Name)
			}
			return nil, usagef("no row %q%s (aetrain list bench-rows)", p, registry.Suggest(p, names))
		}
	}
	return chosen, nil
}

// matches reports whether a row is meant by a name with stars.
func matches(pattern, name string) bool {
	ok, err := filepath.Match(strings.ReplaceAll(pattern, "_", "-"), name)
	return err == nil && ok
}

// load reads a config as a benchmark wants it.
func (o *benchOptions) load(l configs.LoadOptions) (*throughput.Experiment, error) {
	l.Sets = append(slices.Clone(o.Sets), endless...)
	if len(o.threads) == 1 && o.threads[0] > 0 {
		l.Sets = append(l.Sets, fmt.Sprintf("train.threads=%d", o.threads[0]))
	}
	if o.Precision != "" {
		l.Sets = append(l.Sets, "train.precision="+o.Precision)
	}
	e, err := loadExperiment(l)
	if err != nil {
		return nil, err
	}
	return &throughput.Experiment{Seed: e.cfg.Seed, Data: e.data, Model: e.model, Optimizer: e.optimizer, Train: e.train, Kernels: e.kernels}, nil
}

// open opens the devices: those that are named, or the processor and the first GPU.
func (o *benchOptions) open(t *talk) ([]throughput.Device, error) {
	var list []throughput.Device
	add := func(name string, threads int) error {
		b, why, err := openDevice(name, threads)
		if err != nil {
			return err
		}
		if why != nil {
			t.Linef("cpu: %v", why)
		}
		if slices.ContainsFunc(list, func(d throughput.Device) bool {
			return d.Backend.Name() == b.Name() && (d.Threads == threads || b.Name() != cpuName)
		}) {
			return b.Close() // auto has found one that is named, too
		}
		for _, line := range missing(b) {
			t.Linef("%s: %s", b.Name(), line)
		}
		t.Detailf("measuring the peaks of %s", b.Name())
		d := measured(b, o.precisions)
		if b.Name() == cpuName {
			d.Threads = threads
			if len(o.threads) > 1 || o.Keep != "" && threads > 0 { // on a page, one number is known by the same name as among several
				d.Name, d.Address = threadsName(threads), cpuName
			}
		}
		list = append(list, d)
		return nil
	}
	names := o.devices()
	if len(names) == 0 {
		names = []string{"cpu", "auto"}
	}
	for _, name := range names {
		for _, threads := range o.threads {
			if err := add(name, threads); err != nil {
				for _, d := range list {
					err = errors.Join(err, d.Backend.Close())
				}
				return nil, err
			}
		}
	}
	return list, nil
}

// measuredCPU describes the processor to a benchmark in these precisions.
func measuredCPU(b backend.Backend, precisions []string) throughput.Device {
	return throughput.Device{Name: b.Name(), Backend: b, Peaks: throughput.CPUPeaks(b.Capabilities().Threads, precisions)}
}

// measure prints and writes what all sides do.
func (o *benchOptions) measure(ctx context.Context, rows []throughput.Row, list []throughput.Device, t *talk, stdout, stderr io.Writer) error {
	m := throughput.Options{Rows: rows, Devices: list, Rounds: o.Rounds, Seconds: o.Seconds, Log: t.Linef, Done: o.write, Fresh: map[string]throughput.Starter{}}
	if err := o.startPeers(ctx, &m, t, stderr); err != nil {
		return err
	}
	defer func() {
		for _, p := range m.Peers {
			_ = p.Close() // all figures are taken
		}
	}()
	if self, err := os.Executable(); err == nil && o.Keep != "" {
		args := []string{"bench", "-serve", "-device", cpuName}
		if o.Precision != "" {
			args = append(args, "-precision", o.Precision)
		}
		for _, s := range o.Sets {
			args = append(args, "-set", s)
		}
		m.Fresh[throughput.Ours] = throughput.Program(self, args...)
	}
	if about := m.About().Round(time.Second); len(m.Peers) > 0 {
		t.Linef("%d rows, about %v, and what peers take to compile", len(rows), about)
	} else {
		t.Detailf("%d rows, about %v", len(rows), about)
	}
	report, err := throughput.Measure(ctx, m)
	switch {
	case err != nil && len(report.Results) == 0:
	case o.Format == formatJSON:
		err = errors.Join(err, writeJSON(stdout, report))
	default: // an hour of figures is worth its table, whatever has ended it
		err = errors.Join(err, report.WriteTable(stdout))
	}
	return err
}

// write writes what there is so far to -out and -keep.
func (o *benchOptions) write(r *throughput.Report) error {
	var errs []error
	if o.Out != "" {
		errs = append(errs, r.Write(configs.ResolvePath(o.Out)))
	}
	if o.Keep != "" {
		errs = append(errs, r.Keep(configs.ResolvePath(o.Keep)))
	}
	return errors.Join(errs...)
}

// profile prints and writes the parts of a step of each row on each device.
func (o *benchOptions) profile(ctx context.Context, rows []throughput.Row, list []throughput.Device, t *talk, stdout io.Writer) error {
	p, err := throughput.Profile(ctx, throughput.Options{Rows: rows, Devices: list, Seconds: o.Seconds, Log: t.Linef})
	if len(p.Profiles) == 0 {
		return err
	}
	if o.Out != "" {
		err = errors.Join(err, p.Write(configs.ResolvePath(o.Out)))
	}
	if o.Format == formatJSON {
		return errors.Join(err, writeJSON(stdout, p))
	}
	return errors.Join(err, p.WriteTable(stdout))
}

// benchItems are the standard rows, for "aetrain list bench-rows".
func benchItems() []listItem {
	var items []listItem
	for _, r := range throughput.Standard(nil) {
		items = append(items, listItem{r.Name, r.Text})
	}
	return items
}
