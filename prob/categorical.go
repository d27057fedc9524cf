package prob

import (
	"aetrain/graph"
	"aetrain/op"
)

// Categorical is a choice of one class for each of several variables, by logits N×...×variables×classes. Its values are vectors of
// variables·classes numbers: one-hot, or relaxed towards one-hot by a low temperature.
// Source: Jang, Gu & Poole 2017, "Categorical Reparameterization with Gumbel-Softmax", eq. 2 and section 2.2;
// Maddison, Mnih & Teh 2017, "The Concrete Distribution".
type Categorical struct {
	Logits      graph.Value
	Temperature graph.Value // scalar, of the relaxation; the zero Value is 1
	Hard        bool        // samples are one-hot, with the relaxed ones' gradient
}

// flat joins variables and classes.
func (c Categorical) flat(v graph.Value) graph.Value {
	dims := v.Shape()
	n := len(dims)
	return op.Reshape(v, append(dims[:n-2].Clone(), dims[n-2]*dims[n-1])...)
}

// Mean is the probabilities of the classes; where samples are one-hot, the likeliest class.
func (c Categorical) Mean() graph.Value {
	p := op.Softmax(c.Logits)
	if c.Hard {
		p = op.StraightThrough(op.OneHot(op.ArgMax(op.Stop(c.Logits)), c.Logits.Dim(-1)), p)
	}
	return c.flat(p)
}

// Sample is softmax((logits + Gumbel noise) / temperature).
func (c Categorical) Sample(r op.RNG, name string) graph.Value {
	noisy := op.Add(c.Logits, gumbel(r, name, c.Logits.Shape()))
	soft := noisy
	if c.Temperature.Valid() {
		soft = op.Div(noisy, c.Temperature)
	}
	soft = op.Softmax(soft)
	if c.Hard {
		soft = op.StraightThrough(op.OneHot(op.ArgMax(op.Stop(noisy)), c.Logits.Dim(-1)), soft)
	}
	return c.flat(soft)
}

// LogProb is x·log p of each class, for one-hot x.
func (c Categorical) LogProb(x graph.Value) graph.Value {
	return op.Mul(x, c.flat(op.LogSoftmax(c.Logits)))
}

// Repeat gives each example k copies.
func (c Categorical) Repeat(k int) Distribution {
	return Categorical{Logits: repeat(c.Logits, k), Temperature: c.Temperature, Hard: c.Hard}
}

// kl is p·(log p - log q) of each class.
func (c Categorical) kl(q Categorical) graph.Value {
	log := op.LogSoftmax(c.Logits)
	return c.flat(op.Mul(op.Exp(log), op.Sub(log, op.LogSoftmax(q.Logits))))
}
