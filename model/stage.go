package model

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"aetrain/graph"
	"aetrain/nn"
)

// StageOptions say what of a model a stage of training trains.
type StageOptions struct {
	Depth  int      // the encoder's first so many layers with their mirror, the last one's output for a code; 0: the whole model
	Losses []string // of those that the model has, by name; empty: all
	Prior  bool     // the prior of the codes that the model has learnt, and nothing else
}

// Stage is the model as a stage of training sees it, over the same states. The error is one sentence, an *Error whose Key is
// "depth" or "losses[i]".
// Source of stages by depth: Bengio et al. 2007, "Greedy Layer-Wise Training of Deep Networks"; Hinton & Salakhutdinov 2006,
// "Reducing the Dimensionality of Data with Neural Networks".
func (m *Model) Stage(o StageOptions) (*Model, error) {
	if m.single != nil {
		one, err := m.single.Stage(o)
		if err != nil {
			return nil, err
		}
		return one.together(), nil
	}
	own := *m
	own.unfitted = isLater(m.Config.Prior)
	if later, is := m.LaterPrior(); is && o.Prior {
		own.unfitted, own.priorOnly = false, later.TrainEpochs() > 0 // what is fitted needs no model of its own
		return &own, nil
	}
	if o.Depth > 0 {
		if err := own.truncate(o.Depth); err != nil {
			return nil, mistake("depth", "%w", err)
		}
	}
	if len(o.Losses) > 0 {
		known, _ := own.lossConfigs()
		for i, name := range o.Losses {
			if !slices.Contains(known, name) {
				return nil, mistake(fmt.Sprintf("losses[%d]", i), "no loss is called %s%s; there are %s", name, near(name, known), strings.Join(known, ", "))
			}
		}
		own.only = o.Losses
	}
	return &own, nil
}

// truncate leaves the first layers and the last of the mirror. Parts that belong to the code are left out: the code is another one.
func (m *Model) truncate(depth int) error {
	has := m.Encoder.Depth()
	switch {
	case !m.Mirror:
		return fmt.Errorf("the first layers are trained with their mirror, and the decoder is written out: leave the decoder out, or depth")
	case m.Config.DecoderPer != "":
		return fmt.Errorf("the first layers are trained with their mirror, and each label has a decoder of its own: leave depth or decoder_per out")
	case m.Condition != nil:
		return fmt.Errorf("the first layers are trained without a condition: leave depth out")
	case depth > has:
		return fmt.Errorf("the encoder has %d layers, not %d: write [[train.stages]] of your own for it, or stages = []", has, depth)
	}
	whole, err := m.wholeMirror()
	if err != nil {
		return err
	}
	encoder := m.Encoder.Upto(depth)
	mirror, err := m.plain.Upto(depth).Mirror(nn.MirrorOptions{})
	if err != nil {
		return err
	}
	start := len(whole) - len(mirror)
	if start < 0 || start >= len(m.Decoder.Layers) || !m.Decoder.Layers[start].In.Equal(encoder.Out) {
		return fmt.Errorf("the mirror of the first %d layers is no part of the decoder: choose another depth", depth)
	}
	c := *m.Config
	c.LatentDim, c.Bottleneck, c.Adversaries, c.Losses = 0, &Deterministic{Function: "linear", Init: "torch"}, nil, nil
	c.Prior, _ = Priors.Make("normal")
	m.unfitted = false
	penalties := c.Penalties
	c.Penalties = map[string]Penalty{}
	m.Config, m.Encoder, m.Decoder, m.Code = &c, encoder, m.Decoder.From(start), encoder.Out
	for name, p := range penalties {
		picky, is := p.(Picky)
		checked, has := p.(Checked)
		if is && picky.Suits(c.Bottleneck) != nil || has && checked.Check(m) != nil {
			continue
		}
		c.Penalties[name] = p
	}
	return nil
}

// LayerPaths are the beginnings of the names of what encoder and decoder train: "encoder.0", "decoder.1", ...
func (m *Model) LayerPaths() []string {
	var paths []string
	for part, st := range map[string]*nn.Stack{"encoder": m.Encoder, "decoder": m.Decoder} {
		for _, p := range st.Layers {
			paths = append(paths, graph.Join(part, p.Path))
		}
	}
	sort.Strings(paths)
	return paths
}

// Trains reports whether beginnings of names hold a state's; empty ones hold all.
func Trains(beginnings []string, state string) bool {
	state, _ = memberless(state)
	return len(beginnings) == 0 || slices.ContainsFunc(beginnings, func(p string) bool { return Under(state, p) })
}

// onlyLosses leaves those losses that the stage has; their phases are counted anew.
func (m *Model) onlyLosses(losses map[string]LossConfig) map[string]LossConfig {
	if m.only == nil {
		return losses
	}
	var phases []int
	left := map[string]LossConfig{}
	for name, l := range losses {
		if slices.Contains(m.only, name) {
			left[name] = l
			phases = append(phases, l.Phase)
		}
	}
	slices.Sort(phases)
	phases = slices.Compact(phases)
	for name, l := range left {
		l.Phase = slices.Index(phases, l.Phase)
		left[name] = l
	}
	return left
}
