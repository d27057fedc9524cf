package prob

import (
	"aetrain/graph"
	"aetrain/op"
)

// Levels is one of several equally spaced numbers 0, 1/(L-1), ..., 1 of each element, by its own probabilities: grey levels as
// classes. Logits have the element's axes and one more, the last, of L.
type Levels struct{ Logits graph.Value }

// count is L.
func (d Levels) count() int { return d.Logits.Dim(-1) }

// values are the numbers.
func (d Levels) values() graph.Value {
	v := make([]float64, d.count())
	for i := range v {
		v[i] = float64(i) / float64(len(v)-1)
	}
	return d.Logits.Graph().Constant(graph.F32(len(v)), v...)
}

// Mean is Σ p·value.
func (d Levels) Mean() graph.Value {
	return op.ReduceSum(op.Mul(op.Softmax(d.Logits), d.values()), d.Logits.Rank()-1)
}

// Sample takes the largest of logits with Gumbel noise; no gradient flows through it.
func (d Levels) Sample(r op.RNG, name string) graph.Value {
	at := op.ArgMax(op.Add(op.Stop(d.Logits), gumbel(r, name, d.Logits.Shape())))
	return op.Scale(op.Cast(at, graph.Float32), 1/float64(d.count()-1))
}

// gumbel draws -log(-log u).
func gumbel(r op.RNG, name string, dims graph.Shape) graph.Value { return Gumbel(r, name, dims...) }

// Gumbel draws standard Gumbel numbers -log(-log u): the largest of logits with them is a draw of the classes.
// Source: Maddison, Tarlow & Minka 2014, "A* Sampling", section 2.
func Gumbel(r op.RNG, name string, dims ...int) graph.Value {
	const least = 0x1p-24 // log 0 is not wanted, at either end
	u := op.Clamp(op.Uniform(r, name, dims...), least, 1-least)
	return op.Neg(op.Log(op.Neg(op.Log(u))))
}

// LogProb is that of the level nearest to x.
func (d Levels) LogProb(x graph.Value) graph.Value {
	at := op.Cast(op.Round(op.Scale(op.Clamp(x, 0, 1), float64(d.count()-1))), graph.Int32)
	return op.ReduceSum(op.Mul(op.LogSoftmax(d.Logits), op.OneHot(at, d.count())), d.Logits.Rank()-1)
}

// Repeat gives each example k copies.
func (d Levels) Repeat(k int) Distribution { return Levels{Logits: repeat(d.Logits, k)} }
