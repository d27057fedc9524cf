package nn

import (
	"math"
	"reflect"
	"sort"
	"strings"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

// layersOf decodes a list of layers as it stands in a configuration.
func layersOf(t *testing.T, text string) []Layer {
	t.Helper()
	var table struct {
		Encoder []Layer `toml:"encoder" doc:"layers"`
	}
	cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte("[model]\nencoder = " + text)})
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.Section("model").Decode(&table); err != nil {
		t.Fatal(err)
	}
	return table.Encoder
}

func TestOutputs(t *testing.T) {
	for _, c := range []struct {
		name, text string
		in, want   graph.Shape
	}{
		{"a list is one layer each", `[{ layer = "dense", units = [5, 3] }]`, graph.Shape{7}, graph.Shape{3}},
		{"dense on a sequence", `[{ layer = "dense", units = 5 }]`, graph.Shape{4, 7}, graph.Shape{4, 5}},
		{"the input image is flattened", `[{ layer = "dropout" }, { layer = "dense", units = 5 }]`, graph.Shape{1, 4, 7}, graph.Shape{5}},
		{"valid", `[{ layer = "conv2d", filters = 2, kernel = 3, stride = 2, padding = "valid" }]`, graph.Shape{1, 8, 9}, graph.Shape{2, 3, 4}},
		{"same rounds up", `[{ layer = "conv2d", filters = 2, kernel = 3, stride = 2, padding = "same" }]`, graph.Shape{1, 7, 8}, graph.Shape{2, 4, 4}},
		{"same with an even filter", `[{ layer = "conv2d", filters = 2, kernel = [4, 5], padding = "same" }]`, graph.Shape{1, 7, 8}, graph.Shape{2, 7, 8}},
		{"dilation", `[{ layer = "conv2d", filters = 2, kernel = 3, dilation = 2 }]`, graph.Shape{1, 8, 8}, graph.Shape{2, 4, 4}},
		{"transposed", `[{ layer = "conv_transpose2d", filters = 2, kernel = 4, stride = 2, padding = 1 }]`, graph.Shape{1, 7, 5}, graph.Shape{2, 14, 10}},
		{"transposed, output padding", `[{ layer = "conv_transpose2d", filters = 2, kernel = 3, stride = 2, padding = 1, output_padding = [1, 0] }]`, graph.Shape{1, 7, 5}, graph.Shape{2, 14, 9}},
		{"transposed, output padding same", `[{ layer = "conv_transpose2d", filters = 2, kernel = [3, 4], stride = 2, padding = 1, output_padding = "same" }]`, graph.Shape{1, 7, 5}, graph.Shape{2, 14, 10}},
		{"transposed, all same", `[{ layer = "conv_transpose2d", filters = 2, kernel = 5, stride = 3, padding = "same", output_padding = "same" }]`, graph.Shape{1, 7, 5}, graph.Shape{2, 21, 15}},
		{"transposed, same", `[{ layer = "conv_transpose2d", filters = 2, kernel = 2, stride = 3, padding = "same" }]`, graph.Shape{1, 7, 5}, graph.Shape{2, 21, 15}},
		{"pooling leaves the rest out", `[{ layer = "max_pool2d", kernel = 2 }]`, graph.Shape{3, 7, 8}, graph.Shape{3, 3, 4}},
		{"average pooling", `[{ layer = "avg_pool2d", kernel = 3, stride = 2 }]`, graph.Shape{3, 7, 8}, graph.Shape{3, 3, 3}},
		{"upsampling", `[{ layer = "upsample2d", scale = [2, 3], mode = "bilinear" }]`, graph.Shape{3, 7, 8}, graph.Shape{3, 14, 24}},
		{"reshape with a -1", `[{ layer = "flatten" }, { layer = "reshape", shape = [2, -1, 3] }]`, graph.Shape{3, 4, 2}, graph.Shape{2, 4, 3}},
	} {
		st, err := NewStack(layersOf(t, c.text), c.in, true)
		if err != nil || !st.Out.Equal(c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, st, err, c.want)
			continue
		}
		g := graph.New()
		y := st.Build(NewScope(g, ScopeOptions{}), g.Input("x", graph.F32(append([]int{2}, c.in...)...)))
		if g.Err() != nil || !y.Shape()[1:].Equal(c.want) {
			t.Errorf("%s: the graph gives %v, %v; want %v", c.name, y.Shape(), g.Err(), c.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		in         graph.Shape
		want       string
	}{
		{"feature map", `[{ layer = "conv2d", filters = 2, kernel = 1 }, { layer = "dense", units = 5 }]`, graph.Shape{1, 4, 7}, "[1] (dense): its input is a feature map, 2x4x7: add { layer = \"flatten\" } before it"},
		{"groups", `[{ layer = "conv2d", filters = 4, kernel = 1, groups = 3 }]`, graph.Shape{6, 4, 4}, "[0] (conv2d): groups = 3 must divide both its 6 input channels and its 4 filters"},
		{"norm groups", `[{ layer = "group_norm", groups = 4 }]`, graph.Shape{6, 4, 4}, "[0] (group_norm): groups = 4 must divide the 6 channels"},
		{"reshape", `[{ layer = "reshape", shape = [5, -1] }]`, graph.Shape{6}, "[0] (reshape): its input 6 has 6 elements, shape [5 -1] wants a multiple of 5"},
		{"reshape, all axes given", `[{ layer = "reshape", shape = [2, 7] }]`, graph.Shape{3, 4}, "[0] (reshape): its input 3x4 has 12 elements, shape [2 7] wants 14"},
		{"image without channels", `[{ layer = "max_pool2d" }]`, graph.Shape{29, 31}, "[0] (max_pool2d): it works on images, its input is 29x31: add { layer = \"reshape\", shape = [1, 29, 31] } before it"},
		{"pool", `[{ layer = "max_pool2d", kernel = [2, 9] }]`, graph.Shape{1, 6, 6}, "[0] (max_pool2d): its window 2x9 is larger than its input 6x6"},
		{"nothing left", `[{ layer = "conv_transpose2d", filters = 1, kernel = 2, padding = 3 }]`, graph.Shape{1, 2, 2}, "[0] (conv_transpose2d): its padding leaves nothing of a 2x2 input"},
		{"index before lists are spread", `[{ layer = "dense", units = [4, 3] }, { layer = "max_pool2d" }]`, graph.Shape{6}, "[1] (max_pool2d): it works on images, its input is 3: add { layer = \"reshape\", shape = [channels, height, width] } before it"},
	} {
		_, err := NewStack(layersOf(t, c.text), c.in, true)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
}

// choicesOf collects the words of a field's choices tag.
func choicesOf(v any, field string) []string {
	f, _ := reflect.TypeOf(v).FieldByName(field)
	words := strings.Split(f.Tag.Get("choices"), "|")
	sort.Strings(words)
	return words
}

func TestChoicesAreTheRegistries(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want []string
	}{
		{"activation", choicesOf(Post{}, "Activation"), Activations.Names()},
		{"layer activation", choicesOf(Activation{}, "Function"), Activations.Names()},
		{"init", choicesOf(Affine{}, "Init"), Initialisers.Names()},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: the key takes %v, registered are %v", c.name, c.got, c.want)
		}
	}
	for _, name := range Layers.Names() {
		l, _ := Layers.Make(name)
		if l.Kind() != name {
			t.Errorf("layer %s calls itself %s", name, l.Kind())
		}
	}
}

// run builds layers in a mode and evaluates them; states start from seed 11.
func run(t *testing.T, layers []Layer, training bool, x graph.Tensor) (y graph.Tensor, g *graph.Graph, fed map[string]graph.Tensor) {
	t.Helper()
	st, err := NewStack(layers, x.Shape[1:], true)
	if err != nil {
		t.Fatal(err)
	}
	g = graph.New()
	rng := op.RNG{Seed: g.Input("seed", graph.I32(2)), Step: g.Input("step", graph.I32()), Row0: g.Input("row0", graph.I32())}
	v := st.Build(NewScope(g, ScopeOptions{Training: training, RNG: rng, Rows: x.Shape[0]}), g.Input("x", x.Spec))
	fed = map[string]graph.Tensor{"x": x}
	for _, n := range g.Inputs() {
		if label := n.Op.(graph.Input).Label; label != "x" {
			fed[label] = graph.NewTensor(n.Out[0])
		}
	}
	for _, s := range g.States() {
		fed[s.Name] = filled(s)
	}
	out, err := graph.Evaluate([]graph.Value{v}, fed)
	if err != nil {
		t.Fatal(err)
	}
	return out[0], g, fed
}

func TestBatchNormKeepsRunningStatistics(t *testing.T) {
	x := graph.Tensor{Spec: graph.F32(4, 2), Data: []float64{1, 10, 2, 20, 3, 30, 6, 40}}
	y, g, fed := run(t, []Layer{newBatchNorm()}, true, x)
	means, variances := []float64{3, 25}, []float64{14. / 3, 500. / 3} // unbiased
	for i, v := range y.Data {
		c := i % 2
		want := (x.Data[i] - means[c]) / math.Sqrt(variances[c]*3/4+normEps)
		if math.Abs(v-want) > 1e-9 {
			t.Errorf("y[%d] is %v, want %v", i, v, want)
		}
	}
	now, err := graph.Evaluate([]graph.Value{g.Lookup("0.running_mean").Now, g.Lookup("0.running_var").Now}, fed)
	if err != nil {
		t.Fatal(err)
	}
	for c := range 2 {
		if got, want := now[0].Data[c], 0.1*means[c]; math.Abs(got-want) > 1e-12 {
			t.Errorf("running mean %d is %v, want %v", c, got, want)
		}
		if got, want := now[1].Data[c], 0.9+0.1*variances[c]; math.Abs(got-want) > 1e-9 {
			t.Errorf("running variance %d is %v, want %v", c, got, want)
		}
	}
	y, _, _ = run(t, []Layer{newBatchNorm()}, false, x)
	if got, want := y.Data[7], 40/math.Sqrt(1+normEps); math.Abs(got-want) > 1e-9 {
		t.Errorf("evaluation takes running statistics: got %v, want %v", got, want)
	}
}

func TestBatchNormOfOneVector(t *testing.T) {
	g := graph.New()
	newBatchNorm().Build(NewScope(g, ScopeOptions{Training: true}), g.Input("x", graph.F32(1, 3)))
	if err := g.Err(); err == nil || !strings.Contains(err.Error(), "a batch of one vector has no variance") {
		t.Errorf("error is %v", err)
	}
}

// Norms over channels of sequences (the last axis) and images (the second).
func TestNormsOfSequencesAndImages(t *testing.T) {
	for _, c := range []struct {
		name  string
		layer Layer
		dims  []int
		group func(i int) int // which elements share mean and variance
	}{
		{"batch, sequence", newBatchNorm(), []int{3, 4, 2}, func(i int) int { return i % 2 }},
		{"batch, image", newBatchNorm(), []int{3, 2, 2, 3}, func(i int) int { return i / 6 % 2 }},
		{"layer, sequence", newLayerNorm(), []int{3, 4, 5}, func(i int) int { return i / 5 }},
		{"layer, image", newLayerNorm(), []int{3, 2, 2, 3}, func(i int) int { return i / 12 }},
		{"group, image", &GroupNorm{Groups: 2, Eps: normEps}, []int{2, 4, 2, 3}, func(i int) int { return i / 12 }},
		{"group, vector", &GroupNorm{Groups: 2, Eps: normEps}, []int{2, 8}, func(i int) int { return i / 4 }},
	} {
		y, _, _ := run(t, []Layer{c.layer}, true, randomTensor(graph.F32(c.dims...), 5))
		sums, squares, n := map[int]float64{}, map[int]float64{}, map[int]float64{}
		for i, v := range y.Data {
			k := c.group(i)
			sums[k], squares[k], n[k] = sums[k]+v, squares[k]+v*v, n[k]+1
		}
		for k := range sums {
			if math.Abs(sums[k]/n[k]) > 1e-9 || math.Abs(squares[k]/n[k]-1) > 1e-3 {
				t.Errorf("%s: group %d has mean %v and variance %v", c.name, k, sums[k]/n[k], squares[k]/n[k])
			}
		}
	}
}

func TestDropout(t *testing.T) {
	x := graph.NewTensor(graph.F32(50, 40))
	for i := range x.Data {
		x.Data[i] = 1
	}
	y, _, _ := run(t, []Layer{&Dropout{Rate: 0.25}}, true, x)
	zeros := 0
	for _, v := range y.Data {
		switch {
		case v == 0:
			zeros++
		case math.Abs(v-1/0.75) > 1e-6:
			t.Fatalf("kept element is %v, want 4/3", v)
		}
	}
	if share := float64(zeros) / 2000; math.Abs(share-0.25) > 0.05 {
		t.Errorf("share of zeros is %v, want 0.25", share)
	}
	y, _, _ = run(t, []Layer{&Dropout{Rate: 0.25}}, false, x)
	if y.Data[0] != 1 || y.Data[1999] != 1 {
		t.Error("dropout is active outside of training")
	}
}

// Padding "same" of stride 2: Keras puts the odd row behind.
func TestSamePaddingLiesBehind(t *testing.T) {
	c := NewConv2D(1, 3)
	c.Stride, c.Padding, c.Bias = configs.Ints{2}, configs.IntsOrWord{Word: "same"}, false
	got := c.conv(28, 27)
	if got.PadTop != 0 || got.PadBottom != 1 || got.PadLeft != 1 || got.PadRight != 1 {
		t.Errorf("padding is %+v, want 0, 1 rows and 1, 1 columns", got)
	}
}

// The order is layer, norm, activation, dropout; states of the norm are called PATH.norm.*.
func TestPost(t *testing.T) {
	layers := layersOf(t, `[{ layer = "dense", units = 3, norm = "layer", activation = "relu", dropout = 0.5 }]`)
	y, g, _ := run(t, layers, false, randomTensor(graph.F32(4, 6), 1))
	if g.Lookup("0.norm.weight") == nil || g.Lookup("0.weight") == nil {
		t.Errorf("states are called otherwise")
	}
	for _, v := range y.Data {
		if v < 0 {
			t.Errorf("%v: the activation does not come after the norm", v)
		}
	}
}

func TestMirrorOfPoolingIsCentred(t *testing.T) {
	x := graph.Tensor{Spec: graph.F32(1, 1, 1, 7), Data: []float64{1, 1, 2, 2, 3, 3, 9}}
	pool := &MaxPool2D{Pool: Pool{Kernel: configs.Ints{1, 2}}}
	back, _ := pool.Mirror(graph.Shape{1, 1, 7})
	y, _, _ := run(t, append([]Layer{pool}, back...), false, x)
	if want := []float64{1, 1, 2, 2, 3, 3, 3}; !reflect.DeepEqual(y.Data, want) {
		t.Errorf("got %v, want %v", y.Data, want)
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	configs.Declare("test", func() any {
		return &struct {
			Encoder []Layer `toml:"encoder" doc:"layers"`
		}{}
	})
	for _, key := range configs.Undocumented() {
		t.Errorf("%s has no doc", key)
	}
}
