package main

import "math"

// Bodies of the transcendental functions. Coefficients of exp and expm1 are minimax fits of (exp(r)-1-r)/r² on |r| <= log(2)/2
// (weighted for a relative error of exp and of expm1); those of log, log1p and erf are by N. Juffa's fits for single-precision FMA.

const (
	log2e = 1.4426950408889634
	ln2Hi = 0.693147182464599609375 // log 2 rounded to float32
	ln2Lo = -1.904654299957768e-9   // the rest
	magic = 12582912                // 1.5*2^23: adding it rounds to an integer, which stands in the low bits
)

// reduce splits x = k log 2 + r; the low bits of t are k + bias.
func (m simd) reduce(x V, bias float64) (t, k, r V) {
	t = m.fma(x, num(log2e), num(magic+bias))
	k = m.sub(t, num(magic+bias))
	r = m.fnma(k, num(ln2Hi), x)
	r = m.fnma(k, num(ln2Lo), r)
	return t, k, r
}

// exp is exp(x): NaN stays, results below the smallest denormal are 0. With negative, x is not above 0.
func (m simd) exp(x V, negative bool) V {
	x = m.max(num(-104), x)
	if !negative {
		x = m.min(num(89), x)
	}
	t, k, r := m.reduce(x, 254)
	q := m.poly(r, 0.001395047717, 0.00836888264, 0.041666206009, 0.16666518895, 0.500000009512)
	p := m.add(m.fma(q, m.mul(r, r), r), num(1))
	return m.scale(p, t, k)
}

// scale is p * 2^k, rounded once also where that is denormal: two factors, of half the exponent each. The low nine bits of t are
// k + 2*127, so its halves are both exponents with their bias; the shift drops the rest of t.
func (m simd) scale(p, t, k V) V {
	if m.wide() {
		return m.scalef(p, k)
	}
	h := m.shr(t, 1)
	p = m.mul(p, m.shl(h, 23))
	return m.mul(p, m.shl(m.subInt(t, h), 23))
}

// expm1 is exp(x) - 1 for -87 <= x <= 88.
func (m simd) expm1(x V) V {
	s, p := m.expm1Parts(x)
	return m.fma(s, p, m.sub(s, num(1)))
}

// expm1Parts returns 2^k and p with exp(x) = 2^k (1+p). The low bits of t are those of 2^k's exponent.
func (m simd) expm1Parts(x V) (s, p V) {
	t, _, r := m.reduce(x, 127)
	q := m.poly(r, 0.001394643685, 0.008366577626, 0.041666282201, 0.166665430386, 0.50000000619)
	p = m.fma(q, m.mul(r, r), r)
	return m.shl(t, 23), p
}

// fullExpm1 is expm1 for all x: 2^(k-1) keeps the range, tiny x are their own result.
func (m simd) fullExpm1(x V) V {
	y := m.min(num(89), m.max(num(-80), x))
	s, p := m.expm1Parts(y)
	s = m.subInt(s, word(1<<23))
	h := m.fma(s, p, m.sub(s, num(0.5)))
	return m.blend(m.cmp(lt, m.abs(x), num(0x1p-60)), x, m.add(h, h))
}

// log is the natural logarithm of any x.
func (m simd) log(x V) V {
	tiny := m.cmp(lt, x, num(0x1p-126))
	y := m.blend(tiny, m.mul(x, num(0x1p23)), x)
	i := m.subInt(y, word(0x3f2aaaab))
	e := m.and(i, word(0xff800000))
	f := m.sub(m.subInt(y, e), num(1)) // m - 1, 2/3 <= m < 4/3
	k := m.add(m.toFloat(m.sar(e, 23)), m.where(tiny, num(-23)))
	r := m.fma(k, num(ln2Hi), m.log1pReduced(f, logPoly))
	r = m.blend(m.cmp(nlt, x, infinity), x, r) // infinity and NaN
	r = m.blend(m.cmp(eq, x, num(0)), minusInf, r)
	return m.blend(m.cmp(lt, x, num(0)), word(0x7fc00000), r)
}

var (
	logPoly = []float64{-0.130187988, 0.140889585, -0.121489584, 0.139809534, -0.166845024, 0.200121149, -0.249996364, 0.333331943}
	// on -1/4 <= f <= 1/2
	log1pPoly = []float64{-4.54559326e-2, 1.05529785e-1, -1.32279620e-1, 1.44911572e-1, -1.66416913e-1, 1.99886635e-1, -2.50001878e-1, 3.33335280e-1}
)

// log1pReduced is log(1+f) near 0 by f + f²(-1/2 + f p(f)), p in two interleaved halves.
func (m simd) log1pReduced(f V, c []float64) V {
	s := m.mul(f, f)
	even := m.poly(s, c[0], c[2], c[4], c[6])
	odd := m.poly(s, c[1], c[3], c[5])
	p := m.fma(m.fma(odd, f, even), f, num(c[7]))
	p = m.fma(p, f, num(-0.5))
	return m.fma(p, s, f)
}

// log1pUnit is log(1+e) for 0 <= e <= 1.
func (m simd) log1pUnit(e V) V {
	big := m.cmp(ge, e, num(0.5))
	f := m.blend(big, m.fma(e, num(0.5), num(-0.5)), e)
	return m.add(m.log1pReduced(f, log1pPoly), m.where(big, num(ln2Hi)))
}

// sigmoidParts returns e = exp(-|x|) and 1/(1+exp(-x)).
func (m simd) sigmoidParts(x V) (e, y V) {
	e = m.exp(m.or(x, signBit), true)
	n := m.blend(m.negative(x), e, m.load(num(1)))
	return e, m.div(n, m.add(e, num(1)))
}

func (m simd) sigmoid(x V) V {
	_, y := m.sigmoidParts(x)
	return y
}

// tanh is t/(t+2) with t = exp(2|x|)-1, and the sign of x; from 10 on it is 1.
func (m simd) tanh(x V) V {
	y := m.min(num(20), m.abs(m.add(x, x)))
	t := m.expm1(y)
	return m.or(m.div(t, m.add(t, num(2))), m.and(x, signBit))
}

// softplus is max(x, 0) + log(1+exp(-|x|)).
func (m simd) softplus(x V) V {
	e := m.exp(m.or(x, signBit), true)
	return m.add(m.max(num(0), x), m.log1pUnit(e))
}

// erfParts returns erf(x) for |x| below the bound of small, and erfc(|x|) for the others.
func (m simd) erfParts(x V) (small mask, near, far V) {
	t, s := m.abs(x), m.mul(x, x)
	near = m.poly(s, -5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1)
	near = m.fma(near, x, x)
	c := m.min(num(12), t) // erfc(12) is 0; farther out the fit turns
	r := m.fma(c, num(-1.72853470e-5), num(3.83197126e-4))
	u := m.fma(c, num(-3.88396438e-3), num(2.42546219e-2))
	r = m.fma(r, m.mul(c, c), u)
	for _, k := range []float64{-1.06777877e-1, -6.34846687e-1, -1.28717512e-1} {
		r = m.fma(r, c, num(k))
	}
	r = m.sub(m.mul(r, c), c)
	return m.cmp(lt, t, num(0.927734375)), near, m.exp(r, true)
}

func (m simd) erf(x V) V {
	small, near, far := m.erfParts(x)
	far = m.or(m.sub(m.load(num(1)), far), m.and(x, signBit))
	return m.blend(small, near, far)
}

// cdf is Φ(x), and exp(-x²/2) for the density: Φ(-|x|) is exp(-x²/2) R(|x|), so that negative x lose nothing. R is a minimax
// fit of rational functions of degree 4 and 5 on 0 <= |x| <= 14.5 with a relative error below 6e-9; from there on Φ(-|x|) is 0.
func (m simd) cdf(x V) (c, e V) {
	a := m.min(num(14.5), m.abs(x))
	e = m.exp(m.mul(m.mul(a, num(-0.5)), a), true)
	p := m.poly(a, 0.004116358427860093, 0.040633568613319584, 0.18323616548552804, 0.4382963557591164, 0.5)
	q := m.poly(a, 0.010318060692142212, 0.10185969854726588, 0.4694733383975786, 1.2025074394160433, 1.6744776927376603, 1)
	far := m.mul(e, m.div(p, q))
	return m.blend(m.negative(x), far, m.sub(m.load(num(1)), far)), e
}

// gelu is x Φ(x). Where Φ is 0 in float32, x is bounded: -Inf gives -0.
func (m simd) gelu(x V) V {
	c, _ := m.cdf(x)
	return m.mul(m.max(num(-20), x), c)
}

// geluGrad is dy (Φ(x) + x φ(x)).
func (m simd) geluGrad(x, dy V) V {
	c, e := m.cdf(x)
	b := m.min(num(20), m.max(num(-20), x)) // φ(20) is 0
	return m.mul(dy, m.fma(m.mul(b, num(1/math.Sqrt(2*math.Pi))), e, c))
}

// throughSigmoid and throughTanh are the gradients of their arguments, from the result y and its gradient dy: dy·(y-y²), dy·(1-y²).
func (m simd) throughSigmoid(y, dy V) V { return m.mul(dy, m.fnma(y, y, y)) }
func (m simd) throughTanh(y, dy V) V    { return m.mul(dy, m.fnma(y, y, m.load(num(1)))) }

// silu is x sigmoid(x); sigmoid(-120) is 0.
func (m simd) silu(x V) V { return m.mul(m.max(num(-120), x), m.sigmoid(x)) }

// siluGrad is dy (σ + x σ(x) σ(-x)), σ(x) σ(-x) = e/(1+e)².
func (m simd) siluGrad(x, dy V) V {
	e, y := m.sigmoidParts(x)
	b := m.min(num(120), m.max(num(-120), x))
	f := m.add(e, num(1))
	d := m.div(e, m.mul(f, f))
	return m.mul(dy, m.fma(b, d, y))
}

// elu is x where x > 0, else s (exp(x)-1).
func (m simd) elu(x, s V) V {
	y := m.expm1(m.max(num(-87), m.min(num(0), x)))
	return m.blend(m.cmp(gt, x, num(0)), x, m.mul(s, y))
}

// bce is max(l,0) - l t + log(1+exp(-|l|)).
func (m simd) bce(l, t V) V {
	return m.bceOf(l, t, m.exp(m.or(l, signBit), true))
}

// bceOf is bce, e being exp(-|l|).
func (m simd) bceOf(l, t, e V) V {
	return m.add(m.fnma(l, t, m.max(num(0), l)), m.log1pUnit(e))
}

// bceAndSigmoid shares the exponential.
func (m simd) bceAndSigmoid(l, t V) (loss, sigmoid V) {
	e, y := m.sigmoidParts(l)
	return m.bceOf(l, t, e), y
}
