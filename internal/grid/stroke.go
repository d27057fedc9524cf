package grid

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vector"
)

// Strokes, in pixels.
const (
	strokeWidth = 2.0
	dotRadius   = 3.0
)

// xy is a place in a picture, in pixels from the left and from the top.
type xy struct{ x, y float64 }

// brush draws smooth lines of one colour inside an area; what is outside of it is cut off.
type brush struct {
	area image.Rectangle
	r    *vector.Rasterizer
}

func newBrush(area image.Rectangle) *brush {
	return &brush{area, vector.NewRasterizer(area.Dx(), area.Dy())}
}

// paint lays all that was drawn on dst.
func (b *brush) paint(dst *image.RGBA, c color.RGBA) {
	b.r.Draw(dst, b.area, image.NewUniform(c), image.Point{})
}

// polygon fills a shape. All shapes turn the same way round, so that they add up where they overlap.
func (b *brush) polygon(corners ...xy) {
	at := func(p xy) (x, y float32) {
		return float32(p.x - float64(b.area.Min.X)), float32(p.y - float64(b.area.Min.Y))
	}
	b.r.MoveTo(at(corners[0]))
	for _, p := range corners[1:] {
		b.r.LineTo(at(p))
	}
	b.r.ClosePath()
}

// dot fills a circle.
func (b *brush) dot(p xy, radius float64) {
	const corners = 16
	var shape []xy
	for i := range corners {
		sin, cos := math.Sincos(-2 * math.Pi * float64(i) / corners)
		shape = append(shape, xy{p.x + radius*cos, p.y + radius*sin})
	}
	b.polygon(shape...)
}

// line draws through points, with round corners; dashes are lengths of what is drawn and what is left out in turn, none: all is drawn.
func (b *brush) line(points []xy, dashes []float64) {
	left, part := 0.0, -1 // of the dash under way; odd parts are gaps
	for i := 1; i < len(points); i++ {
		from, to, ok := b.within(points[i-1], points[i])
		length := math.Hypot(to.x-from.x, to.y-from.y)
		if !ok || length == 0 {
			continue
		}
		if len(dashes) == 0 {
			b.segment(from, to)
			continue
		}
		for done := 0.0; done < length; {
			if left <= 0 {
				part = (part + 1) % len(dashes)
				left = dashes[part]
			}
			next := min(length, done+left)
			if part%2 == 0 {
				b.segment(between(from, to, done/length), between(from, to, next/length))
			}
			left, done = left-(next-done), next
		}
	}
}

// segment draws a straight line with round ends.
func (b *brush) segment(from, to xy) {
	length := math.Hypot(to.x-from.x, to.y-from.y)
	if length > 0 {
		nx, ny := -(to.y-from.y)/length*strokeWidth/2, (to.x-from.x)/length*strokeWidth/2
		b.polygon(xy{from.x + nx, from.y + ny}, xy{to.x + nx, to.y + ny}, xy{to.x - nx, to.y - ny}, xy{from.x - nx, from.y - ny})
	}
	b.dot(to, strokeWidth/2)
}

// within is the piece of a line whose height is that of the area, or little outside; false where there is none. What lies far above
// would cost time and accuracy for nothing.
func (b *brush) within(from, to xy) (xy, xy, bool) {
	top, bottom := float64(b.area.Min.Y)-2*strokeWidth, float64(b.area.Max.Y)+2*strokeWidth
	first, last := 0.0, 1.0
	if d := to.y - from.y; d != 0 {
		enters, leaves := (top-from.y)/d, (bottom-from.y)/d
		first, last = max(first, min(enters, leaves)), min(last, max(enters, leaves))
	} else if from.y < top || from.y > bottom {
		return from, to, false
	}
	return between(from, to, first), between(from, to, last), first < last
}

// between is the place at a share of the way.
func between(from, to xy, share float64) xy {
	switch share { // exact at the ends
	case 0:
		return from
	case 1:
		return to
	}
	return xy{from.x + share*(to.x-from.x), from.y + share*(to.y-from.y)}
}
