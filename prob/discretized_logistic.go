package prob

import (
	"aetrain/graph"
	"aetrain/op"
)

// DiscretizedLogistic is a logistic distribution of location Mu and scale exp(LogScale) whose mass falls into Levels equal bins
// around 0, 1/(Levels-1), ..., 1; the outermost reach to infinity. LogScale broadcasts to Mu's shape.
// Source: Kingma et al. 2016, "Improved Variational Inference with Inverse Autoregressive Flow", appendix C; Salimans et al. 2017,
// "PixelCNN++", eq. 2.
type DiscretizedLogistic struct {
	Mu, LogScale graph.Value
	Levels       int
}

// Mean is Mu, within [0, 1].
func (d DiscretizedLogistic) Mean() graph.Value { return op.Clamp(d.Mu, 0, 1) }

// Sample inverts the distribution function and takes the nearest level.
func (d DiscretizedLogistic) Sample(r op.RNG, name string) graph.Value {
	const edge = 1e-6
	u := op.Clamp(op.Uniform(r, name, d.Mu.Shape()...), edge, 1-edge)
	logit := op.Sub(op.Log(u), op.Log(op.AddConst(op.Neg(u), 1)))
	x := op.Clamp(op.Add(d.Mu, op.Mul(op.Exp(d.LogScale), logit)), 0, 1)
	steps := float64(d.Levels - 1)
	return op.Stop(op.Scale(op.Round(op.Scale(x, steps)), 1/steps))
}

// LogProb is log(σ((x+h-μ)/s) - σ((x-h-μ)/s)) with half a bin h: σ of the upper end is written as a product with
// 1 - exp(-2h/s), so that nothing cancels.
func (d DiscretizedLogistic) LogProb(x graph.Value) graph.Value {
	g := x.Graph()
	half := 0.5 / float64(d.Levels-1)
	precision := op.Exp(op.Neg(d.LogScale))
	centred := op.Sub(x, d.Mu)
	above := op.Mul(op.AddConst(centred, half), precision)
	below := op.Mul(op.AddConst(centred, -half), precision)
	// σ(a) - σ(b) = (exp(-b) - exp(-a))·σ(a)·σ(b) = (1 - exp(b-a))·σ(a)·σ(-b): all three factors are positive
	width := op.BroadcastTo(op.Scale(precision, 2*half), above.Shape()...)
	const thinnest = 1e-30
	mass := op.Log(op.AddConst(op.Neg(op.Expm1(op.Neg(width))), thinnest))
	inner := op.Sub(op.Sub(mass, op.Softplus(op.Neg(above))), op.Softplus(below))
	lowest := op.Neg(op.Softplus(op.Neg(above)))
	highest := op.Neg(op.Softplus(below))
	log := op.Select(op.Less(x, g.Scalar(half)), lowest, inner)
	return op.Select(op.Greater(x, g.Scalar(1-half)), highest, log)
}

// Repeat gives each example k copies.
func (d DiscretizedLogistic) Repeat(k int) Distribution {
	return DiscretizedLogistic{Mu: repeat(d.Mu, k), LogScale: repeatLike(d.LogScale, d.Mu, k), Levels: d.Levels}
}

// repeatLike repeats what has like's shape; what broadcasts to it stays.
func repeatLike(v, like graph.Value, k int) graph.Value {
	if v.Shape().Equal(like.Shape()) {
		return repeat(v, k)
	}
	return v
}
