package throughput

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aetrain/backend"
	"aetrain/configs"
	"aetrain/cpu"
	"aetrain/data"
	"aetrain/graph"
	"aetrain/model"
	"aetrain/op"
	"aetrain/optim"
	"aetrain/program"
	"aetrain/trainer"
)

// TestMain plays Python where the environment says so.
func TestMain(m *testing.M) {
	switch os.Getenv("BENCH_TEST") {
	case "":
		os.Exit(m.Run())
	case "dead":
		fmt.Fprintln(os.Stderr, "ModuleNotFoundError: No module named 'torch'")
		os.Exit(1)
	case "noise":
		fmt.Println("Traceback")
	case "serve":
		serve()
	case "steps":
		if err := serveSteps(os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
	}
}

// serve answers as torch/bench.py does: a step takes 10 ms, torch.compile cannot be had, and the process ends at the third round.
func serve() {
	fmt.Println(`{"name": "pytorch", "torch": "0.0"}`)
	rounds := 0
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var q Question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		switch {
		case q.Do == "ways":
			fmt.Println(`{"ways": ["eager", "compile"]}`)
		case q.Do == "open" && q.Way == "compile":
			fmt.Println(`{"error": "no compiler"}`)
		case q.Do == "open":
			fmt.Println(`{"parameters": 652824, "loss": 545.5}`)
		case q.Do == "measure":
			if rounds++; rounds > 2 {
				return
			}
			fmt.Println(`{"blocks": [[2, 0.02], [1, 0.03], [4, 0.04]]}`)
		default:
			fmt.Println(`{}`)
		}
	}
}

// load reads a config as the command does.
func load(name string, text []byte) (*Experiment, error) {
	cfg, err := configs.Load(configs.LoadOptions{File: name, Bytes: text, Presets: model.Presets(), DefaultPreset: model.DefaultPreset,
		Sets: []string{"train.epochs=1000000", "train.validate_every=0", "train.sample_every=0", "train.checkpoint_every=0"}})
	if err != nil {
		return nil, err
	}
	e := &Experiment{Seed: cfg.Seed}
	e.Data, _ = data.Read(cfg) // mistakes are in cfg as well
	e.Model, _ = model.Read(cfg)
	e.Optimizer, _ = optim.Read(cfg.Section("optimizer"))
	e.Train, _ = trainer.Read(cfg)
	return e, cfg.Err()
}

// row is one of the standard ones.
func row(t *testing.T, name string) Row {
	t.Helper()
	for _, r := range Standard(load) {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no row %s", name)
	return Row{}
}

// TestStandard holds the rows to their twins: the same names, and as many parameters as PyTorch counts in torch/bench.py.
func TestStandard(t *testing.T) {
	parameters := map[string]int{
		"vae-128": 652824, "vae-1024": 652824, "vae-8192": 652824, "encode-10000": 652824, "ae-256": 218192, "conv-vae-28": 134165,
		"lstm": 52625, "transformer": 337504, "vq-vae": 144737, "aae": 1338136,
		"conv-vae-32": 1181795, "conv-vae-64": 2364515, "conv-vae-128": 7095395,
	}
	twins := regexp.MustCompile(`(?m)^    "([a-z0-9-]+)": \(`).FindAllStringSubmatch(string(script), -1)
	rows := Standard(load)
	if len(twins) != len(rows) || len(parameters) != len(rows) {
		t.Errorf("%d rows, %d in bench.py, %d counts", len(rows), len(twins), len(parameters))
	}
	for i, r := range rows {
		if twins[i][1] != r.Name {
			t.Errorf("row %d is %s here and %s in bench.py", i, r.Name, twins[i][1])
		}
		e, err := r.Load()
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
			continue
		}
		source := e.Data.Source.(*data.Random)
		if source.Examples < e.Data.Batch || source.Examples%e.Data.Batch != 0 && r.Encode == 0 {
			t.Errorf("%s: %d examples are no whole batches of %d", r.Name, source.Examples, e.Data.Batch)
		}
		m, err := model.New(e.Model, []model.Field{{Name: model.FieldX, Spec: graph.Spec{Shape: graph.Shape(source.Shape), DType: graph.Uint8}}})
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
			continue
		}
		encoder, decoder, err := m.Parameters()
		if err != nil || encoder+decoder != parameters[r.Name] {
			t.Errorf("%s: %d parameters (%v), want %d", r.Name, encoder+decoder, err, parameters[r.Name])
		}
	}
}

// device is the processor with one thread.
func device(t *testing.T) Device {
	t.Helper()
	b, err := cpu.Open(cpu.Threads(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	joules := 0.0
	return Device{Name: "cpu", Backend: b, Peaks: Peaks{GFLOPS: map[string]float64{"float32": 100}, GBps: 10, Source: "measured"},
		Joules: func() (float64, error) { joules++; return joules, nil }}
}

// TestMeasure measures for a moment, beside a peer that fails in its third round and whose torch.compile is missing.
func TestMeasure(t *testing.T) {
	t.Setenv("BENCH_TEST", "serve")
	p, err := Torch(os.Args[0])(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var log []string
	o := Options{Rows: []Row{row(t, "vae-128")}, Devices: []Device{device(t)}, Peers: []*Peer{p}, Rounds: 2, Seconds: 0.02,
		Log: func(format string, args ...any) { log = append(log, fmt.Sprintf(format, args...)) }}
	r, err := Measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 2 || len(r.Skipped) != 1 || r.Skipped[0].Side != "pytorch compile" || r.Skipped[0].Reason != "no compiler" {
		t.Fatalf("got %d results, left out %+v", len(r.Results), r.Skipped)
	}
	us, them := r.Results[0], r.Results[1]
	if us.Side != Ours || us.Batch != 128 || us.Parameters != 652824 || us.StepMS <= 0 || us.JoulesPerThousand <= 0 || len(us.Rounds) != 2 {
		t.Errorf("ours is %+v", us)
	}
	// 784·400 + 2·400·20 + 20·400 + 400·784 products forward, twice that backward but for the gradient of the input.
	want := 2e-9 * 128 * (3*(784*400+2*400*20+20*400+400*784) - 784*400)
	if math.Abs(us.GFLOP-want) > 1e-9 || us.PeakShare != us.GFLOPS/100 {
		t.Errorf("a step has %v GFLOP, want %v; %v of the peak at %v GFLOP/s", us.GFLOP, want, us.PeakShare, us.GFLOPS)
	}
	if them.Side != "pytorch eager" || them.StepMS != 10 || math.Abs(them.ExamplesPerSecond-12800) > 1e-6 || them.Ratio <= 0 {
		t.Errorf("the peer is %+v", them)
	}
	if len(log) != 5 || strings.Contains(strings.Join(log, "\n"), "parameters") {
		t.Errorf("the log is %q", log)
	}
	r, err = Measure(t.Context(), o)
	if err != nil || len(r.Results) != 1 || len(r.Skipped) != 2 || !strings.Contains(r.Skipped[1].Reason, "ended without an answer") {
		t.Errorf("with a dead peer: %v, %+v", err, r.Skipped)
	}
}

// TestEncode measures inference, with programs that are smaller than the whole.
func TestEncode(t *testing.T) {
	q := row(t, "encode-10000")
	q.Encode = 300
	r, err := Measure(t.Context(), Options{Rows: []Row{q}, Devices: []Device{device(t)}, Rounds: 1, Seconds: 0.01, Log: func(string, ...any) {}})
	if err != nil {
		t.Fatal(err)
	}
	want := 2e-9 * 300 * (784*400 + 2*400*20)
	if us := r.Results[0]; us.Work != "encode" || us.Batch != 300 || us.ExamplesPerSecond <= 0 || us.GFLOP > want*1.0001 || us.GFLOP < want/2 {
		t.Errorf("got %+v, want at most %v GFLOP", us, want)
	}
}

// TestInterrupted ends in the middle.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	o := Options{Rows: []Row{row(t, "vae-128")}, Devices: []Device{device(t)}, Rounds: 100, Seconds: 0.01,
		Log: func(string, ...any) { cancel(reason) }}
	if _, err := Measure(ctx, o); !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
}

// TestProfile looks into a step.
func TestProfile(t *testing.T) {
	rows := []Row{row(t, "vae-128"), row(t, "encode-10000")}
	rows[1].Encode = 200
	p, err := Profile(t.Context(), Options{Rows: rows, Devices: []Device{device(t)}, Seconds: 0.01, Log: func(string, ...any) {}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Profiles {
		if len(r.Parts) < 3 || r.StepMS <= 0 || r.SumMS <= 0 || r.LimitMS <= 0 {
			t.Errorf("%s: %+v", r.Row, r)
			continue
		}
		first := r.Parts[0]
		if first.Op != "MatMul" || first.Kernel != "gemm" || first.GFLOPS <= 0 || first.GBps <= 0 || first.BoundBy != "compute" || first.Path == "" {
			t.Errorf("%s: the costliest part is %+v", r.Row, first)
		}
	}
	dir := filepath.Join(t.TempDir(), "new")
	if err := p.Write(dir); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(dir, "profile.txt"))
	if !strings.Contains(string(text), "MatMul Add ReLU") {
		t.Errorf("profile.txt is\n%s", text)
	}
}

// TestTraffic counts the bytes of a step with an epilogue: x and w once, the bias once, the result once, its sum once.
func TestTraffic(t *testing.T) {
	g := graph.New()
	x, w, b := g.Input("x", graph.F32(8, 3)), g.Input("w", graph.F32(3, 5)), g.Input("b", graph.F32(5))
	y := op.ReLU(op.Add(op.MatMul(x, w, false, false), b))
	set, rows := g.Input("set", graph.F32(1000, 5)), g.Input("rows", graph.I32(8))
	picked := op.Gather(set, rows)
	p, err := program.Compile(g, map[string]graph.Value{"y": y, "picked": picked}, program.Target{Epilogue: func(graph.Op) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for i := range p.Steps {
		got[p.Steps[i].Kind()] += Traffic(p, &p.Steps[i])
	}
	if want := int64(4 * (8*3 + 3*5 + 5 + 8*5)); got["MatMul"] != want {
		t.Errorf("the product moves %d bytes, want %d", got["MatMul"], want)
	}
	if want := int64(4 * (8*5 + 8 + 8*5)); got["Gather"] != want {
		t.Errorf("picking rows moves %d bytes, want %d", got["Gather"], want)
	}
}

// TestPacer runs steps of known length against a clock.
func TestPacer(t *testing.T) {
	syncs := 0
	p := &pacer{pace: paceOf(0.05), sync: func() error { syncs++; return nil }}
	p.begin()
	n := 0
	for over := false; !over; n++ {
		time.Sleep(time.Millisecond)
		var err error
		if over, err = p.step(); err != nil {
			t.Fatal(err)
		}
	}
	f := p.figure(10)
	if n < leastWarm+leastSteps || f.Steps < leastSteps || f.Steps > n-leastWarm || syncs != len(p.blocks)+1 {
		t.Errorf("%d steps, %d of them measured in %d blocks with %d syncs", n, f.Steps, len(p.blocks), syncs)
	}
	if f.StepMS < 1 || math.Abs(f.ExamplesPerSecond-1e4/f.StepMS) > 1e-6 || f.Joules != 0 {
		t.Errorf("got %+v", f)
	}
	p = &pacer{pace: pace{}, sync: func() error { return errors.New("lost") }, measuring: true}
	if over, err := p.step(); !over || err == nil {
		t.Error("the error of a device is lost")
	}
}

func TestTorchFails(t *testing.T) {
	for _, c := range []struct{ how, want string }{{"dead", "No module named 'torch'"}, {"noise", "no JSON"}} {
		t.Setenv("BENCH_TEST", c.how)
		if _, err := Torch(os.Args[0])(t.Context(), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.how, err, c.want)
		}
	}
	if _, err := Torch(filepath.Join(t.TempDir(), "none"))(t.Context(), nil); err == nil {
		t.Error("a program that is not there has started")
	}
}

// TestRatio is the median of ratios: a machine that slows down hits both sides of a round.
func TestRatio(t *testing.T) {
	of := func(rates ...float64) *Result {
		r := &Result{}
		for _, x := range rates {
			r.Rounds = append(r.Rounds, Figure{ExamplesPerSecond: x})
		}
		return r
	}
	if got := ratio(of(200, 20, 90), of(100, 10, 60)); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if got := ratio(of(), of()); got != 0 {
		t.Errorf("without rounds the ratio is %v", got)
	}
}

// report is one with two devices, peers and energy.
func report() *Report {
	r := &Report{Devices: []DeviceFacts{{"cpu", "CPU, 2 threads", "avx2", Peaks{map[string]float64{"float32": 200}, 20, "measured"}},
		{"cuda:0", "some GPU", "", Peaks{map[string]float64{"float32": 60000, "tf32": 400000}, 4000, "declared"}}}}
	for _, x := range []struct {
		device, side string
		rate, joules float64
	}{{"cpu", Ours, 1e5, 0}, {"cuda:0", Ours, 2e6, 90}, {"cuda:0", "pytorch eager", 2.5e5, 80}} {
		res := &Result{Row: "vae-128", Device: x.device, Side: x.side, Precision: "float32", Batch: 128, GFLOP: 0.42, GB: 0.03}
		res.Rounds = []Figure{{Steps: 10, StepMS: 128e3 / x.rate, ExamplesPerSecond: x.rate, Joules: x.joules, Examples: 1280}}
		r.Results = append(r.Results, res)
	}
	r.Skipped = []Skipped{{"vae-128", "cuda:0", "pytorch compile", "no compiler"}}
	r.conclude("vae-128")
	return r
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	if err := report().WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	const want = `cpu: CPU, 2 threads; measured peak 200 GFLOP/s float32, 20.0 GB/s
cuda:0: some GPU; declared peak 60,000 GFLOP/s float32, 400,000 GFLOP/s tf32, 4,000 GB/s

row      device  side           ms a step  examples/s  GFLOP/s  of peak  GB/s  J/1000  ratio
vae-128  cpu     aetrain             1.28     100,000      328     164%  23.4       -      -
vae-128  cuda:0  aetrain            0.064   2,000,000    6,562      11%   469    70.3  20.00
vae-128  cuda:0  pytorch eager      0.512     250,000      820       1%     -    62.5   8.00
left out: pytorch compile on cuda:0, vae-128: no compiler

ratio of aetrain: its examples a second over those on cpu
J/1000: joules that the device draws for a thousand examples
ratio of a peer: aetrain's examples a second on that device over the peer's, the median of the rounds
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestChart(t *testing.T) {
	dir := t.TempDir()
	if err := report().Write(dir); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(dir, "bench.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	// The bars of the three results: their colours, and the longest one's end.
	left, right := margin+labels, chartWidth-margin-figures
	y := margin + barHeight + barGap + 2*barHeight + headHeight + barHeight/2
	for i, c := range []struct {
		x    int
		want bool
	}{{left + 1, true}, {right - 2, true}, {left + 1, true}} {
		_, _, _, a := img.At(c.x, y+i*(barHeight+barGap)).RGBA()
		r, g, b, _ := img.At(c.x, y+i*(barHeight+barGap)).RGBA()
		if white := r == a && g == a && b == a; white == c.want {
			t.Errorf("bar %d: the point at %d is white: %v", i, c.x, white)
		}
	}
	var again Report
	text, _ := os.ReadFile(filepath.Join(dir, "bench.json"))
	if err := json.Unmarshal(text, &again); err != nil || len(again.Results) != 3 {
		t.Errorf("bench.json: %v", err)
	}
}

// TestGPUPeaks against the figures that NVIDIA gives for dense products.
func TestGPUPeaks(t *testing.T) {
	h100 := GPUPeaks(Chip{Major: 9, SMs: 132, ClockKHz: 1830000, MemoryClockKHz: 2619000, BusWidthBits: 5120})
	for name, want := range map[string]float64{"float32": 61.8e3, "tf32": 494.7e3, "bf16": 989.4e3} {
		if got := h100.GFLOPS[name]; math.Abs(got/want-1) > 0.01 {
			t.Errorf("H100, %s: got %v, want %v", name, got, want)
		}
	}
	if math.Abs(h100.GBps/3352-1) > 0.01 {
		t.Errorf("H100: got %v GB/s", h100.GBps)
	}
	if p := GPUPeaks(Chip{Major: 99}); len(p.GFLOPS) != 0 {
		t.Errorf("an unknown device has peaks: %v", p.GFLOPS)
	}
}

// TestWithoutProfiler names what is missing.
func TestWithoutProfiler(t *testing.T) {
	r := &RowProfile{}
	if err := r.addProgram(t.Context(), 0, struct{ backend.Executable }{}, Device{}); err == nil {
		t.Error("an executable without Profile was taken")
	}
}
