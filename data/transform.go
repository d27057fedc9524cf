package data

import (
	"fmt"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/internal/registry"
)

// Transform is an entry of data.transforms as it was decoded. A kind registers itself in its own file by transforms.Add.
type Transform interface {
	// Bind prepares the transform for examples whose x is in; its error is a sentence.
	Bind(in graph.Spec) (Step, error)
}

// Step is a transform bound to the shape of what it gets. It may also be a Fitter, an Inverter and a TrainingOnly.
// After fitting it is only read, so that several goroutines may apply it.
type Step interface {
	// Out is the shape of what Apply gives.
	Out() graph.Spec
	// Apply turns the x of one example, src, into dst; they are the same slice where the shape stays.
	Apply(dst, src []float32, d Draw)
}

// Fitter is a Step that learns from the training split first.
type Fitter interface {
	Observe(x []float32) // each example of the training split, in order
	Fit() error          // after the last one
	State() []Stored     // what was learnt; names are relative to the transform
	Restore(stored func(name string) ([]float32, error)) error
}

// Inverter is a Step whose outputs go back to what they were made from.
type Inverter interface {
	// Inverts reports whether outputs of the network of this shape can go back: a later transform may have changed the shape.
	Inverts(out graph.Spec) bool
	Invert(dst, src []float32) // dst may be src
}

// TrainingOnly is a Step for batches of training only.
type TrainingOnly interface {
	trainingOnly()
}

// drawing is a Step that draws random numbers, so that its outputs differ from epoch to epoch.
type drawing interface{ draws() }

// Draw addresses the random numbers of one example: they depend on nothing else, so order, batches and workers do not matter.
type Draw struct {
	Seed     uint64
	Stream   uint32 // of the transform
	Epoch    uint32
	Row      uint32 // the example's place in its split
	Training bool   // the example is of a training batch
}

// Block returns block i of four random words.
func (d Draw) Block(i int) [4]uint32 {
	return philox.Block(d.Seed, uint32(i), d.Row, d.Epoch, d.Stream)
}

var transforms = registry.New[Transform]("transform")

func init() { configs.Family("kind", transforms) }

// TransformKinds lists the kinds of transforms, for aetrain list.
func TransformKinds() []string { return transforms.Names() }

// sameShape is embedded by steps that keep the shape.
type sameShape struct{ spec graph.Spec }

func (s sameShape) Out() graph.Spec { return s.spec }

// imageSize refuses all but images C×H×W.
func imageSize(in graph.Spec) (c, h, w int, err error) {
	if len(in.Shape) != 3 {
		return 0, 0, 0, fmt.Errorf("wants images (channels, height, width); the examples are %v", in.Shape)
	}
	return in.Shape[0], in.Shape[1], in.Shape[2], nil
}

// sides reads a size as height and width: one number is both.
func sides(size configs.Ints) (h, w int, err error) {
	switch len(size) {
	case 1:
		return size[0], size[0], nil
	case 2:
		return size[0], size[1], nil
	}
	return 0, 0, fmt.Errorf("size is a number or [height, width], not %d numbers", len(size))
}

// sized is what steps share that give images another size: channels×h×w comes in, channels×toH×toW goes out.
type sized struct {
	channels, h, w, toH, toW int
	out                      graph.Spec
}

func newSized(in graph.Spec, size configs.Ints) (sized, error) {
	c, h, w, err := imageSize(in)
	if err != nil {
		return sized{}, err
	}
	toH, toW, err := sides(size)
	return sized{c, h, w, toH, toW, graph.F32(c, toH, toW)}, err
}

func (s *sized) Out() graph.Spec { return s.out }
