package metrics

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"
)

func f32(shape []int, data ...float32) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}

func TestNames(t *testing.T) {
	larger := map[string]bool{
		"completeness": true, "disentanglement": true, "explained-variance": true, "factor-vae-score": true, "informativeness": true,
		"mae": false, "mig": true, "mse": false, "ndcg@100": true, "psnr": true, "recall@20": true, "recall@50": true, "ssim": true,
	}
	if got, want := Names(), slices.Sorted(maps.Keys(larger)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for name, want := range larger {
		m, err := Make(name)
		if err != nil {
			t.Fatal(err)
		}
		if m.LargerIsBetter() != want {
			t.Errorf("%s: LargerIsBetter is %v", name, m.LargerIsBetter())
		}
		if !math.IsNaN(m.Value()) {
			t.Errorf("%s: %v before the first example, want NaN", name, m.Value())
		}
		if got := m.Inputs(); !slices.Equal(got, []string{"target", "recon"}) && !slices.Equal(got, []string{"code", "factors"}) && !slices.Equal(got, []string{"scores", "x", "hidden"}) {
			t.Errorf("%s: takes %v", name, got)
		}
	}
	if _, err := Make("explained_variance"); err != nil {
		t.Errorf("with an underscore: %v", err)
	}
	if _, err := Make("snr"); err == nil || !strings.Contains(err.Error(), "psnr") {
		t.Errorf("misspelt: got %v", err)
	}
}

func TestValuesByHand(t *testing.T) {
	target := f32([]int{2, 2}, 0, 1, 0.5, 1)
	cases := []struct {
		name  string
		recon *tensor.Dense
		want  float64
	}{
		{"mse", f32([]int{2, 2}, 0.5, 1, 0.5, 0), 1.25 / 4},
		{"mae", f32([]int{2, 2}, 0.5, 1, 0.5, 0), 1.5 / 4},
		{"psnr", f32([]int{2, 2}, 0.1, 1.1, 1.5, 2), 10}, // MSEs 0.01 and 1: 20 and 0 dB
		{"psnr", target, 100},                            // exact: as an MSE of 1e-10
		{"explained-variance", target, 1},
		{"explained-variance", f32([]int{2, 2}, 3, 1, 3.5, 1), 1}, // a constant offset
		{"explained-variance", f32([]int{2, 2}, 0, 0, 0, 0), 0},
	}
	for _, c := range cases {
		m, err := Make(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Update(target, c.recon); err != nil {
			t.Fatal(err)
		}
		near(t, c.name, []float64{m.Value()}, []float64{c.want}, 1e-6) // inputs are float32
	}
}

func TestSSIMOfExactImagesIsOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	data := make([]float32, 2*11*12)
	for i := range data {
		data[i] = r.Float32()
	}
	m := &SSIM{Range: 1}
	x := f32([]int{2, 11, 12}, data...)
	if err := m.Update(x, x); err != nil {
		t.Fatal(err)
	}
	near(t, "ssim", []float64{m.Value()}, []float64{1}, 1e-12)
}

// A change of units changes neither SSIM nor PSNR.
func TestRange(t *testing.T) {
	g := readGolden(t).Reconstructions
	scaled := func(a array) *tensor.Dense {
		b := array{a.Shape, slices.Clone(a.Data)}
		for i := range b.Data {
			b.Data[i] *= 255
		}
		return b.dense()
	}
	for name, m := range map[string]Metric{"psnr": &PSNR{Range: 255}, "ssim": &SSIM{Range: 255}} {
		if err := m.Update(scaled(g.Target), scaled(g.Recon)); err != nil {
			t.Fatal(err)
		}
		near(t, name, []float64{m.Value()}, []float64{g.Values[name]}, 1e-10)
	}
}

func TestElementTypes(t *testing.T) {
	recon := f32([]int{1, 2}, 1, 3)
	for _, target := range []*tensor.Dense{
		tensor.New(tensor.WithShape(1, 2), tensor.WithBacking([]uint8{0, 1})),
		tensor.New(tensor.WithShape(1, 2), tensor.WithBacking([]int32{0, 1})),
		tensor.New(tensor.WithShape(1, 2), tensor.WithBacking([]float64{0, 1})),
	} {
		m := &MSE{}
		if err := m.Update(target, recon); err != nil || m.Value() != 2.5 {
			t.Errorf("%v: got %v (%v), want 2.5", target.Dtype(), m.Value(), err)
		}
	}
}

func TestViewsAreReadInTheirOwnOrder(t *testing.T) {
	x := f32([]int{2, 3}, 1, 2, 3, 4, 5, 6)
	column, err := x.Slice(nil, tensor.S(1, 2))
	if err != nil {
		t.Fatal(err)
	}
	m := &MSE{}
	if err := m.Update(column.(*tensor.Dense), f32([]int{2}, 2, 4)); err != nil || m.Value() != 0.5 {
		t.Errorf("column: got %v (%v), want 0.5", m.Value(), err)
	}
	transposed := x.Clone().(*tensor.Dense)
	if err := transposed.T(); err != nil {
		t.Fatal(err)
	}
	m = &MSE{}
	if err := m.Update(transposed, f32([]int{3, 2}, 1, 4, 2, 5, 3, 6)); err != nil || m.Value() != 0 {
		t.Errorf("transposed: got %v (%v), want 0", m.Value(), err)
	}
}

func TestUpdateRefuses(t *testing.T) {
	x := f32([]int{2, 3}, 1, 2, 3, 4, 5, 6)
	small := f32([]int{1, 10, 12}, make([]float32, 120)...)
	cases := []struct {
		name, metric string
		in           []*tensor.Dense
		want         string
	}{
		{"one array", "mse", []*tensor.Dense{x}, "got 1 arrays"},
		{"shapes differ", "mae", []*tensor.Dense{x, f32([]int{3, 2}, 1, 2, 3, 4, 5, 6)}, "want the same examples"},
		{"strings", "psnr", []*tensor.Dense{tensor.New(tensor.WithShape(1), tensor.WithBacking([]string{"a"})), tensor.New(tensor.WithShape(1), tensor.WithBacking([]string{"a"}))}, "want float32"},
		{"no images", "ssim", []*tensor.Dense{x, x}, "want images"},
		{"small images", "ssim", []*tensor.Dense{small, small}, "images are 10×12, the window is 11×11"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, err := Make(c.metric)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Update(c.in...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if !math.IsNaN(m.Value()) {
				t.Errorf("a refused batch left %v", m.Value())
			}
		})
	}
	m := &ExplainedVariance{}
	if err := m.Update(x, x); err != nil {
		t.Fatal(err)
	}
	y := f32([]int{2, 2}, 1, 2, 3, 4)
	if err := m.Update(y, y); err == nil || !strings.Contains(err.Error(), "examples have 2 elements") {
		t.Errorf("other size: got %v", err)
	}
}

func TestPCARefuses(t *testing.T) {
	x := f32([]int{4, 3}, 1, 2, 3, 4, 5, 7, 7, 8, 8, 1, 0, 1)
	for _, k := range []int{0, 4} {
		if _, err := FitPCA(x, k); err == nil {
			t.Errorf("%d components of 4×3 were accepted", k)
		}
	}
	if _, err := FitPCA(f32([]int{1, 3}, 1, 2, 3), 1); err == nil {
		t.Error("a single example was accepted")
	}
	if _, err := FitPCA(tensor.New(tensor.FromScalar(1.5)), 1); err == nil {
		t.Error("a scalar was accepted")
	}
	nan := float32(math.NaN())
	for _, shape := range [][]int{{3, 2}, {2, 3}} {
		if _, err := FitPCA(f32(shape, nan, 1, 2, 3, 4, 5), 1); err == nil {
			t.Errorf("NaN in %v was accepted", shape)
		}
	}
	p, err := FitPCA(x, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Encode(f32([]int{1, 2}, 1, 2)); err == nil {
		t.Error("Encode took examples of another size")
	}
	if _, err := p.Probabilistic(3); err == nil {
		t.Error("Probabilistic took more dimensions than components")
	}
	if _, err := p.ProbabilisticAt(1, 0); err == nil {
		t.Error("a noise variance of zero was accepted")
	}
	line, err := FitPCA(f32([]int{3, 2}, 0, 0, 1, 1, 2, 2), 1) // no noise is left
	if err != nil {
		t.Fatal(err)
	}
	if m, err := line.Probabilistic(1); err == nil && m.LogLikelihood < 10 {
		t.Errorf("data on a line: got %+v", m)
	}
}

func TestSubspaceOfPCA(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	x := make([]float32, 50*6)
	for i := range x {
		x[i] = r.Float32() * float32(1+i%6)
	}
	p, err := FitPCA(f32([]int{50, 6}, x...), 2)
	if err != nil {
		t.Fatal(err)
	}
	mixed := f32([]int{6, 2}, make([]float32, 12)...) // another basis of the same plane, in float32
	components := p.Components.Data().([]float64)
	for i := range 6 {
		a, b := components[i], components[6+i]
		mixed.Data().([]float32)[2*i], mixed.Data().([]float32)[2*i+1] = float32(a+2*b), float32(a-b)
	}
	angles, err := PrincipalAngles(p.Subspace(), mixed)
	if err != nil {
		t.Fatal(err)
	}
	if len(angles) != 2 || angles[0] > 1e-6 {
		t.Errorf("angles within one plane: got %v", angles)
	}
	if _, err := PrincipalAngles(f32([]int{6, 1}, make([]float32, 6)...), mixed); err == nil {
		t.Error("a zero subspace was accepted")
	}
	if _, err := PrincipalAngles(f32([]int{3, 1}, 1, 0, 0), mixed); err == nil {
		t.Error("subspaces of different spaces were accepted")
	}
}

// The mean of LogProb over the analysed examples is LogLikelihood, whatever the shape of the data.
func TestLogLikelihoodIsTheMeanOfLogProb(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, shape := range [][]int{{40, 2, 3}, {5, 2, 6}} {
		x := make([]float64, shape[0]*shape[1]*shape[2])
		for i := range x {
			x[i] = r.NormFloat64() * float64(1+i%3)
		}
		d := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
		p, err := FitPCA(d, 2)
		if err != nil {
			t.Fatal(err)
		}
		m, err := p.Probabilistic(2)
		if err != nil {
			t.Fatal(err)
		}
		logProb, err := m.LogProb(d)
		if err != nil {
			t.Fatal(err)
		}
		var average mean
		for _, v := range logProb {
			average.add(v)
		}
		near(t, "log-likelihood", []float64{m.LogLikelihood}, []float64{average.value()}, 1e-10)
	}
}
