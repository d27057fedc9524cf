package op

import (
	"fmt"
	"strings"
	"testing"

	"aetrain/graph"
)

// FuzzInfer holds shape rules to their contract for whatever comes: they never panic, say one sentence or give Specs,
// and where they accept small shapes the reference runs on them.
func FuzzInfer(f *testing.F) {
	for seed := range 40 {
		b := make([]byte, 24)
		for i := range b {
			b[i] = byte(seed*37 + i*i*11)
		}
		f.Add(b)
	}
	f.Add([]byte{})
	ops := All()
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, o := range ops {
			for _, e := range o.Examples() {
				inferRandom(t, e, &source{data: data})
			}
		}
	})
}

// source hands out bytes, again from the start where there are no more, and a little different then.
type source struct {
	data []byte
	next int
}

func (s *source) below(n int) int {
	if len(s.data) == 0 {
		return 0
	}
	b := int(s.data[s.next%len(s.data)]) + s.next/len(s.data)*7
	s.next++
	return b % n
}

// inferRandom gives e's op inputs of rank 0 to 5, sizes 0 to 4 and any type; or its own with some change.
func inferRandom(t *testing.T, e graph.Example, s *source) {
	specs := make([]graph.Spec, len(e.Args))
	keep := s.below(2) == 1
	for i, a := range e.Args {
		if keep && s.below(4) != 0 && !e.Bench {
			specs[i] = graph.Spec{Shape: a.Spec.Shape.Clone(), DType: a.Spec.DType}
			if n := len(specs[i].Shape); n > 0 && s.below(2) == 0 {
				specs[i].Shape[s.below(n)] = s.below(5)
			}
			continue
		}
		specs[i].DType = []graph.DType{graph.Float32, graph.Float32, graph.Float32, graph.Int32, graph.Uint8}[s.below(5)]
		for range s.below(6) {
			specs[i].Shape = append(specs[i].Shape, s.below(5))
		}
	}
	out, err := e.Op.Infer(specs)
	if err != nil {
		if text := err.Error(); text == "" || strings.HasSuffix(text, ".") || strings.Contains(text, "\n") {
			t.Errorf("%s of %v: %q is not the middle of a sentence", e.Op.Name(), specs, text)
		}
		return
	}
	for _, o := range out {
		for _, d := range o.Shape {
			if d < 0 {
				t.Fatalf("%s %+v of %v gives %v", e.Op.Name(), e.Op, specs, out)
			}
		}
		if o.Shape.Size() > 1<<16 {
			return
		}
	}
	in, results := make([]graph.Tensor, len(specs)), make([]graph.Tensor, len(out))
	for i, x := range specs {
		in[i] = graph.NewTensor(x)
	}
	for i, x := range out {
		results[i] = graph.NewTensor(x)
	}
	e.Op.Eval(results, in)
	for i := range results {
		if len(results[i].Data) != out[i].Shape.Size() {
			t.Errorf("%s of %v: output %d holds %d numbers", e.Op.Name(), specs, i, len(results[i].Data))
		}
	}
}

// The gradient of whatever the shape rule accepts has the input's shape, for empty values too.
func TestGradientsHaveTheirInputsShapes(t *testing.T) {
	for seed := range 60 {
		data := make([]byte, 24)
		for i := range data {
			data[i] = byte(seed*89 + i*i*13 + i)
		}
		for _, o := range All() {
			for _, e := range o.Examples() {
				if !e.Bench {
					gradientShapes(t, e, &source{data: data})
				}
			}
		}
	}
}

func gradientShapes(t *testing.T, e graph.Example, s *source) {
	t.Helper()
	g := graph.New()
	in := make([]graph.Value, len(e.Args))
	for i, a := range e.Args {
		spec := graph.Spec{Shape: a.Spec.Shape.Clone(), DType: a.Spec.DType}
		if n := len(spec.Shape); n > 0 && s.below(3) == 0 {
			spec.Shape[s.below(n)] = s.below(4)
		}
		in[i] = g.Input(fmt.Sprintf("in%d", i), spec)
	}
	out := g.Apply(e.Op, in...)
	if g.Err() != nil {
		return // refused
	}
	var seeds []graph.Value
	for i, y := range out {
		d := graph.Value{}
		if y.Spec().DType == graph.Float32 {
			d = g.Input(fmt.Sprintf("seed%d", i), y.Spec())
		}
		seeds = append(seeds, d)
	}
	grads := graph.VJP(out, seeds, in)
	if err := g.Err(); err != nil {
		t.Errorf("%s %+v of %v: its gradient fails: %v", e.Op.Name(), e.Op, specsOf(in), err)
		return
	}
	for i, d := range grads {
		if d.Valid() && !d.Spec().Equal(in[i].Spec()) {
			t.Errorf("%s %+v of %v: gradient %d is %v", e.Op.Name(), e.Op, specsOf(in), i, d.Spec())
		}
	}
}

func specsOf(vs []graph.Value) (specs []graph.Spec) {
	for _, v := range vs {
		specs = append(specs, v.Spec())
	}
	return specs
}

// Floats are wanted by nearly all ops, and who wants them says so.
func TestIntegersAreRefused(t *testing.T) {
	takesAny := map[string]bool{ // of the first input
		"Identity": true, "StopGradient": true, "Cast": true, "Reshape": true, "BroadcastTo": true, "Transpose": true,
		"Concat": true, "Slice": true, "Gather": true, "Pad": true, "ArgSort": true,
	}
	for _, o := range All() {
		for _, e := range o.Examples() {
			if len(e.Args) == 0 || e.Args[0].Spec.DType != graph.Float32 || takesAny[o.Name()] {
				continue
			}
			specs := make([]graph.Spec, len(e.Args))
			for i, a := range e.Args {
				specs[i] = a.Spec
			}
			specs[0].DType = graph.Uint8
			if _, err := e.Op.Infer(specs); err == nil {
				t.Errorf("%s takes %v", o.Name(), specs)
			}
		}
	}
}

// Code that builds a model goes on after an error and reads as formulas: whatever stands for nothing may be an operand.
func TestFailedValuesDoNotPanic(t *testing.T) {
	g := graph.New()
	r := RNG{g.Input("seed", graph.I32(2)), g.Input("step", graph.I32()), g.Input("row0", graph.I32())}
	x := Add(g.Input("a", graph.F32(2)), g.Input("b", graph.F32(3)))
	first := g.Err()
	if first == nil {
		t.Fatal("2 + 3 elements are added")
	}
	conv, pool := ConvConfig{}, PoolConfig{KH: 2, KW: 2}
	builders := map[string]func() graph.Value{
		"Mul": func() graph.Value { return Mul(x, x) }, "Select": func() graph.Value { return Select(x, x, x) },
		"Scale": func() graph.Value { return Scale(x, 2) }, "AddBias": func() graph.Value { return AddBias(x, x) },
		"Sigmoid": func() graph.Value { return Sigmoid(x) }, "Cast": func() graph.Value { return Cast(x, graph.Int32) },
		"Reshape": func() graph.Value { return Reshape(x, 2, -1) }, "Flatten": func() graph.Value { return Flatten(x) },
		"BroadcastTo": func() graph.Value { return BroadcastTo(x, 2) }, "Transpose": func() graph.Value { return Transpose(x) },
		"Concat": func() graph.Value { return Concat(1, x, x) }, "Slice": func() graph.Value { return Slice(x, 1, 0, 2) },
		"Pad": func() graph.Value { return Pad(x, 0, 1, 1, 0) }, "Gather": func() graph.Value { return Gather(x, x) },
		"ScatterAdd": func() graph.Value { return ScatterAdd(x, x, 3) }, "ArgSort": func() graph.Value { return ArgSort(x) },
		"OneHot": func() graph.Value { return OneHot(x, 3) }, "ReduceSum": func() graph.Value { return ReduceSum(x, -1) },
		"ReduceMean": func() graph.Value { return ReduceMean(x, 0, -1) }, "ReduceMax": func() graph.Value { return ReduceMax(x, 1) },
		"SumAll": func() graph.Value { return SumAll(x) }, "SumPerExample": func() graph.Value { return SumPerExample(x) },
		"ArgMax": func() graph.Value { return ArgMax(x) }, "Softmax": func() graph.Value { return Softmax(x) },
		"LogSumExp": func() graph.Value { return LogSumExp(x, -1) }, "MatMul": func() graph.Value { return MatMul(x, x, false, true) },
		"Conv2D":          func() graph.Value { return Conv2D(x, x, conv) },
		"ConvTranspose2D": func() graph.Value { return ConvTranspose2D(x, x, conv) },
		"MaxPool2D":       func() graph.Value { return MaxPool2D(x, pool) }, "AvgPool2D": func() graph.Value { return AvgPool2D(x, pool) },
		"Upsample2D": func() graph.Value { return Upsample2D(x, 2, 2, "nearest") },
		"BatchNorm":  func() graph.Value { _, _, v := BatchNorm(x, x, x, 1e-5); return v },
		"BatchNormInference": func() graph.Value {
			return BatchNormInference(x, x, x, x, x, 1e-5)
		},
		"LayerNorm": func() graph.Value { return LayerNorm(x, x, x, 1e-5) }, "Uniform": func() graph.Value { return Uniform(r, "u", 2, 3) },
		"GaussianSample": func() graph.Value { return GaussianSample(r, "z", x, x) }, "MSE": func() graph.Value { return MSE(x, x) },
		"KLNormal": func() graph.Value { return KLNormal(x, x) }, "ScaleRows": func() graph.Value { return ScaleRows(x, x) },
		"GlobalNorm": func() graph.Value { return GlobalNorm(x, x) },
		"AdamUpdate": func() graph.Value {
			c1, c2 := AdamCorrections(x, 0.9, 0.99)
			_, _, v := AdamUpdate(x, x, x, x, AdamScalars{LR: x, Correction1: c1, Correction2: c2}, x)
			return v
		},
	}
	for name, build := range builders {
		y := build()
		if y.Graph() != g {
			t.Errorf("%s returns no value of the graph", name)
		}
		graph.Grad(y, x)
		if g.Err() != first {
			t.Fatalf("%s replaced the first error by %v", name, g.Err())
		}
	}
}
