package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(CastOp{To: graph.Float32}) }

// Cast returns x in another element type. To an integer it drops the fraction; numbers that do not fit are limited to
// 0 and 255 in uint8, and become -2^31, as NaN does, in int32. int32 values beyond ±2^24 are rounded in float32.
// No gradient flows. x itself is returned where it has that type.
func Cast(x graph.Value, to graph.DType) graph.Value {
	if x.Spec().DType == to {
		return x
	}
	return apply(CastOp{To: to}, x)
}

// CastOp is the op of [Cast]; To is the result's type.
type CastOp struct{ To graph.DType }

func (CastOp) Name() string { return "Cast" }

// ScalarInputs tells that Cast is pointwise.
func (CastOp) ScalarInputs(inputs int) int { return inputs }

func (o CastOp) Infer(in []graph.Spec) ([]graph.Spec, error) {
	return []graph.Spec{{Shape: in[0].Shape, DType: o.To}}, nil
}

func (CastOp) VJP(*graph.Node, []graph.Value) []graph.Value { return none(1) }

func (o CastOp) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 {
		switch o.To {
		case graph.Int32:
			if x = math.Trunc(x); x >= math.MinInt32 && x <= math.MaxInt32 {
				return x
			}
			return math.MinInt32
		case graph.Uint8:
			if x > 0 { // NaN is 0
				return math.Min(math.Trunc(x), 255)
			}
			return 0
		}
		return float64(float32(x))
	})
}

func (CastOp) Examples() []graph.Example {
	of := func(to graph.DType, from graph.Spec, lo, hi float64) graph.Example {
		e := graph.Example{Op: CastOp{To: to}, Args: []graph.Arg{{Spec: from, From: lo, To: hi}}}
		e.Kinked = to != graph.Float32
		return e
	}
	return []graph.Example{
		of(graph.Float32, graph.U8(3, 7), 0, 256), of(graph.Float32, graph.I32(5), -1000, 1000), of(graph.Float32, graph.I32(), 0, 9),
		of(graph.Int32, graph.F32(3, 7), -100, 100), of(graph.Uint8, graph.F32(3, 7), 0, 256), of(graph.Int32, graph.U8(4), 0, 256),
		of(graph.Uint8, graph.I32(4), 0, 256), bench(of(graph.Float32, graph.U8(128, 784), 0, 256)),
	}
}
