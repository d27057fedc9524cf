package model

import (
	"errors"
	"fmt"
	"math"

	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/nn"
	"aetrain/op"
)

// Dictionary holds what sparse codes over a learned dictionary have in common: the projection encoder.code, a decoder that begins
// with atoms of length 1 (decoder.0, which starts as the projection's transpose), a centre, the count of steps for which a unit
// has been silent, the auxiliary loss that revives the dead, and nested prefixes.
// Source: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", sections 2.1-2.3, appendix A.
type Dictionary struct {
	Center          bool    `toml:"center" doc:"a learned vector is taken off before the projection and added after the dictionary"`
	DeadAfterSteps  int     `toml:"dead_after_steps" min:"0" doc:"training steps without activity after which a unit counts as dead; 0: never"`
	AuxiliaryK      int     `toml:"auxiliary_k" min:"0" doc:"dead units, the most active of them, that an auxiliary loss lets explain what the code leaves over; 0: none"`
	AuxiliaryWeight float64 `toml:"auxiliary_weight" min:"0" doc:"weight of the auxiliary loss"`
	Prefixes        []int   `toml:"prefixes" min:"1" doc:"numbers of first units that must reconstruct by themselves, too (Matryoshka)" example:"[64, 256]"`
}

// newDictionary holds the defaults.
func newDictionary() Dictionary { return Dictionary{AuxiliaryWeight: 1.0 / 32} }

// Code is latentDim units.
func (d *Dictionary) Code(_ graph.Shape, latentDim int) (graph.Shape, error) {
	if latentDim == 0 {
		return nil, errors.New("a sparse code projects to the units of a dictionary: give latent_dim a size above 0")
	}
	return graph.Shape{latentDim}, nil
}

// checkUnits refuses numbers of units that the code does not have.
func (d *Dictionary) checkUnits(m *Model, k int) error {
	units := m.Config.LatentDim
	if k > units {
		return fmt.Errorf("k = %d of %d units: k is at most latent_dim", k, units)
	}
	for _, p := range d.Prefixes {
		if p >= units {
			return fmt.Errorf("prefixes %v of %d units: a prefix is shorter than latent_dim", d.Prefixes, units)
		}
	}
	return nil
}

// Bound is that of a plain loss.
func (d *Dictionary) Bound() (kind string, samples int) { return "elbo", 1 }

// Activation is that of a rectified code.
func (d *Dictionary) Activation(*nn.Stack, int) string { return "relu" }

// sparse tells penalties that the code is sparse by itself.
func (d *Dictionary) sparse() {}

// project is (h - centre)·weightᵀ of the flattened h: N×units, without its bias.
func (d *Dictionary) project(s *nn.Scope, h graph.Value, units int) graph.Value {
	h = op.Flatten(h)
	if d.Center {
		h = op.Sub(h, s.Param("center", nil, h.Dim(1)))
	}
	return s.Within("code", func(s *nn.Scope) graph.Value {
		return op.MatMul(h, s.Param("weight", unitRows, units, h.Dim(1)), false, true)
	})
}

// preactivation is the projection with its bias, code.bias.
func (d *Dictionary) preactivation(s *nn.Scope, h graph.Value, units int) graph.Value {
	return op.AddBias(d.project(s, h, units), s.Sub("code").Param("bias", nil, units))
}

// unitRows fills with rows of length 1, evenly spread in direction.
func unitRows(seed uint64, name string, t graph.Tensor) {
	r, size := philox.New(seed, philox.Stream(name)), t.Shape[1]
	for from := 0; from < len(t.Data); from += size {
		row, sum := t.Data[from:from+size], 0.0
		for i := range row {
			row[i] = r.NormFloat64()
			sum += row[i] * row[i]
		}
		for i := range row {
			row[i] = float64(float32(row[i] / math.Sqrt(max(sum, 1e-12))))
		}
	}
}

// Reverse is the dictionary.
func (d *Dictionary) Reverse(h graph.Shape, latentDim int, tied string) []nn.Layer {
	return []nn.Layer{&atoms{to: h, center: d.Center, tied: tied != ""}}
}

// atoms is the decoder's first layer: Σ code_j·atom_j + centre (or a bias of its own), with atoms of length 1: the columns of
// weight, D×units, are divided by their lengths. It starts as the transpose of encoder.code.weight; tied, it is that.
type atoms struct {
	nn.Common
	to           graph.Shape
	center, tied bool
}

// Kind names the layer in tables.
func (*atoms) Kind() string { return "dictionary" }

// Output is the shape that the encoder ended with.
func (a *atoms) Output(graph.Shape) (graph.Shape, error) { return a.to, nil }

// Mirror is never asked for: the layer is a mirror's.
func (*atoms) Mirror(graph.Shape) ([]nn.Layer, error) {
	return nil, errors.New("a dictionary has no mirror")
}

// Build multiplies and adds.
func (a *atoms) Build(s *nn.Scope, z graph.Value) graph.Value {
	size, units := a.to.Size(), z.Dim(1)
	encoder := s.At("encoder")
	var y graph.Value
	if a.tied {
		y = op.MatMul(z, encoder.Sub("code").Param("weight", unitRows, units, size), false, false)
	} else {
		weight := s.Param("weight", transposedUnitRows, size, units)
		y = op.MatMul(op.Mul(z, lengths(weight)), weight, false, true)
	}
	if a.center {
		y = op.Add(y, encoder.Param("center", nil, size))
	} else {
		y = op.Add(y, s.Param("bias", nil, size))
	}
	return op.Reshape(y, append([]int{z.Dim(0)}, a.to...)...)
}

// lengths are the reciprocal lengths of the columns of weight.
func lengths(weight graph.Value) graph.Value {
	const tiny = 1e-12 // an atom of nothing stays one
	return op.Rsqrt(op.AddConst(op.ReduceSum(op.Square(weight), 0), tiny))
}

// transposedUnitRows fills D×units as unitRows does encoder.code.weight, transposed.
func transposedUnitRows(seed uint64, _ string, t graph.Tensor) {
	size, units := t.Shape[0], t.Shape[1]
	rows := graph.NewTensor(graph.F32(units, size))
	unitRows(seed, "encoder.code.weight", rows)
	for j := range units {
		for i := range size {
			t.Data[i*units+j] = rows.Data[j*size+i]
		}
	}
}

// topOf is 1 for the k largest numbers of each row of x, N×units, else 0: exactly k, of equal ones the last.
func topOf(x graph.Value, k int) graph.Value {
	g, units := x.Graph(), x.Dim(1)
	at := op.Slice(op.ArgSort(op.Stop(x)), 1, units-k, units-k+1) // N×1: place of the k-th largest
	least := op.ReduceSum(op.Mul(op.Reshape(op.OneHot(at, units), x.Shape()...), op.Stop(x)), 1)
	least = op.Reshape(least, x.Dim(0), 1)
	places := make([]float64, units)
	for i := range places {
		places[i] = float64(i)
	}
	behind := op.GreaterEqual(g.Constant(graph.F32(1, units), places...), op.Cast(at, graph.Float32))
	return op.Add(op.Greater(x, least), op.Mul(op.Equal(x, least), behind))
}

// watched is a code with what its terms are made of.
type watched struct {
	z    graph.Value // N×units
	pre  graph.Value // N×units: what would have been active, were it not for the choice
	dead graph.Value // units: 1 where silent for too long; the zero Value where nobody counts
	more []Term      // the kind's own
}

// latent counts silent steps and makes the code's terms.
func (d *Dictionary) latent(s *nn.Scope, w watched) Latent {
	if d.DeadAfterSteps > 0 {
		silent := s.Buffer("silent_steps", nil, graph.F32(w.z.Dim(1)))
		w.dead = op.Greater(silent, s.Graph().Scalar(float64(d.DeadAfterSteps)))
		if s.Training() {
			active := op.ReduceMax(op.Greater(op.Stop(w.z), s.Graph().Scalar(0)), 0)
			s.Assign(silent, op.Select(active, s.Graph().Constant(silent.Spec(), 0), op.AddConst(silent, 1)))
		}
	}
	return Latent{Z: w.z, Terms: func(s *nn.Scope, f *Forward) []Term { return d.terms(f, w) }}
}

// TermNames are those with a weight.
func (d *Dictionary) TermNames() []string {
	var names []string
	if d.auxiliary() {
		names = append(names, "auxiliary")
	}
	if len(d.Prefixes) > 0 {
		names = append(names, "prefixes")
	}
	return names
}

func (d *Dictionary) auxiliary() bool { return d.DeadAfterSteps > 0 && d.AuxiliaryK > 0 }

// terms are the kind's own, the auxiliary loss, those of prefixes, and how many units are active (of an example) and dead.
func (d *Dictionary) terms(f *Forward, w watched) []Term {
	g, terms := w.z.Graph(), w.more
	if d.auxiliary() {
		terms = append(terms, d.revival(f, w))
	}
	if len(d.Prefixes) > 0 {
		terms = append(terms, d.nested(f, w.z))
	}
	terms = append(terms, Term{Name: "active", Log: op.SumPerExample(op.Greater(op.Stop(w.z), g.Scalar(0)))})
	if w.dead.Valid() {
		terms = append(terms, Term{Name: "dead", Log: op.SumAll(w.dead)})
	}
	return terms
}

// revival is the loss of a reconstruction in which the most active of the dead units help the code, which gets no gradient of it.
// With a linear decoder and squared errors this is ‖(x - x̂) - Σ dead atoms‖². Unlike its source it takes the units before they are
// rectified: one that is below 0 for all examples would get no gradient and stay dead.
// Source: Gao et al. 2024, appendix A.2.
func (d *Dictionary) revival(f *Forward, w watched) Term {
	g := w.z.Graph()
	const never = -1e30
	dead := op.BroadcastTo(w.dead, w.z.Shape()...)
	sleeping := op.Select(dead, w.pre, g.Constant(w.pre.Spec(), never))
	help := op.Mul(op.Mul(w.pre, topOf(sleeping, min(d.AuxiliaryK, w.z.Dim(1)))), dead)
	loss := f.reconstructionOf(op.Add(op.Stop(w.z), help))
	loss = op.Mul(loss, op.ReduceMax(w.dead, 0)) // nobody is dead: nothing to learn
	return Term{Name: "auxiliary", Log: loss, Minimise: loss, Weight: g.Scalar(d.AuxiliaryWeight)}
}

// nested is the sum of the losses of reconstructions from the first units alone.
// Source: Bussmann et al. 2025, "Learning Multi-Level Features with Matryoshka Sparse Autoencoders", eq. 3.
func (d *Dictionary) nested(f *Forward, z graph.Value) Term {
	g := z.Graph()
	var sum []graph.Value
	for _, p := range d.Prefixes {
		first := op.Pad(op.Slice(z, 1, 0, p), 1, 0, z.Dim(1)-p, 0)
		sum = append(sum, f.reconstructionOf(first))
	}
	total := graph.SumOf(sum...)
	return Term{Name: "prefixes", Log: total, Minimise: total, Weight: g.Scalar(1)}
}

// reconstructionOf is the likelihood's loss of what other codes are decoded to, for each example.
func (f *Forward) reconstructionOf(z graph.Value) graph.Value {
	r := f.model.Config.Reconstruction
	loss := f.PerExample(r.Loss(f.Decode(z), f.X))
	if r.Options().Reduction == "mean" {
		loss = op.Scale(loss, 1/float64(f.model.X.Size()))
	}
	return op.Scale(loss, r.Options().Weight)
}

// Passes is one where a centre is to be found.
func (d *Dictionary) Passes() int {
	if d.Center {
		return 1
	}
	return 0
}

// Start sets the centre to the mean of what the encoder gives.
// Source: Bricken et al. 2023, "Towards Monosemanticity", appendix "Advice for Training Sparse Autoencoders" (there the geometric
// median).
func (d *Dictionary) Start(s *nn.Scope, h graph.Value, _ int, p Pass) {
	h = op.Flatten(h)
	startMean(s, s.Param("center", nil, h.Dim(1)), h, p)
}
