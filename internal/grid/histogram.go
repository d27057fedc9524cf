package grid

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
	"math"
	"slices"
)

// Size of a histogram, in pixels, its margin included; bars are barWidth wide.
const (
	histogramWidth  = 488
	histogramHeight = 148
	barWidth        = 4
)

// markColor is that of the mark, which lies across the bars.
var markColor = color.RGBA{0, 0, 0, 255}

// WriteHistogram draws how often values occur as a PNG: a colour for each group of values, on one scale, each group as high as the
// picture where it is most frequent (groups may differ a hundredfold in size), and a vertical line at mark unless it is NaN. The scale is
// logarithmic where all values are positive. What is largest of all, the last hundredth of a group, stands in the last bar, so that one
// far value leaves the others apart; what is no finite number stands nowhere.
func WriteHistogram(w io.Writer, groups [][]float64, mark float64) error {
	groups, mark = scaled(groups, mark)
	low, high := span(groups, mark)
	if !(high > low) {
		return fmt.Errorf("grid: no values that differ, there is nothing to draw")
	}
	picture := image.NewRGBA(image.Rect(0, 0, histogramWidth, histogramHeight))
	draw.Draw(picture, picture.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	area := picture.Rect.Inset(plotMargin)
	bars := area.Dx() / barWidth
	for g, values := range groups {
		drawBars(picture, area, counts(values, low, high, bars), lineColors[g%len(lineColors)])
	}
	if !math.IsNaN(mark) {
		x := area.Min.X + int(math.Round((mark-low)/(high-low)*float64(area.Dx()-1)))
		draw.Draw(picture, image.Rect(x, area.Min.Y, x+1, area.Max.Y), image.NewUniform(markColor), image.Point{}, draw.Src)
	}
	return encode(w, picture)
}

// scaled are the finite values, and the mark, as they are placed: their logarithms where all of them are positive.
func scaled(groups [][]float64, mark float64) ([][]float64, float64) {
	positive := !(mark <= 0)
	finite := make([][]float64, len(groups))
	for g, values := range groups {
		for _, v := range values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				finite[g] = append(finite[g], v)
				positive = positive && v > 0
			}
		}
	}
	if !positive {
		return finite, mark
	}
	for _, values := range finite {
		for i, v := range values {
			values[i] = math.Log(v)
		}
	}
	return finite, math.Log(mark)
}

// span is what the picture shows: from the least value to the largest 0.99 quantile of a group, and the mark.
func span(groups [][]float64, mark float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	if !math.IsNaN(mark) {
		low, high = mark, mark
	}
	for _, values := range groups {
		if len(values) == 0 {
			continue
		}
		sorted := slices.Sorted(slices.Values(values))
		low, high = min(low, sorted[0]), max(high, sorted[(len(sorted)-1)*99/100])
	}
	return low, high
}

// counts are how many values fall into each of the bars from low to high.
func counts(values []float64, low, high float64, bars int) []int {
	n := make([]int, bars)
	for _, v := range values {
		n[int(max(0, min(1, (v-low)/(high-low)))*float64(bars-1))]++
	}
	return n
}

// drawBars draws a group: its bars, and where another stands already a checkerboard of both, so that neither is hidden.
func drawBars(picture *image.RGBA, area image.Rectangle, n []int, c color.RGBA) {
	most := max(1, slices.Max(n))
	for i, count := range n {
		top := area.Max.Y - int(math.Ceil(float64(count)/float64(most)*float64(area.Dy())))
		for y := top; y < area.Max.Y; y++ {
			for x := range barWidth - 1 {
				at := image.Pt(area.Min.X+i*barWidth+x, y)
				if y == top || picture.RGBAAt(at.X, at.Y) == paper || (at.X+y)%2 == 0 {
					picture.SetRGBA(at.X, at.Y, c)
				}
			}
		}
	}
}
