package nn

import (
	"fmt"

	"aetrain/graph"
	"aetrain/op"
)

func init() {
	Layers.Add("patch_embed", func() Layer { return &PatchEmbed{Positions: "sinusoidal"} })
}

// PatchEmbed cuts an image into squares and projects each to Units features, with its position added: a sequence, row by row.
//
//	x: N×C×H×W   weight: Units×C×Size×Size   bias: Units   y: N×(H/Size·W/Size)×Units
//
// Its mirror projects each patch back to pixels, and [Fold] puts them together; a decoder of sequences as long is folded, too.
// Source: Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words", eq. 1; positions as [Grid.Positions].
type PatchEmbed struct {
	Common
	Size      int    `toml:"size" required:"true" min:"1" doc:"pixels of a patch's side" example:"8"`
	Units     int    `toml:"units" required:"true" min:"1" doc:"features of each patch" example:"384"`
	Positions string `toml:"positions" choices:"none|sinusoidal|learned" doc:"what tells patches apart, added to their features"`
}

// Kind is "patch_embed".
func (*PatchEmbed) Kind() string { return "patch_embed" }

// Grid is the patches of an image C×H×W.
func (l *PatchEmbed) Grid(in graph.Shape) Grid { return Grid{in[1] / l.Size, in[2] / l.Size} }

// Output is one row for each patch.
func (l *PatchEmbed) Output(in graph.Shape) (graph.Shape, error) {
	if err := wantImage(in); err != nil {
		return nil, err
	}
	if err := CheckPatches(l.Size, in); err != nil {
		return nil, err
	}
	if err := checkPositions(l.Positions, l.Units); err != nil {
		return nil, err
	}
	return checkImage(graph.Shape{l.Grid(in).Size(), l.Units})
}

// CheckPatches wants an image C×H×W that squares of this size fill.
func CheckPatches(size int, in graph.Shape) error {
	if size < 1 || in[1]%size != 0 || in[2]%size != 0 {
		return fmt.Errorf("patches of %dx%d do not fill the image %v: its height and width must be multiples of size", size, size, in)
	}
	return nil
}

// Build projects all patches in one product.
func (l *PatchEmbed) Build(s *Scope, x graph.Value) graph.Value {
	if x.Rank() != 4 {
		return x // the graph has an error already
	}
	n, grid, pixels := x.Dim(0), l.Grid(x.Shape()[1:]), x.Dim(1)*l.Size*l.Size
	weight := op.Reshape(s.Param("weight", xavierInit{}.patches, l.Units, x.Dim(1), l.Size, l.Size), l.Units, pixels)
	y := op.MatMul(op.Reshape(Unfold(x, l.Size), n*grid.Size(), pixels), weight, false, true)
	y = op.AddBias(y, s.Param("bias", nil, l.Units))
	return grid.Positions(s, l.Positions, op.Reshape(y, n, grid.Size(), l.Units))
}

// patches fills a projection of patches as the matrix that it is, as He et al. 2022 do.
func (i xavierInit) patches(seed uint64, name string, t graph.Tensor) {
	i.Weight(seed, name, graph.Tensor{Spec: graph.F32(t.Shape[0], t.Shape[1:].Size()), Data: t.Data})
}

// Mirror is a dense layer that gives each patch's pixels, and the fold that puts them together.
func (l *PatchEmbed) Mirror(in graph.Shape) ([]Layer, error) {
	return []Layer{NewDense(in[0] * l.Size * l.Size), &Fold{Size: l.Size, Grid: l.Grid(in)}}, nil
}
