package op

import "aetrain/graph"

func init() { add(SGDUpdateOp{}) }

// SGDScalars are the constants of [SGDUpdate].
type SGDScalars struct {
	LR          graph.Value // learning rate, float32 scalar
	WeightDecay float64     // L2: added to the gradient, times p
}

// SGDUpdate returns the parameter p after a step of gradient descent, p - LR·(g + WeightDecay·p); p itself where ok is 0.
func SGDUpdate(p, g graph.Value, h SGDScalars, ok graph.Value) graph.Value {
	return apply(SGDUpdateOp{WeightDecay: h.WeightDecay}, p, g, h.LR, ok)
}

// SGDUpdateOp is the op of [SGDUpdate]: its inputs are p, g, learning rate and ok, its output is the new p.
type SGDUpdateOp struct {
	update
	WeightDecay float64
}

func (SGDUpdateOp) Name() string         { return "SGDUpdate" }
func (SGDUpdateOp) Arguments() []string  { return []string{"p", "g", "learning rate", "ok"} }
func (SGDUpdateOp) ScalarInputs(int) int { return 2 }

func (SGDUpdateOp) Infer(in []graph.Spec) ([]graph.Spec, error) { return inferUpdate(in, 2, 1) }

func (o SGDUpdateOp) Eval(out, in []graph.Tensor) {
	lr, ok := scalarOf(in, 2), scalarOf(in, 3) != 0
	for i, p := range in[0].Data {
		g := in[1].Data[i] + o.WeightDecay*p
		out[0].Data[i] = keep(ok, p, p-lr*g)
	}
}

func (SGDUpdateOp) Examples() []graph.Example {
	return append(updates(SGDUpdateOp{}, 2, -1, 0.1), updates(SGDUpdateOp{WeightDecay: 0.01}, 2, -1, 0.1)[0])
}
