package graph

import "fmt"

// Evaluate computes values in float64 by each op's Eval: the definition, slow and exact. feed holds inputs and states by name;
// a state that is not fed starts as its Init says, with seed 0. It returns one Tensor a value.
func Evaluate(values []Value, feed map[string]Tensor) ([]Tensor, error) {
	if len(values) == 0 {
		return nil, nil
	}
	e := evaluation{feed: feed, done: map[*Node][]Tensor{}}
	out := make([]Tensor, len(values))
	for i, v := range values {
		if g := v.Graph(); g == nil {
			return nil, fmt.Errorf("evaluate: value %d stands for nothing", i)
		} else if g.err != nil {
			return nil, g.err
		}
		ts, err := e.node(v.Node)
		if err != nil {
			return nil, err
		}
		out[i] = ts[v.Index]
	}
	return out, nil
}

type evaluation struct {
	feed map[string]Tensor
	done map[*Node][]Tensor
}

func (e *evaluation) node(n *Node) ([]Tensor, error) {
	if ts, ok := e.done[n]; ok {
		return ts, nil
	}
	in := make([]Tensor, len(n.In))
	for i, v := range n.In {
		ts, err := e.node(v.Node)
		if err != nil {
			return nil, err
		}
		in[i] = ts[v.Index]
	}
	out := make([]Tensor, len(n.Out))
	for i, s := range n.Out {
		out[i] = NewTensor(s)
	}
	var err error
	switch op := n.Op.(type) {
	case Input:
		out[0], err = e.fed(op.Label, op.Spec)
	case Read:
		if _, ok := e.feed[op.Label]; ok {
			out[0], err = e.fed(op.Label, op.Spec)
		} else if init := n.graph.byName[op.Label].Init; init != nil {
			init(0, op.Label, out[0])
		}
	default:
		n.Op.Eval(out, in)
	}
	e.done[n] = out
	return out, err
}

func (e *evaluation) fed(name string, s Spec) (Tensor, error) {
	t, ok := e.feed[name]
	if !ok {
		return t, fmt.Errorf("evaluate: %s is not fed", name)
	}
	if !t.Shape.Equal(s.Shape) || len(t.Data) != s.Shape.Size() {
		return t, fmt.Errorf("evaluate: %s is %v, fed %d numbers of shape %v", name, s, len(t.Data), t.Shape)
	}
	return t, nil
}
