package nn

import (
	"math"
	"math/rand/v2"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
)

// byHand is y[t] = Σ w[k]·x[t·stride + k·dilation - before], for all channels, without bias.
func byHand(x, w graph.Tensor, out, before, stride, dilation int) []float64 {
	n, t, cin := x.Shape[0], x.Shape[1], x.Shape[2]
	cout, k := w.Shape[0], w.Shape[2]
	y := make([]float64, n*out*cout)
	for b := range n {
		for o := range out {
			for f := range cout {
				for c := range cin {
					for tap := range k {
						if at := o*stride + tap*dilation - before; at >= 0 && at < t {
							y[(b*out+o)*cout+f] += w.Data[(f*cin+c)*k+tap] * x.Data[(b*t+at)*cin+c]
						}
					}
				}
			}
		}
	}
	return y
}

func TestConv1D(t *testing.T) {
	for _, c := range []struct {
		name, text                    string
		out, before, stride, dilation int
	}{
		{"valid", `[{ layer = "conv1d", filters = 4, kernel = 3, bias = false }]`, 5, 0, 1, 1},
		{"padded, strided", `[{ layer = "conv1d", filters = 4, kernel = 3, stride = 2, padding = 1, bias = false }]`, 4, 1, 2, 1},
		{"same", `[{ layer = "conv1d", filters = 4, kernel = 4, stride = 2, padding = "same", bias = false }]`, 4, 1, 2, 1},
		{"causal", `[{ layer = "conv1d", filters = 4, kernel = 3, padding = "causal", dilation = 2, bias = false }]`, 7, 4, 1, 2},
		{"causal, strided", `[{ layer = "conv1d", filters = 4, kernel = 2, stride = 3, padding = "causal", bias = false }]`, 3, 1, 3, 1},
	} {
		x := randomTensor(graph.F32(2, 7, 3), 5)
		y, _, fed := run(t, layersOf(t, c.text), false, x)
		want := byHand(x, fed["0.weight"], c.out, c.before, c.stride, c.dilation)
		if !y.Shape.Equal(graph.Shape{2, c.out, 4}) {
			t.Errorf("%s gives %v, want %d times", c.name, y.Shape, c.out)
			continue
		}
		for i, got := range y.Data {
			if math.Abs(got-want[i]) > 1e-12 {
				t.Fatalf("%s: number %d is %v, by hand %v", c.name, i, got, want[i])
			}
		}
	}
}

func TestConvTranspose1DSizes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       int
	}{
		{"plain", `[{ layer = "conv_transpose1d", filters = 4, kernel = 4, stride = 2, padding = 1 }]`, 14},
		{"output padding", `[{ layer = "conv_transpose1d", filters = 4, kernel = 3, stride = 2, padding = 1, output_padding = 1 }]`, 14},
		{"same", `[{ layer = "conv_transpose1d", filters = 4, kernel = 5, stride = 3, padding = "same" }]`, 21},
		{"causal", `[{ layer = "conv_transpose1d", filters = 4, kernel = 5, stride = 3, padding = "causal" }]`, 21},
		{"causal, small filter", `[{ layer = "conv_transpose1d", filters = 4, kernel = 1, stride = 3, padding = "causal" }]`, 21},
	} {
		y, _, _ := run(t, layersOf(t, c.text), false, randomTensor(graph.F32(2, 7, 3), 5))
		if !y.Shape.Equal(graph.Shape{2, c.want, 4}) {
			t.Errorf("%s gives %v, want %d times", c.name, y.Shape, c.want)
		}
	}
}

// What comes later changes nothing before it, through causal layers and their mirrors.
func TestCausalLayersDoNotLookAhead(t *testing.T) {
	layers := layersOf(t, `[{ layer = "conv1d", filters = [4, 4], kernel = 3, padding = "causal", dilation = 2, activation = "tanh" }, { layer = "conv1d", filters = 5, kernel = 2, padding = "causal" }, { layer = "conv_transpose1d", filters = 3, kernel = 4, padding = "causal" }, { layer = "transformer", heads = 3, causal = true }]`)
	st, err := NewStack(layers, graph.Shape{8, 3}, true)
	if err != nil {
		t.Fatal(err)
	}
	mirror, err := st.Mirror(MirrorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x := randomTensor(graph.F32(1, 8, 3), 5)
	before, _, _ := run(t, append(layers, mirror...), false, x)
	for at := range 3 {
		x.Data[5*3+at] += 1
	}
	after, _, _ := run(t, append(layers, mirror...), false, x)
	for i, v := range before.Data {
		if changed := math.Abs(after.Data[i]-v) > 1e-12; changed != (i/3 >= 5) {
			t.Errorf("time %d, channel %d: %v before time 5 changes, %v after", i/3, i%3, v, after.Data[i])
		}
	}
}

// A mirror gives back every length.
func TestConv1DMirrorsRestoreEveryLength(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 600 {
		in := graph.Shape{1 + r.IntN(20), 1 + r.IntN(3)}
		var layers []Layer
		st, _ := NewStack(nil, in, true)
		for range 1 + r.IntN(3) {
			var l Layer
			w := newWindow1D(1 + r.IntN(4))
			w.Stride, w.Dilation = 1+r.IntN(3), 1+r.IntN(2)
			w.Padding = []configs.IntsOrWord{{Word: "same"}, {Word: "causal"}, {Word: "valid"}, {Ints: configs.Ints{r.IntN(3)}}}[r.IntN(4)]
			if r.IntN(3) == 0 {
				c := NewConvTranspose1D(1+r.IntN(3), 1)
				c.Window1D = w
				l = c
			} else {
				c := NewConv1D(1+r.IntN(3), 1)
				c.Window1D, c.Post = w, randomPost(r)
				if c.Norm == "group" {
					c.Norm = "none"
				}
				l = c
			}
			if next, err := NewStack(append(append([]Layer(nil), layers...), l), in, true); err == nil && next.Out.Size() < 500 {
				layers, st = append(layers, l), next
			}
		}
		mirror, err := st.Mirror(MirrorOptions{})
		if err != nil { // a small transposed filter leaves times that no convolution reaches
			continue
		}
		back, err := NewStack(mirror, st.Out, false)
		if err != nil || !back.Out.Equal(in) {
			t.Fatalf("trial %d: mirror %s of %s of %v gives %v, %v", trial, describe(mirror), describe(layers), in, back, err)
		}
		if trial%20 == 0 {
			g := graph.New()
			y := back.Build(NewScope(g, ScopeOptions{}).Sub("b"), st.Build(NewScope(g, ScopeOptions{}).Sub("a"), g.Input("x", graph.F32(append([]int{2}, in...)...))))
			if g.Err() != nil || !y.Shape()[1:].Equal(in) {
				t.Fatalf("trial %d: the graph of %s gives %v, %v; want %v", trial, describe(layers), y.Shape(), g.Err(), in)
			}
		}
	}
}

func TestConv1DMistakes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		in         graph.Shape
		want       string
	}{
		{"image", `[{ layer = "conv1d", filters = 4, kernel = 3 }]`, graph.Shape{1, 8, 8}, "[0] (conv1d): it works on sequences, its input is 1x8x8: images want the layer of two dimensions"},
		{"vector", `[{ layer = "conv_transpose1d", filters = 4, kernel = 3 }]`, graph.Shape{8}, "[0] (conv_transpose1d): it works on sequences, its input is 8: add { layer = \"reshape\", shape = [8, 1] } before it"},
		{"filter", `[{ layer = "conv1d", filters = 4, kernel = 9 }]`, graph.Shape{8, 2}, "[0] (conv1d): its filter 1x9 is larger than the padded input 1x8"},
		{"filters", `[{ layer = "conv1d", kernel = 3 }]`, graph.Shape{8, 2}, "[0] (conv1d): filters is missing; only a decoder's last layer may leave it out"},
		{"nothing left", `[{ layer = "conv_transpose1d", filters = 1, kernel = 2, padding = 3 }]`, graph.Shape{2, 2}, "[0] (conv_transpose1d): its padding leaves nothing of 2 times"},
	} {
		_, err := NewStack(layersOf(t, c.text), c.in, true)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
}

// Layers that are asked to do without later times do so.
func TestCausalMakesLayersCausal(t *testing.T) {
	layers, err := Causal(layersOf(t, `[{ layer = "conv1d", filters = 4, kernel = 3, padding = 1 }, { layer = "residual", layers = [{ layer = "layer_norm" }, { layer = "attention", heads = 2 }] }, { layer = "transformer", heads = 2, positions = "learned" }, { layer = "gru", units = 3 }]`))
	if err != nil {
		t.Fatal(err)
	}
	x := randomTensor(graph.F32(1, 6, 2), 5)
	before, _, _ := run(t, layers, false, x)
	x.Data[4*2]++
	after, _, _ := run(t, layers, false, x)
	for i, v := range before.Data {
		if changed := math.Abs(after.Data[i]-v) > 1e-12; changed != (i/3 >= 4) {
			t.Errorf("time %d, feature %d: %v before time 4 changes, %v after", i/3, i%3, v, after.Data[i])
		}
	}
	_, err = Causal(layersOf(t, `[{ layer = "residual", layers = [{ layer = "conv1d", filters = 4, kernel = 3, stride = 2 }] }]`))
	if want := "[0] (residual): [0] (conv1d): stride = 2 leaves times out: leave it at 1"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
