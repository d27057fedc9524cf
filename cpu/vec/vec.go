// Package vec computes over slices of float32: arithmetic, activations, reductions, optimiser updates, random numbers, and times of
// recurrent cells over rows.
//
// Each kernel exists in three tiers: AVX-512, AVX2 with FMA, and plain Go, which is the reference, runs on every architecture
// and alone under the build tag noasm. [For] gives the table of a tier:
//
//	k := vec.For(cpuinfo.Best())
//	k.Exp(dst, x)
//
// The slices of one call have equal lengths, any length from 0 on, any alignment; were they to differ, the shortest counts.
// dst may be the very same slice as a source; slices that overlap otherwise are not allowed. Nothing allocates.
// The kernels of recurrent cells are told of operands in rows, at steps of their own, by Args types, which say how long each is: what
// is too short panics, and results have memory of their own.
// What an element becomes depends on that element alone, never on its place in the slice, so that work may be split anywhere.
//
// Errors are in ulp (units in the last place of the exact result) against float64, for all float32 arguments with NaN, infinities
// and denormals. Arithmetic, comparisons, conversions, sums and random numbers have the same bits in every tier. Sums of products
// (AXPY, MulAdd, Affine), transcendental functions, the activations made of them and optimiser updates may differ in the last ones.
//
// The assembly is generated: kernels/asm/vec_*.go write vec_amd64.s and its stubs, the AVX2 and AVX-512 kernels from one source.
package vec

import "aetrain/cpu/cpuinfo"

// Shapes of kernels. All slices of one call are equally long.
type (
	// Unary computes dst[i] from x[i].
	Unary func(dst, x []float32)
	// Scalar computes dst[i] from x[i] and s.
	Scalar func(dst, x []float32, s float32)
	// Binary computes dst[i] from a[i] and b[i].
	Binary func(dst, a, b []float32)
	// Ternary computes dst[i] from a[i], b[i] and c[i].
	Ternary func(dst, a, b, c []float32)
	// Reduce computes one number from x by a tree that depends on len(x) only.
	Reduce func(x []float32) float32
	// Random fills dst, elements 4*block0 onwards of a row, from counters of internal/philox; the last block may be partial.
	Random func(dst []float32, seed uint64, block0, row, step, stream uint32)
)

// Kernels is the table of one tier.
type Kernels struct {
	Tier cpuinfo.Tier

	// Binary arithmetic, correctly rounded.

	Add, Sub, Mul, Div Binary // a+b, a-b, a*b, a/b
	Max, Min           Binary // the larger, the smaller; NaN if either is (as PyTorch's maximum); of two zeros b
	Pow                Binary // a to the power b, below 1 ulp, special cases as math.Pow; plain Go in every tier

	// Comparisons: 1 where true, else 0; with a NaN only NotEqual is true.

	Greater, GreaterEqual, Less, LessEqual, Equal, NotEqual       Binary
	GreaterS, GreaterEqualS, LessS, LessEqualS, EqualS, NotEqualS Scalar  // x against s
	Select                                                        Ternary // Select(dst, cond, a, b): a where cond != 0, else b

	// With a scalar, correctly rounded; MaxS and MinS give NaN for a NaN of x (s is a number).

	AddS, MulS, SubRS, DivRS Scalar // x+s, x*s, s-x, s/x
	MaxS, MinS               Scalar
	PowS                     Scalar                         // x to the power s, as Pow
	Fill                     func(dst []float32, s float32) // dst = s
	Copy                     Unary                          // dst = x; any overlap is allowed

	// Products and sums: one rounding in the vector tiers, two in Go.

	AXPY   Scalar                               // AXPY(dst, x, s): dst += s*x
	MulAdd Ternary                              // dst = a*b + c
	Affine func(dst, x []float32, s, c float32) // dst = s*x + c

	Centred     func(dst, x []float32, mean, s, c float32)       // dst = s*(x-mean) + c
	CentredPlus func(dst, x, y []float32, mean, s, c, a float32) // dst = s*(x-mean) + c + a*y

	// Unary, correctly rounded (Rsqrt: below 1.5 ulp).

	Neg, Abs, Square, Sqrt, Recip Unary
	Rsqrt                         Unary // 1/sqrt(x)
	Sign                          Unary // 1, -1, or x itself where it is ±0 or NaN
	Floor, Round                  Unary // Round: half to even
	Sin, Cos                      Unary // below 1 ulp; plain Go in every tier

	// Transcendental; the bounds are those of the vector tiers (Go: below 1 ulp), measured over all float32 arguments.

	Exp      Unary // below 1.1 ulp; denormal results are kept
	Expm1    Unary // below 2 ulp
	Log      Unary // below 1 ulp; -Inf at 0, NaN below
	Log1p    Unary // below 1 ulp; plain Go in every tier
	Tanh     Unary // below 3 ulp
	Sigmoid  Unary // 1/(1+exp(-x)), below 3 ulp, denormal results too
	Softplus Unary // log(1+exp(x)), below 3 ulp, without overflow
	Erf      Unary // below 2 ulp

	// Activations; their accuracy follows from the functions above.

	ReLU      Unary  // max(x, 0); NaN stays
	LeakyReLU Scalar // x where x > 0, else s*x
	ELU       Scalar // x where x > 0, else s*expm1(x)
	GELU      Unary  // x Φ(x) = x/2 (1+erf(x/√2)), exact as PyTorch's default; error below 6 ulp or 5e-8 |x|
	SiLU      Unary  // x sigmoid(x), below 4 ulp

	// Gradients: dy is the gradient of the result, y the result, x the argument.

	ReLUGrad      Binary                                // (dst, y, dy): dy where y > 0, else 0
	SigmoidGrad   Binary                                // (dst, y, dy): dy y (1-y)
	TanhGrad      Binary                                // (dst, y, dy): dy (1-y²)
	LeakyReLUGrad func(dst, y, dy []float32, s float32) // dy where y > 0, else s dy (s > 0, so that x may stand for y)
	ELUGrad       func(dst, y, dy []float32, s float32) // dy where y > 0, else dy (y+s)
	GELUGrad      Binary                                // (dst, x, dy): dy (Φ(x) + x φ(x))
	SiLUGrad      Binary                                // (dst, x, dy): dy σ(x) (1 + x (1-σ(x)))

	// BCEWithLogits(dst, logit, target) is the binary cross entropy of each element in nats,
	// max(l,0) - l t + log(1+exp(-|l|)); its gradient with respect to l is Sigmoid(l) - t.
	BCEWithLogits Binary
	// BCEAndSigmoid(loss, sigmoid, logit, target) is both in one pass, with the same bits; the results must not overlap each other.
	BCEAndSigmoid func(loss, sigmoid, logit, target []float32)

	// Reductions. Sum, SumSquares and Dot add in 64 lanes of float32 over blocks of 4096 elements, the blocks in float64,
	// with the same bits in every tier: error about 1e-6 of the sum of magnitudes at worst, typically 1e-8. Empty: 0.

	Sum, SumSquares      Reduce
	Dot                  func(a, b []float32) float32
	MaxReduce, MinReduce Reduce // NaN if there is one; empty: -Inf, +Inf

	// ColumnSum adds the sums of columns to dst: dst[j] += Σ_r src[r*ld+j], j < len(dst), r < rows. Blocks of 64 rows are summed
	// in order from 0 and then added: the same bits in every tier.
	ColumnSum func(dst, src []float32, rows, ld int)

	// SumBlocks writes the sum of blocks consecutive blocks of len(dst) elements: dst[i] = Σ_b src[b*len(dst)+i], as ColumnSum adds.
	SumBlocks func(dst, src []float32, blocks int)

	// Softmax writes exp(s (x - max x)) divided by its sum, for s above 0. Relative to an element of n, the error is below 6e-7, and
	// 1.2e-7 times |s (x - max x)|, its own and the mean by the results, as those are rounded, and 4e-9 n at worst, its square root
	// typically, for the sum (plain Go adds in float64). Denormal results have absolute ones. Empty: nothing.
	Softmax Scalar

	AllFinite func(x []float32) bool // whether no element is NaN or infinite

	// Conversions.

	Uint8ToFloat32 func(dst []float32, src []uint8, s float32) // float32(src)*s
	Int32ToFloat32 func(dst []float32, src []int32)            // rounded to nearest even
	Float32ToInt32 func(dst []int32, src []float32)            // truncated; NaN and what does not fit become -2^31

	// Transpose2D writes dst[c*ldd+r] = src[r*lds+c] for r < rows, c < cols.
	Transpose2D func(dst, src []float32, rows, cols, ldd, lds int)

	// Optimiser updates: new values first, then the old ones; in place where they are the same slices. See the Args types for formulas.

	Adam     func(p1, m1, v1, p, m, v, g []float32, h *AdamArgs)
	AdamW    func(p1, m1, v1, p, m, v, g []float32, h *AdamArgs)
	SGD      func(p1, p, g []float32, h *SGDArgs)
	Momentum func(p1, buf1, p, buf, g []float32, h *MomentumArgs)
	RMSprop  func(p1, v1, p, v, g []float32, h *RMSpropArgs)

	// Times of recurrent cells; see the Args types for formulas.

	LSTM     func(a *LSTMArgs)
	LSTMGrad func(a *LSTMGradArgs)
	GRU      func(a *GRUArgs)
	GRUGrad  func(a *GRUGradArgs)
	RNN      func(a *RNNArgs)
	RNNGrad  func(a *RNNGradArgs)

	// Random numbers, in every tier the bits of internal/philox.

	Uniforms Random // in [0, 1)
	Normals  Random // standard normal
}

// For returns the kernels of tier t, or of the best tier below it that this build has. The table is shared: do not change it.
func For(t cpuinfo.Tier) *Kernels {
	if k := assembly(t); k != nil {
		return k
	}
	return &goKernels
}
