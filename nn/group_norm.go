package nn

import (
	"fmt"

	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("group_norm", func() Layer { return newGroupNorm() }) }

// defaultGroups is the number of groups where none is given: 32 as in the paper, as far as it divides the channels.
const defaultGroups = 32

// GroupNorm normalises groups of channels of each example by their own mean and variance; weight and bias are by channel.
// Source: Wu & He 2018, "Group Normalization", eq. 7.
type GroupNorm struct {
	Common
	Groups int     `toml:"groups" min:"0" doc:"groups of channels; 0: the largest number up to 32 that divides them"`
	Eps    float64 `toml:"eps" over:"0" doc:"added to the variance"`
}

func newGroupNorm() *GroupNorm { return &GroupNorm{Eps: normEps} }

// Kind is "group_norm".
func (*GroupNorm) Kind() string { return "group_norm" }

func (*GroupNorm) decorates() {}

// Output is the input's shape, whose channels the groups must divide.
func (l *GroupNorm) Output(in graph.Shape) (graph.Shape, error) {
	if len(in) == 2 {
		return nil, fmt.Errorf("group norm works on vectors and images, not on the sequence %v: use layer norm", in)
	}
	if l.Groups > 0 && in[0]%l.Groups != 0 {
		return nil, fmt.Errorf("groups = %d must divide the %d channels", l.Groups, in[0])
	}
	return in, nil
}

// Build normalises.
func (l *GroupNorm) Build(s *Scope, x graph.Value) graph.Value {
	groups := l.Groups
	if groups == 0 {
		for groups = min(defaultGroups, x.Dim(1)); x.Dim(1)%groups != 0; groups-- {
		}
	}
	return normGroups(s, x, groups, l.Eps)
}

// normGroups normalises each group of channels of x (N×C or N×C×H×W).
func normGroups(s *Scope, x graph.Value, groups int, eps float64) graph.Value {
	n, c := x.Dim(0), x.Dim(1)
	size := x.Shape().Size() / max(1, n*groups)
	ones, zeros := s.Graph().Constant(graph.F32(size), 1), s.Graph().Constant(graph.F32(size), 0)
	y := op.Reshape(op.LayerNorm(op.Reshape(x, n, groups, size), ones, zeros, eps), x.Shape()...)
	by := []int{c, 1, 1}[:max(1, x.Rank()-1)]
	gamma, beta := s.Param("weight", Constant(1), c), s.Param("bias", nil, c)
	return op.Add(op.Mul(y, op.Reshape(gamma, by...)), op.Reshape(beta, by...))
}

// Mirror is nothing: a mirror keeps the layer itself.
func (*GroupNorm) Mirror(graph.Shape) ([]Layer, error) { return nil, nil }
