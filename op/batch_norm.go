package op

import (
	"fmt"

	"aetrain/graph"
)

func init() {
	add(BatchNormalization{})
	add(BatchNormGrad{})
}

// BatchNorm normalises each channel by the batch's own statistics:
//
//	x: N×C, N×C×T or N×C×H×W   gamma, beta: C
//	y = gamma · (x - mean) / √(variance + eps) + beta
//	mean, variance: C, over all axes but 1; the variance is biased (divided by the count)
//
// The statistics are outputs so that callers can keep running ones in a buffer; gradients flow through them where they are used.
// Source: Ioffe & Szegedy 2015, "Batch Normalization", algorithm 1.
func BatchNorm(x, gamma, beta graph.Value, eps float64) (y, mean, variance graph.Value) {
	out := graph.Apply(BatchNormalization{Eps: eps}, x, gamma, beta)
	return out[0], out[1], out[2]
}

// BatchNormInference normalises each channel by given statistics, mean and variance of C numbers each: elementwise
// x·scale + shift with scale = gamma/√(variance + eps) and shift = beta - mean·scale.
// Source: Ioffe & Szegedy 2015, algorithm 2.
func BatchNormInference(x, gamma, beta, mean, variance graph.Value, eps float64) graph.Value {
	scale := Mul(gamma, Rsqrt(AddConst(variance, eps)))
	shift := Sub(beta, Mul(mean, scale))
	return Add(Mul(x, onChannels(scale, x.Rank())), onChannels(shift, x.Rank()))
}

// BatchNormalization is the op of [BatchNorm].
type BatchNormalization struct{ Eps float64 }

// Name returns "BatchNorm".
func (BatchNormalization) Name() string { return "BatchNorm" }

// Arguments returns the names of the inputs.
func (BatchNormalization) Arguments() []string { return []string{"input", "gamma", "beta"} }

func batchNorm(x graph.Shape, eps float64) norm {
	axes := allBut(1, len(x))
	return norm{stat: axes, param: axes, eps: eps}
}

// Infer wants a number for each channel in gamma and beta.
func (b BatchNormalization) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if err := wantNorm(in[0], 1, b.Eps, in[1:], "gamma", "beta"); err != nil {
		return nil, err
	}
	c := graph.F32(in[0].Shape[1])
	return []graph.Spec{in[0], c, c}, nil
}

// VJP is one fused op; see norm.vjp for the gradients of the statistics.
func (b BatchNormalization) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return batchNorm(n.In[0].Shape(), b.Eps).vjp(n, dOut, BatchNormGrad(b))
}

// Expand is the definition in small ops.
func (b BatchNormalization) Expand(n *graph.Node) []graph.Value {
	y, mean, variance := batchNorm(n.In[0].Shape(), b.Eps).expand(n.In[0], n.In[1], n.In[2])
	return []graph.Value{y, mean, variance}
}

// Eval is the definition.
func (b BatchNormalization) Eval(out, in []graph.Tensor) { batchNorm(in[0].Shape, b.Eps).eval(out, in) }

// Examples are matrices, sequences and images, one of a single image and one of a single channel.
func (BatchNormalization) Examples() []graph.Example {
	of := func(eps float64, dims ...int) graph.Example {
		c := dims[1]
		return graph.Example{Op: BatchNormalization{Eps: eps}, Args: []graph.Arg{f32(dims...), f32(c), f32(c)}}
	}
	return []graph.Example{
		of(1e-5, 5, 3), of(1e-3, 3, 2, 3, 2), of(1e-5, 3, 2, 4), of(1e-3, 1, 3, 3, 3), of(1e-1, 7, 1), of(1e-5, 9, 4, 1, 1),
		bench(of(1e-3, 128, 64, 14, 14)), bench(of(1e-5, 128, 400)),
	}
}

// BatchNormGrad is the gradient of y in [BatchNorm]: of x, gamma, dy (as y), mean, variance it makes dx, dgamma and dbeta.
// Source: Ioffe & Szegedy 2015, section 3. Its own gradient comes from its expansion.
type BatchNormGrad struct{ Eps float64 }

// Name returns "BatchNormGrad".
func (BatchNormGrad) Name() string { return "BatchNormGrad" }

// Arguments returns the names of the inputs.
func (BatchNormGrad) Arguments() []string { return []string{"x", "gamma", "dy", "mean", "variance"} }

// Infer wants what [BatchNorm] took and gave.
func (b BatchNormGrad) Infer(in []graph.Spec) ([]graph.Spec, error) {
	params := []graph.Spec{in[1], in[3], in[4]}
	if err := wantNorm(in[0], 1, b.Eps, params, "gamma", "mean", "variance"); err != nil {
		return nil, err
	}
	if !in[2].Equal(in[0]) {
		return nil, fmt.Errorf("dy is %v and x %v", in[2], in[0])
	}
	return []graph.Spec{in[0], in[1], in[1]}, nil
}

// VJP follows the expansion.
func (BatchNormGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value { return expandVJP(n, dOut) }

// Expand is the definition in small ops.
func (b BatchNormGrad) Expand(n *graph.Node) []graph.Value {
	return batchNorm(n.In[0].Shape(), b.Eps).expandGrad(n.In[0], n.In[1], n.In[2], n.In[3], n.In[4])
}

// Eval is the definition.
func (b BatchNormGrad) Eval(out, in []graph.Tensor) { batchNorm(in[0].Shape, b.Eps).evalGrad(out, in) }

// Examples draw all five inputs independently.
func (BatchNormGrad) Examples() []graph.Example {
	of := func(eps float64, dims ...int) graph.Example {
		c, x := dims[1], f32(dims...)
		return graph.Example{Op: BatchNormGrad{Eps: eps}, Args: []graph.Arg{x, f32(c), x, f32(c), variances(c)}}
	}
	return []graph.Example{
		of(1e-5, 5, 3), of(1e-3, 3, 2, 3, 2), of(1e-5, 3, 2, 4), of(1e-3, 1, 3, 3, 3), of(1e-1, 7, 1),
		bench(of(1e-3, 128, 64, 14, 14)), bench(of(1e-5, 128, 400)),
	}
}

// variances is an argument of positive numbers.
func variances(dims ...int) graph.Arg {
	return graph.Arg{Spec: graph.F32(dims...), From: 0.3, To: 1.5}
}
