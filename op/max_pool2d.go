package op

import (
	"fmt"
	"math"

	"aetrain/graph"
)

func init() {
	add(MaxPool{})
	add(MaxPoolScatter{})
	add(MaxPoolGather{})
}

// MaxPool2D takes the largest element of each window of N×C×H×W images; c's padding never wins. Of equal elements the
// first wins (row by row), and a NaN wins over numbers.
func MaxPool2D(x graph.Value, c PoolConfig) graph.Value {
	c.CountIncludePad = false
	return apply(MaxPool{c.Normalized()}, x)
}

// MaxPool is the op of [MaxPool2D]; its PoolConfig is normalized. Its outputs are the maxima and their places: int32,
// of the same shape, flat within the H×W plane. The gradient follows the places ([MaxPoolScatter]), and that one's
// gradient fetches from them ([MaxPoolGather]).
type MaxPool struct{ PoolConfig }

// Name returns "MaxPool2D".
func (MaxPool) Name() string { return "MaxPool2D" }

// Infer is the shape rule of [PoolConfig.OutputSize].
func (m MaxPool) Infer(in []graph.Spec) ([]graph.Spec, error) {
	out, err := m.infer(in[0])
	if err != nil {
		return nil, err
	}
	return append(out, graph.I32(out[0].Shape...)), nil
}

// VJP sends each output's gradient to the element that won.
func (m MaxPool) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	x := n.In[0]
	return one(apply(MaxPoolScatter{H: x.Dim(2), W: x.Dim(3)}, dOut[0], n.Value(1)))
}

// Eval is the definition.
func (m MaxPool) Eval(out, in []graph.Tensor) {
	s, x := in[0].Shape, in[0].Data
	m.windows(s[0]*s[1], s[2], s[3], func(o, plane, top, bottom, left, right int) {
		best := top*s[3] + left
		for i := top; i < bottom; i++ {
			for j := left; j < right; j++ {
				at := i*s[3] + j
				if v := x[plane+at]; v > x[plane+best] || math.IsNaN(v) && !math.IsNaN(x[plane+best]) {
					best = at
				}
			}
		}
		out[0].Data[o], out[1].Data[o] = x[plane+best], float64(best)
	})
}

// Examples are those of poolCases: random numbers, so that there are no ties.
func (MaxPool) Examples() []graph.Example {
	var es []graph.Example
	for _, e := range poolCases() {
		e.c.CountIncludePad = false
		es = append(es, graph.Example{Op: MaxPool{e.c}, Args: []graph.Arg{f32(e.x...)}, Bench: e.bench})
	}
	return kinked(es)
}

// MaxPoolScatter is the gradient of max pooling: dy (N×C×H'×W') is added, in order, to the places index (int32, flat
// within a plane) of an N×C×H×W image of zeros. An index outside the plane means the nearest one inside.
type MaxPoolScatter struct{ H, W int }

// Name returns "MaxPool2DGrad".
func (MaxPoolScatter) Name() string { return "MaxPool2DGrad" }

// Arguments returns the names of the inputs.
func (MaxPoolScatter) Arguments() []string { return []string{"dy", "index"} }

// Infer wants dy and index of one shape.
func (m MaxPoolScatter) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if err := wantImages("dy", in[0]); err != nil {
		return nil, err
	}
	if in[1].DType != graph.Int32 || !in[1].Shape.Equal(in[0].Shape) {
		return nil, fmt.Errorf("index wants to be int32 of dy's shape")
	}
	if m.H < 1 || m.W < 1 || m.H > maxExtent || m.W > maxExtent {
		return nil, fmt.Errorf("the image cannot be %dx%d", m.H, m.W)
	}
	return sized(graph.Float32, in[0].Shape[0], in[0].Shape[1], m.H, m.W)
}

// VJP fetches from the places.
func (m MaxPoolScatter) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return []graph.Value{apply(MaxPoolGather{}, dOut[0], n.In[1]), {}}
}

// Eval is the definition.
func (m MaxPoolScatter) Eval(out, in []graph.Tensor) {
	size, each := m.H*m.W, in[0].Shape[2]*in[0].Shape[3]
	for i, d := range in[0].Data {
		out[0].Data[i/each*size+clampIndex(in[1].Data[i], size)] += d
	}
}

// Examples take places anywhere in the plane, some of them more than once.
func (MaxPoolScatter) Examples() []graph.Example {
	var es []graph.Example
	for _, e := range poolCases() {
		h, w := e.x[2], e.x[3]
		args := []graph.Arg{f32(e.y()...), indices(h*w, e.y()...)}
		es = append(es, graph.Example{Op: MaxPoolScatter{H: h, W: w}, Args: args, Bench: e.bench})
	}
	return es
}

// MaxPoolGather fetches, for each index (N×C×H'×W', int32, flat within a plane), that element of x (N×C×H×W).
// An index outside the plane means the nearest one inside.
type MaxPoolGather struct{}

// Name returns "MaxPool2DGather".
func (MaxPoolGather) Name() string { return "MaxPool2DGather" }

// Arguments returns the names of the inputs.
func (MaxPoolGather) Arguments() []string { return []string{"x", "index"} }

// Infer wants as many planes in x as in index.
func (MaxPoolGather) Infer(in []graph.Spec) ([]graph.Spec, error) {
	x, index := in[0].Shape, in[1].Shape
	if err := wantImages("x", in[0]); err != nil {
		return nil, err
	}
	if in[1].DType != graph.Int32 || len(index) != 4 || index[0] != x[0] || index[1] != x[1] || index[2] < 1 || index[3] < 1 {
		return nil, fmt.Errorf("index wants to be int32 with x's images and channels")
	}
	return []graph.Spec{graph.F32(index...)}, nil
}

// VJP adds to the places again.
func (MaxPoolGather) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	x := n.In[0]
	return []graph.Value{apply(MaxPoolScatter{H: x.Dim(2), W: x.Dim(3)}, dOut[0], n.In[1]), {}}
}

// Eval is the definition.
func (MaxPoolGather) Eval(out, in []graph.Tensor) {
	size, each := in[0].Shape[2]*in[0].Shape[3], in[1].Shape[2]*in[1].Shape[3]
	for i, at := range in[1].Data {
		out[0].Data[i] = in[0].Data[i/each*size+clampIndex(at, size)]
	}
}

// Examples are those of [MaxPoolScatter], the other way.
func (MaxPoolGather) Examples() []graph.Example {
	var es []graph.Example
	for _, e := range poolCases() {
		args := []graph.Arg{f32(e.x...), indices(e.x[2]*e.x[3], e.y()...)}
		es = append(es, graph.Example{Op: MaxPoolGather{}, Args: args, Bench: e.bench})
	}
	return es
}

// clampIndex is the index that i means among n >= 1 things: one out of range means the nearest, so that no index can
// read or write outside (data sources check labels and tokens when they read them).
func clampIndex(i float64, n int) int {
	if !(i > 0) {
		return 0
	}
	return int(min(i, float64(n-1)))
}

// indices is an int32 argument of these axes, drawn from [0, n).
func indices(n int, dims ...int) graph.Arg {
	return graph.Arg{Spec: graph.I32(dims...), From: 0, To: float64(n)}
}
