package model

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/registry"
	"aetrain/nn"
	"aetrain/op"
)

// LossConfig is [model.losses.NAME]: weights of terms, and who learns from them.
type LossConfig struct {
	Terms      map[string]float64 `toml:"terms" required:"true" doc:"weights of terms by name, each times its part's own weight or beta" example:"{ reconstruction = 1.0, kl = 1.0 }"`
	Trains     []string           `toml:"trains" doc:"what the loss trains, by the beginnings of names; empty: everything" example:"[\"decoder\"]"`
	Bound      string             `toml:"bound" doc:"how samples and examples are reduced; left out: the bottleneck's"`
	Optimizer  *configs.Section   `toml:"optimizer" doc:"an optimizer of its own; what it lacks comes from [optimizer]"`
	Phase      int                `toml:"phase" min:"0" doc:"losses of one phase share a forward pass; phases run in order, each seeing the one before"`
	EverySteps int                `toml:"every_steps" min:"1" doc:"the loss trains in every n-th step only"`
}

// SetDefaults sets every step.
func (l *LossConfig) SetDefaults() { *l = LossConfig{EverySteps: 1} }

// Loss is what a set of parameters minimises.
type Loss struct {
	Name       string
	Value      graph.Value // scalar
	Trains     []string    // beginnings of the names of the parameters; nil: all but those of adversaries
	Phase      int
	EverySteps int
	Optimizer  string // the key under [model] of an optimizer of its own: "losses.NAME" or "adversaries.NAME"
}

// Parameters returns the states that the loss trains, of those that the graph holds.
func (l Loss) Parameters(g *graph.Graph) []*graph.State {
	var ps []*graph.State
	for _, s := range g.States() {
		if s.Kind == graph.Param && trains(l.Trains, s.Name) {
			ps = append(ps, s)
		}
	}
	return ps
}

// trains reports whether a loss with these beginnings of names trains a state.
func trains(beginnings []string, state string) bool {
	state, _ = memberless(state)
	if len(beginnings) == 0 {
		return !Under(state, adversariesPath)
	}
	return slices.ContainsFunc(beginnings, func(p string) bool { return Under(state, p) })
}

// Under reports whether a state's name is path or lies below it: "encoder.0.weight" lies under "encoder".
func Under(name, path string) bool {
	rest, ok := strings.CutPrefix(name, path)
	return ok && (rest == "" || rest[0] == '.')
}

// Bound reduces weighted terms to one number.
type Bound interface {
	// ImportanceWeighted says that divergences are wanted of each sample.
	ImportanceWeighted() bool
	// Reduce takes terms of N, N×k or scalar shape, already weighted.
	Reduce(f *Forward, terms []graph.Value) graph.Value
}

// Bounds is the registry of [Bound].
var Bounds = registry.New[Bound]("bound")

// lossName is the name of the one loss that a model has unless its configuration lists several.
const lossName = "loss"

// bound returns the bound of a loss.
func (m *Model) bound(l LossConfig) Bound {
	kind := l.Bound
	if kind == "" {
		kind, _ = m.Config.Bottleneck.Bound()
	}
	b, _ := Bounds.Make(kind)
	return b
}

// importanceWeighted reports whether any loss needs divergences of each sample.
func (m *Model) importanceWeighted() bool {
	_, losses := m.lossConfigs()
	for _, l := range losses {
		if b := m.bound(l); b != nil && b.ImportanceWeighted() {
			return true
		}
	}
	return false
}

// Phases is the number of phases of a training step.
func (m *Model) Phases() int {
	if m.priorOnly {
		return 1
	}
	n := 0
	_, losses := m.lossConfigs()
	for _, l := range losses {
		n = max(n, l.Phase+1)
	}
	return n
}

// terms returns what the parts give: the reconstruction first, then the bottleneck's own, then penalties and adversaries by name.
// wanted says which; nil: all.
func (m *Model) terms(s *nn.Scope, f *Forward, wanted map[string]bool) []Term {
	want := func(name string) bool { return wanted == nil || wanted[name] }
	var terms []Term
	if want(reconstructionTerm) {
		terms = append(terms, m.reconstruction(s, f))
	}
	for _, l := range f.Latents {
		if l.Terms == nil || !slices.ContainsFunc(append(m.bottleneckTerms(), bottleneckTerm), want) {
			continue
		}
		s.Within("bottleneck", func(s *nn.Scope) graph.Value {
			terms = append(terms, l.Terms(s, f)...)
			return f.Code
		})
	}
	for _, name := range m.penaltyNames() {
		if !want(name) {
			continue
		}
		var t Term
		s.Within("penalties", func(s *nn.Scope) graph.Value {
			return s.Within(name, func(s *nn.Scope) graph.Value {
				t = m.Config.Penalties[name].Term(s, f)
				return t.Minimise
			})
		})
		t.Name = name
		terms = append(terms, t)
	}
	for _, name := range m.adversaryNames() {
		terms = append(terms, m.adversaryTerms(s, f, name, want(ownTerm(name)), want(foolingTerm(name)))...)
	}
	return terms
}

// penaltyNames are the names of the penalties, sorted.
func (m *Model) penaltyNames() []string {
	var names []string
	for name := range m.Config.Penalties {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// reconstruction is the term of the likelihood: summed over the features that count, N or N×k.
func (m *Model) reconstruction(s *nn.Scope, f *Forward) Term {
	r := m.Config.Reconstruction
	o := r.Options()
	if c, ok := r.(Comparer); ok {
		return m.comparison(s, f, c, o)
	}
	each, counted := m.elementLosses(s, f)
	size := graph.Value{}
	if counted.Valid() {
		size = f.PerExample(f.Repeated(counted))
	}
	v := f.PerExample(each)
	if o.Reduction == "mean" {
		if size.Valid() {
			v = op.Div(v, op.Maximum(size, s.Graph().Scalar(1)))
		} else {
			v = op.Scale(v, 1/float64(m.X.Size()))
		}
	}
	return Term{Name: reconstructionTerm, Log: v, Minimise: v, Weight: s.Graph().Scalar(o.Weight)}
}

// elementLosses are the losses of each element, 0 where it does not count. counted is 1 where it does; the zero Value: everywhere.
func (m *Model) elementLosses(s *nn.Scope, f *Forward) (each, counted graph.Value) {
	r := m.Config.Reconstruction
	each = r.Loss(f.Recon, f.Repeated(f.target()))
	if m.masked {
		counted = m.maskLike(f)
	}
	if r.Options().On == "corrupted" {
		counted = both(counted, f.Changed)
	}
	if counted.Valid() {
		each = op.Select(f.Repeated(counted), each, s.Graph().Constant(graph.F32(each.Shape()...), 0))
	}
	return each, counted
}

// comparison is the term of a reconstruction that compares features of its own.
func (m *Model) comparison(s *nn.Scope, f *Forward, c Comparer, o *ReconstructionOptions) Term {
	each := c.Compare(s, f)
	v := f.PerExample(each)
	if o.Reduction == "mean" {
		v = op.Scale(v, 1/float64(max(1, each.Shape()[1:].Size())))
	}
	return Term{Name: reconstructionTerm, Log: v, Minimise: v, Weight: s.Graph().Scalar(o.Weight)}
}

// both is the product of two masks, either of which may be the zero Value.
func both(a, b graph.Value) graph.Value {
	if !a.Valid() {
		return b
	}
	if !b.Valid() {
		return a
	}
	return op.Mul(a, b)
}

// maskLike is the field mask in x's shape.
func (m *Model) maskLike(f *Forward) graph.Value {
	mask := op.Cast(f.Field(FieldMask), graph.Float32)
	dims := mask.Shape().Clone()
	for len(dims) < f.X.Rank() {
		dims = append(dims, 1)
	}
	return op.BroadcastTo(op.Reshape(mask, dims...), f.X.Shape()...)
}

// weigh is v·weight·factor, without a product where the weight is a constant.
func weigh(v, weight graph.Value, factor float64) graph.Value {
	if weight.Valid() {
		if c, ok := weight.Node.Op.(graph.Constant); ok {
			if x, ok := c.Fill(); ok {
				return op.Scale(v, x*factor)
			}
		}
	}
	return op.Scale(op.Mul(v, weight), factor)
}

func near(name string, among []string) string {
	if n := registry.Nearest(name, among); n != "" {
		return fmt.Sprintf("; did you mean %s?", n)
	}
	return ""
}
