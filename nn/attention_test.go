package nn

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"aetrain/graph"
)

// golden is a case of testdata/attention.json, which testdata/attention.py has written with PyTorch.
type golden struct {
	Name, Layer  string
	Heads, Depth int
	Causal       bool
	Valid        [][]float64
	X, Y         goldenTensor
	Params       map[string]goldenTensor
}

type goldenTensor struct {
	Shape []int
	Data  []float64
}

func (t goldenTensor) tensor() graph.Tensor {
	return graph.Tensor{Spec: graph.F32(t.Shape...), Data: t.Data}
}

func goldenCases(t *testing.T) []golden {
	t.Helper()
	b, err := os.ReadFile("testdata/attention.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []golden
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// Attention and transformers give PyTorch's numbers with PyTorch's weights under PyTorch's names.
func TestAttentionIsPyTorchs(t *testing.T) {
	for _, c := range goldenCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			var l Layer = &Attention{heads: heads{Heads: c.Heads, Causal: c.Causal}}
			if c.Layer == "transformer" {
				l = &Transformer{heads: heads{Heads: c.Heads, Causal: c.Causal}, Depth: c.Depth, Units: 8}
			}
			st, err := NewStack([]Layer{l}, c.X.Shape[1:], true)
			if err != nil {
				t.Fatal(err)
			}
			g := graph.New()
			s := NewScope(g, ScopeOptions{Training: true})
			fed := map[string]graph.Tensor{"x": c.X.tensor()}
			if c.Valid != nil {
				mask := graph.NewTensor(graph.F32(c.X.Shape[:2]...))
				for i := range mask.Data {
					mask.Data[i] = c.Valid[i/c.X.Shape[1]][i%c.X.Shape[1]]
				}
				fed["mask"] = mask
				s = s.Masked(func() graph.Value { return g.Input("mask", mask.Spec) })
			}
			y := st.Build(s, g.Input("x", fed["x"].Spec))
			if len(g.States()) != len(c.Params) {
				t.Errorf("%d weights, PyTorch has %d", len(g.States()), len(c.Params))
			}
			for _, state := range g.States() {
				p, ok := c.Params[state.Name]
				if !ok || !state.Spec.Shape.Equal(p.Shape) {
					t.Fatalf("%s is %v, PyTorch has %v", state.Name, state.Spec.Shape, p.Shape)
				}
				fed[state.Name] = p.tensor()
			}
			out, err := graph.Evaluate([]graph.Value{y}, fed)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range c.Y.Data {
				if got := out[0].Data[i]; math.Abs(got-want) > 1e-9 { // both are float64
					t.Fatalf("element %d is %v, PyTorch gives %v", i, got, want)
				}
			}
		})
	}
}

// What stands at times that the mask hides changes nothing, not even the gradients of weights.
func TestHiddenTimesLeaveNoTrace(t *testing.T) {
	layers := layersOf(t, `[{ layer = "transformer", heads = 2, depth = 2, positions = "sinusoidal" }]`)
	var first []float64
	for _, junk := range []float64{0, 17} {
		x, mask := randomTensor(graph.F32(2, 4, 8), 5), graph.NewTensor(graph.F32(2, 4))
		for i := range mask.Data {
			if mask.Data[i] = 1; i%4 > 2-i/4 {
				mask.Data[i] = 0
				for j := range 8 {
					x.Data[i*8+j] = junk
				}
			}
		}
		st, err := NewStack(layers, x.Shape[1:], true)
		if err != nil {
			t.Fatal(err)
		}
		g := graph.New()
		s := NewScope(g, ScopeOptions{Training: true}).Masked(func() graph.Value { return g.Input("mask", mask.Spec) })
		y := st.Build(s, g.Input("x", x.Spec))
		fed, wrt := map[string]graph.Tensor{"x": x, "mask": mask}, []graph.Value{}
		for _, state := range g.States() {
			fed[state.Name] = filled(state)
			wrt = append(wrt, s.Param(state.Name, state.Init, state.Spec.Shape...))
		}
		out, err := graph.Evaluate(append(graph.VJP([]graph.Value{y}, []graph.Value{g.Constant(y.Spec(), 0.5)}, wrt), y), fed)
		if err != nil {
			t.Fatal(err)
		}
		var all []float64
		for _, o := range out {
			all = append(all, o.Data...)
		}
		if first == nil {
			first = all
			continue
		}
		for i := range all {
			if math.Abs(all[i]-first[i]) > 1e-12 {
				t.Fatalf("number %d is %v with one padding and %v with another", i, first[i], all[i])
			}
		}
	}
}

func TestAttentionMistakes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		in         graph.Shape
		want       string
	}{
		{"heads", `[{ layer = "attention", heads = 3 }]`, graph.Shape{4, 8}, "[0] (attention): heads = 3 must divide its 8 features"},
		{"units", `[{ layer = "transformer", units = 64 }]`, graph.Shape{4, 8}, "[0] (transformer): units = 64, its input 4x8 has 8 features: add { layer = \"dense\", units = 64 } before it"},
		{"vector", `[{ layer = "transformer" }]`, graph.Shape{8}, "[0] (transformer): it works on sequences, its input is 8: add { layer = \"reshape\", shape = [times, features] } before it"},
		{"image", `[{ layer = "attention" }]`, graph.Shape{1, 8, 8}, "[0] (attention): it works on sequences, its input is 1x8x8: add { layer = \"patch_embed\", size = 4, units = 64 } before it"},
		{"patches", `[{ layer = "patch_embed", size = 3, units = 8 }]`, graph.Shape{1, 8, 9}, "[0] (patch_embed): patches of 3x3 do not fill the image 1x8x9: its height and width must be multiples of size"},
		{"positions", `[{ layer = "patch_embed", size = 4, units = 6 }]`, graph.Shape{1, 8, 8}, "[0] (patch_embed): sinusoidal positions want units that are a multiple of 4, not 6: change units, or positions = \"learned\""},
		{"tokens", `[{ layer = "embedding", size = 9, units = 6 }]`, graph.Shape{1, 8, 8}, "[0] (embedding): it works on tokens, one number each, its input is 1x8x8"},
		{"how many tokens", `[{ layer = "embedding", units = 6 }]`, graph.Shape{8}, "[0] (embedding): size is missing: how many different tokens there are"},
	} {
		_, err := NewStack(layersOf(t, c.text), c.in, true)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
}

// A patch's pixels come back to their place, and a patch is projected as a convolution of its size and stride would.
func TestPatches(t *testing.T) {
	x := randomTensor(graph.F32(2, 3, 4, 6), 8)
	g := graph.New()
	in := g.Input("x", x.Spec)
	fold := &Fold{Size: 2, Grid: Grid{2, 3}}
	s := NewScope(g, ScopeOptions{})
	back := fold.Build(s, Unfold(in, 2))
	patch, conv := &PatchEmbed{Size: 2, Units: 8, Positions: "none"}, NewConv2D(8, 2)
	conv.Stride = []int{2}
	embedded := patch.Build(s.Sub("a"), in)
	convolved := conv.Build(s.Sub("a"), in)
	out, err := graph.Evaluate([]graph.Value{back, embedded, convolved}, fedWith(g, x))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range x.Data {
		if out[0].Data[i] != want {
			t.Fatalf("pixel %d is %v after cutting and folding, was %v", i, out[0].Data[i], want)
		}
	}
	for n := range 2 {
		for p := range 6 {
			for u := range 8 {
				got, want := out[1].Data[(n*6+p)*8+u], out[2].Data[(n*8+u)*6+p]
				if math.Abs(got-want) > 1e-12 {
					t.Fatalf("patch %d of %d, feature %d: %v, a convolution gives %v", p, n, u, got, want)
				}
			}
		}
	}
}

func fedWith(g *graph.Graph, x graph.Tensor) map[string]graph.Tensor {
	fed := map[string]graph.Tensor{"x": x}
	for _, s := range g.States() {
		fed[s.Name] = filled(s)
	}
	return fed
}

// The positions are those that He et al. 2022 have published: get_2d_sincos_pos_embed(8, 2)'s last row.
func TestGridPositions(t *testing.T) {
	p := Grid{2, 2}.sinusoids(8)
	want := []float64{math.Sin(1), math.Sin(0.01), math.Cos(1), math.Cos(0.01), math.Sin(1), math.Sin(0.01), math.Cos(1), math.Cos(0.01)}
	if got := p[3*8:]; fmt.Sprintf("%.6f", got) != fmt.Sprintf("%.6f", want) {
		t.Errorf("the last patch's place is %.6f, want %.6f", got, want)
	}
	for i, got := range p[8 : 8+4] { // row 0, column 1
		if math.Abs(got-want[i]) > 1e-12 {
			t.Errorf("column: feature %d is %v, want %v", i, got, want[i])
		}
	}
	if p[8+4] != 0 || p[8+6] != 1 {
		t.Errorf("row 0 is %v, want sin 0 and cos 0", p[8+4:16])
	}
}

func TestTransformersMirror(t *testing.T) {
	for _, c := range []struct {
		name, text string
		in         graph.Shape
		want       []string
	}{
		{"patches", `[{ layer = "patch_embed", size = 4, units = 8 }, { layer = "transformer", heads = 2 }]`, graph.Shape{3, 8, 12}, []string{"transformer", "dense", "fold"}},
		{"series", `[{ layer = "dense", units = 8 }, { layer = "transformer", heads = 2, positions = "learned" }, { layer = "attention", heads = 4 }]`, graph.Shape{6, 2}, []string{"attention", "transformer", "dense"}},
		{"tokens", `[{ layer = "embedding", size = 5, units = 8 }, { layer = "transformer", heads = 2 }]`, graph.Shape{6}, []string{"transformer", "dense"}},
	} {
		st, err := NewStack(layersOf(t, c.text), c.in, true)
		if err != nil {
			t.Fatal(err)
		}
		mirror, err := st.Mirror(MirrorOptions{})
		if err != nil {
			t.Fatal(err)
		}
		back, err := NewStack(mirror, st.Out, false)
		if err != nil || back.Out.Size() != c.in.Size() {
			t.Errorf("%s: the mirror gives %v, %v; want %v", c.name, back, err, c.in)
			continue
		}
		var kinds []string
		for _, p := range back.Layers {
			kinds = append(kinds, p.Kind())
		}
		if fmt.Sprint(kinds) != fmt.Sprint(c.want) {
			t.Errorf("%s: the mirror is %v, want %v", c.name, kinds, c.want)
		}
	}
}

// An odd number of features begins each row with a sine, too.
func TestSinusoidsOfOddWidth(t *testing.T) {
	p := sinusoids(3, 3)
	for at := range 3 {
		if got, want := p[at*3], math.Sin(float64(at)); math.Abs(got-want) > 1e-12 {
			t.Errorf("row %d begins with %v, want %v", at, got, want)
		}
	}
}
