package model

import (
	"aetrain/graph"
	"aetrain/op"
)

func init() { Bounds.Add("ciwae", func() Bound { return ciwae{} }) }

// ciwae is mix times the ELBO plus 1 - mix times the importance-weighted bound, both of the same samples.
// Source: Rainforth et al. 2018, "Tighter Variational Bounds are Not Necessarily Better", eq. 8.
type ciwae struct{}

func (ciwae) ImportanceWeighted() bool { return true }

func (ciwae) Reduce(f *Forward, terms []graph.Value) graph.Value {
	mix := samplingOf(f).Mix
	return op.Add(op.Scale(elbo{}.Reduce(f, terms), mix), op.Scale(importance(terms, 1), 1-mix))
}
