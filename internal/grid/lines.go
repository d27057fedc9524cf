package grid

import (
	"image"
	"image/color"
	"image/draw"
	"math"
)

// Size of a line plot, in pixels, its margin included.
const (
	plotWidth  = 192
	plotHeight = 72
	plotMargin = 4
)

var (
	paper = color.RGBA{255, 255, 255, 255}
	// lineColors are told apart with any colour vision. Source: Okabe & Ito 2008, "Color Universal Design".
	lineColors = []color.RGBA{
		{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {230, 159, 0, 255}, {86, 180, 233, 255},
	}
)

// plots draws vectors D, or series T×C with a line for each channel.
type plots struct {
	*values
	length, channels int
	low, high        float64
}

func newPlots(v *values, o Options, all []*values) *plots {
	p := &plots{values: v, length: v.shape[0], channels: 1, low: o.Low, high: o.High}
	if len(v.shape) == 2 {
		p.channels = v.shape[1]
	}
	if !o.given() {
		p.low, p.high = extent(all)
	}
	return p
}

// extent is the range of all finite numbers, widened where they are all the same.
func extent(all []*values) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range all {
		for i := range v.n * v.each {
			if x := v.at(i); !math.IsNaN(x) && !math.IsInf(x, 0) {
				low, high = min(low, x), max(high, x)
			}
		}
	}
	switch {
	case low > high: // none
		return 0, 1
	case low == high:
		return low - 0.5, high + 0.5
	}
	return low, high
}

func (p *plots) size() (width, height int) { return plotWidth, plotHeight }

func (p *plots) draw(dst *image.RGBA, at image.Point, i int) {
	area := image.Rectangle{at, at.Add(image.Pt(plotWidth, plotHeight))}
	draw.Draw(dst, area, image.NewUniform(paper), image.Point{}, draw.Src)
	inner := area.Inset(plotMargin)
	for c := range p.channels {
		p.line(dst, inner, i*p.each+c, lineColors[c%len(lineColors)])
	}
}

// line draws element first, first+channels, ... as one line through area: in each column of pixels the span between the least and the
// greatest value there, so that a short series is connected and a long one keeps its peaks. What is no finite number leaves a mark at
// the bottom.
func (p *plots) line(dst *image.RGBA, area image.Rectangle, first int, c color.RGBA) {
	columns := area.Dx()
	for x := range columns {
		from, to := p.moment(x, columns), p.moment(x+1, columns)
		low, high := math.Inf(1), math.Inf(-1)
		see := func(v float64) { low, high = min(low, v), max(high, v) } // NaN stays NaN
		see(p.between(first, from))
		see(p.between(first, to))
		for t := int(math.Ceil(from)); t <= int(to); t++ {
			see(p.at(first + t*p.channels))
		}
		if math.IsNaN(low-high) || math.IsInf(low-high, 0) {
			dst.SetRGBA(area.Min.X+x, area.Max.Y-1, notANumber)
			continue
		}
		for y := p.row(high, area.Dy()); y <= p.row(low, area.Dy()); y++ {
			dst.SetRGBA(area.Min.X+x, area.Min.Y+y, c)
		}
	}
}

// moment is the place in the series of the left edge of a column of pixels: 0 to length-1.
func (p *plots) moment(x, columns int) float64 {
	return float64(p.length-1) * float64(x) / float64(columns)
}

// between is the value at a moment, on the straight line between its neighbours.
func (p *plots) between(first int, moment float64) float64 {
	t := int(moment)
	a := p.at(first + t*p.channels)
	if f := moment - float64(t); f > 0 {
		return a + f*(p.at(first+(t+1)*p.channels)-a)
	}
	return a
}

// row is the row of pixels of a value, 0 at the top.
func (p *plots) row(v float64, rows int) int {
	share := max(0, min(1, (p.high-v)/(p.high-p.low)))
	if math.IsNaN(share) { // a range beyond float64
		share = 1
	}
	return int(math.Round(share * float64(rows-1)))
}
