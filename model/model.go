// Package model is the autoencoder as five parts: corruption, encoder and decoder, bottleneck, reconstruction, penalties.
//
// A known variant is a choice for each of them, so that they compose: [Config] names the choices, [New] checks them against the
// data's fields and infers every size, and a [Model] builds one graph for each thing that is to be done with it ([Model.Train],
// [Model.Evaluate], [Model.Encode], ...), all over the same named states. The parts meet in [Forward]; each choice is one file
// that registers itself (corruption_gaussian.go, penalty_kl.go, ...). Presets are TOML files in presets/.
package model

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"aetrain/graph"
	"aetrain/internal/column"
	"aetrain/nn"
)

// Field is one named array of the data; Spec is that of one example, without the batch axis.
type Field struct {
	Name    string
	Spec    graph.Spec
	Classes int             // of int32 fields: values lie in 0 ≤ v < Classes; 0: any
	Words   []string        // the names of those values; nil: they have none
	Columns []column.Column // of a table: what the numbers on the last axis are; nil: it is none
}

// The fields that a model knows by name.
const (
	FieldX    = "x"    // what is encoded and reconstructed
	FieldMask = "mask" // 1 where x is valid, of x's shape or its first axes; optional
)

// Model is an autoencoder whose sizes are all known. It holds no weights: those are states of the graphs that it builds.
type Model struct {
	Config  *Config
	Fields  []Field
	X       graph.Shape // one example of x
	Encoder *nn.Stack
	Code    graph.Shape // one example of the code, as the decoder takes it
	Decoder *nn.Stack
	Raw     graph.Shape // one example of what the likelihood takes: x, with as many channels more as it needs
	Mirror  bool        // the decoder is the encoder's mirror

	Columns   []column.Column // what the numbers on x's last axis are, of a table; nil: it is none
	Heads     *Field          // the labels that have a decoder each; nil: one decoder for all
	Condition *told           // what parts are told; nil: nothing

	x         graph.Spec
	mask      graph.Spec
	masked    bool
	supply    Supply
	codeOnly  bool                 // a phase that does without the decoder
	inSteps   bool                 // a decoder that writes token after token does so in a function of its own
	only      []string             // losses of a stage; nil: all
	priorOnly bool                 // a stage that trains the prior of codes that stay
	unfitted  bool                 // the prior comes when the rest is done: nothing is drawn from it yet
	judges    map[string]*nn.Stack // of adversaries, by name
	plain     *nn.Stack            // the encoder without a condition, as its mirror sees it
	single    *Model               // one member of an ensemble; nil: this is none
}

// New checks a configuration against the fields of the data. The error joins every mistake found, each an *Error with its key.
func New(c *Config, fields []Field) (*Model, error) {
	m := &Model{Config: c, Fields: fields}
	if err := m.findFields(); err != nil {
		return nil, err
	}
	if err := errors.Join(m.findCondition(), m.findHeads()); err != nil {
		return nil, err
	}
	if err := errors.Join(m.buildEncoder(), m.buildAdversaries(), m.checkParts()); err != nil {
		return nil, err
	}
	if err := m.buildDecoder(); err != nil {
		return nil, err
	}
	if c.Ensemble.Members > 1 {
		if err := m.checkEnsemble(); err != nil {
			return nil, err
		}
		m = m.together()
	}
	return m, m.checkBuild()
}

// findFields looks for x and its mask.
func (m *Model) findFields() error {
	var names []string
	for _, f := range m.Fields {
		names = append(names, f.Name)
		switch f.Name {
		case FieldX:
			m.x, m.X, m.Columns = f.Spec, f.Spec.Shape, f.Columns
		case FieldMask:
			m.mask, m.masked = f.Spec, true
		}
	}
	if m.X == nil {
		return mistake("model", "the model reads the field x, the data has %s", strings.Join(names, ", "))
	}
	if len(m.X) == 0 || len(m.X) > 3 {
		return mistake("model", "x is %v; want a vector, a sequence (time x channels) or an image (channels x height x width)", m.X)
	}
	if m.X.Size() == 0 {
		return mistake("model", "x is %v, an axis is empty", m.X)
	}
	if m.masked && !isPrefix(m.mask.Shape, m.X) {
		return mistake("model", "mask is %v and does not fit x, %v", m.mask.Shape, m.X)
	}
	if t, ok := m.Config.Reconstruction.(Tabular); ok {
		if err := t.OfColumns(m.Columns); err != nil {
			return mistake("model.reconstruction", "%w", err)
		}
	}
	return nil
}

func isPrefix(a, b graph.Shape) bool { return len(a) <= len(b) && a.Equal(b[:len(a)]) }

// buildEncoder infers the encoder's sizes and the code's.
func (m *Model) buildEncoder() (err error) {
	encoder := m.counted(m.Config.Encoder)
	for i, l := range encoder {
		if _, tells := l.(*nn.TeacherForcing); tells {
			return &Error{Key: fmt.Sprintf("model.encoder[%d]", i), Kind: "teacher_forcing", Err: errors.New("it tells a decoder what stands before: move it to the decoder")}
		}
	}
	if m.plain, err = nn.NewStack(encoder, m.X, true); err != nil {
		return layerMistake("encoder", err)
	}
	if m.Encoder, err = nn.NewStack(encoder, m.Condition.seen(m.X, intoEncoder, m.Config.Encoder), true); err != nil {
		return layerMistake("encoder", err)
	}
	if m.Code, err = m.Config.Bottleneck.Code(m.Encoder.Out, m.Config.LatentDim); err != nil {
		return mistake("model.latent_dim", "%w", err)
	}
	return nil
}

// mostNumbers bounds what a model may train: 64 GiB of weights, beyond any machine that this is for.
const mostNumbers = 1 << 34

// checkBuild builds the largest graph once, for what only building tells.
func (m *Model) checkBuild() error {
	f, err := m.Train(m.SmallestBatch())
	if err != nil {
		return err
	}
	trained := 0
	for _, s := range f.Graph.States() {
		if s.Kind != graph.Param {
			continue
		}
		size := 1
		for _, d := range s.Spec.Shape {
			if d > mostNumbers/size {
				return mistake("model", "%s is %v: no machine holds it", s.Name, s.Spec.Shape)
			}
			size *= d
		}
		if trained += size; trained > mostNumbers {
			return mistake("model", "it has more than %d numbers to train: no machine holds it", mostNumbers)
		}
	}
	if trained == 0 {
		return mistake("model", "there is nothing to train: give the encoder layers, or latent_dim a size")
	}
	return nil
}

// Error is a mistake in the configuration of a model.
type Error struct {
	Key  string // "model.encoder[2]"
	Kind string // of the layer, where it helps: "dense"
	Err  error  // one sentence
}

// Error returns "model.encoder[2] (dense): sentence".
func (e *Error) Error() string {
	if e.Kind != "" {
		return fmt.Sprintf("%s (%s): %v", e.Key, e.Kind, e.Err)
	}
	return e.Key + ": " + e.Err.Error()
}

// Unwrap returns the sentence.
func (e *Error) Unwrap() error { return e.Err }

func mistake(key, format string, args ...any) error {
	return &Error{Key: key, Err: fmt.Errorf(format, args...)}
}

// layerMistake gives a stack's error its key.
func layerMistake(list string, err error) error {
	e := &Error{Key: "model." + list, Err: err}
	for l := (*nn.LayerError)(nil); errors.As(e.Err, &l); list = "layers" { // a layer of a layer's layers
		if e.Kind != "" {
			e.Key += "." + list
		}
		e.Key, e.Kind, e.Err = e.Key+"["+strconv.Itoa(l.Index)+"]", l.Kind, l.Err
	}
	return e
}
