package nn

import (
	"errors"
	"fmt"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

// Window holds the keys of a filter that walks over an image.
type Window struct {
	Kernel   configs.Ints       `toml:"kernel" min:"1" required:"true" doc:"size of the filter: n or [height, width]" example:"3"`
	Stride   configs.Ints       `toml:"stride" min:"1" doc:"step of the filter: n or [height, width]"`
	Padding  configs.IntsOrWord `toml:"padding" min:"0" choices:"same|valid" doc:"rows and columns of zeros around the image: n, [height, width], \"same\" (size / stride, rounded up; transposed: size times stride) or \"valid\" (none)"`
	Dilation configs.Ints       `toml:"dilation" min:"1" doc:"distance between the filter's taps: n or [height, width]"`
	Groups   int                `toml:"groups" min:"1" doc:"groups of channels that do not see each other"`
	exact    *op.ConvConfig     // of a mirror: everything decided
}

// newWindow holds the defaults; a kernel of 0 is left out.
func newWindow(kernel int) Window {
	return Window{Kernel: oneSize(kernel), Stride: configs.Ints{1}, Padding: configs.IntsOrWord{Ints: configs.Ints{0}}, Dilation: configs.Ints{1}, Groups: 1}
}

// Validate holds pairs to one or two numbers.
func (w Window) Validate() error {
	var errs []error
	for _, p := range []struct {
		key  string
		size int
	}{{"kernel", len(w.Kernel)}, {"stride", len(w.Stride)}, {"padding", len(w.Padding.Ints)}, {"dilation", len(w.Dilation)}} {
		if p.size > 2 {
			errs = append(errs, configs.KeyError(p.key, "%d numbers; want one, or [height, width]", p.size))
		}
	}
	return errors.Join(errs...)
}

// pair returns height and width of n or [h, w]; otherwise is what an empty one means.
func pair(p configs.Ints, otherwise int) (h, w int) {
	switch len(p) {
	case 0:
		return otherwise, otherwise
	case 1:
		return p[0], p[0]
	}
	return p[0], p[1]
}

// kernel returns the filter's height and width.
func (w Window) kernel() (kh, kw int) { return pair(w.Kernel, 1) }

// conv returns the attributes of a convolution of an image h×v.
func (w Window) conv(h, v int) op.ConvConfig {
	if w.exact != nil {
		return *w.exact
	}
	c := op.ConvConfig{Groups: max(1, w.Groups)}
	c.StrideH, c.StrideW = pair(w.Stride, 1)
	c.DilationH, c.DilationW = pair(w.Dilation, 1)
	kh, kw := w.kernel()
	eh, ew := c.Extent(kh, kw)
	switch w.Padding.Word {
	case "same":
		c.PadTop, c.PadBottom = samePadding(h, eh, c.StrideH)
		c.PadLeft, c.PadRight = samePadding(v, ew, c.StrideW)
	case "valid":
	default:
		c.PadTop, c.PadLeft = pair(w.Padding.Ints, 0)
		c.PadBottom, c.PadRight = c.PadTop, c.PadLeft
	}
	return c
}

// samePadding makes a convolution's output size / stride, rounded up; an odd row goes behind, as Keras has it.
func samePadding(size, extent, stride int) (before, after int) {
	total := max(0, ((size+stride-1)/stride-1)*stride+extent-size)
	return total / 2, total - total/2
}

// convOutput is the size of a convolution's output.
func convOutput(c op.ConvConfig, kh, kw, h, w int) (oh, ow int, err error) {
	eh, ew := c.Extent(kh, kw)
	ph, pw := h+c.PadTop+c.PadBottom, w+c.PadLeft+c.PadRight
	if eh > ph || ew > pw {
		return 0, 0, fmt.Errorf("its filter %dx%d is larger than the padded input %dx%d", eh, ew, ph, pw)
	}
	return (ph-eh)/c.StrideH + 1, (pw-ew)/c.StrideW + 1, nil
}

// transposedSize is the size of a transposed convolution's output; below 1 where padding leaves nothing.
func transposedSize(c op.ConvConfig, kh, kw, h, w int) (oh, ow int) {
	eh, ew := c.Extent(kh, kw)
	return (h-1)*c.StrideH - c.PadTop - c.PadBottom + eh + c.OutPadH,
		(w-1)*c.StrideW - c.PadLeft - c.PadRight + ew + c.OutPadW
}

// transposedOutput is transposedSize, or says that nothing is left.
func transposedOutput(c op.ConvConfig, kh, kw, h, w int) (oh, ow int, err error) {
	oh, ow = transposedSize(c, kh, kw, h, w)
	if oh < 1 || ow < 1 {
		return 0, 0, fmt.Errorf("its padding leaves nothing of a %dx%d input", h, w)
	}
	return oh, ow, nil
}

// checkGroups wants channel counts that groups divides.
func checkGroups(groups, in, out int) error {
	if groups > 1 && (in%groups != 0 || out%groups != 0) {
		return fmt.Errorf("groups = %d must divide both its %d input channels and its %d filters", groups, in, out)
	}
	return nil
}

// maxImage bounds what an image may have, so that sizes never overflow.
const maxImage = 1 << 31

func checkImage(s graph.Shape) (graph.Shape, error) {
	n := 1
	for _, d := range s {
		if d > maxImage/n {
			return nil, fmt.Errorf("its output %v would be too large", s)
		}
		n *= d
	}
	return s, nil
}
