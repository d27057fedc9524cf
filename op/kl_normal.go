package op

import (
	"fmt"
	"math"

	"aetrain/graph"
)

func init() { add(klNormal{}) }

// KLNormal returns KL(N(mu, exp(logVar)) ‖ N(0, I)) of each example, in nats.
// mu and logVar are N×latentDim; the result is N, summed over latentDim.
// Source: Kingma & Welling 2014, "Auto-Encoding Variational Bayes", appendix B.
func KLNormal(mu, logVar graph.Value) graph.Value { return apply(klNormal{}, mu, logVar) }

type klNormal struct{}

func (klNormal) Name() string        { return "KLNormal" }
func (klNormal) Arguments() []string { return []string{"mu", "logVar"} }

func (klNormal) Infer(in []graph.Spec) ([]graph.Spec, error) {
	mu, logVar := in[0], in[1]
	if len(mu.Shape) != 2 || mu.DType != graph.Float32 || !mu.Equal(logVar) {
		return nil, fmt.Errorf("mu is %v and logVar is %v; want the same N×latentDim", mu, logVar)
	}
	return []graph.Spec{{Shape: mu.Shape[:1].Clone()}}, nil
}

// d/dmu = mu,  d/dlogVar = (exp(logVar) - 1) / 2
func (klNormal) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	mu, logVar := n.In[0], n.In[1]
	return []graph.Value{
		ScaleRows(mu, dOut[0]),
		ScaleRows(Scale(AddConst(Exp(logVar), -1), 0.5), dOut[0]),
	}
}

// Eval works in float64: a reference has to be better than what it judges.
func (klNormal) Eval(out, in []graph.Tensor) {
	mu, logVar, latentDim := in[0].Data, in[1].Data, in[0].Shape[1]
	for i := range out[0].Data {
		sum := 0.0
		for j := i * latentDim; j < (i+1)*latentDim; j++ {
			sum += math.Exp(logVar[j]) + mu[j]*mu[j] - 1 - logVar[j]
		}
		out[0].Data[i] = sum / 2
	}
}

func (klNormal) Examples() []graph.Example {
	of := func(dims ...int) graph.Example { return example(klNormal{}, 2, -2, 2, dims...) }
	return []graph.Example{of(3, 7), of(1, 1), of(5, 2), bench(of(128, 20))}
}
