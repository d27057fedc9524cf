package vec

import (
	"aetrain/cpu/cpuinfo"
	"aetrain/internal/philox"
)

// goKernels is the plain Go tier, the reference of the others.
var goKernels = Kernels{
	Tier: cpuinfo.Go,

	Add: addGo, Sub: subGo, Mul: mulGo, Div: divGo, Max: maxGo, Min: minGo, Pow: powGo,

	Greater: greaterGo, GreaterEqual: greaterEqualGo, Less: lessGo, LessEqual: lessEqualGo, Equal: equalGo, NotEqual: notEqualGo,
	GreaterS: greaterSGo, GreaterEqualS: greaterEqualSGo, LessS: lessSGo, LessEqualS: lessEqualSGo, EqualS: equalSGo, NotEqualS: notEqualSGo,
	Select: selectGo,

	AddS: addSGo, MulS: mulSGo, SubRS: subRSGo, DivRS: divRSGo, MaxS: maxSGo, MinS: minSGo, PowS: powSGo,
	Fill: fillGo, Copy: copyGo,
	AXPY: axpyGo, MulAdd: mulAddGo, Affine: affineGo, Centred: centredGo, CentredPlus: centredPlusGo,

	Neg: negGo, Abs: absGo, Square: squareGo, Sqrt: sqrtGo, Recip: recipGo, Rsqrt: rsqrtGo,
	Sign: signGo, Floor: floorGo, Round: roundGo, Sin: sinGo, Cos: cosGo,

	Exp: expGo, Expm1: expm1Go, Log: logGo, Log1p: log1pGo,
	Tanh: tanhGo, Sigmoid: sigmoidGo, Softplus: softplusGo, Erf: erfGo,

	ReLU: reluGo, LeakyReLU: leakyReLUGo, ELU: eluGo, GELU: geluGo, SiLU: siluGo,
	ReLUGrad: reluGradGo, SigmoidGrad: sigmoidGradGo, TanhGrad: tanhGradGo,
	LeakyReLUGrad: leakyReLUGradGo, ELUGrad: eluGradGo, GELUGrad: geluGradGo, SiLUGrad: siluGradGo,
	BCEWithLogits: bceWithLogitsGo, BCEAndSigmoid: bceAndSigmoidGo,

	Sum: sumGo, SumSquares: sumSquaresGo, Dot: dotGo, MaxReduce: maxReduceGo, MinReduce: minReduceGo, Softmax: softmaxGo,
	ColumnSum: columnSumGo, SumBlocks: sumBlocksGo, AllFinite: allFiniteGo,

	Uint8ToFloat32: uint8ToFloat32Go, Int32ToFloat32: int32ToFloat32Go, Float32ToInt32: float32ToInt32Go,
	Transpose2D: transpose2DGo,

	Adam: adamGo, AdamW: adamWGo, SGD: sgdGo, Momentum: momentumGo, RMSprop: rmspropGo,

	LSTM: lstmGo, LSTMGrad: lstmGradGo, GRU: gruGo, GRUGrad: gruGradGo, RNN: rnnGo, RNNGrad: rnnGradGo,

	Uniforms: philox.Uniforms, Normals: philox.NormalsRow,
}

// cut returns a and the others at the shortest one's length, so that loops over the first need no bounds checks.
func cut2(a, b []float32) ([]float32, []float32) {
	n := min(len(a), len(b))
	return a[:n], b[:n]
}

func cut3(a, b, c []float32) ([]float32, []float32, []float32) {
	n := min(len(a), len(b), len(c))
	return a[:n], b[:n], c[:n]
}

func cut4(a, b, c, d []float32) ([]float32, []float32, []float32, []float32) {
	n := min(len(a), len(b), len(c), len(d))
	return a[:n], b[:n], c[:n], d[:n]
}

// Each of the loops below applies f; the call costs little beside what f computes. Cheaper operations have their own loops.

func each(dst, x []float32, f func(float64) float64) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = float32(f(float64(v)))
	}
}

func each2(dst, a, b []float32, f func(a, b float64) float64) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		dst[i] = float32(f(float64(v), float64(b[i])))
	}
}

// one returns 1 for true, 0 for false.
func one(b bool) float32 {
	if b {
		return 1
	}
	return 0
}
