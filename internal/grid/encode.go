package grid

import (
	"image"
	"image/color"
	"image/png"
	"io"
)

// paletteSize is how many colours a PNG with a palette may have.
const paletteSize = 256

// encode writes a picture as PNG: of few colours, as grey images and line plots are, with a palette, which takes a third of the bytes.
func encode(w io.Writer, picture *image.RGBA) error {
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if p := paletted(picture); p != nil {
		return e.Encode(w, p)
	}
	return e.Encode(w, picture)
}

// paletted is the same picture with a palette of its colours, in the order of their appearance; nil where there are too many.
func paletted(picture *image.RGBA) *image.Paletted {
	p := image.NewPaletted(picture.Rect, nil)
	index := map[[4]uint8]uint8{}
	for i := range p.Pix {
		pixel := [4]uint8(picture.Pix[4*i : 4*i+4])
		at, known := index[pixel]
		if !known {
			if len(p.Palette) == paletteSize {
				return nil
			}
			at = uint8(len(p.Palette))
			index[pixel] = at
			p.Palette = append(p.Palette, color.RGBA{pixel[0], pixel[1], pixel[2], pixel[3]})
		}
		p.Pix[i] = at
	}
	return p
}
