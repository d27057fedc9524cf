package op

import (
	"fmt"

	"aetrain/graph"
)

func init() {
	add(LayerNormalization{})
	add(LayerNormGrad{})
}

// LayerNorm normalises along the last axis, each row by its own statistics:
//
//	x: ...×D   gamma, beta: D
//	y = gamma · (x - mean) / √(variance + eps) + beta, with the row's mean and biased variance
//
// Source: Ba, Kiros & Hinton 2016, "Layer Normalization", eq. 4.
func LayerNorm(x, gamma, beta graph.Value, eps float64) graph.Value {
	return apply(LayerNormalization{Eps: eps}, x, gamma, beta)
}

// LayerNormalization is the op of [LayerNorm]. Its outputs are y and, for the gradient, mean and variance of each row
// (the shape of x without its last axis).
type LayerNormalization struct{ Eps float64 }

// Name returns "LayerNorm".
func (LayerNormalization) Name() string { return "LayerNorm" }

// Arguments returns the names of the inputs.
func (LayerNormalization) Arguments() []string { return []string{"input", "gamma", "beta"} }

func layerNorm(x graph.Shape, eps float64) norm {
	last := len(x) - 1
	return norm{stat: []int{last}, param: allBut(last, len(x)), eps: eps}
}

// Infer wants a number for each element of the last axis in gamma and beta.
func (l LayerNormalization) Infer(in []graph.Spec) ([]graph.Spec, error) {
	last := len(in[0].Shape) - 1
	if err := wantNorm(in[0], last, l.Eps, in[1:], "gamma", "beta"); err != nil {
		return nil, err
	}
	row := graph.F32(in[0].Shape[:last:last]...)
	return []graph.Spec{in[0], row, row}, nil
}

// VJP is one fused op.
func (l LayerNormalization) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return layerNorm(n.In[0].Shape(), l.Eps).vjp(n, dOut, LayerNormGrad(l))
}

// Expand is the definition in small ops.
func (l LayerNormalization) Expand(n *graph.Node) []graph.Value {
	y, mean, variance := layerNorm(n.In[0].Shape(), l.Eps).expand(n.In[0], n.In[1], n.In[2])
	return []graph.Value{y, mean, variance}
}

// Eval is the definition.
func (l LayerNormalization) Eval(out, in []graph.Tensor) { layerNorm(in[0].Shape, l.Eps).eval(out, in) }

// Examples are a vector, matrices and sequences.
func (LayerNormalization) Examples() []graph.Example {
	of := func(eps float64, dims ...int) graph.Example {
		d := dims[len(dims)-1]
		return graph.Example{Op: LayerNormalization{Eps: eps}, Args: []graph.Arg{f32(dims...), f32(d), f32(d)}}
	}
	return []graph.Example{
		of(1e-5, 3, 5), of(1e-3, 2, 3, 4), of(1e-5, 6), of(1e-1, 1, 7), of(1e-3, 2, 1, 2, 5),
		bench(of(1e-5, 128, 400)), bench(of(1e-5, 64, 49, 128)),
	}
}

// LayerNormGrad is the gradient of y in [LayerNorm]: of x, gamma, dy (as y), mean, variance it makes dx, dgamma and dbeta.
// Its own gradient comes from its expansion.
type LayerNormGrad struct{ Eps float64 }

// Name returns "LayerNormGrad".
func (LayerNormGrad) Name() string { return "LayerNormGrad" }

// Arguments returns the names of the inputs.
func (LayerNormGrad) Arguments() []string { return []string{"x", "gamma", "dy", "mean", "variance"} }

// Infer wants what [LayerNorm] took and gave.
func (l LayerNormGrad) Infer(in []graph.Spec) ([]graph.Spec, error) {
	last := len(in[0].Shape) - 1
	if err := wantNorm(in[0], last, l.Eps, in[1:2], "gamma"); err != nil {
		return nil, err
	}
	if !in[2].Equal(in[0]) {
		return nil, fmt.Errorf("dy is %v and x %v", in[2], in[0])
	}
	row := graph.F32(in[0].Shape[:last]...)
	if !in[3].Equal(row) || !in[4].Equal(row) {
		return nil, fmt.Errorf("mean is %v, variance %v; want %v, one number a row", in[3], in[4], row)
	}
	return []graph.Spec{in[0], in[1], in[1]}, nil
}

// VJP follows the expansion.
func (LayerNormGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value { return expandVJP(n, dOut) }

// Expand is the definition in small ops.
func (l LayerNormGrad) Expand(n *graph.Node) []graph.Value {
	return layerNorm(n.In[0].Shape(), l.Eps).expandGrad(n.In[0], n.In[1], n.In[2], n.In[3], n.In[4])
}

// Eval is the definition.
func (l LayerNormGrad) Eval(out, in []graph.Tensor) { layerNorm(in[0].Shape, l.Eps).evalGrad(out, in) }

// Examples draw all five inputs independently.
func (LayerNormGrad) Examples() []graph.Example {
	of := func(eps float64, dims ...int) graph.Example {
		d, lead, x := dims[len(dims)-1], dims[:len(dims)-1], f32(dims...)
		return graph.Example{Op: LayerNormGrad{Eps: eps}, Args: []graph.Arg{x, f32(d), x, f32(lead...), variances(lead...)}}
	}
	return []graph.Example{
		of(1e-5, 3, 5), of(1e-3, 2, 3, 4), of(1e-5, 6), of(1e-1, 1, 7),
		bench(of(1e-5, 128, 400)), bench(of(1e-5, 64, 49, 128)),
	}
}
