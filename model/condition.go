package model

import (
	"fmt"
	"slices"
	"strings"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

// Condition is [model.condition]: fields of the data, or columns of a table, that parts of the model are told beside their input. Whole
// numbers (labels, categories) become one-hot vectors or learnt embeddings; numbers are taken as the network is fed them.
// Source: Sohn, Lee & Yan 2015, "Learning Structured Output Representation using Deep Conditional Generative Models", section 4.
type Condition struct {
	On        []string `toml:"on" doc:"fields of the data: the label, or columns; empty: no condition" example:"[\"label\"]"`
	Embedding int      `toml:"embedding" min:"0" doc:"numbers that stand for a label, learnt; 0: one-hot"`
	Into      []string `toml:"into" doc:"what is told: encoder, decoder, prior, names of adversaries" example:"[\"encoder\", \"decoder\"]"`
}

// Parts that a condition goes into, beside adversaries by their names.
const (
	intoEncoder = "encoder"
	intoDecoder = "decoder"
	intoPrior   = "prior"
)

// Validate wants both or neither.
func (c *Condition) Validate() error {
	if len(c.On) > 0 && len(c.Into) == 0 {
		return configs.KeyError("into", "nothing is told the condition: name encoder, decoder, prior or an adversary")
	}
	return nil
}

// told is a condition whose size is known; nil: there is none.
type told struct {
	fields []Field
	into   []string
	size   int // numbers in all
	each   []int
	places []place // by field: which elements of x it is
	learnt int     // of each embedding; 0: one-hot
}

// findCondition looks for the condition's fields.
func (m *Model) findCondition() error {
	c := m.Config.Condition
	if len(c.On) == 0 {
		return nil
	}
	t := &told{learnt: c.Embedding}
	for i, name := range c.On {
		key := fmt.Sprintf("model.condition.on[%d]", i)
		f, at, ok := m.conditionField(name)
		if !ok {
			have := m.conditionNames()
			return mistake(key, "the data has no field %s%s: it has %s", name, near(name, have), strings.Join(have, ", "))
		}
		if len(m.X) > 1 && at.isColumn() {
			return mistake(key, "%s is a column of rows, and examples are windows of them: a condition is one of each example", name)
		}
		size := f.Spec.Shape.Size()
		switch {
		case f.Spec.DType == graph.Int32 && f.Classes == 0:
			return mistake(key, "how many values %s may take is not known: a condition wants labels or categories", name)
		case f.Spec.DType == graph.Int32 && c.Embedding > 0:
			size *= c.Embedding
		case f.Spec.DType == graph.Int32:
			size *= f.Classes
		}
		t.fields, t.each, t.places = append(t.fields, f), append(t.each, size), append(t.places, at)
		t.size += size
	}
	known := append([]string{intoEncoder, intoDecoder, intoPrior}, m.adversaryNames()...)
	for i, part := range c.Into {
		if !slices.Contains(known, part) {
			return mistake(fmt.Sprintf("model.condition.into[%d]", i), "no part is called %s%s: there are %s", part, near(part, known), strings.Join(known, ", "))
		}
	}
	t.into = c.Into
	m.Condition = t
	if t.tells(intoEncoder) && m.Config.Tied {
		return mistake("model.tied", "the encoder sees the condition, so its weights have no mirror: into = [\"decoder\"], or leave tied out")
	}
	_, gaussian := m.Config.Bottleneck.(*Gaussian)
	if _, autoregressive := m.Config.Prior.(*Autoregressive); t.tells(intoPrior) && !gaussian && !autoregressive {
		return mistake("model.condition.into", "only the prior of a gaussian bottleneck and an autoregressive one can be told: choose one of them, or leave prior out")
	}
	return nil
}

// ConditionFields are the fields that parts of the model are told, and the labels that choose a decoder.
func (m *Model) ConditionFields() []Field {
	var fields []Field
	if m.Condition != nil {
		fields = m.Condition.fields
	}
	if h := m.Heads; h != nil && !slices.ContainsFunc(fields, func(f Field) bool { return f.Name == h.Name }) {
		fields = append(slices.Clone(fields), *h)
	}
	return fields
}

// GivenFields are the fields beside x that an application of the model may be given: those that it is told, and the mask of x.
func (m *Model) GivenFields() []Field {
	fields := slices.Clone(m.ConditionFields())
	if m.masked {
		fields = append(fields, Field{Name: FieldMask, Spec: m.mask})
	}
	return fields
}

// tells reports whether a part is told the condition.
func (t *told) tells(part string) bool { return t != nil && slices.Contains(t.into, part) }

// widened is the shape of one example of a part's input with the condition beside it: more numbers of a vector, more channels of
// images and sequences.
func (t *told) widened(in graph.Shape, part string) graph.Shape {
	if !t.tells(part) {
		return in
	}
	wide := in.Clone()
	if len(wide) == 3 {
		wide[0] += t.size
	} else {
		wide[len(wide)-1] += t.size
	}
	return wide
}

// flat reports whether a list of layers that takes images begins by making a vector of them.
func flat(layers []nn.Layer) bool {
	for _, l := range layers {
		switch l.(type) {
		case *nn.Dense, *nn.Flatten:
			return true
		}
		if _, keeps := l.(nn.Decoration); !keeps {
			return false
		}
	}
	return false
}

// seen is the shape that the layers of a part see: x with the condition. An image that is flattened anyway is flattened first, so
// that a label costs one number a class and no plane.
func (t *told) seen(in graph.Shape, part string, layers []nn.Layer) graph.Shape {
	if t.tells(part) && len(in) == 3 && flat(layers) {
		in = graph.Shape{in.Size()}
	}
	return t.widened(in, part)
}

// conditioned puts the condition beside x, whose rows are examples or k draws of each, where the part is told it. want is the
// shape of one example that seen has given.
func (f *Forward) conditioned(part string, x graph.Value, want graph.Shape) graph.Value {
	t := f.model.Condition
	if !t.tells(part) {
		return x
	}
	c := f.condition()
	if x.Dim(0) != f.N {
		c = f.Repeated(c)
	}
	if x.Rank() > 2 && len(want) == 1 {
		x = op.Flatten(x)
	}
	if c.Dim(0) != x.Dim(0) {
		f.scope.Graph().Fail(mistake("model.condition", "%s sees %d rows, the condition has %d", part, x.Dim(0), c.Dim(0)))
		return x
	}
	switch x.Rank() {
	case 4: // images: a plane a number
		planes := op.BroadcastTo(op.Reshape(c, c.Dim(0), t.size, 1, 1), x.Dim(0), t.size, x.Dim(2), x.Dim(3))
		return op.Concat(1, x, planes)
	case 3: // sequences: the same at each time
		times := op.BroadcastTo(op.Reshape(c, c.Dim(0), 1, t.size), x.Dim(0), x.Dim(1), t.size)
		return op.Concat(2, x, times)
	}
	return op.Concat(1, x, c)
}

// condition is N×size, the same in all parts.
func (f *Forward) condition() graph.Value {
	if f.told.Valid() {
		return f.told
	}
	t := f.model.Condition
	f.scope.Within("condition", func(s *nn.Scope) graph.Value {
		var columns []graph.Value
		for i, field := range t.fields {
			v := f.conditionValue(field, t.places[i])
			switch {
			case field.Spec.DType != graph.Int32:
				v = op.Cast(v, graph.Float32)
			case t.learnt > 0:
				v = s.Within(field.Name, func(s *nn.Scope) graph.Value {
					return op.Gather(s.Param("weight", nn.Normal(1), field.Classes, t.learnt), v)
				})
			default:
				v = op.OneHot(v, field.Classes)
			}
			columns = append(columns, op.Reshape(v, f.N, t.each[i]))
		}
		f.told = op.Concat(1, columns...)
		return f.told
	})
	return f.told
}

// conditionalPrior is N(mu(c), exp(logVar(c))) where the prior is told the condition, else p itself. dims are those of codes.
func (f *Forward) conditionalPrior(p prob.Distribution, dims graph.Shape) prob.Distribution {
	if !f.model.Condition.tells(intoPrior) {
		return p
	}
	d := prob.Normal{}
	f.scope.Within("prior", func(s *nn.Scope) graph.Value {
		units := dims[1:].Size()
		d.Mu = op.Reshape(project(s, "mu", f.condition(), units, "torch"), dims...)
		d.LogVar = op.Reshape(project(s, "log_var", f.condition(), units, "torch"), dims...)
		return d.Mu
	})
	return d
}
