package op

import (
	"fmt"

	"aetrain/graph"
)

func init() {
	add(Upsample{ScaleH: 1, ScaleW: 1, Mode: Nearest})
	add(UpsampleGrad{ScaleH: 1, ScaleW: 1, Mode: Nearest})
}

// The modes of [Upsample2D].
const (
	Nearest  = "nearest"  // each pixel becomes a block
	Bilinear = "bilinear" // between pixel centres, as PyTorch's align_corners=False: beyond the outermost centres the image stays constant
)

// Upsample2D enlarges N×C×H×W images scaleH·scaleW times by mode [Nearest] or [Bilinear]; the result is
// N×C×(H·scaleH)×(W·scaleW).
func Upsample2D(x graph.Value, scaleH, scaleW int, mode string) graph.Value {
	return apply(Upsample{ScaleH: scaleH, ScaleW: scaleW, Mode: mode}, x)
}

// Upsample is the op of [Upsample2D].
type Upsample struct {
	ScaleH, ScaleW int
	Mode           string
}

// Name returns "Upsample2D".
func (Upsample) Name() string { return "Upsample2D" }

// Infer multiplies height and width.
func (u Upsample) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if err := u.check(); err != nil {
		return nil, err
	}
	if err := wantImages("input", in[0]); err != nil {
		return nil, err
	}
	s := in[0].Shape
	return sized(graph.Float32, s[0], s[1], s[2]*u.ScaleH, s[3]*u.ScaleW)
}

func (u Upsample) check() error {
	if u.Mode != Nearest && u.Mode != Bilinear {
		return fmt.Errorf("mode %q is neither %q nor %q", u.Mode, Nearest, Bilinear)
	}
	if u.ScaleH < 1 || u.ScaleW < 1 || u.ScaleH > maxExtent || u.ScaleW > maxExtent {
		return fmt.Errorf("the scale cannot be %dx%d", u.ScaleH, u.ScaleW)
	}
	return nil
}

// VJP is the transpose, a linear op.
func (u Upsample) VJP(_ *graph.Node, dOut []graph.Value) []graph.Value {
	return one(apply(UpsampleGrad(u), dOut[0]))
}

// UpsampleTap says which two of n pixels output pixel i of an axis lies between, at this scale: it is
// (1-f)·x[a] + f·x[b]. Nearest gives f = 0.
func UpsampleTap(i, n, scale int, mode string) (a, b int, f float64) {
	if mode == Nearest {
		return i / scale, i / scale, 0
	}
	at := max(0, (float64(i)+0.5)/float64(scale)-0.5)
	a = int(at)
	return a, min(a+1, n-1), at - float64(a)
}

// taps calls f for each output pixel and each input pixel that it takes part of, h×w being the input's plane.
func (u Upsample) taps(planes, h, w int, f func(out, in int, weight float64)) {
	oh, ow := h*u.ScaleH, w*u.ScaleW
	for i := range oh {
		top, bottom, fi := UpsampleTap(i, h, u.ScaleH, u.Mode)
		for j := range ow {
			left, right, fj := UpsampleTap(j, w, u.ScaleW, u.Mode)
			for p := range planes {
				o, x := (p*oh+i)*ow+j, p*h*w
				f(o, x+top*w+left, (1-fi)*(1-fj))
				f(o, x+top*w+right, (1-fi)*fj)
				f(o, x+bottom*w+left, fi*(1-fj))
				f(o, x+bottom*w+right, fi*fj)
			}
		}
	}
}

// Eval is the definition.
func (u Upsample) Eval(out, in []graph.Tensor) {
	s := in[0].Shape
	u.taps(s[0]*s[1], s[2], s[3], func(o, i int, weight float64) {
		if weight != 0 {
			out[0].Data[o] += weight * in[0].Data[i]
		}
	})
}

// Examples have scales 1 to 3, different in height and width.
func (Upsample) Examples() []graph.Example {
	var es []graph.Example
	for _, c := range upsampleCases() {
		es = append(es, graph.Example{Op: c.u, Args: []graph.Arg{f32(c.x...)}, Bench: c.bench})
	}
	return es
}

// UpsampleGrad is the transpose of upsampling: it adds up, for each pixel of the small image, the parts of the pixels of
// dy (N×C×H'×W') that came from it.
type UpsampleGrad Upsample

// Name returns "Upsample2DGrad".
func (UpsampleGrad) Name() string { return "Upsample2DGrad" }

// Infer divides height and width.
func (u UpsampleGrad) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if err := Upsample(u).check(); err != nil {
		return nil, err
	}
	if err := wantImages("dy", in[0]); err != nil {
		return nil, err
	}
	s := in[0].Shape
	if s[2]%u.ScaleH != 0 || s[3]%u.ScaleW != 0 {
		return nil, fmt.Errorf("dy of %dx%d is no multiple of the scale %dx%d", s[2], s[3], u.ScaleH, u.ScaleW)
	}
	return sized(graph.Float32, s[0], s[1], s[2]/u.ScaleH, s[3]/u.ScaleW)
}

// VJP upsamples again.
func (u UpsampleGrad) VJP(_ *graph.Node, dOut []graph.Value) []graph.Value {
	return one(apply(Upsample(u), dOut[0]))
}

// Eval is the definition.
func (u UpsampleGrad) Eval(out, in []graph.Tensor) {
	s := out[0].Shape
	Upsample(u).taps(s[0]*s[1], s[2], s[3], func(o, i int, weight float64) {
		if weight != 0 {
			out[0].Data[i] += weight * in[0].Data[o]
		}
	})
}

// Examples are those of [Upsample], the other way.
func (UpsampleGrad) Examples() []graph.Example {
	var es []graph.Example
	for _, c := range upsampleCases() {
		dy := f32(c.x[0], c.x[1], c.x[2]*c.u.ScaleH, c.x[3]*c.u.ScaleW)
		es = append(es, graph.Example{Op: UpsampleGrad(c.u), Args: []graph.Arg{dy}, Bench: c.bench})
	}
	return es
}

type upsampleCase struct {
	x     graph.Shape
	u     Upsample
	bench bool
}

func upsampleCases() []upsampleCase {
	var cases []upsampleCase
	for _, mode := range []string{Nearest, Bilinear} {
		cases = append(cases,
			upsampleCase{x: graph.Shape{1, 1, 1, 1}, u: Upsample{ScaleH: 2, ScaleW: 3, Mode: mode}},
			upsampleCase{x: graph.Shape{2, 3, 3, 4}, u: Upsample{ScaleH: 2, ScaleW: 2, Mode: mode}},
			upsampleCase{x: graph.Shape{1, 2, 4, 3}, u: Upsample{ScaleH: 3, ScaleW: 1, Mode: mode}},
			upsampleCase{x: graph.Shape{128, 32, 14, 14}, u: Upsample{ScaleH: 2, ScaleW: 2, Mode: mode}, bench: true},
		)
	}
	return cases
}
