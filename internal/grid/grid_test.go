package grid

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"
)

func array[T float32 | float64 | uint8](v []T, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))
}

// picture writes and reads back.
func picture(t *testing.T, write func(*bytes.Buffer) error) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	p, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pixel(t *testing.T, p image.Image, x, y int, want color.RGBA) {
	t.Helper()
	if got := color.RGBAModel.Convert(p.At(x, y)).(color.RGBA); got != want {
		t.Errorf("pixel %d,%d is %v, want %v", x, y, got, want)
	}
}

func grey(v uint8) color.RGBA { return color.RGBA{v, v, v, 255} }

func TestGreyImages(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	x := array([]float32{0, 1, 0.5, 0.25, -3, 7, nan, inf, 1, 1, 0, 0}, 3, 1, 2, 2)
	p := picture(t, func(b *bytes.Buffer) error { return Write(b, x, Options{Columns: 2, Scale: 3}) })
	if got, want := p.Bounds().Size(), image.Pt(2+2*(6+2), 2+2*(6+2)); got != want {
		t.Fatalf("the picture is %v, want %v", got, want)
	}
	pixel(t, p, 0, 0, background)
	pixel(t, p, 2, 2, grey(0))
	pixel(t, p, 4, 4, grey(0)) // the first pixel, three wide
	pixel(t, p, 5, 2, grey(255))
	pixel(t, p, 2, 5, grey(128))
	pixel(t, p, 7, 7, grey(64))
	pixel(t, p, 8, 2, background)
	pixel(t, p, 10, 2, grey(0))   // -3
	pixel(t, p, 13, 2, grey(255)) // 7
	pixel(t, p, 10, 5, notANumber)
	pixel(t, p, 13, 5, notANumber)
	pixel(t, p, 2, 10, grey(255))
	pixel(t, p, 10, 10, background) // there is no fourth
}

func TestRangesAndTypes(t *testing.T) {
	for name, c := range map[string]struct {
		x *tensor.Dense
		o Options
	}{
		"bytes":    {array([]uint8{0, 51, 255}, 1, 1, 1, 3), Options{}},
		"given":    {array([]float64{-1, -0.6, 1}, 1, 1, 1, 3), Options{Low: -1, High: 1}},
		"float32":  {array([]float32{0, 0.2, 1}, 1, 1, 1, 3), Options{}},
		"channels": {array([]float32{0, 0.2, 1, 1, 1}, 1, 5, 1, 1), Options{}}, // side by side
	} {
		t.Run(name, func(t *testing.T) {
			c.o.Scale = 1
			p := picture(t, func(b *bytes.Buffer) error { return Write(b, c.x, c.o) })
			pixel(t, p, 2, 2, grey(0))
			pixel(t, p, 3, 2, grey(51))
			pixel(t, p, 4, 2, grey(255))
		})
	}
}

func TestColorImages(t *testing.T) {
	x := array([]float32{1, 0, 0, 0.2, 0, 0.4}, 1, 3, 1, 2) // red 1 0, green 0 0.2, blue 0 0.4
	p := picture(t, func(b *bytes.Buffer) error { return Write(b, x, Options{Scale: 1}) })
	pixel(t, p, 2, 2, color.RGBA{255, 0, 0, 255})
	pixel(t, p, 3, 2, color.RGBA{0, 51, 102, 255})
}

func TestPairs(t *testing.T) {
	a, b := array([]float32{0, 0, 0}, 3, 1, 1, 1), array([]float32{1, 1, 1}, 3, 1, 1, 1)
	p := picture(t, func(w *bytes.Buffer) error { return WritePairs(w, a, b, Options{Columns: 2, Scale: 4}) })
	if got, want := p.Bounds().Size(), image.Pt(2+2*(4+2), 4+2*(10+4)); got != want {
		t.Fatalf("the picture is %v, want %v", got, want)
	}
	pixel(t, p, 2, 4, grey(0))
	pixel(t, p, 2, 8, background)
	pixel(t, p, 2, 10, grey(255))
	pixel(t, p, 2, 18, grey(0)) // the third pair
	pixel(t, p, 2, 24, grey(255))
}

func TestSizes(t *testing.T) {
	cases := []struct {
		name  string
		shape []int
		o     Options
		want  image.Point
	}{
		{"digits are doubled", []int{4, 1, 28, 28}, Options{}, image.Pt(2+2*58, 2+2*58)},
		{"large images stay", []int{1, 3, 100, 70}, Options{}, image.Pt(74, 104)},
		{"tiny ones grow, but not without end", []int{1, 1, 2, 2}, Options{}, image.Pt(20, 20)},
		{"more columns than examples", []int{2, 1, 64, 64}, Options{Columns: 9}, image.Pt(2+2*66, 68)},
		{"about square", []int{64, 1, 64, 64}, Options{}, image.Pt(2+8*66, 2+8*66)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			x := tensor.New(tensor.WithShape(c.shape...), tensor.Of(tensor.Float32))
			p := picture(t, func(b *bytes.Buffer) error { return Write(b, x, c.o) })
			if got := p.Bounds().Size(); got != c.want {
				t.Errorf("the picture is %v, want %v", got, c.want)
			}
		})
	}
}

// rowOf is the topmost row of a column of pixels with a colour, -1 if there is none.
func rowOf(p image.Image, x int, c color.RGBA) int {
	for y := range p.Bounds().Dy() {
		if color.RGBAModel.Convert(p.At(x, y)).(color.RGBA) == c {
			return y
		}
	}
	return -1
}

func TestLines(t *testing.T) {
	const top, left, bottom, right = gap + plotMargin, gap + plotMargin, gap + plotHeight - plotMargin - 1, gap + plotWidth - plotMargin - 1
	x := array([]float32{0, 10, 10, 0, 0, 5}, 1, 3, 2) // channel 0: 0 10 0, channel 1: 10 0 5
	p := picture(t, func(b *bytes.Buffer) error { return Write(b, x, Options{}) })
	for _, c := range []struct{ x, line, want int }{
		{left, 1, top}, {right, 0, bottom - 1}, {(left + right) / 2, 0, top}, {right, 1, (top + bottom) / 2},
	} {
		if got := rowOf(p, c.x, lineColors[c.line]); got < c.want-1 || got > c.want+1 {
			t.Errorf("line %d stands at row %d of column %d, want %d", c.line, got, c.x, c.want)
		}
	}
	for x := left; x <= right; x++ {
		if rowOf(p, x, lineColors[1]) < 0 {
			t.Fatalf("the last line has a hole at %d", x)
		}
	}
	long := make([]float32, 10000)
	long[5000] = 1 // one peak among many
	p = picture(t, func(b *bytes.Buffer) error { return Write(b, array(long, 1, 10000), Options{}) })
	found := false
	for x := left; x <= right; x++ {
		found = found || rowOf(p, x, lineColors[0]) == top
	}
	if !found {
		t.Error("the peak is lost")
	}
}

// Nothing that can be drawn panics: one number, all the same, no numbers at all.
func TestOddLines(t *testing.T) {
	nan := math.NaN()
	for name, x := range map[string]*tensor.Dense{
		"one number":   array([]float64{3}, 1, 1),
		"all equal":    array([]float64{3, 3, 3}, 1, 3),
		"no number":    array([]float64{nan, nan, nan}, 1, 3),
		"an infinity":  array([]float64{1, math.Inf(1), 2, 3}, 2, 2),
		"a vast range": array([]float64{-1.7e308, 1.7e308, 0}, 1, 3),
		"bytes":        array([]uint8{3, 0, 255}, 1, 3),
	} {
		t.Run(name, func(t *testing.T) {
			picture(t, func(b *bytes.Buffer) error { return Write(b, x, Options{}) })
			picture(t, func(b *bytes.Buffer) error { return WritePairs(b, x, x, Options{Low: 1, High: 2}) })
			picture(t, func(b *bytes.Buffer) error { return Write(b, x, Options{Low: 3, High: 3}) })
			picture(t, func(b *bytes.Buffer) error { return Write(b, x, Options{Low: nan, High: math.Inf(1)}) })
		})
	}
}

// full is a disk without room.
type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestMistakes(t *testing.T) {
	image4 := array([]float32{1, 2, 3, 4}, 1, 1, 2, 2)
	cases := map[string]struct {
		err  error
		want string
	}{
		"nothing":     {Write(&bytes.Buffer{}, nil, Options{}), "want images"},
		"one axis":    {Write(&bytes.Buffer{}, array([]float32{1, 2}, 2), Options{}), "want images"},
		"five axes":   {Write(&bytes.Buffer{}, array([]float32{1}, 1, 1, 1, 1, 1), Options{}), "want images"},
		"integers":    {Write(&bytes.Buffer{}, tensor.New(tensor.WithShape(2, 2), tensor.Of(tensor.Int32)), Options{}), "elements are int32"},
		"unlike":      {WritePairs(&bytes.Buffer{}, image4, array([]float32{1, 2, 3, 4}, 1, 1, 4, 1), Options{}), "pairs of one shape"},
		"too many":    {Write(&bytes.Buffer{}, tensor.New(tensor.WithShape(100000, 1, 2, 2), tensor.Of(tensor.Uint8)), Options{Scale: 64}), "draw fewer"},
		"a full disk": {Write(full{}, image4, Options{}), "no space left"},
	}
	for name, c := range cases {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, c.err, c.want)
		}
	}
}

// With GRID_OUT set to a folder, the pictures are left there to be looked at.
func TestLook(t *testing.T) {
	out := os.Getenv("GRID_OUT")
	if out == "" {
		t.Skip("GRID_OUT names no folder")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	images, rgb := make([]float32, 10*28*28), make([]float32, 6*3*32*32)
	for i := range images {
		x, y := float64(i%28)-14, float64(i/28%28)-14
		images[i] = float32(math.Exp(-math.Abs(math.Hypot(x, y)-4-float64(i/784)/2) / 1.5))
	}
	for i := range rgb {
		rgb[i] = float32(0.5 + 0.5*math.Sin(float64(i%1024/32)/5+float64(i/1024)))
	}
	noisy := make([]float32, len(images))
	for i := range noisy {
		noisy[i] = images[i] + float32(rng.NormFloat64()*0.2)
	}
	series := make([]float32, 6*100*2)
	for i := range series {
		series[i] = float32(math.Sin(float64(i/2%100)/(6+float64(i/200)))*float64(1+i%2)) + float32(rng.NormFloat64()*0.05)
	}
	for name, write := range map[string]func(*os.File) error{
		"images": func(f *os.File) error { return Write(f, array(images, 10, 1, 28, 28), Options{}) },
		"pairs": func(f *os.File) error {
			return WritePairs(f, array(noisy, 10, 1, 28, 28), array(images, 10, 1, 28, 28), Options{})
		},
		"rgb":    func(f *os.File) error { return Write(f, array(rgb, 6, 3, 32, 32), Options{}) },
		"series": func(f *os.File) error { return Write(f, array(series, 6, 100, 2), Options{}) },
	} {
		f, err := os.Create(filepath.Join(out, name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHistogram(t *testing.T) {
	low, high := make([]float64, 100), make([]float64, 10)
	for i := range high {
		high[i] = 100
	}
	p := picture(t, func(b *bytes.Buffer) error {
		return WriteHistogram(b, [][]float64{low, high, {math.NaN(), math.Inf(1)}}, 50)
	})
	top, right := plotMargin, p.Bounds().Max.X-plotMargin
	pixel(t, p, plotMargin, top, lineColors[0])
	pixel(t, p, right-barWidth, top, lineColors[1]) // as high, though ten times as rare
	pixel(t, p, plotMargin+(right-plotMargin)/4, top, paper)
	pixel(t, p, p.Bounds().Dx()/2, top, markColor)
	p = picture(t, func(b *bytes.Buffer) error { return WriteHistogram(b, [][]float64{{1}, {100}}, 10) })
	pixel(t, p, p.Bounds().Dx()/2, top, markColor) // a logarithmic scale
	if err := WriteHistogram(io.Discard, [][]float64{{1, 1}, nil}, math.NaN()); err == nil {
		t.Error("values that are all the same are drawn")
	}
}

// Stacks drawn apart have each a range from 0 to its own largest value.
func TestStacksApart(t *testing.T) {
	above, below := array([]float32{0, 1, 0.5, 0}, 1, 1, 2, 2), array([]float32{0, 0.002, 0.001, 0}, 1, 1, 2, 2)
	p := picture(t, func(b *bytes.Buffer) error {
		return WriteStacks(b, Options{High: 1, Scale: 1, Apart: true}, above, below)
	})
	for _, top := range []int{4, 8} {
		pixel(t, p, 3, top, grey(255))
		pixel(t, p, 2, top+1, grey(128))
	}
}

// A picture of few colours has a palette, one of many has none; both show the same.
func TestPalette(t *testing.T) {
	few := array([]float32{0, 0.5, 1, 0.25}, 1, 1, 2, 2)
	if _, ok := picture(t, func(b *bytes.Buffer) error { return Write(b, few, Options{}) }).(*image.Paletted); !ok {
		t.Error("four greys have no palette")
	}
	colors := make([]float32, 3*20*20)
	for i := range colors {
		colors[i] = float32(i*37%1009) / 1008
	}
	if _, ok := picture(t, func(b *bytes.Buffer) error { return Write(b, array(colors, 1, 3, 20, 20), Options{}) }).(*image.Paletted); ok {
		t.Error("400 colours have a palette")
	}
}
