package data

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
)

// Netpbm's portable greymaps and pixmaps, text (P2, P3) and binary (P5, P6).
// Source: netpbm.sourceforge.net/doc/pgm.html and ppm.html.
func init() {
	for _, magic := range []string{"P2", "P3", "P5", "P6"} {
		image.RegisterFormat("netpbm", magic, decodeNetpbm, decodeNetpbmConfig)
	}
}

// netpbmHeader is what stands before the pixels.
type netpbmHeader struct {
	kind       byte // '2', '3', '5', '6'
	w, h, most int  // most: the value of white
	in         *bufio.Reader
}

func (h *netpbmHeader) grey() bool { return h.kind == '2' || h.kind == '5' }

func readNetpbmHeader(r io.Reader) (*netpbmHeader, error) {
	h := &netpbmHeader{in: bufio.NewReader(r)}
	var magic [2]byte
	if _, err := io.ReadFull(h.in, magic[:]); err != nil {
		return nil, err
	}
	h.kind = magic[1]
	for _, v := range []*int{&h.w, &h.h, &h.most} {
		n, err := h.number()
		if err != nil {
			return nil, err
		}
		*v = n
	}
	if h.w < 1 || h.h < 1 || h.w > mostPixels/h.h {
		return nil, fmt.Errorf("netpbm: its header says %dx%d pixels", h.w, h.h)
	}
	if h.most < 1 || h.most > 65535 {
		return nil, fmt.Errorf("netpbm: its largest value is said to be %d", h.most)
	}
	return h, nil
}

// number reads one, and the one character of white space behind it.
func (h *netpbmHeader) number() (int, error) {
	n, digits := 0, 0
	for {
		c, err := h.in.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) && digits > 0 { // the last number of a text file
				return n, nil
			}
			return 0, io.ErrUnexpectedEOF
		}
		switch {
		case c >= '0' && c <= '9':
			if n = n*10 + int(c-'0'); n > mostPixels {
				return 0, errors.New("netpbm: a number is too large")
			}
			digits++
		case c == '#':
			if _, err := h.in.ReadString('\n'); err != nil {
				return 0, io.ErrUnexpectedEOF
			}
			if digits > 0 {
				return n, nil
			}
		case c == ' ' || c >= '\t' && c <= '\r':
			if digits > 0 {
				return n, nil
			}
		default:
			return 0, fmt.Errorf("netpbm: %q where a number is wanted", c)
		}
	}
}

func decodeNetpbmConfig(r io.Reader) (image.Config, error) {
	h, err := readNetpbmHeader(r)
	if err != nil {
		return image.Config{}, err
	}
	c := image.Config{Width: h.w, Height: h.h, ColorModel: color.NRGBAModel}
	if h.grey() {
		c.ColorModel = color.GrayModel
	}
	return c, nil
}

func decodeNetpbm(r io.Reader) (image.Image, error) {
	h, err := readNetpbmHeader(r)
	if err != nil {
		return nil, err
	}
	if h.grey() {
		m := &image.Gray{Stride: h.w, Rect: image.Rect(0, 0, h.w, h.h)}
		m.Pix, err = h.samples(h.w * h.h)
		return m, err
	}
	rgb, err := h.samples(3 * h.w * h.h)
	if err != nil {
		return nil, err
	}
	m := image.NewNRGBA(image.Rect(0, 0, h.w, h.h))
	for i := range h.w * h.h {
		copy(m.Pix[4*i:], rgb[3*i:3*i+3])
		m.Pix[4*i+3] = 255
	}
	return m, nil
}

// samples reads n values and brings them to 8 bits. Memory grows with what is there, not with what the header promises.
func (h *netpbmHeader) samples(n int) ([]uint8, error) {
	out := make([]uint8, 0, min(n, 1<<20))
	for range n {
		v, err := h.sample()
		if err != nil {
			return nil, err
		}
		if v > h.most {
			return nil, fmt.Errorf("netpbm: a value of %d, the largest is said to be %d", v, h.most)
		}
		out = append(out, uint8((v*255+h.most/2)/h.most))
	}
	return out, nil
}

func (h *netpbmHeader) sample() (int, error) {
	if h.kind < '4' {
		return h.number()
	}
	v, err := h.in.ReadByte()
	if err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	if h.most < 256 {
		return int(v), nil
	}
	low, err := h.in.ReadByte()
	if err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	return int(v)<<8 | int(low), nil
}
