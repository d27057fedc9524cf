package cpu_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// BenchmarkOps times every op's examples that are marked for it, one thread, and reports the best step by the elements of the
// larger side. Before, results must agree with the definition. Products have benchmarks of their own.
func BenchmarkOps(b *testing.B) {
	be, err := cpu.Open(cpu.Threads(1))
	if err != nil {
		b.Fatal(err)
	}
	defer be.Close()
	for _, o := range op.All() {
		switch o.Name() {
		case "MatMul", "Conv2D", "ConvTranspose2D", "Conv2DWeightGrad":
			continue
		}
		for i, e := range o.Examples() {
			if e.Bench {
				b.Run(fmt.Sprintf("%s/%d", o.Name(), i), func(b *testing.B) { benchmarkOp(b, be, e) })
			}
		}
	}
}

func benchmarkOp(b *testing.B, be backend.Backend, e graph.Example) {
	g, feed := graph.New(), map[string]graph.Tensor{}
	var args []graph.Value
	elements := 0
	for i, x := range e.Draw(1) {
		name := fmt.Sprint("in", i)
		args, feed[name] = append(args, g.Input(name, x.Spec)), x
		elements = max(elements, len(x.Data))
	}
	vs := g.Apply(e.Op, args...)
	outs := map[string]graph.Value{}
	for i, v := range vs {
		outs[fmt.Sprint("out", i)] = v
		elements = max(elements, v.Shape().Size())
	}
	p, err := program.Compile(g, outs, be.Capabilities().Target)
	if err != nil {
		b.Fatal(err)
	}
	exes, err := be.Load(be.NewState(), backend.Options{Strict: true}, p)
	if err != nil {
		b.Fatal(err)
	}
	exe := exes[0]
	for _, in := range exe.Program().Inputs {
		t := be.Host(in.Spec)
		for i, v := range feed[in.Name].Data {
			switch d := t.Data().(type) {
			case []float32:
				d[i] = float32(v)
			case []int32:
				d[i] = int32(v)
			case []uint8:
				d[i] = uint8(v)
			}
		}
		exe.Feed(in.Name, t)
	}
	exe.Run(context.Background())
	want, err := graph.Evaluate(vs, feed)
	if err != nil {
		b.Fatal(err)
	}
	for i, v := range vs {
		t := be.Host(v.Spec())
		if err := exe.Fetch(fmt.Sprint("out", i), t); err != nil {
			b.Fatal(err)
		}
		if got, ok := t.Data().([]float32); ok {
			near(b, got, want[i].Data)
		}
	}
	best := time.Hour
	for b.Loop() {
		start := time.Now()
		exe.Run(context.Background())
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(elements)/float64(best.Nanoseconds()), "elements/ns")
	b.ReportMetric(float64(best.Nanoseconds())/1e3, "us/step")
	b.ReportMetric(0, "ns/op")
}

// near compares by the largest magnitude.
func near(b *testing.B, got []float32, want []float64) {
	b.Helper()
	most := 1e-3
	for _, v := range want {
		most = max(most, math.Abs(v))
	}
	for i, v := range want {
		if d := math.Abs(float64(got[i]) - v); d > 5e-5*most {
			b.Fatalf("element %d is %v, want %v", i, got[i], v)
		}
	}
}
