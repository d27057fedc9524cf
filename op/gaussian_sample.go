package op

import (
	"fmt"
	"math"

	"aetrain/graph"
)

func init() { add(GaussianSampleOp{}) }

// GaussianSample draws z = mu + exp(logVar/2)·eps, eps standard normal: a sample of N(mu, exp(logVar)) through which gradients
// flow to both. mu, logVar and z have one shape, eps is what [Normal] would draw in it (see [RNG]), and the name tells
// draws of one path apart.
// Source: Kingma & Welling 2014, "Auto-Encoding Variational Bayes", section 2.4.
func GaussianSample(r RNG, name string, mu, logVar graph.Value) graph.Value {
	return apply(GaussianSampleOp{Stream: r.stream(name)}, r.inputs(mu, logVar)...)
}

// GaussianSampleOp is the op of [GaussianSample]: its inputs are mu, logVar, seed, step and row0.
type GaussianSampleOp struct{ Stream uint32 }

func (GaussianSampleOp) Name() string { return "GaussianSample" }
func (GaussianSampleOp) Arguments() []string {
	return []string{"mu", "logVar", "seed", "step", "row0"}
}

func (GaussianSampleOp) Infer(in []graph.Spec) ([]graph.Spec, error) {
	mu, logVar := in[0], in[1]
	if mu.DType != graph.Float32 || !mu.Equal(logVar) {
		return nil, fmt.Errorf("mu is %v and logVar is %v; want the same float32 shape", mu, logVar)
	}
	if err := wantRNG(in[2:]); err != nil {
		return nil, err
	}
	return []graph.Spec{mu}, nil
}

// d/dmu = 1,  d/dlogVar = exp(logVar/2)·eps/2 = (z - mu)/2: nothing is drawn again.
func (GaussianSampleOp) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	mu, z := n.In[0], n.Value(0)
	return []graph.Value{dOut[0], Scale(Mul(dOut[0], Sub(z, mu)), 0.5), {}, {}, {}}
}

func (o GaussianSampleOp) Eval(out, in []graph.Tensor) {
	mu, logVar, z := in[0].Data, in[1].Data, out[0]
	draw(z, in[2:], o.Stream, normals)
	for i, eps := range z.Data {
		z.Data[i] = mu[i] + math.Exp(logVar[i]/2)*eps
	}
}

func (GaussianSampleOp) Examples() []graph.Example {
	of := func(rng []graph.Arg, dims ...int) graph.Example {
		a := graph.Arg{Spec: graph.F32(dims...), From: -2, To: 2}
		return graph.Example{Op: GaussianSampleOp{Stream: 0x9e3779b9}, Args: append([]graph.Arg{a, a}, rng...)}
	}
	first := rngArgs([2]float64{1, 0}, 0, 0)
	return []graph.Example{
		of(first, 3, 7), of(first, 1, 1), of(first, 2, 3, 5), of(first, 4), of(first),
		of(rngArgs([2]float64{-2, 305419896}, 12345, -1), 5, 20), bench(of(first, 128, 20)),
	}
}
