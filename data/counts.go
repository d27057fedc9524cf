package data

import (
	"context"
	"math"
	"math/rand/v2"

	"aetrain/configs"
	"aetrain/graph"

	"gonum.org/v1/gonum/stat/distuv"
)

func init() {
	sources.Add("counts", func() SourceOptions {
		return &Counts{Features: 200, Kinds: 8, Examples: 4000, Mean: 4, Dispersion: 2, Dropout: 0.1}
	})
}

// Counts is synthetic counts as sequencing the genes of single cells gives them, vectors of Features numbers from 0 on. Every kind
// of cell has a profile: a rate for each feature. An example multiplies its kind's profile by a size of its own (log-normal, sigma
// 0.3) and draws each count from a gamma-Poisson mixture, a negative binomial, of that mean; some counts are lost and read 0. The
// field label is the kind. The same seed draws the same counts.
// Source: Zappia, Phipson & Oshlack 2017, "Splatter: simulation of single-cell RNA sequencing data", without its groups' paths.
type Counts struct {
	Features   int     `toml:"features" min:"1" doc:"counts of an example"`
	Kinds      int     `toml:"kinds" min:"1" doc:"how many profiles of rates there are; each is a label"`
	Examples   int     `toml:"examples" min:"1" doc:"how many there are"`
	Mean       float64 `toml:"mean" min:"0.001" max:"1e6" doc:"mean count of all features"`
	Dispersion float64 `toml:"dispersion" min:"0.001" doc:"theta of the negative binomial: the variance of a count is mean + mean²/theta"`
	Dropout    float64 `toml:"dropout" min:"0" max:"1" doc:"probability that a count is lost and reads 0"`
	Draw       uint64  `toml:"draw" doc:"seed of the counts: other numbers are other ones"`
}

// Validate holds the whole set to what memory takes.
func (c *Counts) Validate() error {
	if int64(c.Examples) > largestRandom/4/int64(c.Features) || int64(c.Kinds) > largestRandom/8/int64(c.Features) {
		return configs.KeyError("examples", "%d examples of %d counts take more than %d GB", c.Examples, c.Features, largestRandom>>30)
	}
	return nil
}

// Open implements SourceOptions.
func (c *Counts) Open(ctx context.Context, _ Env) (*Parts, error) {
	s := &series{
		fields: []Field{{Name: "x", Spec: graph.F32(c.Features)}, {Name: "label", Spec: graph.I32(), Classes: c.Kinds}},
		values: [][]float32{make([]float32, c.Examples*c.Features)},
		labels: make([]int32, c.Examples),
		count:  c.Examples,
	}
	profiles := c.profiles()
	parallel(c.Examples, func(i int) {
		if ctx.Err() == nil {
			s.labels[i] = int32(i % c.Kinds)
			c.draw(s.row(0, i), profiles[i%c.Kinds], uint64(i)+1)
		}
	})
	return &Parts{Train: s}, ctx.Err()
}

// profiles are the rates of the features for each kind, whose mean over all is Mean: what features have in common times what is
// the kind's own, both log-normal.
func (c *Counts) profiles() [][]float64 {
	rng := rand.New(rand.NewPCG(c.Draw, 0))
	common := make([]float64, c.Features)
	for f := range common {
		common[f] = rng.NormFloat64()
	}
	profiles, sum := make([][]float64, c.Kinds), 0.0
	for k := range profiles {
		profiles[k] = make([]float64, c.Features)
		for f := range common {
			profiles[k][f] = math.Exp(common[f] + rng.NormFloat64())
			sum += profiles[k][f]
		}
	}
	for _, p := range profiles {
		for f := range p {
			p[f] *= c.Mean * float64(c.Features) * float64(c.Kinds) / sum
		}
	}
	return profiles
}

// draw makes one example of a profile; stream sets its numbers apart from those of others.
func (c *Counts) draw(x []float32, profile []float64, stream uint64) {
	const sizeSigma = 0.3
	source := rand.NewPCG(c.Draw, stream)
	rng := rand.New(source)
	size := math.Exp(sizeSigma * rng.NormFloat64())
	for f := range x {
		rate := distuv.Gamma{Alpha: c.Dispersion, Beta: c.Dispersion / (profile[f] * size), Src: source}.Rand()
		count := 0.0
		if rate > 0 {
			count = distuv.Poisson{Lambda: rate, Src: source}.Rand()
		}
		if rng.Float64() >= c.Dropout {
			x[f] = float32(count)
		}
	}
}
