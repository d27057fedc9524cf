package grid

import (
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
)

const (
	fence        = 3     // heights of the middle half that the worse side may reach beyond it
	stretch      = 10    // how many times as high the picture becomes at most for the last value of a curve
	vast         = 1e6   // how many times as large as the smaller values, or as 1, what counts may be
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

// extremes are the least and the largest value.
func (c *Chart) extremes() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for p := range c.points() {
		low, high = min(low, p.Y), max(high, p.Y)
	}
	return low, high
}

// usual is the chart without values so large that beside them nothing else could be seen. There are points, and some are left.
func (c *Chart) usual() *Chart {
	var sizes []float64
	for p := range c.points() {
		sizes = append(sizes, math.Abs(p.Y))
	}
	slices.Sort(sizes)
	most := vast * max(1, sizes[len(sizes)/10])
	usual := c.replaced(func(v float64) float64 {
		if math.Abs(v) > most {
			return math.NaN()
		}
		return v
	})
	usual.Marks = c.Marks // which were asked for
	return usual
}

// limits are the least and the largest value that the picture shows, see [Chart.Write]. There are points.
func (c *Chart) limits(x axis) (low, high float64) {
	if c.Worse == Below { // the same, upside down
		down := c.replaced(func(v float64) float64 { return -v })
		down.Worse = Above
		low, high = down.limits(x)
		return -high, -low
	}
	low, high = c.extremes()
	shown := high
	if c.Worse == Above {
		shown = min(high, c.reach(x, low))
	}
	for _, m := range c.Marks {
		low, high, shown = min(low, m.Value), max(high, m.Value), max(shown, m.Value)
	}
	if shown == low { // nothing but a flat line would be left
		return low, high
	}
	return low, shown
}

// reach is how far above the picture shows of the curves at least; low is where it begins.
func (c *Chart) reach(x axis, low float64) float64 {
	all := slices.Sorted(c.heights(x))
	quarter, threeQuarters := all[len(all)/4], all[(len(all)-1)*3/4]
	reach := threeQuarters + fence*(threeQuarters-quarter)
	for _, curve := range c.Curves {
		one := Chart{LogX: c.LogX, Curves: []Curve{curve}}
		if best, _ := one.extremes(); !math.IsInf(best, 0) {
			reach = max(reach, best)
		}
	}
	most := low + max(stretch*(reach-low), math.Abs(reach))
	for _, curve := range c.Curves {
		if last, has := curve.last(); has && c.draws(last) && last.Y <= most {
			reach = max(reach, last.Y)
		}
	}
	return reach
}

// outside says, for the label of the axis, how far values lie outside of it: " (up to 1e+30, outside of the picture)".
func (c *Chart) outside(y axis) string {
	low, high := c.extremes()
	var ends []string
	if low < y.low {
		ends = append(ends, "down to "+strconv.FormatFloat(low, 'g', 4, 64))
	}
	if high > y.high {
		ends = append(ends, "up to "+strconv.FormatFloat(high, 'g', 4, 64))
	}
	if len(ends) == 0 {
		return ""
	}
	return " (" + strings.Join(ends, " and ") + ", outside of the picture)"
}

// end says, for the legend, that the curve ends outside of the axis.
func (c Curve) end(y axis) string {
	last, has := c.last()
	switch {
	case !has || !Drawable(last.Y):
		return ""
	case last.Y > y.high:
		return ", above the picture"
	case last.Y < y.low:
		return ", below the picture"
	}
	return ""
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

// replaced is the chart with other values and marks.
func (c *Chart) replaced(f func(v float64) float64) *Chart {
	other := &Chart{LogX: c.LogX, Worse: c.Worse}
	for _, curve := range c.Curves {
		var pieces [][]Point
		for _, piece := range curve.Pieces {
			piece = slices.Clone(piece)
			for i := range piece {
				piece[i].Y = f(piece[i].Y)
			}
			pieces = append(pieces, piece)
		}
		other.Curves = append(other.Curves, Curve{curve.Name, pieces})
	}
	for _, m := range c.Marks {
		other.Marks = append(other.Marks, Mark{m.Name, f(m.Value)})
	}
	return other
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
