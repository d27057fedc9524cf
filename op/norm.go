package op

import (
	"fmt"
	"math"

	"aetrain/graph"
)

// norm is what batch norm and layer norm have in common:
//
//	y = gamma · (x - mean) / √(variance + eps) + beta
//
// with the mean and the biased variance of x over the axes stat, and parameters that repeat along the axes param.
type norm struct {
	stat, param []int
	eps         float64
}

// allBut lists the axes of a rank but one.
func allBut(axis, rank int) []int {
	var axes []int
	for a := range rank {
		if a != axis {
			axes = append(axes, a)
		}
	}
	return axes
}

// count is the number of elements behind one mean.
func (o norm) count(x graph.Shape) float64 {
	n := 1
	for _, a := range o.stat {
		n *= x[a]
	}
	return float64(n)
}

// wantNorm checks x, eps and the parameters, each of which holds a number for each element of an axis of x.
func wantNorm(x graph.Spec, axis int, eps float64, params []graph.Spec, names ...string) error {
	if !(eps >= 0) || math.IsInf(eps, 0) {
		return fmt.Errorf("eps is %v and must be a small positive number", eps)
	}
	if x.DType != graph.Float32 || axis < 0 || axis >= len(x.Shape) {
		return fmt.Errorf("wants a float32 input with at least %d axes", max(1, axis+1))
	}
	for _, d := range x.Shape {
		if d < 1 {
			return fmt.Errorf("an axis of the input has size %d", d)
		}
	}
	for i, p := range params {
		if p.DType != graph.Float32 || !p.Shape.Equal(graph.Shape{x.Shape[axis]}) {
			return fmt.Errorf("%s wants %d numbers, one for each element of axis %d, and is %v", names[i], x.Shape[axis], axis, p)
		}
	}
	return nil
}

// expand is the definition in small ops.
func (o norm) expand(x, gamma, beta graph.Value) (y, mean, variance graph.Value) {
	s := x.Shape()
	mean = ReduceMean(x, o.stat...)
	centred := Sub(x, expandAxes(mean, s, o.stat))
	variance = ReduceMean(Square(centred), o.stat...)
	xHat := Mul(centred, expandAxes(o.rstd(variance), s, o.stat))
	return Add(Mul(xHat, expandAxes(gamma, s, o.param)), expandAxes(beta, s, o.param)), mean, variance
}

func (o norm) rstd(variance graph.Value) graph.Value { return Rsqrt(AddConst(variance, o.eps)) }

// expandGrad is the gradient in small ops. With xHat = (x - mean) · rstd, g = dy · gamma and M the mean over stat:
//
//	dx = rstd · (g - M(g) - xHat · M(g · xHat)),  dgamma = Σ dy · xHat,  dbeta = Σ dy
func (o norm) expandGrad(x, gamma, dy, mean, variance graph.Value) []graph.Value {
	s := x.Shape()
	rstd := expandAxes(o.rstd(variance), s, o.stat)
	xHat := Mul(Sub(x, expandAxes(mean, s, o.stat)), rstd)
	g := Mul(dy, expandAxes(gamma, s, o.param))
	meanG := expandAxes(ReduceMean(g, o.stat...), s, o.stat)
	meanGX := expandAxes(ReduceMean(Mul(g, xHat), o.stat...), s, o.stat)
	dx := Mul(rstd, Sub(Sub(g, meanG), Mul(xHat, meanGX)))
	return []graph.Value{dx, ReduceSum(Mul(dy, xHat), o.param...), ReduceSum(dy, o.param...)}
}

// vjp is the gradient of a node with inputs x, gamma, beta and outputs y, mean, variance. grad is the fused op for the gradient
// of y. Gradients of the statistics are usually none (callers keep running ones), and cost something only where there are any:
// dmean/dx = 1/n and dvariance/dx = 2·(x - mean)/n.
func (o norm) vjp(n *graph.Node, dOut []graph.Value, grad graph.Op) []graph.Value {
	x, gamma, mean, variance := n.In[0], n.In[1], n.Value(1), n.Value(2)
	d := []graph.Value{{}, {}, {}}
	if !zeroConstant(dOut[0]) {
		copy(d, graph.Apply(grad, x, gamma, dOut[0], mean, variance))
	}
	s := x.Shape()
	var dx []graph.Value
	if d[0].Valid() {
		dx = append(dx, d[0])
	}
	if !zeroConstant(dOut[1]) {
		dx = append(dx, expandAxes(Scale(dOut[1], 1/o.count(s)), s, o.stat))
	}
	if !zeroConstant(dOut[2]) {
		dx = append(dx, Mul(Sub(x, expandAxes(mean, s, o.stat)), expandAxes(Scale(dOut[2], 2/o.count(s)), s, o.stat)))
	}
	d[0] = graph.SumOf(dx...)
	return d
}

// zeroConstant reports whether v is a constant of zeros: a gradient that is none.
func zeroConstant(v graph.Value) bool {
	c, ok := v.Node.Op.(graph.Constant)
	if !ok {
		return false
	}
	x, same := c.Fill()
	return same && x == 0
}

// reducedIndex returns, for each element of shape, the place it goes to when axes are reduced.
func reducedIndex(shape graph.Shape, axes []int) []int {
	kept := shape.Clone()
	for _, a := range axes {
		kept[a] = 1
	}
	strides, at := BroadcastStrides(kept, shape), make([]int, shape.Size())
	walk(shape, func(i int, index []int) {
		for a, k := range index {
			at[i] += k * strides[a]
		}
	})
	return at
}

// eval is the definition in float64: y, mean and variance of x, gamma, beta.
func (o norm) eval(out, in []graph.Tensor) {
	x, gamma, beta := in[0].Data, in[1].Data, in[2].Data
	y, mean, variance := out[0].Data, out[1].Data, out[2].Data
	stat, param, n := reducedIndex(in[0].Shape, o.stat), reducedIndex(in[0].Shape, o.param), o.count(in[0].Shape)
	for i, v := range x {
		mean[stat[i]] += v / n
	}
	for i, v := range x {
		d := v - mean[stat[i]]
		variance[stat[i]] += d * d / n
	}
	for i, v := range x {
		y[i] = gamma[param[i]]*(v-mean[stat[i]])/math.Sqrt(variance[stat[i]]+o.eps) + beta[param[i]]
	}
}

// evalGrad is the definition of expandGrad in float64.
func (o norm) evalGrad(out, in []graph.Tensor) {
	x, gamma, dy, mean, variance := in[0].Data, in[1].Data, in[2].Data, in[3].Data, in[4].Data
	dx, dGamma, dBeta := out[0].Data, out[1].Data, out[2].Data
	stat, param, n := reducedIndex(in[0].Shape, o.stat), reducedIndex(in[0].Shape, o.param), o.count(in[0].Shape)
	rstd := make([]float64, len(variance))
	for i, v := range variance {
		rstd[i] = 1 / math.Sqrt(v+o.eps)
	}
	meanG, meanGX := make([]float64, len(mean)), make([]float64, len(mean))
	for i, d := range dy {
		s, p := stat[i], param[i]
		xHat := (x[i] - mean[s]) * rstd[s]
		dGamma[p] += d * xHat
		dBeta[p] += d
		meanG[s] += d * gamma[p] / n
		meanGX[s] += d * gamma[p] * xHat / n
	}
	for i, d := range dy {
		s := stat[i]
		xHat := (x[i] - mean[s]) * rstd[s]
		dx[i] = rstd[s] * (d*gamma[param[i]] - meanG[s] - xHat*meanGX[s])
	}
}
