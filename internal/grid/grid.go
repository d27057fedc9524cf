// Package grid draws PNGs: examples on one picture, images side by side and each vector and series as a small line plot; histograms; curves.
//
// [Write] draws one array, [WritePairs] inputs above their reconstructions, [WriteStacks] any number of arrays. What an example looks
// like is decided by its shape: see [Write]; image.go draws the cells of images, lines.go those of everything else. [WriteHistogram]
// draws how often values occur, [Chart.Write] curves with axes and a legend.
package grid

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
	"math"

	"gorgonia.org/tensor"
)

// Options of [Write], [WritePairs] and [WriteStacks].
type Options struct {
	Low, High float64 // the range that is drawn from black to white, or from bottom to top; none (0, 0): [0, 1] for images, else what occurs
	Columns   int     // examples side by side; 0: so that the picture is about square
	Apart     bool    // each array of a stack has a range of its own, from 0 to its largest value: what is below are shares, say
	Scale     int     // each pixel of an image is so many wide and high; 0: tiny images are enlarged
}

// Gaps between cells, in pixels of the picture: within a pair, and around cells.
const gap = 2

// mostPixels bounds the picture.
const mostPixels = 1 << 26

var (
	background = color.RGBA{96, 96, 96, 255}
	notANumber = color.RGBA{255, 0, 255, 255} // NaN and infinities, in a colour that no image takes by chance
)

// given reports whether Low and High are a range.
func (o Options) given() bool { return o.High > o.Low && !math.IsInf(o.High-o.Low, 0) }

// cells draws examples of one array, all of the same size.
type cells interface {
	size() (width, height int)
	draw(dst *image.RGBA, at image.Point, i int)
}

// Write draws images (float32, float64 or uint8, whose range is 0 to 255) as a PNG. N×C×H×W are pictures: of one channel grey, of three
// in colour, of any other number the channels side by side. N×D are line plots over D, N×T×C over T with a line a channel.
func Write(w io.Writer, images *tensor.Dense, o Options) error {
	v, err := newValues(images)
	if err != nil {
		return err
	}
	return layout(w, v.n, []cells{v.cells(o, v)}, o)
}

// WritePairs draws each example of above over that of below: inputs and their reconstructions, of one shape.
func WritePairs(w io.Writer, above, below *tensor.Dense, o Options) error {
	return WriteStacks(w, o, above, below)
}

// WriteStacks draws the examples of several arrays of one shape one over the other: what there was, what was seen of it, what came back.
func WriteStacks(w io.Writer, o Options, arrays ...*tensor.Dense) error {
	var all []*values
	for _, a := range arrays {
		v, err := newValues(a)
		if err != nil {
			return err
		}
		if !a.Shape().Eq(arrays[0].Shape()) {
			return fmt.Errorf("grid: %v above %v; want pairs of one shape", arrays[0].Shape(), a.Shape())
		}
		all = append(all, v)
	}
	if len(all) == 0 {
		return errors.New("grid: nothing to draw")
	}
	var group []cells
	for _, v := range all {
		if o.Apart {
			_, high := extent([]*values{v})
			group = append(group, v.cells(Options{High: high, Scale: o.Scale}, v))
			continue
		}
		group = append(group, v.cells(o, all...))
	}
	return layout(w, all[0].n, group, o)
}

// layout places n groups of cells, those of a group one above the other, and writes the picture.
func layout(w io.Writer, n int, group []cells, o Options) error {
	width, height := group[0].size()
	if width > mostPixels || height > mostPixels {
		return tooLarge(n)
	}
	groupHeight := len(group)*(height+gap) - gap
	columns := o.Columns
	if columns < 1 { // columns·width ≈ rows·groupHeight
		columns = int(math.Ceil(math.Sqrt(float64(n) * float64(groupHeight+gap) / float64(width+gap))))
	}
	columns = max(1, min(columns, n))
	rows := (n + columns - 1) / columns
	around := gap * len(group) // pairs stand closer to each other than to their neighbours
	pictureWidth, pictureHeight := columns*(width+gap)+gap, rows*(groupHeight+around)+around
	if float64(pictureWidth)*float64(pictureHeight) > mostPixels {
		return tooLarge(n)
	}
	picture := image.NewRGBA(image.Rect(0, 0, pictureWidth, pictureHeight))
	draw.Draw(picture, picture.Bounds(), image.NewUniform(background), image.Point{}, draw.Src)
	for i := range n {
		at := image.Pt(gap+i%columns*(width+gap), around+i/columns*(groupHeight+around))
		for k, c := range group {
			c.draw(picture, at.Add(image.Pt(0, k*(height+gap))), i)
		}
	}
	return encode(w, picture)
}

func tooLarge(n int) error {
	return fmt.Errorf("grid: %d examples make a picture of more than %d million pixels: draw fewer", n, mostPixels>>20)
}

// values are the numbers of an array N×..., row-major.
type values struct {
	n     int
	shape []int // of one example
	each  int   // numbers of one example
	at    func(i int) float64
	white float64 // what stands for 1
}

func newValues(t *tensor.Dense) (*values, error) {
	if t == nil || t.Dims() < 2 || t.Dims() > 4 {
		return nil, errors.New("grid: want images N×C×H×W, series N×T×C or vectors N×D")
	}
	if t.IsMaterializable() { // a view
		t = t.Materialize().(*tensor.Dense)
	}
	s := []int(t.Shape())
	v := &values{n: s[0], shape: s[1:], each: 1, white: 1}
	for _, d := range v.shape {
		v.each *= d
	}
	if v.n*v.each == 0 {
		return nil, fmt.Errorf("grid: %v holds nothing to draw", t.Shape())
	}
	switch x := t.Data().(type) {
	case []float32:
		v.at = func(i int) float64 { return float64(x[i]) }
	case []float64:
		v.at = func(i int) float64 { return x[i] }
	case []uint8:
		v.at = func(i int) float64 { return float64(x[i]) }
		v.white = 255
	default:
		return nil, fmt.Errorf("grid: elements are %v; want float32, float64 or uint8", t.Dtype())
	}
	return v, nil
}

// cells are what draws the examples of v; all are the arrays that share its scale.
func (v *values) cells(o Options, all ...*values) cells {
	if len(v.shape) == 3 {
		return newPictures(v, o)
	}
	return newPlots(v, o, all)
}
