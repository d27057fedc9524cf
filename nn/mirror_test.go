package nn

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

// randomLayer draws a layer that works on images or vectors.
func randomLayer(r *rand.Rand, in graph.Shape) Layer {
	if len(in) == 1 {
		d := NewDense(1 + r.IntN(5))
		d.Post = randomPost(r)
		return d
	}
	pair := func(n int) configs.Ints { return configs.Ints{1 + r.IntN(n), 1 + r.IntN(n)} }
	window := func(w *Window) {
		w.Kernel, w.Stride, w.Dilation = pair(4), pair(3), pair(2)
		switch r.IntN(3) {
		case 0:
			w.Padding = configs.IntsOrWord{Word: "same"}
		case 1:
			w.Padding = configs.IntsOrWord{Ints: configs.Ints{r.IntN(3), r.IntN(3)}}
		}
		if in[0]%2 == 0 && r.IntN(2) == 0 {
			w.Groups = 2
		}
	}
	switch r.IntN(9) {
	case 0, 1, 2:
		c := NewConv2D(2*(1+r.IntN(2)), 0)
		window(&c.Window)
		c.Post = randomPost(r)
		return c
	case 3:
		c := NewConvTranspose2D(2*(1+r.IntN(2)), 0)
		window(&c.Window)
		if sh, sw := pair2(c.Stride); c.Padding.Word != "same" {
			c.OutputPadding.Ints = configs.Ints{r.IntN(sh), r.IntN(sw)}
		}
		c.Post = randomPost(r)
		return c
	case 4:
		p := &MaxPool2D{Pool: Pool{Kernel: pair(3), Stride: pair(3)}}
		return p
	case 5:
		return &AvgPool2D{Pool: Pool{Kernel: pair(3)}}
	case 6:
		return &Upsample2D{Scale: pair(2), Mode: []string{"nearest", "bilinear"}[r.IntN(2)]}
	case 7:
		return []Layer{newBatchNorm(), newLayerNorm(), newGroupNorm(), &Activation{Function: "tanh"}, &Dropout{Rate: 0.2}}[r.IntN(5)]
	}
	return &Flatten{}
}

func pair2(p configs.Ints) (int, int) { return pair(p, 1) }

func randomPost(r *rand.Rand) Post {
	p := noPost
	if r.IntN(2) == 0 {
		p.Activation = "relu"
	}
	if r.IntN(3) == 0 {
		p.Norm = []string{"batch", "layer", "group"}[r.IntN(3)]
	}
	return p
}

// A mirror gives back the input's shape, whatever the layers and the image's size.
func TestMirrorRestoresEveryShape(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	built := 0
	for trial := range 3000 {
		in := graph.Shape{1 + r.IntN(4), 1 + r.IntN(17), 1 + r.IntN(17)}
		if r.IntN(6) == 0 {
			in = graph.Shape{1 + r.IntN(9)}
		}
		var layers []Layer
		st, _ := NewStack(nil, in, true)
		for range r.IntN(6) {
			more := append(append([]Layer(nil), layers...), randomLayer(r, st.Out))
			if next, err := NewStack(more, in, true); err == nil && next.Out.Size() < 4000 {
				layers, st = more, next
			}
		}
		mirror, err := st.Mirror(MirrorOptions{Front: ReverseProjection(st.Out, "torch", "")})
		if err != nil {
			t.Fatalf("trial %d: %s of %v: %v", trial, describe(layers), in, err)
		}
		back, err := NewStack(mirror, graph.Shape{3}, false)
		if err != nil {
			t.Fatalf("trial %d: mirror %s of %s of %v: %v", trial, describe(mirror), describe(layers), in, err)
		}
		if !back.Out.Equal(in) && !(len(back.Out) == 1 && back.Out.Size() == in.Size()) {
			t.Fatalf("trial %d: mirror %s of %s gives %v, want %v", trial, describe(mirror), describe(layers), back.Out, in)
		}
		if trial%30 == 0 { // what the shape rules promise, the graph keeps
			g := graph.New()
			x := g.Input("x", graph.F32(append([]int{2}, in...)...))
			s := NewScope(g, ScopeOptions{})
			z := s.Within("encoder", func(s *Scope) graph.Value { return st.Build(s, x) })
			y := s.Within("decoder", func(s *Scope) graph.Value { return back.Build(s, project3(s, z)) })
			if g.Err() != nil || y.Shape()[1:].Size() != in.Size() || !z.Shape()[1:].Equal(st.Out) {
				t.Fatalf("trial %d: %s of %v: graph gives %v and %v, %v", trial, describe(layers), in, z.Shape(), y.Shape(), g.Err())
			}
			built++
		}
	}
	t.Logf("%d built", built)
}

func project3(s *Scope, z graph.Value) graph.Value {
	return NewDense(3).Build(s.Sub("code"), op.Flatten(z))
}

func describe(ls []Layer) string {
	out := "["
	for _, l := range ls {
		out += fmt.Sprintf(" %s%+v", l.Kind(), l)
	}
	return out + " ]"
}

// A tied mirror computes with the very weights of its encoder, transposed, whichever of the two is built first or alone.
func TestTiedMirror(t *testing.T) {
	conv := NewConv2D(4, 3)
	conv.Stride, conv.Init = configs.Ints{2}, "he"
	up := NewConvTranspose2D(2, 2)
	up.Init = "xavier"
	layers := []Layer{conv, up, &Flatten{}, NewDense(5)}
	st, err := NewStack(layers, graph.Shape{3, 7, 6}, true)
	if err != nil {
		t.Fatal(err)
	}
	front := ReverseProjection(st.Out, "orthogonal", "encoder.code")
	mirror, err := st.Mirror(MirrorOptions{Front: front, Tied: "encoder"})
	if err != nil {
		t.Fatal(err)
	}
	back, err := NewStack(mirror, graph.Shape{2}, false)
	if err != nil {
		t.Fatal(err)
	}
	g := graph.New()
	s := NewScope(g, ScopeOptions{})
	z := g.Input("z", graph.F32(2, 2))
	y := s.Within("decoder", func(s *Scope) graph.Value { return back.Build(s, z) })
	alone := map[string]graph.Tensor{}
	for _, state := range g.States() {
		alone[state.Name] = filled(state)
	}
	x := s.Within("encoder", func(s *Scope) graph.Value { return st.Build(s, y) })
	s.Within("encoder", func(s *Scope) graph.Value {
		d := NewDense(2)
		d.Init = "orthogonal"
		return s.Within("code", func(s *Scope) graph.Value { return d.Build(s, x) })
	})
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"encoder.0.weight", "encoder.1.weight", "encoder.3.weight", "encoder.code.weight"} {
		tensor, ok := alone[name]
		if !ok {
			t.Errorf("the decoder alone lacks %s", name)
			continue
		}
		for i, v := range filled(g.Lookup(name)).Data {
			if v != tensor.Data[i] {
				t.Fatalf("%s starts differently in a decoder alone", name)
			}
		}
	}
	// <Dz, x> = <z, Ex> for linear maps without bias: D is E transposed.
	zs, xs := randomTensor(z.Spec(), 1), randomTensor(y.Spec(), 2)
	fed := map[string]graph.Tensor{"z": zs}
	for _, state := range g.States() {
		fed[state.Name] = filled(state)
		if state.Name[len(state.Name)-4:] == "bias" {
			fed[state.Name] = graph.NewTensor(state.Spec)
		}
	}
	out, err := graph.Evaluate([]graph.Value{y}, fed)
	if err != nil {
		t.Fatal(err)
	}
	h := graph.New()
	hs := NewScope(h, ScopeOptions{})
	in := h.Input("x", y.Spec())
	encoded := hs.Within("encoder", func(s *Scope) graph.Value {
		v := st.Build(s, in)
		return s.Within("code", func(s *Scope) graph.Value { return NewDense(2).Build(s, v) })
	})
	fed["x"] = xs
	codes, err := graph.Evaluate([]graph.Value{encoded}, fed)
	if err != nil {
		t.Fatal(err)
	}
	left, right := dot(out[0].Data, xs.Data), dot(zs.Data, codes[0].Data)
	if d := left - right; d > 1e-9 || d < -1e-9 {
		t.Errorf("<Dz, x> = %v and <z, Ex> = %v differ", left, right)
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func filled(s *graph.State) graph.Tensor {
	t := graph.NewTensor(s.Spec)
	if s.Init != nil {
		s.Init(11, s.Name, t)
	}
	return t
}

func randomTensor(s graph.Spec, seed uint64) graph.Tensor {
	r, t := rand.New(rand.NewPCG(seed, 1)), graph.NewTensor(s)
	for i := range t.Data {
		t.Data[i] = 2*r.Float64() - 1
	}
	return t
}
