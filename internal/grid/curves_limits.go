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

// Drawable reports whether a value has a place in a picture: it is a number, and not so large that differences overflow.
func Drawable(v float64) bool { return math.Abs(v) <= largestDrawn } // false for NaN

// draws reports whether a point has a place in the picture.
func (c *Chart) draws(p Point) bool { return Drawable(p.Y) && Drawable(p.X) && (!c.LogX || p.X > 0) }

// points are all points that have a place in the picture.
func (c *Chart) points() iter.Seq[Point] {
	return func(yield func(Point) bool) {
		for _, curve := range c.Curves {
			for _, piece := range curve.Pieces {
				for _, p := range piece {
					if c.draws(p) && !yield(p) {
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
	if c.Worse == Below { // the same, upside down
		low, high, worst = c.upsideDown().limits(x)
		return -high, -low, -worst
	}
	low, high = math.Inf(1), math.Inf(-1)
	for p := range c.points() {
		low, high = min(low, p.Y), max(high, p.Y)
	}
	shown := high
	if c.Worse == Above {
		shown = min(high, c.reach(x))
	}
	for _, m := range c.Marks {
		low, high, shown = min(low, m.Value), max(high, m.Value), max(shown, m.Value)
	}
	if shown == low || shown == high { // nothing but a flat line would be left, or all is inside
		return low, high, math.NaN()
	}
	return low, shown, high
}

// reach is how far above the picture shows of the curves at least.
func (c *Chart) reach(x axis) float64 {
	all := slices.Sorted(c.heights(x))
	quarter, threeQuarters := all[len(all)/4], all[(len(all)-1)*3/4]
	reach := threeQuarters + fence*(threeQuarters-quarter)
	for _, curve := range c.Curves {
		one := Chart{LogX: c.LogX, Curves: []Curve{curve}}
		least := math.Inf(1)
		for p := range one.points() {
			least = min(least, p.Y)
		}
		if !math.IsInf(least, 0) {
			reach = max(reach, least)
		}
		if last, has := curve.last(); has && c.draws(last) {
			reach = max(reach, last.Y)
		}
	}
	return reach
}

// last is the last point of a curve.
func (c Curve) last() (last Point, has bool) {
	for _, piece := range c.Pieces {
		if n := len(piece); n > 0 {
			last, has = piece[n-1], true
		}
	}
	return last, has
}

// upsideDown is the chart with all values negated.
func (c *Chart) upsideDown() *Chart {
	down := &Chart{LogX: c.LogX, Worse: Above}
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
					if !c.draws(p) {
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
