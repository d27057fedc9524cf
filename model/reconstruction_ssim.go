package model

import (
	"fmt"

	"aetrain/graph"
	"aetrain/internal/ssim"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("ssim", func() Reconstruction {
		return &SSIM{ReconstructionOptions: newReconstructionOptions(), Scales: 1, Share: 1}
	})
}

// SSIM is 1 less the mean structural similarity of images, that of metrics, or with Scales above 1 its multi-scale form: the product
// over halved images of contrast and structure to the power of each scale's weight, with the luminance of the last. What Share
// leaves is the mean absolute error, which holds colours. The decoder gives logits of values in [0, 1]; a sigmoid at its end is
// understood.
// Source: Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity", eq. 13; Wang, Simoncelli &
// Bovik 2003, "Multi-scale structural similarity for image quality assessment", eq. 7; Zhao et al. 2017, "Loss Functions for Image
// Restoration with Neural Networks", eq. 11.
type SSIM struct {
	ReconstructionOptions
	Scales int     `toml:"scales" min:"1" max:"5" doc:"sizes at which images are compared, each half the one before"`
	Share  float64 `toml:"share" min:"0" max:"1" doc:"of the similarity in the loss; the rest is the mean absolute error"`
}

// ssimWeights are those of the scales.
var ssimWeights = [...]float64{0.0448, 0.2856, 0.3001, 0.2363, 0.1333}

// Channels is 1.
func (*SSIM) Channels() int { return 1 }

// Link is sigmoid.
func (*SSIM) Link() string { return "sigmoid" }

// Distribution has the sigmoid of raw as its mean.
func (*SSIM) Distribution(_ *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	return prob.Bernoulli{Logits: raw}
}

// Loss is the absolute error of the values; Compare is what is minimised.
func (*SSIM) Loss(recon prob.Distribution, x graph.Value) graph.Value {
	return op.Abs(op.Sub(recon.Mean(), x))
}

// IsDensity is false.
func (*SSIM) IsDensity() bool { return false }

// Range is [0, 1].
func (*SSIM) Range() (low, high float64, bounded bool) { return 0, 1, true }

// Check wants images that the window fits into at every scale.
func (r *SSIM) Check(m *Model) error {
	if len(m.X) != 3 {
		return fmt.Errorf("ssim compares images, x is %v: choose mse or bce", m.X)
	}
	if least := ssim.Size << (r.Scales - 1); m.X[1] < least || m.X[2] < least {
		return fmt.Errorf("images of %dx%d are too small for %d scales of an %dx%d window, which want %d pixels: take fewer scales, or mse",
			m.X[1], m.X[2], r.Scales, ssim.Size, ssim.Size, least)
	}
	return nil
}

// Compare is a number for each example, N·k×1.
func (r *SSIM) Compare(_ *nn.Scope, f *Forward) graph.Value {
	recon, x := f.Recon.Mean(), f.Repeated(f.X)
	loss := op.Scale(op.AddConst(op.Neg(r.similarity(x, recon)), 1), r.Share)
	if r.Share < 1 {
		absolute := op.ReduceMean(op.Abs(op.Sub(recon, x)), 1, 2, 3)
		loss = op.Add(loss, op.Scale(absolute, 1-r.Share))
	}
	return op.Reshape(loss, x.Dim(0), 1)
}

// similarity is that of each example, the mean over channels: N.
func (r *SSIM) similarity(x, y graph.Value) graph.Value {
	n, channels := x.Dim(0), x.Dim(1)
	single := func(v graph.Value) graph.Value { return op.Reshape(v, n*channels, 1, v.Dim(2), v.Dim(3)) }
	x, y = single(x), single(y)
	total := 0.0
	for _, w := range ssimWeights[:r.Scales] {
		total += w
	}
	var logs []graph.Value
	for k := range r.Scales {
		luminance, structure := ssimMaps(x, y)
		if k == r.Scales-1 {
			structure = op.Mul(luminance, structure)
		}
		mean := op.ReduceMean(structure, 1, 2, 3)
		if r.Scales == 1 {
			return op.ReduceMean(op.Reshape(mean, n, channels), 1)
		}
		const least = 1e-6 // a negative structure has no power
		logs = append(logs, op.Scale(op.Log(op.Maximum(mean, x.Graph().Scalar(least))), ssimWeights[k]/total))
		half := op.PoolConfig{KH: 2, KW: 2}
		x, y = op.AvgPool2D(x, half), op.AvgPool2D(y, half)
	}
	return op.ReduceMean(op.Reshape(op.Exp(graph.SumOf(logs...)), n, channels), 1)
}

// ssimMaps are (2·μx·μy + C1)/(μx² + μy² + C1) and (2·σxy + C2)/(σx² + σy² + C2) at all places where the window lies within the images,
// M×1×H×W.
func ssimMaps(x, y graph.Value) (luminance, structure graph.Value) {
	m := x.Dim(0)
	blurred := blur(op.Concat(0, x, y, op.Square(x), op.Square(y), op.Mul(x, y)))
	at := func(i int) graph.Value { return op.Slice(blurred, 0, i*m, (i+1)*m) }
	muX, muY := at(0), at(1)
	squares, product := op.Add(op.Square(muX), op.Square(muY)), op.Mul(muX, muY)
	variances, covariance := op.Sub(op.Add(at(2), at(3)), squares), op.Sub(at(4), product)
	luminance = op.Div(op.AddConst(op.Scale(product, 2), ssim.C1), op.AddConst(squares, ssim.C1))
	return luminance, op.Div(op.AddConst(op.Scale(covariance, 2), ssim.C2), op.AddConst(variances, ssim.C2))
}

// blur is the weighted mean of each window that lies within the images, M×1×H×W, by rows and then by columns.
func blur(v graph.Value) graph.Value {
	window := ssim.Window()
	g := v.Graph()
	v = op.Conv2D(v, g.Constant(graph.F32(1, 1, 1, ssim.Size), window[:]...), op.ConvConfig{})
	return op.Conv2D(v, g.Constant(graph.F32(1, 1, ssim.Size, 1), window[:]...), op.ConvConfig{})
}
