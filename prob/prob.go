// Package prob is probability as formulas in ops: a file a distribution, with its mean, a sample, log-densities, and KL
// divergences in closed form where there is one ([KL]). Distributions are over independent numbers, with one parameter (or one
// shared by all) for each; everything is in nats.
package prob

import (
	"aetrain/graph"
	"aetrain/op"
)

// Distribution is a distribution of each element of a value. The first axis is the example.
type Distribution interface {
	// Mean is the expected value.
	Mean() graph.Value
	// Sample draws once; name tells its random stream from others of the same path.
	Sample(r op.RNG, name string) graph.Value
	// LogProb is the log-density (log-probability, of discrete ones) of each element of x, which has the mean's shape.
	LogProb(x graph.Value) graph.Value
	// Repeat gives each example k copies, on an axis of their own behind the first: N×... becomes N×k×...
	Repeat(k int) Distribution
}

// KL is the divergence KL(q ‖ p) of each example, in nats: N, summed over all other axes.
// ok is false where the two have no closed form; estimate it by log q(z) - log p(z) of samples then.
func KL(q, p Distribution) (kl graph.Value, ok bool) {
	qn, isNormal := q.(Normal)
	_, isStandard := p.(Standard)
	if isNormal && isStandard && qn.Mu.Rank() == 2 && qn.LogVar.Shape().Equal(qn.Mu.Shape()) {
		return op.KLNormal(qn.Mu, qn.LogVar), true // one fused op for the commonest case
	}
	switch qd := q.(type) {
	case VonMisesFisher:
		if _, uniform := p.(SphereUniform); uniform {
			return qd.klUniform(), true
		}
		return graph.Value{}, false
	case Product:
		if pd, is := p.(Product); is {
			return qd.kl(pd)
		}
		return graph.Value{}, false
	}
	each, ok := KLEach(q, p)
	if !ok {
		return graph.Value{}, false
	}
	return op.SumPerExample(each), true
}

// KLEach is KL(q ‖ p) of each element, in nats.
func KLEach(q, p Distribution) (kl graph.Value, ok bool) {
	if qc, is := q.(Categorical); is {
		pc, same := p.(Categorical)
		if !same {
			return graph.Value{}, false
		}
		return qc.kl(pc), true
	}
	qn, isNormal := q.(Normal)
	if !isNormal {
		return graph.Value{}, false
	}
	switch pn := p.(type) {
	case Standard:
		return qn.klStandard(), true
	case Normal:
		return qn.kl(pn), true
	}
	return graph.Value{}, false
}

// repeat gives each example of a parameter k copies on an axis of their own. A parameter shared by all (a scalar) stays.
func repeat(v graph.Value, k int) graph.Value {
	if v.Rank() == 0 {
		return v
	}
	dims := v.Shape().Clone()
	each := op.Reshape(v, append([]int{dims[0], 1}, dims[1:]...)...)
	return op.BroadcastTo(each, append([]int{dims[0], k}, dims[1:]...)...)
}
