package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"  // decoders register themselves
	_ "image/jpeg" // and so do all below
	_ "image/png"
	"path/filepath"
	"strings"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// pictureTypes are the file names that a folder of images is searched for; what a file is, its first bytes tell.
var pictureTypes = map[string]bool{".png": true, ".jpg": true, ".jpeg": true, ".gif": true, ".webp": true, ".bmp": true, ".tif": true, ".tiff": true, ".pgm": true, ".ppm": true, ".pnm": true}

// isPictureName reports whether a file is an image by its name.
func isPictureName(name string) bool { return pictureTypes[strings.ToLower(filepath.Ext(name))] }

// picture is one decoded image: planes of bytes, C×H×W.
type picture struct {
	channels, h, w int
	pixels         []uint8
}

// mostPixels bounds an image, so that a damaged or hostile header cannot take all memory.
const mostPixels = 1 << 28

// pictureSize reads a header: height and width as the image is to be seen, and whether it is grey.
func pictureSize(b []byte) (h, w int, grey bool, err error) {
	c, kind, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return 0, 0, false, pictureError(err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > mostPixels/c.Height {
		return 0, 0, false, fmt.Errorf("its header says %dx%d pixels", c.Width, c.Height)
	}
	h, w = c.Height, c.Width
	if kind == "jpeg" && exifOrientation(b) > 4 {
		h, w = w, h
	}
	return h, w, c.ColorModel == color.GrayModel || c.ColorModel == color.Gray16Model, nil
}

// decodePicture reads an image with that many channels, turned as its EXIF entry says; alpha is dropped, 16 bits become 8.
func decodePicture(b []byte, channels int) (*picture, error) {
	if _, _, _, err := pictureSize(b); err != nil { // before anything of that size is made
		return nil, err
	}
	m, kind, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, pictureError(err)
	}
	p := planes(m, channels)
	if kind == "jpeg" {
		p.turn(exifOrientation(b))
	}
	return p, nil
}

func pictureError(err error) error {
	if errors.Is(err, image.ErrFormat) {
		return errors.New("not an image, or of a format that is not known")
	}
	return fmt.Errorf("damaged: %w", err)
}

// planes turns an image's pixels into planes of red, green and blue, or one of luma (ITU-R BT.601).
func planes(m image.Image, channels int) *picture {
	bounds := m.Bounds()
	p := &picture{channels: channels, h: bounds.Dy(), w: bounds.Dx()}
	n := p.h * p.w
	p.pixels = make([]uint8, channels*n)
	if grey, ok := m.(*image.Gray); ok {
		for y := range p.h {
			row := grey.Pix[y*grey.Stride : y*grey.Stride+p.w]
			for c := range channels {
				copy(p.pixels[c*n+y*p.w:], row)
			}
		}
		return p
	}
	at := 0
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b := colorAt(m, x, y)
			if channels == 1 {
				p.pixels[at] = uint8((299*int(r) + 587*int(g) + 114*int(b) + 500) / 1000)
			} else {
				p.pixels[at], p.pixels[n+at], p.pixels[2*n+at] = r, g, b
			}
			at++
		}
	}
	return p
}

// colorAt is a pixel's colour without its alpha: what lies under a transparent one counts as it is stored.
func colorAt(m image.Image, x, y int) (r, g, b uint8) {
	switch m := m.(type) {
	case *image.YCbCr:
		yi, ci := m.YOffset(x, y), m.COffset(x, y)
		return color.YCbCrToRGB(m.Y[yi], m.Cb[ci], m.Cr[ci])
	case *image.NRGBA:
		i := m.PixOffset(x, y)
		return m.Pix[i], m.Pix[i+1], m.Pix[i+2]
	case *image.RGBA:
		if i := m.PixOffset(x, y); m.Pix[i+3] == 255 {
			return m.Pix[i], m.Pix[i+1], m.Pix[i+2]
		}
	}
	c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
	return c.R, c.G, c.B
}

// turn brings an image into the position that an EXIF orientation (1 to 8) asks for; others leave it.
// Source: CIPA DC-008 (Exif 2.32), tag 0x0112.
func (p *picture) turn(orientation int) {
	if orientation < 2 || orientation > 8 {
		return
	}
	h, w := p.h, p.w
	if orientation > 4 {
		h, w = w, h
	}
	out := make([]uint8, len(p.pixels))
	for c := range p.channels {
		from, to := p.pixels[c*p.h*p.w:], out[c*h*w:]
		for y := range h {
			for x := range w {
				sy, sx := y, x // where the pixel lies in the stored image
				switch orientation {
				case 2:
					sx = w - 1 - x
				case 3:
					sy, sx = h-1-y, w-1-x
				case 4:
					sy = h - 1 - y
				case 5:
					sy, sx = x, y
				case 6:
					sy, sx = w-1-x, y
				case 7:
					sy, sx = w-1-x, h-1-y
				case 8:
					sy, sx = x, h-1-y
				}
				to[y*w+x] = from[sy*p.w+sx]
			}
		}
	}
	p.h, p.w, p.pixels = h, w, out
}
