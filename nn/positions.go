package nn

import (
	"fmt"
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// wavelengths is the base of the lengths that sinusoidal positions have, from 2π up.
const wavelengths = 10000

// positionScale is the standard deviation that learned positions and tokens start with.
// Source: Dosovitskiy et al. 2021 and He et al. 2022, as published.
const positionScale = 0.02

// addPositions adds to each time of x, N×T×D, what tells its place: nothing, sines and cosines, or the trained state positions (T×D).
func addPositions(s *Scope, kind string, x graph.Value) graph.Value {
	if x.Rank() != 3 || kind == "" || kind == "none" {
		return x
	}
	t, d := x.Dim(1), x.Dim(2)
	if kind == "learned" {
		return op.Add(x, op.Reshape(s.Param("positions", Normal(positionScale), t, d), 1, t, d))
	}
	return op.Add(x, s.Graph().Constant(graph.F32(1, t, d), sinusoids(t, d)...))
}

// addPosition adds to x, N×1×D, what addPositions adds to that time of a whole sequence.
func addPosition(s *Scope, kind string, x graph.Value, m Moment) graph.Value {
	d := x.Dim(2)
	switch kind {
	case "learned":
		return op.Add(x, m.Of(op.Reshape(s.Param("positions", Normal(positionScale), m.Length, d), 1, m.Length, d)))
	case "sinusoidal":
		return op.Add(x, m.Of(s.Graph().Constant(graph.F32(1, m.Length, d), sinusoids(m.Length, d)...)))
	}
	return x
}

// sinusoids are T×D: sin and cos of position / 10000^(2i/D), side by side.
// Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.5.
func sinusoids(t, d int) []float64 {
	p := make([]float64, t*d)
	for at := range p {
		angle := float64(at/d) / math.Pow(wavelengths, float64(at%d/2*2)/float64(d))
		if at%d%2 == 0 {
			p[at] = math.Sin(angle)
		} else {
			p[at] = math.Cos(angle)
		}
	}
	return p
}

// Grid is how many patches an image has: rows and columns.
type Grid struct{ Rows, Columns int }

// Size is the number of patches.
func (g Grid) Size() int { return g.Rows * g.Columns }

// Positions adds to each patch of x, N×(Rows·Columns)×D, what tells its place in the grid: nothing, a trained state, or
// (kind "sinusoidal") sines, then cosines, of its column in the first half of the features and of its row in the second.
// Source: He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners", appendix A.1, as published (get_2d_sincos_pos_embed).
func (g Grid) Positions(s *Scope, kind string, x graph.Value) graph.Value {
	if kind != "sinusoidal" || x.Rank() != 3 {
		return addPositions(s, kind, x)
	}
	d := x.Dim(2)
	return op.Add(x, s.Graph().Constant(graph.F32(1, g.Size(), d), g.sinusoids(d)...))
}

func (g Grid) sinusoids(d int) []float64 {
	p := make([]float64, g.Size()*d)
	quarter := d / 4
	for at := range g.Size() {
		row, column := float64(at/g.Columns), float64(at%g.Columns)
		for i := range quarter {
			omega := math.Pow(wavelengths, -float64(i)/float64(quarter))
			to := p[at*d:]
			to[i], to[quarter+i] = math.Sin(column*omega), math.Cos(column*omega)
			to[2*quarter+i], to[3*quarter+i] = math.Sin(row*omega), math.Cos(row*omega)
		}
	}
	return p
}

// checkPositions wants features that sines and cosines of two axes share out.
func checkPositions(kind string, units int) error {
	if kind == "sinusoidal" && units%4 != 0 {
		return fmt.Errorf("sinusoidal positions want units that are a multiple of 4, not %d: change units, or positions = \"learned\"", units)
	}
	return nil
}
