package data

import (
	"fmt"
	"math"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Sizes of a glyph's distance field, in cells.
const (
	glyphCells  = 84 // width and height of the field
	glyphHeight = 54 // height of the glyph in it; the rest is margin for strokes that are drawn thicker
)

// glyph is a character as signed distances from its outline, negative inside, on a grid of cells: drawing it at any size,
// angle and stroke width is then one interpolated look-up a pixel. Lengths are in heights of the glyph.
type glyph struct {
	distance [glyphCells * glyphCells]float32
	centerX  float32 // centre of mass, in cells
	centerY  float32
	aspect   float32 // width over height
	stroke   float32 // half the width of its thickest stroke
}

// point is a place in the field, in cells.
type point struct{ x, y float64 }

// segment is a straight piece of an outline.
type segment struct{ a, b point }

// newGlyph computes the field of a character of a font.
func newGlyph(f *sfnt.Font, buf *sfnt.Buffer, char rune) (*glyph, error) {
	index, err := f.GlyphIndex(buf, char)
	if err != nil {
		return nil, err
	}
	if index == 0 {
		return nil, fmt.Errorf("the font has no %q", char)
	}
	outline, err := f.LoadGlyph(buf, index, fixed.I(1000), nil)
	if err != nil {
		return nil, err
	}
	lines := flatten(outline)
	if len(lines) == 0 {
		return nil, fmt.Errorf("%q has no outline", char)
	}
	g := &glyph{}
	g.aspect = float32(fit(lines))
	g.measure(lines)
	return g, nil
}

// flatten turns an outline into straight pieces, curves into curvePieces each. Coordinates are the font's, y down.
func flatten(outline sfnt.Segments) []segment {
	const curvePieces = 10
	var lines []segment
	var start, at point
	to := func(p point) {
		if p != at {
			lines = append(lines, segment{at, p})
		}
		at = p
	}
	for _, s := range outline {
		p0, p := at, [3]point{toPoint(s.Args[0]), toPoint(s.Args[1]), toPoint(s.Args[2])}
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			to(start) // closes the outline before
			start, at = p[0], p[0]
		case sfnt.SegmentOpLineTo:
			to(p[0])
		case sfnt.SegmentOpQuadTo:
			for i := 1; i <= curvePieces; i++ {
				t := float64(i) / curvePieces
				to(mix(mix(p0, p[0], t), mix(p[0], p[1], t), t))
			}
		case sfnt.SegmentOpCubeTo:
			for i := 1; i <= curvePieces; i++ {
				t := float64(i) / curvePieces
				a, b, c := mix(p0, p[0], t), mix(p[0], p[1], t), mix(p[1], p[2], t)
				to(mix(mix(a, b, t), mix(b, c, t), t))
			}
		}
	}
	to(start)
	return lines
}

func toPoint(p fixed.Point26_6) point { return point{float64(p.X) / 64, float64(p.Y) / 64} }

// mix is the point at t between a and b (de Casteljau's step). Each product is rounded by itself: some processors would
// otherwise fuse it with the sum, and the images would not be the same everywhere.
func mix(a, b point, t float64) point {
	return point{a.x + float64((b.x-a.x)*t), a.y + float64((b.y-a.y)*t)}
}

// fit scales and moves the outline to glyphHeight in the middle of the field and returns its width over its height.
func fit(lines []segment) float64 {
	low, high := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, l := range lines {
		low = point{min(low.x, l.a.x), min(low.y, l.a.y)}
		high = point{max(high.x, l.a.x), max(high.y, l.a.y)}
	}
	scale := glyphHeight / (high.y - low.y)
	midX, midY := (low.x+high.x)/2, (low.y+high.y)/2
	place := func(p point) point {
		return point{float64((p.x-midX)*scale) + glyphCells/2, float64((p.y-midY)*scale) + glyphCells/2}
	}
	for i, l := range lines {
		lines[i] = segment{place(l.a), place(l.b)}
	}
	return (high.x - low.x) / (high.y - low.y)
}

// measure fills the field with the distance of each cell's middle from the nearest piece, and finds centre of mass and stroke.
func (g *glyph) measure(lines []segment) {
	var mass, massX, massY int
	deepest := float32(0)
	for cy := range glyphCells {
		for cx := range glyphCells {
			p := point{float64(cx) + 0.5, float64(cy) + 0.5}
			nearest, winding := math.Inf(1), 0
			for _, l := range lines {
				nearest = min(nearest, squaredDistance(p, l))
				winding += crossing(p, l)
			}
			d := float32(math.Sqrt(nearest) / glyphHeight)
			if winding != 0 {
				d = -d
				mass, massX, massY = mass+1, massX+cx, massY+cy
			}
			deepest = min(deepest, d)
			g.distance[cy*glyphCells+cx] = d
		}
	}
	if mass > 0 {
		g.centerX, g.centerY = float32(massX)/float32(mass)+0.5, float32(massY)/float32(mass)+0.5
	}
	g.stroke = -deepest
}

// squaredDistance is that of p from the nearest point of l.
func squaredDistance(p point, l segment) float64 {
	dx, dy := l.b.x-l.a.x, l.b.y-l.a.y
	px, py := p.x-l.a.x, p.y-l.a.y
	t := (float64(px*dx) + float64(py*dy)) / (float64(dx*dx) + float64(dy*dy))
	t = max(0, min(1, t))
	ex, ey := px-float64(t*dx), py-float64(t*dy)
	return float64(ex*ex) + float64(ey*ey)
}

// crossing is how l winds around p: 1 or -1 if it crosses the ray from p to the right, upwards or downwards.
func crossing(p point, l segment) int {
	side := float64((l.b.x-l.a.x)*(p.y-l.a.y)) - float64((p.x-l.a.x)*(l.b.y-l.a.y))
	switch {
	case l.a.y <= p.y && l.b.y > p.y && side < 0:
		return 1
	case l.b.y <= p.y && l.a.y > p.y && side > 0:
		return -1
	}
	return 0
}

// at is the distance at a place given in cells, interpolated; beyond the field it is that of the field's edge.
func (g *glyph) at(x, y float32) float32 {
	x, y = max(0, min(glyphCells-1.001, x-0.5)), max(0, min(glyphCells-1.001, y-0.5))
	i, j := int(x), int(y)
	fx, fy := x-float32(i), y-float32(j)
	d := g.distance[j*glyphCells+i:]
	top := d[0] + float32((d[1]-d[0])*fx)
	d = d[glyphCells:]
	bottom := d[0] + float32((d[1]-d[0])*fx)
	return top + float32((bottom-top)*fy)
}
