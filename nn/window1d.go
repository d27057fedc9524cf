package nn

import (
	"fmt"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

// Window1D holds the keys of a filter that walks over a sequence.
type Window1D struct {
	Kernel   int                `toml:"kernel" min:"1" required:"true" doc:"size of the filter, in times" example:"3"`
	Stride   int                `toml:"stride" min:"1" doc:"step of the filter"`
	Padding  configs.IntsOrWord `toml:"padding" min:"0" choices:"same|valid|causal" doc:"times of zeros on either side: n, \"same\" (times / stride, rounded up; transposed: times times stride), \"valid\" (none) or \"causal\" (as many as same, all in front: no output sees what comes after it)"`
	Dilation int                `toml:"dilation" min:"1" doc:"distance between the filter's taps"`
	Groups   int                `toml:"groups" min:"1" doc:"groups of channels that do not see each other"`
	exact    *op.ConvConfig     // of a mirror: everything decided
}

// newWindow1D holds the defaults.
func newWindow1D(kernel int) Window1D {
	return Window1D{Kernel: kernel, Stride: 1, Padding: configs.IntsOrWord{Ints: configs.Ints{0}}, Dilation: 1, Groups: 1}
}

// causalWord is the word for padding in front only.
const causalWord = "causal"

// Validate holds the padding to one number.
func (w Window1D) Validate() error {
	if n := len(w.Padding.Ints); n > 1 {
		return configs.KeyError("padding", "%d numbers; want one", n)
	}
	return nil
}

// plane is the same filter over an image of height 1.
func (w Window1D) plane() Window {
	return Window{Kernel: configs.Ints{1, w.Kernel}, Stride: configs.Ints{1, w.Stride}, Padding: w.planePadding(),
		Dilation: configs.Ints{1, w.Dilation}, Groups: w.Groups, exact: w.exact}
}

func (w Window1D) planePadding() configs.IntsOrWord {
	if w.Padding.Word != "" || len(w.Padding.Ints) == 0 {
		return configs.IntsOrWord{Word: w.Padding.Word}
	}
	return configs.IntsOrWord{Ints: configs.Ints{0, w.Padding.Ints[0]}}
}

// extent is what the filter covers, dilation included.
func (w Window1D) extent() int { return w.Dilation*(w.Kernel-1) + 1 }

// conv returns the attributes of a convolution of t times.
func (w Window1D) conv(t int) op.ConvConfig {
	if w.exact == nil && w.Padding.Word == causalWord {
		p := w
		p.Padding = configs.IntsOrWord{Word: "valid"}
		c := p.plane().conv(1, t)
		c.PadLeft = w.extent() - 1
		return c
	}
	return w.plane().conv(1, t)
}

// follows reports why the filters cannot be applied to sequences of shape in, whose channels the groups share out.
func (w Window1D) follows(b Bank, in graph.Shape) error {
	switch {
	case len(in) == 3:
		return fmt.Errorf("it works on sequences, its input is %v: images want the layer of two dimensions", in)
	case len(in) != 2:
		return fmt.Errorf("it works on sequences, its input is %v: add { layer = \"reshape\", shape = [%v, 1] } before it", in, in)
	case b.Size() == 0:
		return errNoFilters
	}
	return checkGroups(w.Groups, in[1], b.Size())
}

// asPlane turns N×T×C into N×C×1×T, and fromPlane back.
func asPlane(x graph.Value) graph.Value {
	return op.Reshape(op.Transpose(x, 0, 2, 1), x.Dim(0), x.Dim(2), 1, x.Dim(1))
}

func fromPlane(y graph.Value) graph.Value {
	return op.Transpose(op.Reshape(y, y.Dim(0), y.Dim(1), y.Dim(3)), 0, 2, 1)
}
