package cpu_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/cpu/cpuinfo"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// winogradCases are layers that end in every way: parts of panels, of tiles and of tiles of registers, padding on each side, results
// beyond the last sample, rows in strips.
func winogradCases() []convLayer {
	pad := func(sh, sw, top, bottom, left, right int) op.ConvConfig {
		return op.ConvConfig{StrideH: sh, StrideW: sw, PadTop: top, PadBottom: bottom, PadLeft: left, PadRight: right}
	}
	return []convLayer{
		{"keras", graph.Shape{19, 5, 14, 14}, graph.Shape{7, 5, 3, 3}, pad(2, 2, 0, 1, 0, 1), false},
		{"pytorch", graph.Shape{35, 9, 7, 7}, graph.Shape{18, 9, 3, 3}, pad(2, 2, 1, 1, 1, 1), false},
		{"odd", graph.Shape{17, 3, 9, 13}, graph.Shape{8, 3, 3, 3}, pad(2, 2, 2, 0, 1, 2), false},
		{"small", graph.Shape{130, 6, 4, 4}, graph.Shape{9, 6, 3, 3}, pad(2, 2, 1, 1, 1, 1), false},
		{"point", graph.Shape{40, 16, 2, 2}, graph.Shape{16, 16, 3, 3}, pad(2, 2, 1, 1, 1, 1), false},
		{"stride 1", graph.Shape{18, 6, 11, 6}, graph.Shape{10, 6, 3, 3}, pad(1, 1, 1, 1, 1, 1), false},
		{"stride 1, valid", graph.Shape{16, 16, 5, 6}, graph.Shape{13, 16, 3, 3}, pad(1, 1, 0, 0, 0, 0), false},
		{"both strides", graph.Shape{16, 4, 10, 9}, graph.Shape{6, 4, 3, 3}, pad(1, 2, 1, 0, 0, 1), false},
		{"strips", graph.Shape{16, 24, 40, 36}, graph.Shape{16, 24, 3, 3}, pad(2, 2, 0, 1, 1, 0), false},
		{"long K", graph.Shape{16, 130, 5, 5}, graph.Shape{12, 130, 3, 3}, pad(2, 2, 1, 1, 1, 1), false},
		{"one image", graph.Shape{1, 4, 8, 8}, graph.Shape{4, 4, 3, 3}, pad(2, 2, 1, 1, 1, 1), false},
	}
}

// TestWinograd holds the three passes of each case to the reference in float64, and to the same bits on three threads as on one.
func TestWinograd(t *testing.T) {
	for _, tier := range cpuinfo.Tiers() {
		one, three := openTier(t, tier, 1), openTier(t, tier, 3)
		for _, l := range winogradCases() {
			for pass, e := range l.passes() {
				t.Run(fmt.Sprintf("%v/%s/%s", tier, l.name, pass), func(t *testing.T) {
					got, want := winogradResult(t, one, e), reference(t, e)
					if err := furthest(got, want); err > 2e-5 {
						t.Errorf("%+v: the error is %.2g of the largest element, want 2e-5", e.Op, err)
					}
					if other := winogradResult(t, three, e); !slices.Equal(got, other) {
						t.Error("three threads give other bits than one")
					}
				})
			}
		}
	}
}

func openTier(t *testing.T, tier cpuinfo.Tier, threads int) backend.Backend {
	t.Helper()
	b, err := cpu.Open(cpu.ISA(tier.String()), cpu.Threads(threads))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// winogradResult runs one op twice by the kernel, so that what one run leaves in scratch meets the next.
func winogradResult(t *testing.T, b backend.Backend, e graph.Example) []float32 {
	t.Helper()
	g, y, feed := drawn(e)
	p, err := program.Compile(g, map[string]graph.Value{"y": y[0]}, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	exes, err := b.Load(b.NewState(), backend.Options{Kernels: map[string]string{opKey(e.Op): "winograd"}, Strict: true}, p)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range feed {
		h := b.Host(x.Spec)
		for j, v := range x.Data {
			h.Data().([]float32)[j] = float32(v)
		}
		if err := exes[0].Feed(name, h); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := exes[0].Run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	out := b.Host(y[0].Spec())
	if err := exes[0].Fetch("y", out); err != nil {
		t.Fatal(err)
	}
	return out.Data().([]float32)
}

// reference is the op's definition.
func reference(t *testing.T, e graph.Example) []float64 {
	t.Helper()
	_, y, feed := drawn(e)
	ref, err := graph.Evaluate(y, feed)
	if err != nil {
		t.Fatal(err)
	}
	return ref[0].Data
}

// drawn is the graph of one op and its operands.
func drawn(e graph.Example) (g *graph.Graph, y []graph.Value, feed map[string]graph.Tensor) {
	g, feed = graph.New(), map[string]graph.Tensor{}
	in := e.Draw(3)
	var args []graph.Value
	for i, a := range e.Args {
		name := fmt.Sprint("in", i)
		args, feed[name] = append(args, g.Input(name, a.Spec)), in[i]
	}
	return g, g.Apply(e.Op, args...), feed
}

// furthest is the largest error, as a part of the largest element.
func furthest(got []float32, want []float64) float64 {
	most, far := 0.0, 0.0
	for i, w := range want {
		most = max(most, math.Abs(w))
		d := math.Abs(float64(got[i]) - w)
		if math.IsNaN(d) {
			return d
		}
		far = max(far, d)
	}
	return far / most
}
