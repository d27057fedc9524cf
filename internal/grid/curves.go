package grid

import (
	"cmp"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"io"
	"math"
	"slices"

	"golang.org/x/image/font"
)

// Sizes of a chart, in pixels.
const (
	chartWidth  = 760 // between its axes
	chartHeight = 420
	chartMargin = 16
	chartText   = 14
	chartLine   = 20 // from one line of text to the next
	tickLength  = 5
	sampleWidth = 28 // of a line in the legend
	fewPoints   = 40 // a curve with so many points at most has a dot at each
)

var (
	gridColor  = color.RGBA{0xe4, 0xe4, 0xe4, 0xff}
	markDashes = []float64{7, 5}
	// curveDashes tell curves of one colour apart.
	curveDashes = [][]float64{nil, {14, 4}, {2, 4}}
)

// Chart is a picture of curves over one pair of axes, for [Chart.Write].
type Chart struct {
	XLabel, YLabel string
	LogX           bool // points whose X is not positive are left out
	Worse          Side // where the worse values are; see Write
	Curves         []Curve
	Marks          []Mark
}

// Side is a side of the values of a chart.
type Side int

// Sides.
const (
	Neither Side = iota
	Above
	Below
)

// Curve is a line of a chart, in pieces that are not joined.
type Curve struct {
	Name   string
	Pieces [][]Point // the points of each from left to right
}

// Point is a point of a curve.
type Point struct{ X, Y float64 }

// Mark is a dashed horizontal line.
type Mark struct {
	Name  string
	Value float64 // see [Drawable]
}

// Write draws the chart as PNG, with its legend below. Where a value is no finite number, the line has a gap and the axis a mark.
//
// The heights shown are those of all values and marks, with two exceptions. On the side of the worse values nothing is shown that lies
// further from the middle half of all values, by width in the picture, than three times that half's height, unless it is a mark or the
// best value of a curve, or its last one: for that the picture becomes ten times as high at most, or shows values twice as large. And
// on neither side values count that are a million times as large as most. So a steep beginning and an end that went astray leave the
// picture rather than pressing the rest flat; the label of the axis then tells the furthest values, and the legend which curves end
// outside. Source: Tukey 1977, "Exploratory Data Analysis", section 2D (values "far out").
func (c *Chart) Write(w io.Writer) error {
	face, err := Face(chartText)
	if err != nil {
		return err
	}
	defer face.Close()
	x, y, err := c.ranges()
	if err != nil {
		return err
	}
	gutter := chartMargin
	for _, t := range y.ticks() {
		gutter = max(gutter, chartMargin+textWidth(face, t.label)+tickLength+4)
	}
	rows := max(len(c.Curves), len(c.Marks))
	area := image.Rect(0, 0, chartWidth, chartHeight).Add(image.Pt(gutter, chartMargin+chartLine))
	picture := image.NewRGBA(image.Rect(0, 0, area.Max.X+2*chartMargin, area.Max.Y+(2+rows)*chartLine+2*chartMargin))
	draw.Draw(picture, picture.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	p := &plate{picture, area, face, x, y}
	p.axes(c)
	for i, m := range c.sortedMarks() {
		b := newBrush(area)
		b.line([]xy{{float64(area.Min.X), p.row(m.Value)}, {float64(area.Max.X), p.row(m.Value)}}, markDashes)
		b.paint(picture, c.markColor(i))
	}
	for i, curve := range c.Curves {
		p.curve(curve, i)
	}
	p.legend(c)
	return encode(w, picture)
}

// sortedMarks are the marks from top to bottom, as the legend lists them.
func (c *Chart) sortedMarks() []Mark {
	return slices.SortedStableFunc(slices.Values(c.Marks), func(a, b Mark) int { return cmp.Compare(b.Value, a.Value) })
}

// markColor goes on where the curves' colours end.
func (c *Chart) markColor(i int) color.RGBA { return lineColors[(len(c.Curves)+i)%len(lineColors)] }

// ranges finds what the picture shows.
func (c *Chart) ranges() (x, y axis, err error) {
	low, high := math.Inf(1), math.Inf(-1)
	for p := range c.points() {
		low, high = min(low, p.X), max(high, p.X)
	}
	if low > high {
		return x, y, errors.New("grid: no finite values, there is nothing to draw")
	}
	x = newAxis(low, high, c.LogX, chartWidth)
	bottom, top := c.usual().limits(x)
	return x, newAxis(bottom, top, false, chartHeight), nil
}

// plate is a chart being drawn.
type plate struct {
	picture *image.RGBA
	area    image.Rectangle // between the axes
	face    font.Face
	x, y    axis
}

// column and row are where a value stands in the picture, at the middle of a pixel.
func (p *plate) column(x float64) float64 { return float64(p.area.Min.X) + p.x.place(x) + 0.5 }
func (p *plate) row(y float64) float64    { return float64(p.area.Max.Y) - p.y.place(y) - 0.5 }

// fill draws a rectangle.
func (p *plate) fill(x0, y0, x1, y1 int, c color.RGBA) {
	draw.Draw(p.picture, image.Rect(x0, y0, x1, y1), image.NewUniform(c), image.Point{}, draw.Src)
}

// axes draws both axes with their ticks and labels.
func (p *plate) axes(c *Chart) {
	a := p.area
	free := math.MinInt // behind the last label
	for _, t := range p.x.ticks() {
		at := int(p.column(t.value))
		if t.label == "" {
			p.fill(at, a.Max.Y, at+1, a.Max.Y+tickLength/2, ink)
			continue
		}
		p.fill(at, a.Min.Y, at+1, a.Max.Y, gridColor)
		p.fill(at, a.Max.Y, at+1, a.Max.Y+tickLength, ink)
		half := textWidth(p.face, t.label) / 2
		if at-half > free {
			Text(p.picture, p.face, at-half, a.Max.Y+chartLine, t.label)
			free = at + half + 4
		}
	}
	for _, t := range p.y.ticks() {
		at := int(p.row(t.value))
		p.fill(a.Min.X, at, a.Max.X, at+1, gridColor)
		p.fill(a.Min.X-tickLength, at, a.Min.X, at+1, ink)
		Text(p.picture, p.face, a.Min.X-tickLength-4-textWidth(p.face, t.label), at+chartText/3, t.label)
	}
	p.fill(a.Min.X-1, a.Min.Y, a.Min.X, a.Max.Y+1, ink)
	p.fill(a.Min.X-1, a.Max.Y, a.Max.X, a.Max.Y+1, ink)
	Text(p.picture, p.face, chartMargin, chartMargin+chartText/2, fitted(p.face, c.YLabel+c.outside(p.y), p.picture.Rect.Dx()-2*chartMargin))
	Text(p.picture, p.face, a.Min.X+(a.Dx()-textWidth(p.face, c.XLabel))/2, a.Max.Y+2*chartLine, c.XLabel)
}

// curve draws the i-th curve.
func (p *plate) curve(c Curve, i int) {
	b := newBrush(p.area)
	n := 0
	for _, piece := range c.Pieces {
		n += len(piece)
	}
	for _, piece := range c.Pieces {
		var run []xy // points without a gap between them
		end := func() {
			b.line(run, curveDashes[i/len(lineColors)%len(curveDashes)])
			for _, at := range run {
				if (n <= fewPoints || len(run) == 1) && p.shows(at) {
					b.dot(at, dotRadius)
				}
			}
			run = nil
		}
		for _, point := range piece {
			switch {
			case p.x.log && !(point.X > 0):
			case Drawable(point.Y):
				run = append(run, xy{p.column(point.X), p.row(point.Y)})
			default:
				end()
				p.gap(point.X)
			}
		}
		end()
	}
	b.paint(p.picture, lineColors[i%len(lineColors)])
}

// shows reports whether a place is one of the axis of y.
func (p *plate) shows(at xy) bool {
	return at.y >= float64(p.area.Min.Y) && at.y <= float64(p.area.Max.Y)
}

// gap marks the place of a value that is no finite number, where the axis reaches it.
func (p *plate) gap(x float64) {
	if x >= p.x.low && x <= p.x.high {
		at := int(p.column(x))
		p.fill(at, p.area.Max.Y-2*tickLength, at+1, p.area.Max.Y, notANumber)
	}
}

// legend names the curves, and beside them the marks.
func (p *plate) legend(c *Chart) {
	top, left := p.area.Max.Y+2*chartLine+chartMargin, p.area.Min.X
	width := p.area.Dx()
	if len(c.Marks) > 0 {
		width /= 2
	}
	entry := func(x, row int, name string, colour color.RGBA, dashes []float64) {
		y := top + row*chartLine
		b := newBrush(image.Rect(x, y, x+sampleWidth, y+chartLine))
		b.line([]xy{{float64(x), float64(y + chartLine/2)}, {float64(x + sampleWidth), float64(y + chartLine/2)}}, dashes)
		b.paint(p.picture, colour)
		Text(p.picture, p.face, x+sampleWidth+8, y+chartLine/2+chartText/3, fitted(p.face, name, width-sampleWidth-16))
	}
	for i, curve := range c.Curves {
		entry(left, i, curve.Name+curve.end(p.y), lineColors[i%len(lineColors)], curveDashes[i/len(lineColors)%len(curveDashes)])
	}
	for i, m := range c.sortedMarks() {
		entry(left+width, i, m.Name, c.markColor(i), markDashes)
	}
}
