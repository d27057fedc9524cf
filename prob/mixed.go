package prob

import (
	"strconv"

	"aetrain/graph"
	tabular "aetrain/internal/column"
	"aetrain/op"
)

// Mixed is a row of a table, its columns each by a law of its own: numbers normal around Raw, a one-hot group one of its words by a
// softmax over the group, flags 1 with probability sigmoid(Raw). Raw's last axis is that of the columns' elements.
type Mixed struct {
	Raw     graph.Value // N×...×width
	Columns []tabular.Column
	// LogVar is the log-variance of each number, in the order of the columns. The zero Value: LogProb of a number is minus its
	// squared error, which is no density.
	LogVar graph.Value
}

// part is a run of neighbouring elements that are treated alike.
type part struct {
	kind     string
	from, to int // on the last axis
	number   int // of the first number among all numbers
}

// parts puts neighbouring numbers, and neighbouring flags, together; each one-hot group is a part.
func (m Mixed) parts() []part {
	var all []part
	at, numbers := 0, 0
	for _, c := range m.Columns {
		last := len(all) - 1
		if last >= 0 && all[last].kind == c.Kind && c.Kind != tabular.OneHot {
			all[last].to += c.Width
		} else {
			all = append(all, part{c.Kind, at, at + c.Width, numbers})
		}
		at += c.Width
		if c.Kind == tabular.Numeric {
			numbers++
		}
	}
	return all
}

// each computes a value of each part's raw outputs, of x where that is given, and puts the results side by side.
func (m Mixed) each(x graph.Value, of func(p part, raw, x graph.Value) graph.Value) graph.Value {
	axis := m.Raw.Rank() - 1
	var results []graph.Value
	for _, p := range m.parts() {
		value := graph.Value{}
		if x.Valid() {
			value = op.Slice(x, axis, p.from, p.to)
		}
		results = append(results, of(p, op.Slice(m.Raw, axis, p.from, p.to), value))
	}
	return op.Concat(axis, results...)
}

// Mean are the numbers, and the probabilities of words and flags.
func (m Mixed) Mean() graph.Value {
	return m.each(graph.Value{}, func(p part, raw, _ graph.Value) graph.Value {
		switch p.kind {
		case tabular.OneHot:
			return op.Softmax(raw)
		case tabular.Flag:
			return op.Sigmoid(raw)
		}
		return raw
	})
}

// normal is that of a run of numbers.
func (m Mixed) normal(p part, raw graph.Value) Normal {
	return Normal{Mu: raw, LogVar: op.Slice(m.LogVar, 0, p.number, p.number+p.to-p.from)}
}

// Sample draws numbers (without variances: their means), one word of each group and flags; no gradient flows through words and flags.
func (m Mixed) Sample(r op.RNG, name string) graph.Value {
	groups := 0
	return m.each(graph.Value{}, func(p part, raw, _ graph.Value) graph.Value {
		groups++
		own := name + "." + strconv.Itoa(groups)
		switch {
		case p.kind == tabular.OneHot:
			return op.OneHot(op.ArgMax(op.Add(op.Stop(raw), gumbel(r, own, raw.Shape()))), p.to-p.from)
		case p.kind == tabular.Flag:
			return Bernoulli{Logits: raw}.Sample(r, own)
		case m.LogVar.Valid():
			return m.normal(p, raw).Sample(r, own)
		}
		return raw
	})
}

// LogProb of a word stands at its element; that of the group's others is 0.
func (m Mixed) LogProb(x graph.Value) graph.Value {
	return m.each(x, func(p part, raw, x graph.Value) graph.Value {
		switch {
		case p.kind == tabular.OneHot:
			return op.Mul(x, op.LogSoftmax(raw))
		case p.kind == tabular.Flag:
			return Bernoulli{Logits: raw}.LogProb(x)
		case m.LogVar.Valid():
			return m.normal(p, raw).LogProb(x)
		}
		return op.Neg(op.SquaredError(raw, x))
	})
}

// Repeat gives each example k copies.
func (m Mixed) Repeat(k int) Distribution {
	return Mixed{Raw: repeat(m.Raw, k), Columns: m.Columns, LogVar: m.LogVar}
}
