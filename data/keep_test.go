package data

import (
	"context"
	"math"
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/configs"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/op"
	"aetrain/program"

	"gorgonia.org/tensor"
)

// keptBatch makes a batch of training on a device that keeps s.
func keptBatch(t *testing.T, k *Kept, indices []int, epoch int) []float32 {
	t.Helper()
	b, err := cpu.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	n := len(indices)
	g := graph.New()
	set := k.Fields()[0].batch(k.Len())
	rows := g.Input("rows", graph.I32(n))
	stored := g.Input("set", set)
	x := k.X(op.Gather(stored, rows), rows, g.Input("epoch", graph.I32()), g.Input("white", graph.F32()))
	p, err := program.Compile(g, map[string]graph.Value{"x": x}, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	exes, err := b.Load(b.NewState(), backend.Options{Strict: true}, p)
	if err != nil {
		t.Fatal(err)
	}
	all := NewBatch(k.Fields(), k.Len(), nil)
	if err := k.Read(all, 0, k.Len()); err != nil {
		t.Fatal(err)
	}
	at := Dense(graph.I32(n))
	for i, row := range indices {
		at.Int32s()[i] = int32(row)
	}
	for _, in := range p.Inputs {
		value := map[string]*tensor.Dense{"rows": at, "set": all[0], "epoch": tensor.New(tensor.FromScalar(int32(epoch))), "white": tensor.New(tensor.FromScalar(float32(255)))}[in.Name]
		if err := exes[0].Feed(in.Name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := exes[0].Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	out := Dense(x.Spec())
	if err := exes[0].Fetch("x", out); err != nil {
		t.Fatal(err)
	}
	return out.Float32s()
}

// TestKeptBatches: a batch of training that a device makes of the set it keeps is the one that the loader makes.
func TestKeptBatches(t *testing.T) {
	channels := func(c, h, w int) graph.Shape { return graph.Shape{c, h, w} }
	standard := &Standardize{Axis: "channel"}
	const rounded, exact = 2e-6, 0
	for _, c := range []struct {
		name   string
		shape  graph.Shape
		list   []Transform
		within float64
		kept   string // x as it is kept
	}{
		{"nothing", channels(1, 4, 5), nil, exact, "1x4x5"},
		{"flip", channels(3, 5, 4), []Transform{&Flip{Axis: "horizontal", Probability: 0.5}}, exact, "3x5x4"},
		{"flip vertically, often", channels(2, 5, 4), []Transform{&Flip{Axis: "vertical", Probability: 0.8}}, exact, "2x5x4"},
		{"random-crop", channels(3, 9, 7), []Transform{&RandomCrop{Size: configs.Ints{6, 5}}}, exact, "3x9x7"},
		{"pad, random-crop, flip", channels(3, 8, 8), []Transform{&Pad{Size: configs.Ints{12}, Value: 0.5}, &RandomCrop{Size: configs.Ints{8}}, &Flip{Axis: "horizontal", Probability: 0.5}}, exact, "3x8x8"},
		{"crop, flip", channels(1, 8, 9), []Transform{&Crop{Size: configs.Ints{5, 4}}, &Flip{Axis: "horizontal", Probability: 0.5}}, exact, "1x8x9"},
		{"crop to little, flip", channels(1, 12, 12), []Transform{&Crop{Size: configs.Ints{3}}, &Flip{Axis: "horizontal", Probability: 0.5}}, exact, "1x3x3"},
		{"scaled crop", channels(3, 20, 16), []Transform{&RandomCrop{Size: configs.Ints{16, 12}, Scale: []float64{0.3, 1}}}, 1e-5, "3x20x16"},
		{"scaled crop that enlarges", channels(1, 9, 9), []Transform{&RandomCrop{Size: configs.Ints{14}, Scale: []float64{0.2, 0.9}}}, 1e-5, "1x9x9"},
		{"scaled crop that shrinks", channels(2, 21, 17), []Transform{&RandomCrop{Size: configs.Ints{6, 7}, Scale: []float64{0.3, 1}}}, 1e-5, "2x21x17"},
		{"rotate", channels(2, 11, 8), []Transform{&Rotate{Degrees: 40, Value: 0.25}}, 2e-5, "2x11x8"},
		{"color-jitter", channels(3, 6, 5), []Transform{&ColorJitter{Brightness: 0.4, Contrast: 0.4, Saturation: 0.4, Hue: 0.2}}, rounded, "3x6x5"},
		{"color-jitter of gray", channels(3, 6, 5), []Transform{&Gray{}, &ColorJitter{Brightness: 0.4, Contrast: 0.4}}, rounded, "3x6x5"},
		{"noise", graph.Shape{3, 7}, []Transform{&Noise{Sigma: 0.3}}, rounded, "3x7"},
		{"dequantize", channels(1, 3, 7), []Transform{&Dequantize{Levels: 256}}, rounded, "1x3x7"},
		{"binarize", channels(1, 3, 7), []Transform{&Binarize{Threshold: 0.3}}, exact, "1x3x7"},
		{"dynamic binarize", channels(1, 3, 7), []Transform{&Binarize{Dynamic: true}}, exact, "1x3x7"},
		{"flip, standardize by channel", channels(3, 5, 4), []Transform{&Flip{Axis: "horizontal", Probability: 0.5}, standard}, rounded, "3x5x4"},
		{"noise, standardize by feature", graph.Shape{9, 2}, []Transform{&Noise{Sigma: 1}, &Standardize{Axis: "feature"}}, 1e-5, "9x2"},
		{"noise, standardize series", graph.Shape{9, 2}, []Transform{&Noise{Sigma: 1}, &Standardize{Axis: "channel"}}, 1e-5, "9x2"},
		{"scale behind noise", graph.Shape{9, 2}, []Transform{&Noise{Sigma: 0.1}, &Scale{To: configs.NumbersOrWord{Numbers: []float64{-1, 1}}}}, rounded, "9x2"},
		{"unit-norm and log1p behind noise", graph.Shape{9, 2}, []Transform{&Noise{Sigma: 0.1}, &Scale{To: configs.NumbersOrWord{Word: "unit-norm"}}, &Log1p{}}, rounded, "9x2"},
		{"all at once", channels(3, 12, 12), []Transform{&RandomCrop{Size: configs.Ints{10}}, &Flip{Axis: "horizontal", Probability: 0.5}, &Rotate{Degrees: 20},
			&ColorJitter{Brightness: 0.2, Contrast: 0.2, Saturation: 0.2}, &Gray{}, &Noise{Sigma: 0.05}, &Scale{To: configs.NumbersOrWord{Numbers: []float64{0, 1}}}}, 5e-5, "3x12x12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			const examples = 40
			pixels := make([]uint8, examples*c.shape.Size())
			noise(pixels, 3, 5)
			src := newImages(c.shape, pixels, nil)
			s := choose(src, philox.New(1, 1).Perm(examples)) // rows of the split are not those of the source
			set := pipelineOver(t, s, c.list...).transform(s)
			k, err := Keep(set)
			if err != nil {
				t.Fatal(err)
			}
			if got := k.Fields()[0].Spec.Shape.String(); got != c.kept {
				t.Errorf("kept as %s, want %s", got, c.kept)
			}
			indices := []int{7, 0, 39, 21, 8, 7, 30, 31, 1, 2, 3}
			for _, epoch := range []int{0, 5} {
				want := NewBatch(set.Fields(), len(indices), nil)
				if err := ReadTraining(set, want, indices, epoch); err != nil {
					t.Fatal(err)
				}
				got, most := keptBatch(t, k, indices, epoch), 0.0
				for i, w := range want[0].Float32s() {
					most = max(most, math.Abs(float64(got[i]-w)))
				}
				if !(most <= c.within) {
					t.Errorf("epoch %d: values differ by %.2g, want %.2g at most", epoch, most, c.within)
				}
			}
		})
	}
}

// TestKept says how sets are kept, and which are not.
func TestKept(t *testing.T) {
	floats := newVectors(graph.Shape{1, 6, 6}, make([]float32, 4*36))
	bytes := newImages(graph.Shape{1, 6, 6}, make([]uint8, 4*36), nil)
	for _, c := range []struct {
		name  string
		src   Source
		list  []Transform
		dtype graph.DType
		steps int // ops
		err   string
	}{
		{"bytes", bytes, nil, graph.Uint8, 0, ""},
		{"two parts of bytes", &joined{sources: []Source{bytes, choose(bytes, []int{1})}, first: []int{0, 4, 5}, fields: bytes.fields}, nil, graph.Uint8, 0, ""},
		{"one part of bytes", &joined{sources: []Source{bytes, floats}, first: []int{0, 4, 8}, fields: bytes.fields}, nil, graph.Float32, 0, ""},
		{"numbers", floats, nil, graph.Float32, 0, ""},
		{"fixed steps are done once", floats, []Transform{&Standardize{Axis: "channel"}}, graph.Float32, 0, ""},
		{"but not where they make bytes longer", bytes, []Transform{&Binarize{}}, graph.Uint8, 1, ""},
		{"nor where they enlarge", floats, []Transform{&Pad{Size: configs.Ints{8}}, &Flip{Axis: "horizontal"}}, graph.Float32, 2, ""},
		{"resize before", bytes, []Transform{&Resize{Size: configs.Ints{3}}, &Flip{Axis: "horizontal"}}, graph.Float32, 1, ""},
		{"resize behind", bytes, []Transform{&Flip{Axis: "horizontal"}, &Resize{Size: configs.Ints{3}}}, 0, 0, "resize runs in the loader only"},
		{"much smaller windows", bytes, []Transform{&RandomCrop{Size: configs.Ints{1}, Scale: []float64{0.1, 1}}}, 0, 0, "random-crop runs in the loader here: it shrinks images more than 4 times"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, err := Keep(pipelineOver(t, c.src, c.list...).transform(c.src))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := k.Fields()[0].Spec.DType; got != c.dtype || len(k.steps) != c.steps {
				t.Errorf("kept as %v with %d ops, want %v with %d", got, len(k.steps), c.dtype, c.steps)
			}
		})
	}
}
