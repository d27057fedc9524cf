package data

import (
	"context"
	"math"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

func init() { sources.Add("shapes", func() SourceOptions { return &Shapes{} }) }

// Shapes is every combination of five known factors as a white shape on black, 64×64 pixels: 51,840 images.
// The field factors holds them as numbers: shape (0 square, 1 ellipse, 2 heart), scale (0.5 to 1), rotation (0 to 2π,
// anticlockwise), x and y (0 to 1, to the right and down); label is the shape. Factors vary slowest first.
// Source: after Matthey, Higgins, Hassabis & Lerchner 2017, "dSprites: Disentanglement testing Sprites dataset"; smaller, and anti-aliased.
type Shapes struct{}

// The number of values of each factor.
const (
	shapeKinds     = 3
	shapeScales    = 6
	shapeRotations = 20
	shapePlaces    = 12 // each of x and y
	shapeCount     = shapeKinds * shapeScales * shapeRotations * shapePlaces * shapePlaces
	shapeFactors   = 5
)

// Sizes in pixels: a sprite moves in steps over the canvas, so that its outermost places touch the edge.
const (
	shapeSide   = 64
	spriteSide  = 31
	spriteSteps = (shapeSide - spriteSide) / (shapePlaces - 1) // 3
)

// Open implements SourceOptions.
func (*Shapes) Open(context.Context, Env) (*Parts, error) {
	s := &shapesSource{}
	parallel(len(s.sprites), func(i int) {
		kind, scale, rotation := i/(shapeScales*shapeRotations), i/shapeRotations%shapeScales, i%shapeRotations
		drawSprite(&s.sprites[i], kind, scaleOf(scale), rotation)
	})
	return &Parts{Train: s}, nil
}

// shapesSource keeps one sprite for each shape, scale and rotation, and puts it where x and y say.
type shapesSource struct {
	sprites [shapeKinds * shapeScales * shapeRotations][spriteSide * spriteSide]uint8
}

var shapeFields = []Field{{Name: "x", Spec: graph.F32(1, shapeSide, shapeSide)}, {Name: "label", Spec: graph.I32(), Classes: shapeKinds}, {Name: "factors", Spec: graph.F32(shapeFactors)}}

func (*shapesSource) Len() int        { return shapeCount }
func (*shapesSource) Fields() []Field { return shapeFields }
func (*shapesSource) Close() error    { return nil }

func (s *shapesSource) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(s, dst, indices); err != nil {
		return err
	}
	x, label, factors := dst[0].Float32s(), dst[1].Int32s(), dst[2].Float32s()
	const size = shapeSide * shapeSide
	for n, i := range indices {
		sprite, px, py := i/(shapePlaces*shapePlaces), i/shapePlaces%shapePlaces, i%shapePlaces
		image := x[n*size : (n+1)*size]
		clear(image)
		for row := range spriteSide {
			at := (py*spriteSteps+row)*shapeSide + px*spriteSteps
			unitFloats(image[at:at+spriteSide], s.sprites[sprite][row*spriteSide:(row+1)*spriteSide])
		}
		kind := sprite / (shapeScales * shapeRotations)
		label[n] = int32(kind)
		copy(factors[n*shapeFactors:], []float32{
			float32(kind),
			float32(scaleOf(sprite / shapeRotations % shapeScales)),
			float32(sprite%shapeRotations) * 2 * math.Pi / shapeRotations,
			float32(px) / (shapePlaces - 1),
			float32(py) / (shapePlaces - 1),
		})
	}
	return nil
}

// scaleOf is the size of step i: 0.5 to 1.
func scaleOf(i int) float64 { return 0.5 + 0.5*float64(i)/(shapeScales-1) }

// sines are those of a quarter turn in steps of a rotation, written out to be the same on every machine.
var sines = [shapeRotations/4 + 1]float64{0, 0.30901699437494745, 0.5877852522924731, 0.8090169943749475, 0.9510565162951535, 1}

// sineOf is the sine of rotation i.
func sineOf(i int) float64 {
	const quarter = shapeRotations / 4
	i %= shapeRotations
	switch {
	case i > 2*quarter:
		return -sineOf(i - 2*quarter)
	case i > quarter:
		return sines[2*quarter-i]
	}
	return sines[i]
}

// drawSprite draws a shape, 4×4 samples a pixel.
func drawSprite(dst *[spriteSide * spriteSide]uint8, kind int, scale float64, rotation int) {
	const samples = 4
	sin, cos := sineOf(rotation), sineOf(rotation+shapeRotations/4)
	for p := range dst {
		hits := 0
		for s := range samples * samples {
			x := (float64(p%spriteSide)+(float64(s%samples)+0.5)/samples)/(spriteSide/2.0) - 1
			y := 1 - (float64(p/spriteSide)+(float64(s/samples)+0.5)/samples)/(spriteSide/2.0) // up
			// turned back by the rotation; each product is rounded by itself, so that no machine fuses it
			u := (float64(x*cos) + float64(y*sin)) / scale
			v := (float64(y*cos) - float64(x*sin)) / scale
			if insideShape(kind, u, v) {
				hits++
			}
		}
		dst[p] = uint8((hits*255 + samples*samples/2) / (samples * samples))
	}
}

// insideShape reports whether (x, y), y up, is inside the shape of scale 1, which fits the unit circle.
func insideShape(kind int, x, y float64) bool {
	switch kind {
	case 0:
		const half = 0.68
		return math.Abs(x) < half && math.Abs(y) < half
	case 1:
		const long, short = 0.96, 0.5
		x, y = x/long, y/short
		return float64(x*x)+float64(y*y) < 1
	}
	// The heart curve (x² + y² - 1)³ = x²y³.
	x, y = x*1.32, (y+0.223)*1.32 // its middle goes to 0
	r := float64(x*x) + float64(y*y) - 1
	return float64(float64(r*r)*r) < float64(float64(x*x)*float64(float64(y*y)*y))
}
