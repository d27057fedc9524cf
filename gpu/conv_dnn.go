//go:build gpu

package gpu

import (
	"errors"

	"aetrain/gpu/driver"
	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/op"
)

// dnnConv is a step in cuDNN's terms: x is the large side, y the small one, w the weight between them.
type dnnConv struct {
	driver.Conv
	x, y      graph.Shape
	top, left int // of a frame of zeros around x, where its sides differ: cuDNN pads both sides of an axis alike
	framed    bool
}

// dnnConvOf describes a Conv2D, a ConvTranspose2D (the gradient of a convolution's input) or a Conv2DWeightGrad. ok is false where
// no convolution of the large side has the small one's size: a transposed one with an output padding of a stride or more.
func dnnConvOf(k kernels.Case) (d dnnConv, ok bool) {
	var c op.ConvConfig
	var w graph.Shape
	switch o := k.Op.(type) {
	case op.Conv:
		c, d.Pass, d.x, w, d.y = o.ConvConfig, driver.Forward, k.In[0].Shape, k.In[1].Shape, k.Out[0].Shape
	case op.ConvTranspose:
		c, d.Pass, d.y, w, d.x = o.ConvConfig, driver.BackwardData, k.In[0].Shape, k.In[1].Shape, k.Out[0].Shape
	case op.ConvWeightGrad:
		c, d.Pass, d.x, d.y, w = o.ConvConfig, driver.BackwardFilter, k.In[0].Shape, k.In[1].Shape, k.Out[0].Shape
	default:
		return d, false
	}
	d.N, d.C, d.H, d.W = shapesOf(d.x)
	_, d.K, d.P, d.Q = shapesOf(d.y)
	d.R, d.S = w[2], w[3]
	d.StrideH, d.StrideW, d.DilationH, d.DilationW, d.Groups = c.StrideH, c.StrideW, c.DilationH, c.DilationW, c.Groups
	d.PadH, d.PadW = c.PadTop, c.PadLeft
	if c.PadTop != c.PadBottom || c.PadLeft != c.PadRight {
		d.framed, d.top, d.left, d.PadH, d.PadW = true, c.PadTop, c.PadLeft, 0, 0
		d.H, d.W = d.H+c.PadTop+c.PadBottom, d.W+c.PadLeft+c.PadRight
	}
	eh, ew := c.Extent(d.R, d.S)
	ok = (d.H+2*d.PadH-eh)/d.StrideH+1 == d.P && (d.W+2*d.PadW-ew)/d.StrideW+1 == d.Q && d.N*d.C*d.H*d.W <= most
	return d, ok
}

// dnnFits says that cuDNN is there and knows such a convolution.
func (d *device) dnnFits(k kernels.Case) bool {
	if d.dnn == nil || !countable(k.In, k.Out) {
		return false
	}
	_, ok := dnnConvOf(k)
	return ok
}

// bindDnn runs a convolution by the rank-th algorithm, from 0, of those that cuDNN thinks fastest and that give the same bits each
// time. Where it has not so many, our own kernel runs if that fits.
func bindDnn(rank int, fits func(kernels.Case) bool, own launch) launch {
	return func(b *binder, s *step) error {
		d, _ := dnnConvOf(s.Case)
		plan, err := b.planConv(&d, rank)
		if errors.Is(err, driver.ErrNoAlgorithm) && fits(s.Case) {
			return own(b, s)
		}
		if err != nil {
			return err
		}
		b.onClose(plan.Destroy)
		b.runConv(s, d, plan)
		return nil
	}
}

// planConv plans in the program's precision; convolutions that cuDNN does not have in bfloat16 run in TF32.
func (b *binder) planConv(d *dnnConv, rank int) (*driver.ConvPlan, error) {
	d.Precision, d.Deterministic, d.WorkspaceLimit = b.precision, true, 2*workspaceLimit
	plan, err := b.dev.dnn.Plan(d.Conv, rank)
	if d.Precision == driver.BF16 && errors.Is(err, driver.ErrNoAlgorithm) {
		d.Precision = driver.TF32
		return b.dev.dnn.Plan(d.Conv, rank)
	}
	return plan, err
}

// runConv appends the frame, the roundings and the convolution itself.
func (b *binder) runConv(s *step, d dnnConv, plan *driver.ConvPlan) {
	b.computed = d.Precision
	out := s.out[0]
	size := d.N * d.C * d.H * d.W
	if d.framed && d.Pass == driver.BackwardData {
		out = b.scratch(graph.Float32, size)
	}
	to := out
	if d.Precision == driver.BF16 {
		to = b.scratch(graph.Float32, (out.size+1)/2)
	}
	first := s.in[0]
	if d.framed && d.Pass != driver.BackwardData {
		first = b.scratch(graph.Float32, size)
		b.frame(first, s.in[0], d.N*d.C, d.x[2], d.x[3], d.H, d.W, d.top, d.left)
	}
	second := s.in[1]
	if d.Precision == driver.BF16 {
		first, second = b.rounded(first), b.rounded(second)
	}
	x, w, y := first, second, to
	switch d.Pass {
	case driver.BackwardData:
		x, w, y = to, second, first
	case driver.BackwardFilter:
		x, w, y = first, to, second
	}
	work := b.scratch(graph.Uint8, int(plan.Workspace()))
	b.call("cudnn "+plan.Algorithm(), func(st driver.Stream) error {
		return plan.Run(st, x.ptr(), w.ptr(), y.ptr(), address(work))
	})
	if d.Precision == driver.BF16 {
		b.kernel("from_bf16", line(blocks(to.size, 256)), line(256), 0, to, out, int64(out.size))
	}
	if d.framed && d.Pass == driver.BackwardData {
		b.frame(s.out[0], out, d.N*d.C, d.H, d.W, d.x[2], d.x[3], -d.top, -d.left)
	}
}

// frame copies planes of h×w into planes of rows×columns, from row top and column left on.
func (b *binder) frame(dst, src memory, planes, h, w, rows, columns, top, left int) {
	grid, block := elements(dst.size)
	b.kernel("frame", grid, block, 0, src, dst, planes*rows*columns, h, w, divisor(rows*columns), divisor(columns), top, left)
}
