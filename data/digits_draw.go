package data

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"aetrain/internal/philox"

	"golang.org/x/image/font/sfnt"
)

// digitSide is the height and width of an image, in pixels: MNIST's.
const digitSide = 28

// digitPixels is the number of pixels of an image.
const digitPixels = digitSide * digitSide

// The distributions of what is drawn, chosen to look like MNIST and to have its mean (0.13) and spread (0.31).
const (
	digitLow, digitHigh   = 17.0, 20.3 // height in pixels, uniform
	digitNarrow           = 0.78       // width is scaled by this to digitWide, uniform
	digitWide             = 1.18
	digitWidest           = 19.5 // pixels
	digitTurn             = 0.09 // standard deviation of tan(angle/2): about 10 degrees
	digitTurnMost         = 0.24
	digitSlant            = 0.22 // standard deviation of the shear, x per y
	digitSlantMost        = 0.5
	digitThin, digitThick = 1.0, 2.05 // half the stroke in pixels, uniform
	digitThinner          = -0.3      // limits of what that may change a font's own stroke by
	digitThicker          = 1.1
	digitWarp             = 2.8  // standard deviation of the elastic distortion's control points in pixels, at most
	digitEdge             = 1.1  // width of the grey edge in pixels
	digitOff              = 0.35 // standard deviation of the centre, in pixels
)

// Elastic distortion is a cubic B-spline over a coarse grid of random displacements: as smooth as the filtered noise of
// Simard, Steinkraus & Platt 2003, "Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis",
// section 2, and far cheaper.
const (
	warpCells = 3             // grid cells across the image
	warpSide  = warpCells + 3 // control points across
)

// digitArtist draws digits. Its glyphs are shared by all who draw.
type digitArtist struct {
	glyphs [][10]*glyph // by font and digit
	basis  [digitSide][4]float32
	cell   [digitSide]int
	stream uint32
}

// newDigitArtist reads the fonts, on all processors.
func newDigitArtist() (*digitArtist, error) {
	a := &digitArtist{glyphs: make([][10]*glyph, len(digitFonts)), stream: philox.Stream("data/digits")}
	for p := range digitSide {
		at := (float32(p) + 0.5) * warpCells / digitSide
		a.cell[p] = int(at)
		a.basis[p] = cubicBSpline(at - float32(a.cell[p]))
	}
	var failed atomic.Pointer[error]
	parallel(len(digitFonts), func(i int) {
		if err := a.readFont(i); err != nil {
			failed.Store(&err)
		}
	})
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return a, nil
}

func (a *digitArtist) readFont(i int) error {
	f, err := sfnt.Parse(digitFonts[i])
	if err != nil {
		return fmt.Errorf("font %d of digits: %w", i, err)
	}
	var buf sfnt.Buffer
	for d := range 10 {
		if a.glyphs[i][d], err = newGlyph(f, &buf, rune('0'+d)); err != nil {
			return fmt.Errorf("font %d of digits: %w", i, err)
		}
	}
	return nil
}

// cubicBSpline gives the weights of the four control points around t in [0, 1).
func cubicBSpline(t float32) [4]float32 {
	u, t2 := 1-t, float32(t*t)
	t3 := float32(t2 * t)
	return [4]float32{
		float32(float32(u*u)*u) / 6,
		(float32(3*t3) - float32(6*t2) + 4) / 6,
		(float32(-3*t3) + float32(3*t2) + float32(3*t) + 1) / 6,
		t3 / 6,
	}
}

// pose is how one digit is drawn: from a pixel back to a cell of the glyph's field.
type pose struct {
	glyph          *glyph
	xx, xy, yx, yy float32 // cells per pixel
	offX, offY     float32 // where the centre of mass goes, in pixels
	scale          float32 // pixels per height of the glyph
	thicker        float32 // pixels
	warp           [2][warpSide * warpSide]float32
}

// draw draws example i under seed into dst (digitPixels bytes, ink is 255) and returns its label.
func (a *digitArtist) draw(dst []uint8, seed uint64, i int) int32 {
	r := philox.New(seed, a.stream).At(uint32(i))
	label := r.IntN(10)
	p := a.pose(r, a.glyphs[r.IntN(len(a.glyphs))][label])
	for y := range digitSide {
		a.row(dst[y*digitSide:(y+1)*digitSide], y, p)
	}
	return int32(label)
}

// pose draws the random part.
func (a *digitArtist) pose(r *philox.Rand, g *glyph) *pose {
	uniform := func(low, high float32) float32 { return low + float32((high-low)*r.Float32()) }
	normal := func(sigma, most float32) float32 {
		return max(-most, min(most, float32(sigma*float32(r.NormFloat64()))))
	}
	p := &pose{glyph: g, scale: uniform(digitLow, digitHigh)}
	wide := uniform(digitNarrow, digitWide)
	wide = min(wide, digitWidest/float32(p.scale*g.aspect))
	half := normal(digitTurn, digitTurnMost) // of the turn, as a tangent: sine and cosine are then rational, the same everywhere
	sin, cos := 2*half/(1+float32(half*half)), (1-float32(half*half))/(1+float32(half*half))
	slant := normal(digitSlant, digitSlantMost)
	own := float32(g.stroke * p.scale)
	p.thicker = max(digitThinner, min(digitThicker, uniform(digitThin, digitThick)-own))
	p.offX, p.offY = digitSide/2+normal(digitOff, 1), digitSide/2+normal(digitOff, 1)
	strength := uniform(0.3, 1) * digitWarp
	for i := range p.warp {
		for j := range p.warp[i] {
			p.warp[i][j] = float32(strength * float32(r.NormFloat64()))
		}
	}
	// Forward: scale, then shear x by -slant*y, then turn. Backward, from pixels to cells: turn back, shear back, unscale.
	cells := glyphHeight / p.scale
	p.xx = float32((cos+float32(slant*-sin))*cells) / wide
	p.xy = float32((sin+float32(slant*cos))*cells) / wide
	p.yx = float32(-sin * cells)
	p.yy = float32(cos * cells)
	return p
}

// row draws one row of pixels.
func (a *digitArtist) row(dst []uint8, y int, p *pose) {
	var warpX, warpY [warpSide]float32 // control points of this row
	for c := range warpSide {
		for k, w := range a.basis[y] {
			at := (a.cell[y]+k)*warpSide + c
			warpX[c] += float32(w * p.warp[0][at])
			warpY[c] += float32(w * p.warp[1][at])
		}
	}
	for x := range dst {
		dx, dy := float32(x)+0.5-p.offX, float32(y)+0.5-p.offY
		for k, w := range a.basis[x] {
			dx += float32(w * warpX[a.cell[x]+k])
			dy += float32(w * warpY[a.cell[x]+k])
		}
		cx := p.glyph.centerX + float32(p.xx*dx) + float32(p.xy*dy)
		cy := p.glyph.centerY + float32(p.yx*dx) + float32(p.yy*dy)
		outside := float32(p.glyph.at(cx, cy)*p.scale) - p.thicker
		ink := max(0, min(1, 0.5-outside/digitEdge))
		dst[x] = uint8(float32(ink*255) + 0.5)
	}
}

// drawDigits draws examples from (inclusive) to (exclusive), on all processors, or fewer once ctx is done;
// done is told, now by one goroutine and now by another but never by two at once, how many are ready.
func (a *digitArtist) drawDigits(ctx context.Context, seed uint64, from, to int, done func(int)) (pixels, labels []uint8) {
	const chunk = 250
	pixels, labels = make([]uint8, (to-from)*digitPixels), make([]uint8, to-from)
	var mu sync.Mutex
	ready := 0
	parallel((to-from+chunk-1)/chunk, func(c int) {
		if ctx.Err() != nil {
			return
		}
		last := min((c+1)*chunk, to-from)
		for i := c * chunk; i < last; i++ {
			labels[i] = uint8(a.draw(pixels[i*digitPixels:(i+1)*digitPixels], seed, from+i))
		}
		mu.Lock()
		defer mu.Unlock()
		ready += last - c*chunk
		done(ready)
	})
	return pixels, labels
}

// parallel calls f(0) to f(n-1), on all processors, and returns when all are done.
func parallel(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
