package op

import "aetrain/graph"

func init() { add(logSoftmax{}) }

// LogSoftmax returns the logarithm of [Softmax] along the last axis, x - log Σ exp(x), exact where the softmax is tiny.
func LogSoftmax(x graph.Value) graph.Value { return apply(logSoftmax{}, x) }

type logSoftmax struct{}

func (logSoftmax) Name() string { return "LogSoftmax" }

func (logSoftmax) Infer(in []graph.Spec) ([]graph.Spec, error) { return wantRows(in[0]) }

// dx = dy - softmax(x)·Σ dy, the sum along the last axis.
func (logSoftmax) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Sub(dOut[0], Mul(Exp(n.Value(0)), sumLast(dOut[0]))))
}

func (logSoftmax) Eval(out, in []graph.Tensor) {
	eachRow(out[0], in[0], func(y, x []float64) {
		total := logSumExp(x)
		for i := range x {
			y[i] = x[i] - total
		}
	})
}

func (logSoftmax) Examples() []graph.Example { return rowExamples(logSoftmax{}) }
