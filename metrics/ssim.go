package metrics

import (
	"fmt"

	"gorgonia.org/tensor"

	"aetrain/internal/ssim"
)

func init() { metrics.Add("ssim", func() Metric { return &SSIM{Range: 1} }) }

// SSIM is the mean structural similarity of images, at most 1, averaged over all places where the 11×11 gaussian
// window lies within the image, over channels and over examples:
//
//	(2·μx·μy + C1)(2·σxy + C2) / ((μx² + μy² + C1)(σx² + σy² + C2)),  C1 = (0.01·Range)², C2 = (0.03·Range)²
//
// It equals scikit-image's with gaussian_weights=True, sigma=1.5, use_sample_covariance=False.
// Source: Wang, Bovik, Sheikh & Simoncelli 2004, "Image quality assessment: from error visibility to structural
// similarity", eq. 13.
type SSIM struct {
	reconInputs
	Range float64 // largest minus smallest possible value of the data
	mean  mean
}

// Update adds a batch; target and recon are N×C×H×W or N×H×W, and neither H nor W may be below 11.
func (m *SSIM) Update(in ...*tensor.Dense) error {
	target, recon, shape, err := pair(in)
	if err != nil {
		return err
	}
	if shape.Dims() != 3 && shape.Dims() != 4 {
		return fmt.Errorf("ssim: arrays are %v; want images, N×C×H×W or N×H×W", shape)
	}
	h, w := shape[shape.Dims()-2], shape[shape.Dims()-1]
	if h < ssim.Size || w < ssim.Size {
		return fmt.Errorf("ssim: images are %d×%d, the window is %d×%d", h, w, ssim.Size, ssim.Size)
	}
	f := newSSIMFilter(h, w, m.Range)
	for from := 0; from < len(target); from += h * w {
		m.mean.add(f.similarity(target[from:from+h*w], recon[from:from+h*w]))
	}
	return nil
}

// Value returns the mean.
func (m *SSIM) Value() float64 { return m.mean.value() }

// LargerIsBetter returns true.
func (*SSIM) LargerIsBetter() bool { return true }

// ssimFilter holds the window and the memory for planes of one size.
type ssimFilter struct {
	h, w    int
	c1, c2  float64
	window  [ssim.Size]float64
	rows    []float64    // H×(W-10): a plane after the horizontal pass
	moments [5][]float64 // (H-10)×(W-10): weighted means of x, y, x², y², xy
	product []float64    // H×W
}

func newSSIMFilter(h, w int, dataRange float64) *ssimFilter {
	f := &ssimFilter{h: h, w: w, c1: ssim.C1 * dataRange * dataRange, c2: ssim.C2 * dataRange * dataRange, window: ssim.Window()}
	outH, outW := h-ssim.Size+1, w-ssim.Size+1
	f.rows, f.product = make([]float64, h*outW), make([]float64, h*w)
	for i := range f.moments {
		f.moments[i] = make([]float64, outH*outW)
	}
	return f
}

// similarity returns the mean SSIM of two H×W planes.
func (f *ssimFilter) similarity(x, y []float64) float64 {
	f.blur(f.moments[0], x)
	f.blur(f.moments[1], y)
	for k, p := range [3][2][]float64{{x, x}, {y, y}, {x, y}} {
		for i := range f.product {
			f.product[i] = p[0][i] * p[1][i]
		}
		f.blur(f.moments[2+k], f.product)
	}
	var m mean
	for i, muX := range f.moments[0] {
		muY := f.moments[1][i]
		varX, varY, cov := f.moments[2][i]-muX*muX, f.moments[3][i]-muY*muY, f.moments[4][i]-muX*muY
		m.add((2*muX*muY + f.c1) * (2*cov + f.c2) / ((muX*muX + muY*muY + f.c1) * (varX + varY + f.c2)))
	}
	return m.value()
}

// blur writes the weighted mean of each window that lies within the H×W plane to dst, (H-10)×(W-10).
func (f *ssimFilter) blur(dst, plane []float64) {
	outW := f.w - ssim.Size + 1
	for r := range f.h {
		for c := range outW {
			sum := 0.0
			for k, g := range f.window {
				sum += g * plane[r*f.w+c+k]
			}
			f.rows[r*outW+c] = sum
		}
	}
	for i := range dst {
		sum := 0.0
		for k, g := range f.window {
			sum += g * f.rows[i+k*outW]
		}
		dst[i] = sum
	}
}
