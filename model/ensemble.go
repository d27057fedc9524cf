package model

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// Ensemble is [model.ensemble]: several models of one configuration, each with weights, random numbers and, if wanted, connections of its
// own, which one Program trains side by side, each by its own loss. What they give is combined: scores by Combine, reconstructions by
// their mean, codes stand one behind the other, likelihoods are those of the members' mixture.
// Gradients are clipped member by member.
// Source: Chen, Sathe, Aggarwal & Turaga 2017, "Outlier Detection with Autoencoder Ensembles" (RandNet): randomly connected members and
// the median of their scores. Scores are combined as they are, without a scaling of each member's; samples that grow are not taken.
type Ensemble struct {
	Members     int     `toml:"members" min:"1" max:"256" doc:"models that are trained side by side; 1: no ensemble"`
	Combine     string  `toml:"combine" choices:"median|mean|max" doc:"what a score is of the members' scores"`
	Connections float64 `toml:"connections" over:"0" max:"1" doc:"share of the connections that each dense layer of a member's encoder and decoder has, drawn once; drawing as many as there are with replacement, as RandNet does, leaves 0.632"`
}

func newEnsemble() Ensemble { return Ensemble{Members: 1, Combine: "median", Connections: 1} }

// memberPath is the beginning of the names of members' states: "member.0.encoder.0.weight".
const memberPath = "member"

// memberless is a state's name as it would be without an ensemble, and whose it is; 0 where there is none.
func memberless(state string) (name string, member int) {
	rest, ok := strings.CutPrefix(state, memberPath+".")
	if !ok {
		return state, 0
	}
	number, name, _ := strings.Cut(rest, ".")
	member, err := strconv.Atoi(number)
	if err != nil {
		return state, 0
	}
	return name, member
}

var errNoCommonPrior = errors.New("members of an ensemble have codes of their own, and no prior is common to them: train one model to sample from it")

// connectionsAt is the share of the connections that the dense layer at a path has: autoencoders are thinned, with the dense projections
// to the code; discriminators, priors and flows are whole.
func (e Ensemble) connectionsAt(path string) float64 {
	if part, _, _ := strings.Cut(path, "."); part == intoEncoder || part == intoDecoder {
		return e.Connections
	}
	return 1
}

// Owner is the member of an ensemble to which a state belongs; 0 where there is none.
func Owner(state string) int {
	_, member := memberless(state)
	return member
}

// checkEnsemble refuses what members cannot share.
func (m *Model) checkEnsemble() error {
	switch {
	case m.logits():
		return mistake("model.ensemble", "members' tokens have no mean: an ensemble is of models of numbers")
	case isLater(m.Config.Prior):
		return mistake("model.prior", "%w", errNoCommonPrior)
	}
	return nil
}

// together is the ensemble of which m is a member.
func (m *Model) together() *Model {
	own := *m
	own.single = m
	own.Code = graph.Shape{m.Code.Size() * m.Config.Ensemble.Members}
	return &own
}

// memberCode is the shape of a member's code, or of the only model's.
func (m *Model) memberCode() graph.Shape {
	if m.single != nil {
		return m.single.Code
	}
	return m.Code
}

// codeOf is a member's part of codes, in its own shape.
func (m *Model) codeOf(z graph.Value, member int) graph.Value {
	if m.single == nil {
		return z
	}
	size := m.single.Code.Size()
	part := op.Slice(z, 1, member*size, (member+1)*size)
	return op.Reshape(part, append([]int{z.Dim(0)}, m.single.Code...)...)
}

// built completes fn by what build adds, for each member.
func (m *Model) built(fn *Function, build func(one *Model, fn *Function) error) (*Function, error) {
	if err := m.members(fn, build); err != nil {
		return nil, err
	}
	return m.end(fn)
}

// members has build add to fn what there is of one model, or, of an ensemble, of each member in a scope of its own, and combines that.
func (m *Model) members(fn *Function, build func(one *Model, fn *Function) error) error {
	if m.single == nil {
		return build(m, fn)
	}
	var parts []*Function
	var err error
	for k := range m.Config.Ensemble.Members {
		fn.Scope.Apart(graph.Join(memberPath, strconv.Itoa(k)), func(s *nn.Scope) {
			part := &Function{Graph: fn.Graph, Batch: fn.Batch, Phase: fn.Phase, Outputs: map[string]graph.Value{}, Scope: s, member: k}
			if err == nil {
				err = build(m.single, part)
			}
			parts = append(parts, part)
		})
	}
	if err == nil {
		m.combine(fn, parts)
	}
	return err
}

// combine puts together what members gave.
func (m *Model) combine(fn *Function, parts []*Function) {
	first := parts[0]
	fn.Forward = first.Forward
	for i, t := range first.Terms {
		fn.Terms = append(fn.Terms, Named{t.Name, meanOf(parts, func(p *Function) graph.Value { return p.Terms[i].Value })})
	}
	for i, l := range first.Losses { // of parameters that differ: the sum's gradient is each member's own
		l.Value = sumOf(parts, func(p *Function) graph.Value { return p.Losses[i].Value })
		fn.Losses = append(fn.Losses, l)
	}
	if first.Loss.Valid() {
		fn.Loss = meanOf(parts, func(p *Function) graph.Value { return p.Loss })
	}
	for _, name := range slices.Sorted(maps.Keys(first.Outputs)) {
		fn.Outputs[name] = m.combined(name, parts)
	}
	if recon, ok := fn.Outputs["recon"]; ok && len(first.Metrics) > 0 {
		m.single.measure(fn, first.Forward, recon)
	}
	if w, ok := fn.Outputs["log_weights"]; ok {
		fn.Outputs["log_likelihood"] = LogMeanExp(w)
	}
}

// combined is an output of all members.
func (m *Model) combined(name string, parts []*Function) graph.Value {
	of := func(p *Function) graph.Value { return p.Outputs[name] }
	switch name {
	case "recon":
		return meanOf(parts, of)
	case "score", "errors":
		return m.Config.Ensemble.combine(parts, of)
	case "input": // all of them have seen the same
		return of(parts[0])
	}
	var rows []graph.Value
	for _, p := range parts {
		v := of(p)
		rows = append(rows, op.Reshape(v, v.Dim(0), -1))
	}
	return op.Concat(1, rows...)
}

func sumOf(parts []*Function, of func(*Function) graph.Value) graph.Value {
	var all []graph.Value
	for _, p := range parts {
		all = append(all, of(p))
	}
	return graph.SumOf(all...)
}

func meanOf(parts []*Function, of func(*Function) graph.Value) graph.Value {
	return op.Scale(sumOf(parts, of), 1/float64(len(parts)))
}

// combine is the median, mean or largest of the members' values, elementwise. The median of an even number is half-way between the two in
// the middle.
func (e Ensemble) combine(parts []*Function, of func(*Function) graph.Value) graph.Value {
	if e.Combine == "mean" {
		return meanOf(parts, of)
	}
	shape := of(parts[0]).Shape()
	var columns []graph.Value
	for _, p := range parts {
		columns = append(columns, op.Reshape(of(p), shape.Size(), 1))
	}
	all := op.Concat(1, columns...) // an element a row, a member a column
	if e.Combine == "max" {
		return op.Reshape(op.ReduceMax(all, 1), shape...)
	}
	n := len(parts)
	order := op.ArgSort(all)
	at := func(place int) graph.Value {
		whose := op.OneHot(op.Reshape(op.Slice(order, 1, place, place+1), shape.Size()), n)
		return op.ReduceSum(op.Select(whose, all, all.Graph().Constant(all.Spec(), 0)), 1) // a product would spread Inf as NaN
	}
	return op.Reshape(op.Scale(op.Add(at((n-1)/2), at(n/2)), 0.5), shape...)
}
