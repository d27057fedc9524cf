package model

import (
	"errors"
	"fmt"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// embed is the patch_embed that the encoder begins with; nil where it does not.
func (m *Model) embed() *nn.PatchEmbed {
	if i := m.embedAt(); i >= 0 {
		return m.Encoder.Layers[i].Layer.(*nn.PatchEmbed)
	}
	return nil
}

// embedAt is its index in the encoder's stack, or -1.
func (m *Model) embedAt() int {
	if m.Encoder == nil {
		return -1
	}
	for i, p := range m.Encoder.Layers {
		if _, is := p.Layer.(*nn.PatchEmbed); is {
			return i
		}
		if _, keeps := p.Layer.(nn.Decoration); !keeps {
			return -1
		}
	}
	return -1
}

// patchSize is the side of the patches that the model works on: the encoder's, else those that the corruption hides; 0: of none.
func (m *Model) patchSize() int {
	if e := m.embed(); e != nil {
		return e.Size
	}
	if c, ok := m.Config.Corruption.(*Patches); ok {
		return c.Size
	}
	return 0
}

// grid is how its patches lie in x.
func (m *Model) grid() nn.Grid { return m.embed().Grid(m.X) }

// hides reports whether the encoder sees some of its patches only.
func (m *Model) hides() bool {
	_, is := m.Config.Corruption.(*Patches)
	return is && m.embed() != nil
}

// checkHiding asks whether encoder, bottleneck and adversaries can work on some of the patches.
func (m *Model) checkHiding() error {
	if !m.hides() {
		return nil
	}
	if len(m.Code) != 2 || m.Code[0] != m.grid().Size() {
		return fmt.Errorf("the encoder sees the patches that are left, so the code has to be one for each patch and not %v: latent_dim = 0 and a deterministic bottleneck", m.Code)
	}
	if m.Config.DecoderPer != "" {
		return errors.New("a decoder for each label sees some of a batch only, and not which patches are hidden: leave decoder_per out")
	}
	at := m.embedAt() + 1
	for _, p := range m.Encoder.Layers[at:] {
		if t, ok := p.Layer.(*nn.Transformer); ok && t.Positions != "none" {
			return fmt.Errorf("the transformer at model.encoder[%d] would count the patches that are left: leave its positions out, patch_embed adds them", p.Index)
		}
	}
	kept := m.Config.Corruption.(*Patches).kept(m.grid().Size())
	var rest []nn.Layer
	for _, p := range m.Encoder.Layers[at:] {
		rest = append(rest, p.Layer)
	}
	if st, err := nn.NewStack(rest, graph.Shape{kept, m.embed().Units}, false); err != nil || len(st.Out) != 2 || st.Out[0] != kept {
		return errors.New("the encoder sees the patches that are left, so its layers behind patch_embed have to keep each in its place: transformers, dense layers, norms")
	}
	for _, name := range m.adversaryNames() {
		if m.Config.Adversaries[name].On == "latent" {
			return fmt.Errorf("the code has the patches that are left only, which model.adversaries.%s cannot judge: on = \"output\"", name)
		}
	}
	return nil
}

// corrupt makes the encoder's input.
func (f *Forward) corrupt(s *nn.Scope) {
	c, ok := f.model.Config.Corruption.(*Patches)
	if !ok {
		f.Input, f.Changed = f.model.Config.Corruption.Corrupt(s, f.X)
		return
	}
	sized := &Patches{Size: f.model.patchSize(), Ratio: c.Ratio}
	var h hiding
	if f.Input, f.Changed, h = sized.hide(s, f.X); f.model.hides() {
		f.hiding = h
	}
}

// throughEncoder applies the encoder's layers and tells tap what they give; where patches are hidden, those behind patch_embed see the others only.
func (f *Forward) throughEncoder(s *nn.Scope, x graph.Value, tap func(nn.Placed, graph.Value)) graph.Value {
	st := f.model.Encoder
	if f.hiding.kept == 0 {
		return st.Tapped(s, x, tap)
	}
	at := f.model.embedAt() + 1
	x = (&nn.Stack{Layers: st.Layers[:at]}).Tapped(s, x, tap)
	return (&nn.Stack{Layers: st.Layers[at:]}).Tapped(s, f.hiding.rows(x, f.hiding.visible), tap)
}

// throughDecoder applies the decoder's layers. Where the encoder may see some of its patches only, the trained mask_token takes the
// place of each hidden one, and positions are added, in front of the first layer that looks at more than one patch.
// Source: He et al. 2022, section 3, "MAE decoder".
func (f *Forward) throughDecoder(s *nn.Scope, z graph.Value) graph.Value {
	st := f.model.Decoder
	if f.model.teacherAt() >= 0 {
		return f.taught(s, z)
	}
	if !f.model.hides() {
		return st.Build(s, z)
	}
	at := mixesAt(st)
	z = (&nn.Stack{Layers: st.Layers[:at]}).Build(s, z)
	if z.Rank() != 3 {
		return z // the graph has an error already
	}
	if f.hiding.kept > 0 && z.Dim(1) == f.hiding.kept {
		z = f.hiding.filled(z, s.Param("mask_token", nn.Normal(maskTokenScale), z.Dim(2)))
	}
	z = f.model.grid().Positions(s, f.model.embed().Positions, z)
	return (&nn.Stack{Layers: st.Layers[at:]}).Build(s, z)
}

// maskTokenScale is the standard deviation that the mask token starts with, as published by He et al. 2022.
const maskTokenScale = 0.02

// mixesAt is the index of the first layer that looks at more than one patch; 0 where none does.
func mixesAt(st *nn.Stack) int {
	for i, p := range st.Layers {
		switch p.Layer.(type) {
		case *nn.Dense, *nn.Fold:
			continue
		}
		if _, keeps := p.Layer.(nn.Decoration); !keeps {
			return i
		}
	}
	return 0
}

// folded lets a written decoder that gives a row for each patch end with an image.
func (m *Model) folded(layers []nn.Layer) []nn.Layer {
	if m.Mirror || m.embed() == nil {
		return layers
	}
	st, err := nn.NewStack(layers, m.Condition.widened(m.Code, intoDecoder), false)
	if err != nil || !st.Out.Equal(graph.Shape{m.grid().Size(), m.Raw.Size() / m.grid().Size()}) {
		return layers
	}
	return append(layers, &nn.Fold{Size: m.embed().Size, Grid: m.grid()})
}

// patchEps is added to the variance of a patch, as published by He et al. 2022.
const patchEps = 1e-6

// patchStatistics are mean and standard deviation of each patch of x, for each of its pixels: of x's shape.
func (m *Model) patchStatistics(x graph.Value) (mean, deviation graph.Value) {
	size := m.patchSize()
	grid := nn.Grid{Rows: x.Dim(2) / size, Columns: x.Dim(3) / size}
	rows := nn.Unfold(x, size)
	n, t, pixels := rows.Dim(0), rows.Dim(1), rows.Dim(2)
	centre := op.Reshape(op.ReduceMean(rows, 2), n, t, 1)
	variance := op.Scale(op.ReduceSum(op.Square(op.Sub(rows, centre)), 2), 1/float64(max(1, pixels-1)))
	spread := op.Reshape(op.Sqrt(op.AddConst(variance, patchEps)), n, t, 1)
	whole := func(v graph.Value) graph.Value {
		return (&nn.Fold{Size: size, Grid: grid}).Build(nil, op.BroadcastTo(v, n, t, pixels))
	}
	return whole(centre), whole(spread)
}

// target is what the reconstruction is compared with: x, or x with each patch standardised.
func (f *Forward) target() graph.Value {
	if f.model.Config.Reconstruction.Options().Normalize != "patch" {
		return f.X
	}
	mean, deviation := f.model.patchStatistics(f.X)
	return op.Div(op.Sub(f.X, mean), deviation)
}

// reconstructed is the mean of recon as users want it, in x's units: patches get the mean and variance of those of x back, and where
// only what was hidden is learnt, the rest is what was seen.
func (f *Forward) reconstructed() graph.Value {
	y, o := f.Recon.Mean(), f.model.Config.Reconstruction.Options()
	if o.Normalize == "patch" {
		mean, deviation := f.model.patchStatistics(f.X)
		y = op.Add(op.Mul(y, f.Repeated(deviation)), f.Repeated(mean))
	}
	if _, is := f.model.Config.Corruption.(*Patches); is && o.On == "corrupted" && f.Changed.Valid() {
		y = op.Select(f.Repeated(f.Changed), y, f.Repeated(f.X))
	}
	return y
}

// checkNormalize asks whether patches can be standardised.
func (m *Model) checkNormalize() error {
	if m.Config.Reconstruction.Options().Normalize != "patch" {
		return nil
	}
	if len(m.X) != 3 {
		return fmt.Errorf("patches are those of images, x is %v", m.X)
	}
	size := m.patchSize()
	if _, told := m.Config.Corruption.(*Patches); told && size == 0 {
		return nil // told at the corruption
	}
	if size == 0 {
		return errors.New("there are no patches: let the encoder begin with patch_embed, or choose the corruption patches")
	}
	if _, is := m.Config.Reconstruction.(Comparer); is {
		return fmt.Errorf("%s compares no pixels: leave it out", m.reconstructionKind())
	}
	if _, _, bounded := m.Config.Reconstruction.Range(); bounded {
		return fmt.Errorf("standardised patches are any numbers, which %s does not take: use mse or gaussian", m.reconstructionKind())
	}
	return nn.CheckPatches(size, m.X)
}
