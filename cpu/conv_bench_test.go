package cpu_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/cpu/cpuinfo"
	"aetrain/cpu/gemm"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// convLayer is a layer by its large side and its weight, as op's examples have it.
type convLayer struct {
	name       string
	x, w       graph.Shape
	c          op.ConvConfig
	transposed bool
}

// convLayers are those of the Keras convolutional VAE and autoencoder, and two wider ones, at batch 128.
func convLayers() []convLayer {
	same2 := op.ConvConfig{StrideH: 2, StrideW: 2, PadBottom: 1, PadRight: 1}
	same := op.ConvConfig{PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}
	return []convLayer{
		{"1-32-s2-28", graph.Shape{128, 1, 28, 28}, graph.Shape{32, 1, 3, 3}, same2, false},
		{"32-64-s2-14", graph.Shape{128, 32, 14, 14}, graph.Shape{64, 32, 3, 3}, same2, false},
		{"t64-64-s2-7", graph.Shape{128, 64, 14, 14}, graph.Shape{64, 64, 3, 3}, same2, true},
		{"t64-32-s2-14", graph.Shape{128, 32, 28, 28}, graph.Shape{64, 32, 3, 3}, same2, true},
		{"t32-1-s1-28", graph.Shape{128, 1, 28, 28}, graph.Shape{32, 1, 3, 3}, same, true},
		{"32-1-s1-28", graph.Shape{128, 32, 28, 28}, graph.Shape{1, 32, 3, 3}, same, false},
		{"1-32-s1-28", graph.Shape{128, 1, 28, 28}, graph.Shape{32, 1, 3, 3}, same, false},
		{"32-32-s1-14", graph.Shape{128, 32, 14, 14}, graph.Shape{32, 32, 3, 3}, same, false},
		{"32-32-s1-7", graph.Shape{128, 32, 7, 7}, graph.Shape{32, 32, 3, 3}, same, false},
		{"32-32-s1-28", graph.Shape{128, 32, 28, 28}, graph.Shape{32, 32, 3, 3}, same, false},
		{"64-128-s2-8", graph.Shape{128, 64, 8, 8}, graph.Shape{128, 64, 3, 3}, same2, false},
		{"64-64-s1-32", graph.Shape{32, 64, 32, 32}, graph.Shape{64, 64, 3, 3}, same, false},
	}
}

// passes are the three products of a layer: forward, gradient of the input, gradient of the weight.
func (l convLayer) passes() map[string]graph.Example {
	l.c = l.c.Normalized()
	h, w := op.Conv{ConvConfig: l.c}.OutputSize(l.x[2], l.x[3], l.w[2], l.w[3])
	y := graph.Shape{l.x[0], l.w[0], h, w}
	arg := func(s graph.Shape) graph.Arg { return graph.Arg{Spec: graph.F32(s...), From: -1, To: 1} }
	up := l.c
	oh, ow := op.ConvTranspose{ConvConfig: up}.OutputSize(h, w, l.w[2], l.w[3])
	up.OutPadH, up.OutPadW = l.x[2]-oh, l.x[3]-ow
	down := graph.Example{Op: op.Conv{ConvConfig: l.c}, Args: []graph.Arg{arg(l.x), arg(l.w)}}
	back := graph.Example{Op: op.ConvTranspose{ConvConfig: up}, Args: []graph.Arg{arg(y), arg(l.w)}}
	weight := graph.Example{Op: op.ConvWeightGrad{ConvConfig: l.c, KH: l.w[2], KW: l.w[3]}, Args: []graph.Arg{arg(l.x), arg(y)}}
	if l.transposed {
		down, back = back, down
	}
	return map[string]graph.Example{"forward": down, "data": back, "weight": weight}
}

// BenchmarkConv times the passes of convLayers by each candidate on one thread and reports the best step. Before, both
// candidates must agree.
func BenchmarkConv(b *testing.B) {
	peak := gemm.Peak(cpuinfo.Best(), 1)
	b.Logf("%v: register peak %.1f GFLOP/s", cpuinfo.Best(), peak)
	be, err := cpu.Open(cpu.Threads(1))
	if err != nil {
		b.Fatal(err)
	}
	defer be.Close()
	for _, l := range convLayers() {
		for _, pass := range []string{"forward", "data", "weight"} {
			e := l.passes()[pass]
			for i, kernel := range convKernels {
				if kernel == "taps" && (pass == "weight" || !l.endsThin(pass)) {
					continue
				}
				b.Run(fmt.Sprintf("%s/%s/%s", l.name, pass, kernel), func(b *testing.B) {
					exe, y := loadConv(b, be, e, kernel)
					_, other := loadConv(b, be, e, convKernels[(i+1)%2])
					agree(b, y, other)
					best := time.Hour // as for the peak: other work may run beside it
					for b.Loop() {
						start := time.Now()
						exe.Run(context.Background())
						best = min(best, time.Since(start))
					}
					gflops := exe.Explain()[0].FLOP / best.Seconds() / 1e9
					b.ReportMetric(gflops, "GFLOP/s")
					b.ReportMetric(100*gflops/peak, "%peak")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}

var convKernels = [...]string{"implicit-gemm", "winograd", "direct", "taps"}

// endsThin says that a pass gives a single channel with stride 1.
func (l convLayer) endsThin(pass string) bool {
	down := (pass == "forward") != l.transposed
	return l.c.StrideH < 2 && (down && l.w[0] == 1 && l.w[1] > 1 || !down && l.w[1] == 1 && l.w[0] > 1)
}

// loadConv loads one op by the named candidate and returns its first result.
func loadConv(b *testing.B, be backend.Backend, e graph.Example, kernel string) (backend.Executable, []float32) {
	b.Helper()
	g := graph.New()
	var args []graph.Value
	in := e.Draw(1)
	for i, a := range e.Args {
		args = append(args, g.Input(fmt.Sprint("in", i), a.Spec))
	}
	y := g.Apply(e.Op, args...)[0]
	p, err := program.Compile(g, map[string]graph.Value{"y": y}, be.Capabilities().Target)
	if err != nil {
		b.Fatal(err)
	}
	exes, err := be.Load(be.NewState(), backend.Options{Kernels: map[string]string{opKey(e.Op): kernel}, Strict: true}, p)
	if err != nil {
		b.Fatal(err)
	}
	exe := exes[0]
	for i := range args {
		t := be.Host(e.Args[i].Spec)
		for j, v := range in[i].Data {
			t.Data().([]float32)[j] = float32(v)
		}
		if err := exe.Feed(fmt.Sprint("in", i), t); err != nil {
			b.Fatal(err)
		}
	}
	out := be.Host(y.Spec())
	exe.Run(context.Background())
	if err := exe.Fetch("y", out); err != nil {
		b.Fatal(err)
	}
	return exe, out.Data().([]float32)
}

func opKey(o graph.Op) string {
	return map[string]string{"Conv2D": "conv2d", "ConvTranspose2D": "conv_transpose2d", "Conv2DWeightGrad": "conv2d_weight_grad"}[o.Name()]
}

// agree compares the candidates' results.
func agree(b *testing.B, x, y []float32) {
	b.Helper()
	most := 0.0
	for _, v := range x {
		most = max(most, math.Abs(float64(v)))
	}
	for i, v := range x {
		if d := math.Abs(float64(v - y[i])); !(d <= 1e-4*most) {
			b.Fatalf("element %d is %v by one candidate and %v by another", i, v, y[i])
		}
	}
}
