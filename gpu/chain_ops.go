//go:build gpu

package gpu

import (
	"aetrain/graph"
	"aetrain/op"
)

// pointOp is one function of kernels/cuda/point.cuh.
type pointOp struct {
	code       uint32 // in tapes: kernels/cuda/chain.cu
	function   string // point_ is left out
	in, out    int
	attributes int
}

// update reports ops that have several outputs, or as many operands.
func (p pointOp) update() bool { return p.code >= codeUpdates }

// Opcodes of a tape that are no ops.
const (
	codeEnd     uint32 = iota
	codeLoad           // d; pointer: element i, four bytes
	codeLoad8          // d; pointer: element i, a byte
	codeOne            // d; pointer: element 0, four bytes
	codeOne8           // d; pointer: element 0, a byte
	codeAt             // d; pointer, two divisors, period: element (i / inner) % period, four bytes
	codeAt8            // the same, a byte
	codeConst          // d; bits
	codeStore          // d is read; pointer
	codeStore8         // d is read; pointer
	codeSum            // d is added to total a
	codeRow            // d is added to the row's total a
	codeColumn         // d is added to the column's total a
	codeUpdates = 80   // from here on operands and outputs follow four a word
)

// pointOps are the ops of chains by name; Cast and the updates, which depend on attributes, by the function's name.
var pointOps = func() map[string]pointOp {
	ops := map[string]pointOp{}
	add := func(first uint32, in, attributes int, names ...string) {
		for i := 0; i < len(names); i += 2 {
			ops[names[i]] = pointOp{code: first + uint32(i/2), function: names[i+1], in: in, out: 1, attributes: attributes}
		}
	}
	add(16, 1, 0, "Neg", "neg", "Abs", "abs", "Square", "square", "Sqrt", "sqrt", "Rsqrt", "rsqrt", "Reciprocal", "reciprocal",
		"Move", "move", "IsFinite", "is_finite", "Sign", "sign", "Floor", "floor", "Round", "round", "ReLU", "relu",
		"Exp", "exp", "Expm1", "expm1", "Log", "log", "Log1p", "log1p", "Sin", "sin", "Cos", "cos", "Tanh", "tanh", "Erf", "erf",
		"Sigmoid", "sigmoid", "Softplus", "softplus", "GELU", "gelu", "SiLU", "silu")
	add(40, 1, 1, "Scale", "scale", "AddConst", "add_const", "LeakyReLU", "leaky_relu", "ELU", "elu")
	add(44, 1, 2, "Clamp", "clamp")
	add(48, 2, 0, "Add", "add", "Sub", "sub", "Mul", "mul", "Div", "div", "SquaredError", "squared_error",
		"Maximum", "maximum", "Minimum", "minimum", "Greater", "greater", "GreaterEqual", "greater_equal", "Less", "less",
		"LessEqual", "less_equal", "Equal", "equal", "NotEqual", "not_equal", "ReLUGrad", "relu_grad",
		"SigmoidGrad", "sigmoid_grad", "TanhGrad", "tanh_grad", "Pow", "pow", "GELUGrad", "gelu_grad", "SiLUGrad", "silu_grad",
		"BCEWithLogits", "bce_with_logits")
	add(68, 2, 1, "LeakyReLUGrad", "leaky_relu_grad", "ELUGrad", "elu_grad")
	add(70, 3, 0, "Select", "select")
	add(72, 1, 0, "int_of_float", "int_of_float", "byte_of_float", "byte_of_float", "byte_of_int", "byte_of_int",
		"int_of_int", "int_of_int", "Increment", "increment", "float_of_int", "float_of_int")
	add(78, 2, 0, "AddInt", "add_int")
	for _, u := range []pointOp{
		{80, "sgd", 4, 1, 1}, {81, "momentum", 5, 2, 2}, {82, "nesterov", 5, 2, 2}, {83, "rmsprop", 5, 2, 4},
		{84, "rmsprop_momentum", 6, 3, 5}, {85, "adam", 8, 3, 6}, {86, "adamw", 8, 3, 6},
	} {
		ops[u.function] = u
	}
	return ops
}()

// pointOf finds the function of a node with its attributes; ok is false for ops that have none.
func pointOf(n *graph.Node) (p pointOp, attributes []float64, ok bool) {
	name := n.Op.Name()
	switch o := n.Op.(type) {
	case op.Scaled:
		attributes = []float64{o.C}
	case op.AddConstOp:
		attributes = []float64{o.C}
	case op.LeakyReLUOp:
		attributes = []float64{o.Slope}
	case op.LeakyReLUGradOp:
		attributes = []float64{o.Slope}
	case op.ELUOp:
		attributes = []float64{o.Alpha}
	case op.ELUGradOp:
		attributes = []float64{o.Alpha}
	case op.ClampOp:
		attributes = []float64{o.Lo, o.Hi}
	case op.CastOp:
		name = castFunction(n.In[0].Spec().DType, o.To)
	default:
		if u, a := updateOf(o); u != "" {
			name, attributes = u, a
		}
	}
	if name == "StraightThrough" || name == "StopGradient" {
		name = "Move"
	}
	p, ok = pointOps[name]
	return p, attributes, ok
}

// castFunction names the conversion between two types. Bytes are ints of 0 to 255 while they are computed with.
func castFunction(from, to graph.DType) string {
	switch {
	case from == graph.Float32 && to == graph.Float32:
		return "Move"
	case from == graph.Float32 && to == graph.Int32:
		return "int_of_float"
	case from == graph.Float32:
		return "byte_of_float"
	case to == graph.Float32:
		return "float_of_int"
	case to == graph.Uint8:
		return "byte_of_int"
	}
	return "int_of_int"
}

// updateOf names the function of an optimiser's step; differences like 1 - beta are rounded once, here.
func updateOf(o graph.Op) (function string, attributes []float64) {
	switch o := o.(type) {
	case op.SGDUpdateOp:
		return "sgd", []float64{o.WeightDecay}
	case op.MomentumUpdateOp:
		if o.Nesterov {
			return "nesterov", []float64{o.Momentum, o.WeightDecay}
		}
		return "momentum", []float64{o.Momentum, o.WeightDecay}
	case op.RMSPropUpdateOp:
		return "rmsprop", []float64{o.Alpha, 1 - o.Alpha, o.Eps, o.WeightDecay}
	case op.RMSPropMomentumUpdateOp:
		return "rmsprop_momentum", []float64{o.Alpha, 1 - o.Alpha, o.Eps, o.WeightDecay, o.Momentum}
	case op.AdamUpdateOp:
		function = "adam"
		if o.Decoupled {
			function = "adamw"
		}
		return function, []float64{o.Beta1, 1 - o.Beta1, o.Beta2, 1 - o.Beta2, o.Eps, o.WeightDecay}
	}
	return "", nil
}
