package model

import (
	"fmt"
	"math"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() { Corruptions.Add("patches", func() Corruption { return &Patches{Ratio: 0.75} }) }

// Patches hides whole squares of an image, a fixed number of each, drawn without replacement. An encoder that begins with
// patch_embed sees the others only, as many as are left, and its decoder gets trained tokens in their places; for any other encoder
// the hidden pixels become 0.
// Source: He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners", section 3.
type Patches struct {
	Size  int     `toml:"size" min:"1" doc:"pixels of a patch's side; left out: those of the encoder's patch_embed" example:"8"`
	Ratio float64 `toml:"ratio" min:"0" below:"1" doc:"share of the patches that are hidden"`
}

// kept is how many of so many patches are left: as published, rounded down, and at least one.
func (c *Patches) kept(patches int) int {
	return max(1, int(math.Floor(float64(patches)*(1-c.Ratio)+1e-9)))
}

// Corrupt sets the hidden patches to 0. Size has to be known: [Model.patchSize] fills it in.
func (c *Patches) Corrupt(s *nn.Scope, x graph.Value) (corrupted, changed graph.Value) {
	corrupted, changed, _ = c.hide(s, x)
	return corrupted, changed
}

// hide is Corrupt, and tells which patches are hidden.
func (c *Patches) hide(s *nn.Scope, x graph.Value) (corrupted, changed graph.Value, h hiding) {
	n, grid := x.Dim(0), nn.Grid{Rows: x.Dim(2) / c.Size, Columns: x.Dim(3) / c.Size}
	t := grid.Size()
	order := op.ArgSort(s.Uniform("order", graph.Shape{n, t})) // a permutation of each image's patches; the first are kept
	h = hiding{kept: c.kept(t), restore: op.ArgSort(order)}
	h.visible = op.Slice(order, 1, 0, h.kept)
	gone := op.GreaterEqual(op.Cast(h.restore, graph.Float32), s.Graph().Scalar(float64(h.kept)))
	shape := []int{n, x.Dim(1), grid.Rows, c.Size, grid.Columns, c.Size}
	changed = op.Reshape(op.BroadcastTo(op.Reshape(gone, n, 1, grid.Rows, 1, grid.Columns, 1), shape...), x.Shape()...)
	return op.Select(changed, s.Graph().Constant(graph.F32(x.Shape()...), 0), x), changed, h
}

// Check wants images, and a size that fills them.
func (c *Patches) Check(m *Model) error {
	size := m.patchSize()
	switch {
	case len(m.X) != 3:
		return fmt.Errorf("patches are hidden of images, x is %v", m.X)
	case size == 0:
		return fmt.Errorf("size is missing: the encoder does not begin with patch_embed, whose size it would be")
	case m.embed() != nil && c.Size > 0 && c.Size != m.embed().Size:
		return fmt.Errorf("size = %d is not that of the encoder's patch_embed, %d: leave it out", c.Size, m.embed().Size)
	}
	if err := nn.CheckPatches(size, m.X); err != nil {
		return err
	}
	return m.checkHiding()
}

// hiding says which patches of each image an encoder does not see.
type hiding struct {
	visible graph.Value // int32, N×kept: the patches that are left, in the order in which the encoder sees them
	restore graph.Value // int32, N×patches: where each patch stands among the visible ones, then the hidden ones
	kept    int
}

// rows takes rows of v, N×T×D: for each example those that at, N×K, names.
func (hiding) rows(v, at graph.Value) graph.Value {
	n, t, d, k := v.Dim(0), v.Dim(1), v.Dim(2), at.Dim(1)
	first := make([]float64, n*k)
	for i := range first {
		first[i] = float64(i / k * t)
	}
	at = op.AddInt(at, v.Graph().Constant(graph.I32(n, k), first...))
	return op.Gather(op.Reshape(v, n*t, d), at)
}

// filled puts a token into the place of each hidden patch: N×kept×D becomes N×patches×D, in the image's order.
func (h hiding) filled(v, token graph.Value) graph.Value {
	n, d, t := v.Dim(0), v.Dim(2), h.restore.Dim(1)
	if t > h.kept {
		v = op.Concat(1, v, op.BroadcastTo(op.Reshape(token, 1, 1, d), n, t-h.kept, d))
	}
	return h.rows(v, h.restore)
}
