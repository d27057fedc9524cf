package model

import "aetrain/graph"

func init() { Bounds.Add("miwae", func() Bound { return miwae{} }) }

// miwae is the mean of importance-weighted bounds over the groups of [Sampling]: with M groups of K samples, MIWAE(M, K). One group
// is IWAE, groups of one sample are the ELBO. The inference network's gradient is less noisy than IWAE's.
// Source: Rainforth et al. 2018, "Tighter Variational Bounds are Not Necessarily Better", eq. 7. Its PIWAE is two losses of one
// phase: iwae trains the decoder, miwae the encoder.
type miwae struct{}

func (miwae) ImportanceWeighted() bool { return true }

func (miwae) Reduce(f *Forward, terms []graph.Value) graph.Value {
	return importance(terms, samplingOf(f).groupsOf(f.Samples))
}
