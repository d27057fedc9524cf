package op

import "aetrain/graph"

func init() { add(choose{}) }

// Select returns a where cond is not 0 and b elsewhere, elementwise, with broadcasting: this is how a graph branches on data.
// What is not selected leaves no trace in the result, be it NaN or infinite, and its gradient is exactly 0. An op before it may
// still make NaN of that 0 (the square root of a negative number does): select that op's input, too. No gradient flows to cond.
func Select(cond, a, b graph.Value) graph.Value { return apply(choose{}, broadcast(cond, a, b)...) }

type choose struct{ pointwise }

func (choose) Name() string        { return "Select" }
func (choose) Arguments() []string { return []string{"condition", "a", "b"} }

// A product with the condition would turn NaN·0 into NaN: the gradients are selected too.
func (choose) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	cond, zero := n.In[0], filled(dOut[0], 0)
	return []graph.Value{{}, Select(cond, dOut[0], zero), Select(cond, zero, dOut[0])}
}

func (choose) Eval(out, in []graph.Tensor) {
	for i, c := range in[0].Data {
		if c != 0 {
			out[0].Data[i] = in[1].Data[i]
		} else {
			out[0].Data[i] = in[2].Data[i]
		}
	}
}

func (choose) Examples() []graph.Example {
	var es []graph.Example
	for _, e := range points(choose{}, 3, -2, 2) {
		mask := make([]float64, e.Args[0].Spec.Shape.Size())
		for i := range mask {
			mask[i] = truth(i%3 != 1)
		}
		e.Args[0].Values, e.Args[0].Fixed = mask, true
		es = append(es, e)
	}
	return kinked(es)
}
