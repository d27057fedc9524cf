package op

import (
	"math"

	"aetrain/graph"
)

// recurrentExamples are those of all recurrent ops.
func recurrentExamples(of func(r Recurrence, n, t, h int, masked bool) graph.Example) []graph.Example {
	return []graph.Example{
		of(Recurrence{}, 2, 2, 2, false), of(Recurrence{Reverse: true}, 3, 3, 1, true), of(Recurrence{Steps: 2}, 2, 1, 2, false),
		of(Recurrence{Reverse: true, Steps: 2}, 2, 1, 1, true), of(Recurrence{}, 1, 1, 1, false),
		bench(of(Recurrence{}, 64, 100, 64, false)),
	}
}

// recurrentGradExamples are those of their gradients.
func recurrentGradExamples(of func(reverse, sequence bool, n, t, h int, masked bool) graph.Example) []graph.Example {
	return []graph.Example{
		of(false, true, 2, 2, 2, false), of(true, true, 3, 3, 1, true), of(false, false, 2, 2, 2, false),
		of(true, false, 2, 2, 1, true), of(false, true, 1, 1, 1, false), bench(of(false, true, 64, 100, 64, false)),
	}
}

// recurrentWeight is drawn as layers start: states neither explode nor turn into chaos.
func recurrentWeight(gates, h int) graph.Arg {
	bound := 1 / math.Sqrt(float64(h))
	return graph.Arg{Spec: graph.F32(gates*h, h), From: -bound, To: bound}
}

// recurrentExample draws what an op with this many gates, biases and states takes.
func recurrentExample(o graph.Op, r Recurrence, n, t, h, gates, biases, states int, masked bool) graph.Example {
	e := graph.Example{Op: o, Args: []graph.Arg{f32(n, t, gates*h), recurrentWeight(gates, h), f32(biases * h)}}
	for range states {
		e.Args = append(e.Args, f32(n, h))
	}
	if masked {
		e.Args = append(e.Args, maskArg(n, max(t, r.Steps)))
	}
	return e
}

// withOptional appends the inputs of a gradient's example that may be left out.
func withOptional(e graph.Example, n, t, h int, sequence, masked bool) graph.Example {
	if sequence {
		e.Args = append(e.Args, f32(n, t, h))
	}
	if masked {
		e.Args = append(e.Args, maskArg(n, t))
	}
	return e
}

// maskArg is an example's mask of N×T: the first example is whole, later ones end earlier, one has a hole.
func maskArg(n, t int) graph.Arg {
	values := make([]float64, n*t)
	for i := range values {
		example, at := i/t, i%t
		values[i] = truth(example == 0 || at+example < t && !(example == 2 && at == 0))
	}
	return graph.Arg{Spec: graph.F32(n, t), Values: values, Fixed: true}
}
