package grid

import (
	"image"
	"image/color"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// ink is the colour of text and axes.
var ink = color.RGBA{0x22, 0x22, 0x22, 0xff}

// Face is the font of pictures, size pixels an em.
func Face(size float64) (font.Face, error) {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
}

// Text writes a line whose first letter begins at x, with its base line at y.
func Text(dst *image.RGBA, face font.Face, x, y int, s string) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(ink), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(s)
}

// textWidth is how many pixels a line takes.
func textWidth(face font.Face, s string) int { return font.MeasureString(face, s).Ceil() }

// fitted is a line that takes at most so many pixels: what is too long loses letters in its middle, as the beginning and the end of a
// name tell it from others.
func fitted(face font.Face, s string, pixels int) string {
	letters := []rune(s)
	for kept := len(letters) - 1; kept > 0 && textWidth(face, s) > pixels; kept-- {
		s = string(letters[:(kept+1)/2]) + "…" + string(letters[len(letters)-kept/2:])
	}
	return s
}
