package prob

import (
	"aetrain/graph"
	"aetrain/op"
)

// Product is several independent distributions side by side: vectors whose first numbers belong to the first part, and so on. Sizes
// are how many numbers each has.
type Product struct {
	Parts []Distribution
	Sizes []int
}

// Mean is the parts' means, one behind the other.
func (p Product) Mean() graph.Value {
	return p.joined(func(d Distribution, _ int) graph.Value { return d.Mean() })
}

// Sample draws of each part.
func (p Product) Sample(r op.RNG, name string) graph.Value {
	return p.joined(func(d Distribution, i int) graph.Value { return d.Sample(r, name+"."+string(rune('a'+i))) })
}

// LogProb is the parts' own.
func (p Product) LogProb(x graph.Value) graph.Value {
	from := 0
	return p.joined(func(d Distribution, i int) graph.Value {
		part := op.Slice(x, -1, from, from+p.Sizes[i])
		from += p.Sizes[i]
		return d.LogProb(part)
	})
}

// Repeat gives each example k copies.
func (p Product) Repeat(k int) Distribution {
	parts := make([]Distribution, len(p.Parts))
	for i, d := range p.Parts {
		parts[i] = d.Repeat(k)
	}
	return Product{Parts: parts, Sizes: p.Sizes}
}

func (p Product) joined(of func(Distribution, int) graph.Value) graph.Value {
	vs := make([]graph.Value, len(p.Parts))
	for i, d := range p.Parts {
		vs[i] = of(d, i)
	}
	return op.Concat(vs[0].Rank()-1, vs...)
}

// kl is the sum of the parts' divergences, N; ok is false where one has no closed form.
func (p Product) kl(q Product) (kl graph.Value, ok bool) {
	if len(p.Parts) != len(q.Parts) {
		return graph.Value{}, false
	}
	var sum []graph.Value
	for i, d := range p.Parts {
		each, ok := KL(d, q.Parts[i])
		if !ok {
			return graph.Value{}, false
		}
		sum = append(sum, each)
	}
	return graph.SumOf(sum...), true
}
