package model

import (
	"errors"
	"fmt"
	"strconv"

	"aetrain/graph"
	"aetrain/nn"
)

// buildDecoder takes the decoder as it was written, or the encoder's mirror, and holds it to the input's shape.
func (m *Model) buildDecoder() error {
	m.Raw = m.X.Clone()
	m.Raw[m.channelAxis()] *= m.Config.Reconstruction.Channels()
	if m.logits() {
		m.Raw = graph.Shape{m.X[0], m.vocabulary()}
	}
	m.Mirror = len(m.Config.Decoder) == 0
	layers := m.counted(m.Config.Decoder)
	var err error
	if m.Mirror {
		layers, err = m.mirror()
	} else if m.Config.Tied {
		err = mistake("model.tied", "weights are shared with the encoder's mirror: leave the decoder out, or tied")
	}
	if err != nil {
		return err
	}
	layers, err = m.finish(layers)
	if err != nil {
		return err
	}
	layers = m.folded(layers)
	if m.Decoder, err = nn.NewStack(layers, m.Condition.widened(m.Code, intoDecoder), false); err != nil {
		return layerMistake("decoder", err)
	}
	if err := m.checkTeacher(); err != nil {
		return err
	}
	if c, ok := m.Config.Reconstruction.(interface{ CheckDecoder(*nn.Stack) error }); ok {
		if err := c.CheckDecoder(m.Decoder); err != nil {
			return mistake("model.reconstruction.start", "%w", err)
		}
	}
	return m.checkOutput()
}

// mirror is the encoder reversed, with the projection's reverse in front.
func (m *Model) mirror() ([]nn.Layer, error) {
	layers, err := m.wholeMirror()
	if err != nil {
		return nil, layerMistake("encoder", err)
	}
	if last := len(layers) - 1; last >= 0 {
		switch layers[last].(type) {
		case *nn.Reshape, *nn.Flatten: // what the decoder's end does anyway
			layers = layers[:last]
		}
	}
	return layers, nil
}

// wholeMirror is the mirror with its last layer, even where that only gives the input's shape back.
func (m *Model) wholeMirror() ([]nn.Layer, error) {
	tied := ""
	if m.Config.Tied {
		tied = "encoder"
	}
	front := m.Config.Bottleneck.Reverse(m.mirrored().Out, m.Config.LatentDim, tied)
	return m.mirrored().Mirror(nn.MirrorOptions{Front: front, Tied: tied})
}

// finish gives the last sized layer the size that it leaves out (a mirror's: as many channels as the likelihood needs), and
// takes an activation away that the likelihood applies itself.
func (m *Model) finish(layers []nn.Layer) ([]nn.Layer, error) {
	layers = append([]nn.Layer(nil), layers...)
	channels := m.Config.Reconstruction.Channels()
	sized := -1
	for i, l := range layers {
		if _, ok := l.(nn.Sized); ok {
			sized = i
		}
		if r, ok := l.(*nn.Repeat); ok && (len(m.X) == 2 || m.vocabulary() > 0) {
			layers[i] = r.For(m.X[0])
		}
	}
	if sized >= 0 {
		l := layers[sized].(nn.Sized)
		switch {
		case m.Mirror:
			layers[sized] = l.Resized(l.Size() * channels)
		case l.Size() == 0:
			layers[sized] = l.Resized(m.missingSize(l, layers[:sized]))
		}
	}
	if m.Mirror && sized < 0 && channels > 1 {
		return nil, mistake("model.decoder", "the mirror has no layer that could give the %d numbers a feature which %s needs: write the decoder out",
			channels, m.reconstructionKind())
	}
	if link := m.Config.Reconstruction.Link(); link != "linear" && len(layers) > 0 && !m.Mirror {
		return m.stripLink(layers, link)
	}
	return layers, nil
}

// missingSize is what a decoder's last layer gives, behind those before it, where its size was left out.
func (m *Model) missingSize(l nn.Sized, before []nn.Layer) int {
	if _, dense := l.(*nn.Dense); dense {
		st, err := nn.NewStack(before, m.Condition.widened(m.Code, intoDecoder), false)
		if err == nil && m.embed() != nil && len(st.Out) == 2 && st.Out[0] == m.grid().Size() {
			return m.Raw.Size() / st.Out[0] // the pixels of a patch
		}
		if sequence := err == nil && len(st.Out) == 2; !sequence || len(m.Raw) != 2 {
			return m.Raw.Size() // a vector, an image as a vector
		}
	}
	if m.logits() {
		return m.vocabulary()
	}
	return m.Raw[m.channelAxis()]
}

// stripLink takes the activation away with which a written decoder ends, where the likelihood applies it.
func (m *Model) stripLink(layers []nn.Layer, link string) ([]nn.Layer, error) {
	last := len(layers) - 1
	activation, without := nn.Ending(layers[last])
	switch {
	case activation == "linear":
	case activation != link:
		return nil, mistake("model.decoder["+strconv.Itoa(last)+"]", "%s takes the numbers before its own %s, and %s would cut them: leave the last activation out",
			m.reconstructionKind(), link, activation)
	case without == nil:
		return layers[:last], nil
	default:
		layers[last] = without
	}
	return layers, nil
}

// checkOutput holds the decoder's output to the input's shape; a vector with the same number of elements will do, and so will a
// mirror's image where the encoder began by making one of the input.
func (m *Model) checkOutput() error {
	out, want := m.Decoder.Out, m.Raw
	channels := m.Config.Reconstruction.Channels()
	inOrder := len(out) == 1 || m.Mirror && (channels == 1 || m.channelAxis() == 0) // further channels lie where they are looked for
	if out.Equal(want) || inOrder && out.Size() == want.Size() {
		return nil
	}
	key, way := "model.decoder", "write the decoder out"
	if n := len(m.Decoder.Layers); n > 0 && !m.Mirror {
		last := m.Decoder.Layers[n-1]
		key += "[" + strconv.Itoa(last.Index) + "]"
		way = m.wayOut(last, out, want)
	}
	needs := ""
	if channels > 1 {
		needs = fmt.Sprintf(", for which %s needs %v", m.reconstructionKind(), want)
	}
	return mistake(key, "gives %v, the input is %v%s: %s", out, m.X, needs, way)
}

// wayOut tells what would make the last layer's output fit.
func (m *Model) wayOut(last nn.Placed, out, want graph.Shape) string {
	if len(out) == 3 && len(want) == 3 && (out[1] != want[1] || out[2] != want[2]) {
		return "change kernels, strides or paddings, or leave the decoder out: the encoder's mirror fits"
	}
	size, key := want.Size(), "units"
	if len(out) == 2 && len(want) == 3 && m.embed() != nil && out[0] == m.grid().Size() {
		size /= out[0]
	}
	if len(out) == len(want) {
		size = want[len(want)-1]
		if len(want) == 3 {
			size = want[0]
		}
	}
	if len(out) == 3 {
		key = "filters"
	}
	if _, sized := last.Layer.(nn.Sized); sized {
		return fmt.Sprintf("leave out %s, or add a layer that gives %d", key, size)
	}
	return fmt.Sprintf("add a layer that gives %d", size)
}

// checkParts asks the parts whether they go together.
func (m *Model) checkParts() error {
	errs := m.checkLosses()
	add := func(key string, err error) {
		if e := (*Error)(nil); errors.As(err, &e) { // it knows its key
			errs = append(errs, err)
		} else if err != nil {
			errs = append(errs, mistake(key, "%w", err))
		}
	}
	c := m.Config
	for key, part := range map[string]any{"model.corruption": c.Corruption, "model.bottleneck": c.Bottleneck, "model.prior": c.Prior, "model.reconstruction": c.Reconstruction} {
		if p, ok := part.(Checked); ok {
			add(key, p.Check(m))
		}
	}
	for _, name := range m.penaltyNames() {
		add("model.penalties."+name, m.checkPenalty(c.Penalties[name]))
	}
	o := c.Reconstruction.Options()
	if _, clean := c.Corruption.(*NoCorruption); clean && o.On == "corrupted" {
		add("model.reconstruction.on", errors.New("nothing is corrupted: choose a [model.corruption], or on = \"all\""))
	}
	if m.Encoder != nil {
		add("model.reconstruction.normalize", m.checkNormalize())
	}
	if m.importanceWeighted() && o.Reduction == "mean" {
		add("model.reconstruction.reduction", errors.New("an importance-weighted bound needs nats: reduction = \"sum\""))
	}
	return errors.Join(errs...)
}

// checkPenalty asks a penalty about the bottleneck, and, where that suits, about the model: one reason is enough.
func (m *Model) checkPenalty(p Penalty) error {
	if picky, ok := p.(Picky); ok {
		if err := picky.Suits(m.Config.Bottleneck); err != nil {
			return err
		}
	}
	if checked, ok := p.(Checked); ok && m.Encoder != nil {
		return checked.Check(m)
	}
	return nil
}

// reconstructionKind is the registered name of the reconstruction.
func (m *Model) reconstructionKind() string {
	return nameIn(Reconstructions, m.Config.Reconstruction)
}
