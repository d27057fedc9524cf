package data

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/philox"

	"gorgonia.org/tensor"
)

// vectors is a source in memory for tests.
type vectors struct {
	shape  graph.Shape
	x      []float32
	fields []Field
}

func newVectors(shape graph.Shape, x []float32) *vectors {
	return &vectors{shape, x, []Field{{Name: "x", Spec: graph.F32(shape...)}}}
}

func (v *vectors) Len() int        { return len(v.x) / v.shape.Size() }
func (v *vectors) Fields() []Field { return v.fields }
func (v *vectors) Close() error    { return nil }
func (v *vectors) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(v, dst, indices); err != nil {
		return err
	}
	size := v.shape.Size()
	for n, i := range indices {
		copy(dst[0].Float32s()[n*size:(n+1)*size], v.x[i*size:])
	}
	return nil
}

// pipelineOver binds transforms to a source and fits them.
func pipelineOver(t testing.TB, s Source, list ...Transform) *Pipeline {
	t.Helper()
	p, err := newPipeline(list, s, 1)
	if err == nil {
		err = p.fit(context.Background(), s, func(Progress) {})
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// readAll reads a whole source.
func readAll(t testing.TB, s Source) []float32 {
	t.Helper()
	dst := NewBatch(s.Fields(), s.Len(), nil)
	if err := ReadRange(s, 0, s.Len(), dst); err != nil {
		t.Fatal(err)
	}
	return dst[0].Float32s()
}

func near(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) < 1e-5 })
}

func TestTransforms(t *testing.T) {
	ramp := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i)
		}
		return x
	}
	s3 := float32(math.Sqrt(1.5)) // 1 / deviation of 0 and 2 around... of {1,2,3}
	for _, c := range []struct {
		name  string
		shape graph.Shape
		x     []float32
		list  []Transform
		want  []float32
		out   string // shape
		back  bool   // Invert gives x again
	}{
		{"standardize by feature", graph.Shape{2}, []float32{1, 5, 2, 5, 3, 5}, []Transform{&Standardize{Axis: "feature"}},
			[]float32{-s3, 0, 0, 0, s3, 0}, "2", true},
		{"standardize by channel", graph.Shape{2, 1, 2}, []float32{1, 3, 10, 30}, []Transform{&Standardize{Axis: "channel"}},
			[]float32{-1, 1, -1, 1}, "2x1x2", true},
		{"scale by feature", graph.Shape{2}, []float32{1, 10, 3, 10, 2, 30}, []Transform{&Scale{To: configs.NumbersOrWord{Numbers: []float64{-1, 1}}}},
			[]float32{-1, -1, 1, -1, 0, 1}, "2", true},
		{"scale an image as a whole", graph.Shape{1, 1, 2}, []float32{0, 2, 4, 1}, []Transform{&Scale{To: configs.NumbersOrWord{Numbers: []float64{0, 1}}}},
			[]float32{0, 0.5, 1, 0.25}, "1x1x2", true},
		{"unit-norm", graph.Shape{2}, []float32{3, 4, 0, 0}, []Transform{&Scale{To: configs.NumbersOrWord{Word: "unit-norm"}}},
			[]float32{3 * 0.4, 4 * 0.4, 0, 0}, "2", true}, // mean squared norm 12.5 becomes 2: times 0.4
		{"scale, then standardize", graph.Shape{1}, []float32{1, 2, 3}, []Transform{&Scale{To: configs.NumbersOrWord{Numbers: []float64{0, 1}}}, &Standardize{Axis: "feature"}},
			[]float32{-s3, 0, s3}, "1", true},
		{"crop", graph.Shape{1, 3, 4}, ramp(12), []Transform{&Crop{Size: configs.Ints{1, 2}}}, []float32{5, 6}, "1x1x2", false},
		{"pad", graph.Shape{1, 1, 1}, []float32{7}, []Transform{&Pad{Size: configs.Ints{2, 3}, Value: -1}}, []float32{-1, 7, -1, -1, -1, -1}, "1x2x3", false},
		{"pad, then crop", graph.Shape{2, 1, 1}, []float32{7, 8}, []Transform{&Pad{Size: configs.Ints{5}}, &Crop{Size: configs.Ints{1}}}, []float32{7, 8}, "2x1x1", false},
		{"gray", graph.Shape{3, 1, 2}, []float32{1, 0, 0, 1, 0, 0}, []Transform{&Gray{}}, []float32{0.299, 0.587}, "1x1x2", false},
		{"gray of gray", graph.Shape{1, 1, 2}, []float32{1, 2}, []Transform{&Gray{}}, []float32{1, 2}, "1x1x2", false},
		{"binarize", graph.Shape{4}, []float32{0, 0.5, 0.6, 1}, []Transform{&Binarize{Threshold: 0.5}}, []float32{0, 0, 1, 1}, "4", false},
		{"flip is for training", graph.Shape{1, 1, 2}, []float32{1, 2}, []Transform{&Flip{Axis: "horizontal", Probability: 1}}, []float32{1, 2}, "1x1x2", false},
		{"resize to the same", graph.Shape{1, 2, 2}, []float32{1, 2, 3, 4}, []Transform{&Resize{Size: configs.Ints{2}, Fit: "crop"}}, []float32{1, 2, 3, 4}, "1x2x2", false},
		{"resize down", graph.Shape{1, 1, 4}, []float32{0, 0, 8, 8}, []Transform{&Resize{Size: configs.Ints{1, 2}, Fit: "stretch"}}, []float32{8. / 7, 48. / 7}, "1x1x2", false},
		{"resize up", graph.Shape{1, 1, 2}, []float32{0, 4}, []Transform{&Resize{Size: configs.Ints{1, 4}, Fit: "stretch"}}, []float32{0, 1, 3, 4}, "1x1x4", false},
		{"resize crops", graph.Shape{1, 1, 3}, []float32{1, 2, 3}, []Transform{&Resize{Size: configs.Ints{1, 1}, Fit: "crop"}}, []float32{2}, "1x1x1", false},
		{"resize pads", graph.Shape{1, 1, 3}, []float32{1, 2, 3}, []Transform{&Resize{Size: configs.Ints{3, 3}, Fit: "pad"}}, []float32{0, 0, 0, 1, 2, 3, 0, 0, 0}, "1x3x3", false},
		{"a skipped step between two that reshape", graph.Shape{1, 1, 1}, []float32{7},
			[]Transform{&Pad{Size: configs.Ints{3}}, &Flip{Axis: "horizontal", Probability: 1}, &Crop{Size: configs.Ints{1}}}, []float32{7}, "1x1x1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := newVectors(c.shape, c.x)
			p := pipelineOver(t, src, c.list...)
			got := readAll(t, p.transform(src))
			if !near(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if out := p.Fields()[0].Spec.String(); out != c.out {
				t.Errorf("the shape is %s, want %s", out, c.out)
			}
			if !c.back {
				return
			}
			y := tensor.New(tensor.WithShape(src.Len(), c.shape.Size()), tensor.WithBacking(got))
			if err := p.Invert(y, y); err != nil || !near(got, c.x) {
				t.Errorf("inverted: got %v, %v, want %v", got, err, c.x)
			}
		})
	}
}

func TestTransformErrors(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name  string
		shape graph.Shape
		x     []float32
		t     Transform
		want  string
	}{
		{"image wanted", graph.Shape{4}, nil, &Resize{Size: configs.Ints{2}}, "data.transforms[0]: resize wants images (channels, height, width); the examples are 4"},
		{"channel of a vector", graph.Shape{4}, nil, &Standardize{Axis: "channel"}, `standardize with axis = "channel" wants images`},
		{"crop larger", graph.Shape{1, 2, 2}, nil, &Crop{Size: configs.Ints{3}}, "smaller than 3x3"},
		{"pad smaller", graph.Shape{1, 2, 2}, nil, &Pad{Size: configs.Ints{1}}, "larger than 1x1"},
		{"gray of four", graph.Shape{4, 2, 2}, nil, &Gray{}, "they have 4"},
		{"standardize NaN", graph.Shape{1}, []float32{1, nan}, &Standardize{Axis: "feature"}, "not finite"},
		{"scale NaN", graph.Shape{1}, []float32{1, nan}, &Scale{To: configs.NumbersOrWord{Numbers: []float64{0, 1}}}, "not finite"},
		{"unit-norm of nothing", graph.Shape{1}, []float32{0, 0}, &Scale{To: configs.NumbersOrWord{Word: "unit-norm"}}, "every example is 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := newVectors(c.shape, c.x)
			p, err := newPipeline([]Transform{c.t}, src, 1)
			if err == nil {
				err = p.fit(context.Background(), src, func(Progress) {})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestRandomTransforms draws by epoch and example, and by nothing else.
func TestRandomTransforms(t *testing.T) {
	x := make([]float32, 600)
	for i := range x {
		x[i] = float32(i%100) / 100
	}
	src := newVectors(graph.Shape{1, 2, 3}, x)
	epochs := "differ"
	read := func(p *Pipeline, epoch int, indices ...int) []float32 {
		t.Helper()
		if p.steps[0].varies() != (epochs == "differ") {
			t.Errorf("the step counts as varying: %v", p.steps[0].varies())
		}
		dst := NewBatch(src.Fields(), len(indices), nil)
		var err error
		if epoch < 0 {
			err = p.transform(src).Read(dst, indices)
		} else {
			err = p.transform(src).(epochReader).readTraining(dst, indices, epoch)
		}
		if err != nil {
			t.Fatal(err)
		}
		return dst[0].Float32s()
	}
	all := make([]int, 100)
	for i := range all {
		all[i] = i
	}
	for _, c := range []struct {
		name     string
		t        Transform
		evaluate bool // it also works outside training
	}{
		{"binarize", &Binarize{Dynamic: true}, true},
		{"dequantize", &Dequantize{Levels: 256}, true},
		{"flip", &Flip{Axis: "horizontal", Probability: 0.5}, false},
		{"flip up and down", &Flip{Axis: "vertical", Probability: 0.5}, false},
		{"noise", &Noise{Sigma: 1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pipelineOver(t, src, c.t)
			first := read(p, 3, all...)
			if !slices.Equal(first, read(p, 3, all...)) {
				t.Error("the same epoch gives other values")
			}
			if slices.Equal(first, read(p, 4, all...)) {
				t.Error("another epoch gives the same values")
			}
			if alone := read(p, 3, 42); !slices.Equal(alone, first[6*42:6*43]) {
				t.Error("example 42 alone differs")
			}
			if evaluated := read(p, -1, all...); slices.Equal(evaluated, x) == c.evaluate {
				t.Errorf("outside training: changed is %v, want %v", !c.evaluate, c.evaluate)
			} else if !slices.Equal(evaluated, read(p, -1, all...)) {
				t.Error("outside training it is not always the same")
			}
		})
	}
	t.Run("binarize once", func(t *testing.T) {
		anew := read(pipelineOver(t, src, &Binarize{Dynamic: true}), 0, all...)
		epochs = "are equal"
		defer func() { epochs = "differ" }()
		p := pipelineOver(t, src, &Binarize{Dynamic: true, Once: true})
		first := read(p, 3, all...)
		if !slices.Equal(first, read(p, 4, all...)) || !slices.Equal(first, read(p, -1, all...)) {
			t.Error("another epoch gives other values")
		}
		if !slices.Equal(first, anew) {
			t.Error("they are not those of the first epoch")
		}
	})
	t.Run("binarize keeps means", func(t *testing.T) {
		p, sum := pipelineOver(t, src, &Binarize{Dynamic: true}), 0.0
		for epoch := range 50 {
			for _, v := range read(p, epoch, all...) {
				if v != 0 && v != 1 {
					t.Fatalf("got %v", v)
				}
				sum += float64(v)
			}
		}
		if mean := sum / 50 / 600; math.Abs(mean-0.495) > 0.01 {
			t.Errorf("mean %v, want 0.495", mean)
		}
	})
	t.Run("dequantize stays in its level", func(t *testing.T) {
		p := pipelineOver(t, src, &Dequantize{Levels: 101})
		for i, v := range read(p, 0, all...) {
			if level := float32(math.Floor(float64(v) * 101)); v < 0 || v >= 1 || level != float32(math.Round(float64(x[i])*100)) {
				t.Fatalf("%v became %v", x[i], v)
			}
		}
	})
	t.Run("flip", func(t *testing.T) {
		p := pipelineOver(t, src, &Flip{Axis: "horizontal", Probability: 1})
		if got, want := read(p, 0, 0), []float32{x[2], x[1], x[0], x[5], x[4], x[3]}; !slices.Equal(got, want) {
			t.Errorf("horizontally: got %v, want %v", got, want)
		}
		p = pipelineOver(t, src, &Flip{Axis: "vertical", Probability: 1})
		if got, want := read(p, 0, 0), []float32{x[3], x[4], x[5], x[0], x[1], x[2]}; !slices.Equal(got, want) {
			t.Errorf("vertically: got %v, want %v", got, want)
		}
	})
}

func TestPipelineState(t *testing.T) {
	src := newVectors(graph.Shape{2}, []float32{1, 5, 2, 7, 3, 9})
	list := []Transform{&Scale{To: configs.NumbersOrWord{Word: "unit-norm"}}, &Scale{To: configs.NumbersOrWord{Numbers: []float64{0, 1}}}, &Standardize{Axis: "feature"}}
	p := pipelineOver(t, src, list...)
	state := p.State()
	var names []string
	for _, s := range state {
		names = append(names, s.Name)
	}
	if want := []string{"transforms.0.factor", "transforms.1.low", "transforms.1.high", "transforms.2.mean", "transforms.2.std"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	q, err := newPipeline(list, src, 1)
	if err == nil {
		err = q.restore(state)
	}
	if err != nil {
		t.Fatal(err)
	}
	if a, b := readAll(t, p.transform(src)), readAll(t, q.transform(src)); !slices.Equal(a, b) {
		t.Errorf("restored: got %v, want %v", b, a)
	}
	if err := q.restore(state[1:]); err == nil || !strings.Contains(err.Error(), "no transforms.0.factor") {
		t.Errorf("state without its first: got %v", err)
	}
	wide, _ := newPipeline([]Transform{&Standardize{Axis: "feature"}}, newVectors(graph.Shape{3}, nil), 1)
	if err := wide.restore([]Stored{stored("transforms.0.mean", []float32{1}), stored("transforms.0.std", []float32{1})}); err == nil {
		t.Error("state of another length is accepted")
	}
}

// Values that are sure are set without a draw, and the draws of the others stay what they are.
func TestDrawBits(t *testing.T) {
	nan := float32(math.NaN())
	src := []float32{0, 1, 0, 1, 0, 0.5, 1, 0.5, -1, 2, nan, 0, 0.25, 0.75, 0, 1, 0.5, 1}
	dst := make([]float32, len(src))
	for row := range uint32(20) {
		d := Draw{Seed: 7, Stream: 3, Epoch: 2, Row: row}
		drawBits(dst, src, d)
		for i, v := range src {
			want := float32(0)
			if philox.Uniform(d.Block(i / 4)[i%4]) < v {
				want = 1
			}
			if dst[i] != want {
				t.Fatalf("row %d, value %d, %v, became %v, want %v", row, i, v, dst[i], want)
			}
		}
	}
}

func TestBinarizeOnceWantsDraws(t *testing.T) {
	if err := (&Binarize{Once: true}).Validate(); err == nil || !strings.Contains(err.Error(), "add dynamic = true") {
		t.Errorf("error %v", err)
	}
}
