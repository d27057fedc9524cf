package grid

import (
	"iter"
	"math"
	"slices"
)

const (
	fence        = 3     // heights of the middle half that the worse side may reach beyond it
	largestDrawn = 1e300 // beyond it differences overflow
)

// drawable reports whether a value has a place in a picture.
func drawable(v float64) bool { return math.Abs(v) <= largestDrawn } // false for NaN

// points are all points that have a place in the picture.
func (c *Chart) points() iter.Seq[Point] {
	return func(yield func(Point) bool) {
		for _, curve := range c.Curves {
			for _, piece := range curve.Pieces {
				for _, p := range piece {
					if drawable(p.Y) && drawable(p.X) && (!c.LogX || p.X > 0) && !yield(p) {
						return
					}
				}
			}
		}
	}
}

// limits are the least and the largest value that the picture shows, see [Chart.Write]; worst is the value that is furthest outside,
// NaN where all is inside. There are points.
func (c *Chart) limits(x axis) (low, high, worst float64) {
	if c.Rising { // the same, upside down
		low, high, worst = c.upsideDown().limits(x)
		return -high, -low, -worst
	}
	low, high = math.Inf(1), math.Inf(-1)
	for p := range c.points() {
		low, high = min(low, p.Y), max(high, p.Y)
	}
	all := slices.Sorted(c.heights(x))
	quarter, threeQuarters := all[len(all)/4], all[(len(all)-1)*3/4]
	shown := min(high, threeQuarters+fence*(threeQuarters-quarter))
	for _, curve := range c.Curves {
		one := Chart{LogX: c.LogX, Curves: []Curve{curve}}
		best := math.Inf(1)
		for p := range one.points() {
			best = min(best, p.Y)
		}
		if drawable(best) {
			shown = max(shown, best)
		}
	}
	for _, m := range c.Marks {
		low, high, shown = min(low, m.Value), max(high, m.Value), max(shown, m.Value)
	}
	if shown == low || shown == high { // nothing but a flat line would be left, or all is inside
		return low, high, math.NaN()
	}
	return low, shown, high
}

// upsideDown is the chart with all values negated.
func (c *Chart) upsideDown() *Chart {
	down := &Chart{LogX: c.LogX}
	for _, curve := range c.Curves {
		var pieces [][]Point
		for _, piece := range curve.Pieces {
			piece = slices.Clone(piece)
			for i := range piece {
				piece[i].Y = -piece[i].Y
			}
			pieces = append(pieces, piece)
		}
		down.Curves = append(down.Curves, Curve{curve.Name, pieces})
	}
	for _, m := range c.Marks {
		down.Marks = append(down.Marks, Mark{m.Name, -m.Value})
	}
	return down
}

// heights are the values of all curves at each column of pixels that they pass, and where they begin.
func (c *Chart) heights(x axis) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		for _, curve := range c.Curves {
			for _, piece := range curve.Pieces {
				var last Point
				column := math.NaN() // of last; NaN: it does not join the next one
				for _, p := range piece {
					if !drawable(p.Y) || !drawable(p.X) || c.LogX && !(p.X > 0) {
						column = math.NaN()
						continue
					}
					at := x.place(p.X)
					for between := math.Ceil(column); between < at; between++ { // none where column is NaN
						if !yield(last.Y + (p.Y-last.Y)*(between-column)/(at-column)) {
							return
						}
					}
					if math.IsNaN(column) && !yield(p.Y) {
						return
					}
					last, column = p, at
				}
			}
		}
	}
}
