package nn

import (
	"fmt"

	"aetrain/graph"
	"aetrain/op"
)

// Fold puts patches together: a sequence (Rows·Columns)×(C·Size²), each row the pixels C×Size×Size of a patch, becomes an image.
// It stands where a mirror of [PatchEmbed] ends, and a decoder behind one; no configuration names it.
type Fold struct {
	Common
	Size int
	Grid Grid
}

// Kind is "fold".
func (*Fold) Kind() string { return "fold" }

// Output is C × Rows·Size × Columns·Size.
func (l *Fold) Output(in graph.Shape) (graph.Shape, error) {
	pixels := l.Size * l.Size
	if len(in) != 2 || in[0] != l.Grid.Size() || in[1]%pixels != 0 {
		return nil, fmt.Errorf("it folds %d patches of %dx%d pixels, its input is %v", l.Grid.Size(), l.Size, l.Size, in)
	}
	return graph.Shape{in[1] / pixels, l.Grid.Rows * l.Size, l.Grid.Columns * l.Size}, nil
}

// Build moves each patch's pixels to their place.
func (l *Fold) Build(_ *Scope, x graph.Value) graph.Value {
	if x.Rank() != 3 {
		return x // the graph has an error already
	}
	n, c := x.Dim(0), x.Dim(2)/(l.Size*l.Size)
	y := op.Transpose(op.Reshape(x, n, l.Grid.Rows, l.Grid.Columns, c, l.Size, l.Size), 0, 3, 1, 4, 2, 5)
	return op.Reshape(y, n, c, l.Grid.Rows*l.Size, l.Grid.Columns*l.Size)
}

// Unfold is the reverse: images N×C×H×W as N×(H/size·W/size)×(C·size²).
func Unfold(x graph.Value, size int) graph.Value {
	n, c, h, w := x.Dim(0), x.Dim(1), x.Dim(2)/size, x.Dim(3)/size
	y := op.Transpose(op.Reshape(x, n, c, h, size, w, size), 0, 2, 4, 1, 3, 5)
	return op.Reshape(y, n, h*w, c*size*size)
}

// Mirror cuts the image up again.
func (l *Fold) Mirror(in graph.Shape) ([]Layer, error) {
	return nil, fmt.Errorf("it has no mirror: write the decoder out")
}
