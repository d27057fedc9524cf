// Package ssim has what every form of structural similarity is made of, the metric and the loss: [Window] and two constants.
// Source: Wang, Bovik, Sheikh & Simoncelli 2004, "Image quality assessment: from error visibility to structural similarity",
// section III.C.
package ssim

import "math"

// The window is gaussian, Size×Size pixels.
const (
	Size  = 11
	sigma = 1.5 // in pixels
)

// C1 and C2 keep the fractions of luminance and of structure from dividing by 0, for values of range 1; for others they are times the
// square of the range.
const (
	C1 = 0.01 * 0.01
	C2 = 0.03 * 0.03
)

// Window is the window along one axis: that of two axes is its product with itself. Its sum is 1.
func Window() [Size]float64 {
	var w [Size]float64
	sum := 0.0
	for i := range w {
		d := float64(i - Size/2)
		w[i] = math.Exp(-d * d / (2 * sigma * sigma))
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}
