package grid

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// drawn is a chart read back, and where its axes are.
type drawn struct {
	image.Image
	t    *testing.T
	area image.Rectangle
}

func drawChart(t *testing.T, c Chart) drawn {
	t.Helper()
	p := drawn{t: t, Image: picture(t, func(b *bytes.Buffer) error { return c.Write(b) })}
	size := p.Bounds().Size()
	run := func(n int, at func(i int) color.RGBA) (longest, end int) { // of ink
		for i, length := 0, 0; i < n; i++ {
			if length++; at(i) != ink {
				length = 0
			}
			if length > longest {
				longest, end = length, i+1
			}
		}
		return longest, end
	}
	for x := range size.X { // the axis of y is the first long column
		if n, end := run(size.Y, func(y int) color.RGBA { return p.at(x, y) }); n > chartHeight {
			p.area = image.Rect(x+1, end-n, x+1, end-1)
			break
		}
	}
	_, p.area.Max.X = run(size.X, func(x int) color.RGBA { return p.at(x, p.area.Max.Y) })
	if p.area.Dx() != chartWidth || p.area.Dy() != chartHeight {
		t.Fatalf("the axes enclose %v, want %dx%d", p.area, chartWidth, chartHeight)
	}
	return p
}

func (p drawn) at(x, y int) color.RGBA { return color.RGBAModel.Convert(p.At(x, y)).(color.RGBA) }

// spot is the pixel at shares of the axes, from the left and from the bottom.
func (p drawn) spot(x, y float64) (column, row int) {
	place := func(share float64, pixels int) int {
		return axisPad + int(math.Round(share*float64(pixels-1-2*axisPad)))
	}
	return p.area.Min.X + place(x, chartWidth), p.area.Max.Y - 1 - place(y, chartHeight)
}

// has reports whether a colour stands within two pixels of a spot.
func (p drawn) has(x, y float64, c color.RGBA) bool {
	column, row := p.spot(x, y)
	return p.count(image.Rect(column-2, row-2, column+3, row+3), c) > 0
}

func (p drawn) count(r image.Rectangle, c color.RGBA) int {
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if p.at(x, y) == c {
				n++
			}
		}
	}
	return n
}

func points(xy ...float64) []Point {
	var p []Point
	for i := 0; i < len(xy); i += 2 {
		p = append(p, Point{xy[i], xy[i+1]})
	}
	return p
}

func one(xy ...float64) []Curve { return []Curve{{"a", [][]Point{points(xy...)}}} }

func TestCurvesStandWhereTheyBelong(t *testing.T) {
	c := Chart{XLabel: "epoch", YLabel: "loss", Curves: []Curve{
		{"falls", [][]Point{points(0, 100, 10, 0)}},
		{"two pieces", [][]Point{points(0, 0, 4, 40), points(6, 60, 10, 100)}},
	}}
	p := drawChart(t, c)
	for _, s := range []struct {
		x, y  float64
		color color.RGBA
		want  bool
	}{
		{0, 1, lineColors[0], true}, {0.25, 0.75, lineColors[0], true}, {1, 0, lineColors[0], true},
		{0.25, 0.25, lineColors[1], true}, {0.75, 0.75, lineColors[1], true},
		{0.45, 0.45, lineColors[1], false}, // between the pieces
		{0.45, 0.55, lineColors[0], true}, {0.25, 0.25, lineColors[0], false}, {0.75, 0.75, lineColors[0], false},
	} {
		if got := p.has(s.x, s.y, s.color); got != s.want {
			t.Errorf("at %v, %v of the axes: colour %v there is %v, want %v", s.x, s.y, s.color, got, s.want)
		}
	}
	c = Chart{LogX: true, Curves: one(-1, 9, 0, 9, 1, 0, 10, 1, 100, 0)} // what is not positive has no place
	if p := drawChart(t, c); !p.has(0.5, 1, lineColors[0]) || !p.has(0.25, 0.5, lineColors[0]) || !p.has(0, 0, lineColors[0]) {
		t.Error("on a logarithmic axis 10 is not half way from 1 to 100")
	}
}

// A mark lies across the picture at its height, dashed, and the legend tells all lines.
func TestMarksAndLegend(t *testing.T) {
	c := Chart{Curves: one(0, 100, 10, 50), Marks: []Mark{{"low", 0}, {"middle", 75}}}
	c.Curves[0].Name = "the name of a curve"
	p := drawChart(t, c)
	shades := []color.RGBA{lineColors[1], lineColors[2]} // from top to bottom
	for i, height := range []float64{0.75, 0} {
		_, row := p.spot(0, height)
		n := p.count(image.Rect(p.area.Min.X, row, p.area.Max.X, row+1), shades[i])
		if n < chartWidth*5/12 || n > chartWidth*8/12 { // 7 of 12 but for the grid's lines and soft ends
			t.Errorf("at height %v %d of %d pixels have the mark's colour", height, n, chartWidth)
		}
		if p.count(image.Rect(p.area.Min.X, row-6, p.area.Max.X, row-3), shades[i]) > 0 {
			t.Errorf("the mark at height %v is elsewhere, too", height)
		}
	}
	below := image.Rect(0, p.area.Max.Y+2*chartLine, p.Bounds().Dx(), p.Bounds().Dy())
	middle := p.area.Min.X + chartWidth/2
	left, right := below, below
	left.Max.X, right.Min.X = middle, middle
	samples := [3]int{p.count(left, lineColors[0]), p.count(right, shades[0]), p.count(right, shades[1])}
	if samples[0] < sampleWidth || samples[1] < sampleWidth/3 || samples[2] < sampleWidth/3 || samples[1] >= samples[0] {
		t.Errorf("the legend's lines have %v pixels, want three, the second and the third dashed", samples)
	}
	if p.count(left, shades[0])+p.count(left, shades[1])+p.count(right, lineColors[0]) > 0 {
		t.Error("the legend has curves and marks in each other's column")
	}
	for i, half := range []image.Rectangle{left, right} {
		names := half.Size().X*half.Size().Y - p.count(half, paper) - sampleWidth*4
		if names < 80 {
			t.Errorf("half %d of the legend has no names: %d pixels", i, names)
		}
	}
}

func TestNotANumber(t *testing.T) {
	nan := math.NaN()
	p := drawChart(t, Chart{Curves: one(0, 0, 4, 1, 5, nan, 6, 1, 7, math.Inf(1), 8, 0, 10, 1)})
	for share, want := range map[float64]bool{0.4: true, 0.45: false, 0.5: false, 0.6: true, 0.65: false, 0.9: true} {
		column, _ := p.spot(share, 0)
		if got := p.count(image.Rect(column, p.area.Min.Y, column+1, p.area.Max.Y), lineColors[0]) > 0; got != want {
			t.Errorf("at %v of the axis there is a line: %v, want %v", share, got, want)
		}
	}
	for _, share := range []float64{0.5, 0.7} {
		column, _ := p.spot(share, 0)
		if p.count(image.Rect(column-1, p.area.Max.Y-2*tickLength, column+2, p.area.Max.Y), notANumber) == 0 {
			t.Errorf("nothing marks what is no number at %v of the axis", share)
		}
	}
}

// What is shown: all, unless far worse values would press the rest flat.
func TestLimits(t *testing.T) {
	curve := func(f func(x float64) float64) []Point {
		var p []Point
		for x := range 101 {
			p = append(p, Point{float64(x), f(float64(x))})
		}
		return p
	}
	steep := curve(func(x float64) float64 { return 90 + 10*math.Exp(-x/40) + 1e4*math.Exp(-x) })
	spike := curve(func(x float64) float64 {
		if x > 90 && x < 95 {
			return 1e9
		}
		return 100 - x/10
	})
	diverged := curve(func(x float64) float64 { return 100 - x/10 + 1e3*max(0, x-95) })
	astray := curve(func(x float64) float64 { return 100 - x/10 + 30*max(0, x-95) })
	exploded := curve(func(x float64) float64 { return 100 - x/10 + math.Pow(10, 5*max(0, x-94)) })
	late := curve(func(x float64) float64 { return 0.2 + 0.005*math.Mod(x, 5) + 0.03*max(0, x-80) }) // as a share of right tokens may rise
	negated := curve(func(x float64) float64 { return -steep[int(x)].Y })
	last := steep[100].Y
	up := func(v float64) string {
		return " (up to " + strconv.FormatFloat(v, 'g', 4, 64) + ", outside of the picture)"
	}
	for _, c := range []struct {
		name                 string
		worse                Side
		curves               []Curve
		marks                []Mark
		low, lowest, highest float64 // the bottom, and between which two the top
		outside              string  // what the label of the axis says
	}{
		{name: "a line", worse: Above, curves: one(0, 10, 100, 0), low: 0, lowest: 10, highest: 10, outside: ""},
		{name: "a huge first value", worse: Above, curves: []Curve{{"", [][]Point{steep}}}, low: last, lowest: 100, highest: 120, outside: up(steep[0].Y)},
		{name: "what went wrong for a while", worse: Above, curves: []Curve{{"", [][]Point{spike}}}, low: 90, lowest: 100, highest: 120, outside: up(1e9)},
		{name: "an end that went wrong is kept", worse: Above, curves: []Curve{{"", [][]Point{astray}}}, low: 90.5, lowest: 240, highest: 240, outside: ""},
		{name: "but not one that leaves nothing of the rest", worse: Above, curves: []Curve{{"", [][]Point{diverged}}}, low: 90.5, lowest: 100, highest: 120, outside: up(5090)},
		{name: "an end that exploded", worse: Above, curves: []Curve{{"", [][]Point{exploded}}}, low: 91.6, lowest: 100, highest: 120, outside: up(1e30)},
		{name: "one that is neither", worse: Neither, curves: []Curve{{"", [][]Point{exploded}}}, low: 91.6, lowest: 100090, highest: 100100, outside: up(1e30)},
		{name: "an end that seems too good", worse: Above, curves: []Curve{{"", [][]Point{points(0, 100, 50, 95, 99, 90, 100, -1e30)}}}, low: 90, lowest: 100, highest: 100,
			outside: " (down to -1e+30, outside of the picture)"},
		{name: "a run of vast values alone", worse: Above, curves: one(0, 1e30, 100, 2e29), low: 2e29, lowest: 1e30, highest: 1e30, outside: ""},
		{name: "a run of vast values beside one of usual ones", worse: Above, curves: append(one(0, 1e30, 100, 2e29), Curve{"", [][]Point{points(0, 10, 100, 0)}}),
			low: 0, lowest: 10, highest: 10, outside: up(1e30)},
		{name: "a vast mark was asked for", worse: Above, curves: one(0, 10, 100, 0), marks: []Mark{{"", 1e30}}, low: 0, lowest: 1e30, highest: 1e30, outside: ""},
		{name: "so is one behind worse values", worse: Above, curves: []Curve{{"", [][]Point{spike, points(101, 300)}}}, low: 90, lowest: 300, highest: 300, outside: up(1e9)},
		{name: "an end that is no number", worse: Above, curves: []Curve{{"", [][]Point{spike, points(101, math.NaN())}}}, low: 90, lowest: 100, highest: 120, outside: up(1e9)},
		{name: "a late rise", worse: Below, curves: []Curve{{"", [][]Point{late}}}, low: 0.2, lowest: late[100].Y, highest: late[100].Y, outside: ""},
		{name: "a late rise that is neither", worse: Neither, curves: []Curve{{"", [][]Point{late}}}, low: 0.2, lowest: late[100].Y, highest: late[100].Y, outside: ""},
		{name: "a steep beginning that is neither", worse: Neither, curves: []Curve{{"", [][]Point{steep}}}, low: last, lowest: steep[0].Y, highest: steep[0].Y, outside: ""},
		{name: "a drop at the end is kept", worse: Above, curves: one(0, 100, 98, 99.9, 99, 3, 100, 3), low: 3, lowest: 100, highest: 100, outside: ""},
		{name: "a mark far below and one far above", worse: Above, curves: []Curve{{"", [][]Point{steep}}}, marks: []Mark{{"", 10}, {"", 5000}},
			low: 10, lowest: 5000, highest: 5000, outside: up(steep[0].Y)},
		{name: "a short run far above keeps its best", worse: Above, curves: []Curve{{"", [][]Point{steep}}, {"", [][]Point{points(0, 900, 1, 400)}}},
			low: last, lowest: 400, highest: 400, outside: up(steep[0].Y)},
		{name: "a short run alone", worse: Above, curves: one(1, 543, 2, 200), low: 200, lowest: 543, highest: 543, outside: ""},
		{name: "flat but for its beginning", worse: Above, curves: one(0, 9, 1, 5, 100, 5), low: 5, lowest: 9, highest: 9, outside: ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			chart := Chart{Worse: c.worse, Curves: c.curves, Marks: c.marks}
			low, high := chart.usual().limits(newAxis(0, 100, false, chartWidth))
			outside := chart.outside(axis{low: low, high: high})
			if low != c.low || high < c.lowest || high > c.highest || outside != c.outside {
				t.Errorf("from %v to %v, label %q; want from %v to %v (or as far as %v), label %q", low, high, outside, c.low, c.lowest, c.highest, c.outside)
			}
		})
	}
	rising := Chart{Worse: Below, Curves: []Curve{{"", [][]Point{negated}}}}
	low, high := rising.usual().limits(newAxis(0, 100, false, chartWidth))
	if outside := rising.outside(axis{low: low, high: high}); high != -last || low > -100 || low < -120 || outside != " (down to -1.01e+04, outside of the picture)" {
		t.Errorf("where larger is better: from %v to %v, label %q", low, high, outside)
	}
	p := drawChart(t, Chart{Worse: Above, Curves: []Curve{{"", [][]Point{steep}}}})
	top := p.count(image.Rect(p.area.Min.X, p.area.Min.Y, p.area.Max.X, p.area.Min.Y+1), lineColors[0])
	half := p.count(image.Rect(p.area.Min.X+chartWidth/8, p.area.Min.Y, p.area.Max.X, p.area.Max.Y-chartHeight/4), lineColors[0])
	if top == 0 || half < 20 {
		t.Errorf("the steep beginning leaves the picture: %v; the rest is above its lowest quarter with %d pixels", top > 0, half)
	}
}

// The legend tells which curves end outside, and nothing is drawn where they do.
func TestCurvesThatEndOutside(t *testing.T) {
	gone := Curve{"gone", [][]Point{points(0, 100, 5, 92, 9, 91, 10, 1e30)}}
	c := Chart{Worse: Above, Curves: []Curve{gone, {"fine", [][]Point{points(0, 100, 5, 94, 10, 90)}}}}
	p := drawChart(t, c)
	if !p.has(0.5, 0.2, lineColors[0]) || !p.has(0.5, 0.4, lineColors[1]) || !p.has(0.9, 1, lineColors[0]) || p.has(1, 1, lineColors[0]) {
		t.Error("the curves do not fill the picture, or the one that leaves it does so elsewhere than at the top where its last value stands")
	}
	y := axis{low: 90, high: 100}
	for want, value := range map[string]float64{"": 95, ", above the picture": 1e30, ", below the picture": 80} {
		if got := one(0, 95, 10, value)[0].end(y); got != want {
			t.Errorf("of a curve that ends at %v the legend says %q, want %q", value, got, want)
		}
	}
	if got := (Curve{}).end(axis{low: -9, high: -8}) + one(0, math.NaN())[0].end(y); got != "" {
		t.Errorf("of curves without an end the legend says %q", got)
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		log       bool
		want      string
	}{
		{84, 119, false, "85 90 95 100 105 110 115"},
		{0, 1, false, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{-0.02, 0.01, false, "-0.020 -0.015 -0.010 -0.005 0.000 0.005 0.010"},
		{0, 4e7, false, "0 1e+07 2e+07 3e+07 4e+07"},
		{1, 123, true, "1 2 5 10 20 50 100"},
		{0.3, 40, true, "0.5 1 2 5 10 20"},
		{0.1, 1e5, true, "0.1 1 10 100 1000 10000 100000"},
		{130, 180, true, "130 140 150 160 170 180"}, // too little for powers of ten
		{1, 1e7, true, "1e+00 1e+01 1e+02 1e+03 1e+04 1e+05 1e+06 1e+07"},
		{1e-5, 1e-3, true, "1e-05 2e-05 5e-05 1e-04 2e-04 5e-04 1e-03"},
		{1.69308, 1.69315, false, "1.69308 1.69310 1.69312 1.69314"},
		{1234501, 1234569, false, "1234510 1234520 1234530 1234540 1234550 1234560"},
		{980000, 1060000, false, "980000 1000000 1020000 1040000 1060000"},
		{-2e6, 5e6, false, "-2e+06 -1e+06 0 1e+06 2e+06 3e+06 4e+06 5e+06"},
		{1.001e-5, 1.006e-5, false, "1.001e-05 1.002e-05 1.003e-05 1.004e-05 1.005e-05 1.006e-05"},
		{-1e300, 1e300, false, "-1.0e+300 -5.0e+299 0 5.0e+299 1.0e+300"},
		{1, math.Nextafter(1, 2), false, "0.990 0.995 1.000 1.005 1.010"}, // as at 1 alone
		{1 << 53, 1<<53 + 2, false, "8.95e+15 9.00e+15 9.05e+15"},
		{0, math.SmallestNonzeroFloat64, false, "-0.0010 -0.0005 0.0000 0.0005 0.0010"},
	} {
		a := newAxis(c.low, c.high, c.log, 500)
		var got []string
		for _, x := range a.ticks() {
			if at := a.place(x.value); at < axisPad-1e-6 || at > 500-axisPad {
				t.Errorf("%v to %v: %v stands at %v", c.low, c.high, x.value, at)
			}
			if x.label != "" {
				got = append(got, x.label)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v to %v: ticks %v, want %s", c.low, c.high, got, c.want)
		}
		if different := slices.Compact(slices.Clone(got)); len(different) != len(got) {
			t.Errorf("%v to %v: of the ticks %v some are alike", c.low, c.high, got)
		}
	}
}

// Nothing that can be drawn panics, and what cannot be drawn says so.
func TestOddCharts(t *testing.T) {
	nan := math.NaN()
	var many []Curve
	for i := range 20 {
		many = append(many, Curve{strings.Repeat("a long name ", 30) + fmt.Sprint(i), [][]Point{points(0, float64(i), 1, float64(2*i))}})
	}
	for name, c := range map[string]Chart{
		"one point":           {Curves: one(3, 5)},
		"one point at 0":      {Curves: one(0, 0)},
		"one point, log":      {LogX: true, Curves: one(3, 5)},
		"a curve of nothing":  {Curves: append(one(1, 2, 3, 4), Curve{Name: "none"}, Curve{"nan", [][]Point{points(1, nan)}})},
		"vast values":         {Curves: one(0, 1e308, 1, -1e308, 2, 5, 3, -1e300, 4, 1e300)},
		"one x":               {Curves: one(1, 2, 1, 3)},
		"many long names":     {XLabel: "x", YLabel: strings.Repeat("y", 400), Curves: many},
		"many marks, one run": {Curves: one(0, 1, 1, 0), Marks: slices.Repeat([]Mark{{"m", 0.5}}, 9)},
		"tiny differences":    {Curves: one(0, 1, 1, math.Nextafter(1, 2))},
	} {
		t.Run(name, func(t *testing.T) { drawChart(t, c) })
	}
	for name, c := range map[string]Chart{"no curve": {}, "no number": {Curves: one(0, nan)}, "nothing positive": {LogX: true, Curves: one(0, 1)}} {
		if err := c.Write(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "nothing to draw") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := Chart{Curves: one(0, 1, 1, 0)}
	if err := c.Write(full{}); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("a full disk: %v", err)
	}
}

// Of a name that is too long the beginning and the end are kept.
func TestFitted(t *testing.T) {
	face, err := Face(chartText)
	if err != nil {
		t.Fatal(err)
	}
	defer face.Close()
	if got := fitted(face, "short", 200); got != "short" {
		t.Errorf("got %q", got)
	}
	got := fitted(face, "begin-"+strings.Repeat("x", 300)+"-end", 200)
	if !strings.HasPrefix(got, "begin-x") || !strings.HasSuffix(got, "x-end") || !strings.Contains(got, "…") || textWidth(face, got) > 200 || textWidth(face, got) < 180 {
		t.Errorf("got %q of %d pixels", got, textWidth(face, got))
	}
}
