package prob

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// VonMisesFisher is a distribution of directions, points of length 1 in D dimensions: density C(κ)·exp(κ·mu·x). Mu is N×D (or
// N×k×D), each of length 1, Kappa N×1 (N×k×1), above 0: 0 would be uniform, and the larger, the closer to mu.
// Source: Davidson et al. 2018, "Hyperspherical Variational Auto-Encoders", section 3 and appendix A.
type VonMisesFisher struct {
	Mu, Kappa graph.Value
	Proposals int // of a sample, of which the first accepted counts; 0: 12
}

// defaultProposals are all refused twice in a million draws at the worst: at least two of three are accepted.
const defaultProposals = 12

// Mean is the direction mu, which the expected value has too; its length would be below 1.
func (d VonMisesFisher) Mean() graph.Value { return d.Mu }

// order is D/2 - 1.
func (d VonMisesFisher) order() float64 { return float64(d.Mu.Dim(-1))/2 - 1 }

// Sample draws the part w along mu by rejection, and a direction across it. A proposal is w = (1-(1+b)ε)/(1-(1-b)ε), where ε has a
// beta distribution, that of (1+s)/2 for a coordinate s of a uniform direction in D dimensions. A fixed number of them is made at
// once and the first accepted selected; gradients take the way of its w. Then the pole is reflected to mu.
// Source: Ulrich 1984, "Computer generation of distributions on the m-sphere", algorithm VM*; Davidson et al. 2018, algorithms 1 to 3.
func (d VonMisesFisher) Sample(r op.RNG, name string) graph.Value {
	lead := d.Mu.Shape()[:d.Mu.Rank()-1].Clone()
	size, n := d.Mu.Dim(-1), d.Proposals
	if n < 1 {
		n = defaultProposals
	}
	dims := func(more ...int) []int { return append(append([]int{}, lead...), more...) }
	kappa := op.BroadcastTo(d.Kappa, dims(n)...)
	m := float64(size - 1)
	root := op.Sqrt(op.AddConst(op.Scale(op.Square(kappa), 4), m*m))
	b := op.Scale(op.Reciprocal(op.Add(op.Scale(kappa, 2), root)), m) // (-2κ + √(4κ²+m²)) / m, without cancellation
	a := op.Scale(op.Add(op.AddConst(op.Scale(kappa, 2), m), root), 0.25)
	direction := Unit(op.Normal(r, name+".proposals", dims(n, size)...))
	eps := op.Scale(op.AddConst(op.Reshape(op.Slice(direction, -1, 0, 1), dims(n)...), 1), 0.5)
	under := op.AddConst(op.Neg(op.Mul(op.AddConst(op.Neg(b), 1), eps)), 1) // 1 - (1-b)ε
	w := op.Div(op.AddConst(op.Neg(op.Mul(op.AddConst(b, 1), eps)), 1), under)
	ab := op.Scale(op.Mul(a, b), 2)
	t := op.Div(ab, under)
	level := op.AddConst(op.Scale(op.Div(ab, op.AddConst(b, 1)), 2), -m*math.Log(m)) // d = 4ab/(1+b) - m·log m
	const tiny = 1e-20
	log := op.Log(op.AddConst(op.Uniform(r, name+".accept", dims(n)...), tiny))
	accept := op.GreaterEqual(op.Add(op.Sub(op.Scale(op.Log(t), m), t), level), log)
	first := op.OneHot(op.ArgMax(op.Stop(accept)), n)
	w = op.ReduceSum(op.Mul(w, first), w.Rank()-1)
	return d.turned(op.Reshape(w, dims(1)...), Unit(op.Normal(r, name+".across", dims(size-1)...)))
}

// turned reflects (w, √(1-w²)·across) so that the first axis becomes mu.
func (d VonMisesFisher) turned(w, across graph.Value) graph.Value {
	const tiny = 1e-12
	aside := op.Sqrt(op.Maximum(op.AddConst(op.Neg(op.Square(w)), 1), w.Graph().Scalar(tiny)))
	z := op.Concat(w.Rank()-1, w, op.Mul(across, aside))
	pole := make([]float64, d.Mu.Dim(-1))
	pole[0] = 1
	u := Unit(op.Sub(w.Graph().Constant(graph.F32(len(pole)), pole...), d.Mu))
	return op.Sub(z, op.Mul(op.Scale(u, 2), column(sumLast(op.Mul(u, z)))))
}

// Unit makes vectors on the last axis as long as 1; of length 0 they stay.
func Unit(v graph.Value) graph.Value {
	const tiny = 1e-20
	return op.Mul(v, column(op.Rsqrt(op.AddConst(sumLast(op.Square(v)), tiny))))
}

// logConstant is log C(κ) + κ and the ratio I_{D/2}(κ)/I_{D/2-1}(κ).
func (d VonMisesFisher) logConstant() (logC, ratio graph.Value) {
	v := d.order()
	logI, ratio := bessel(v, d.Kappa)
	logC = op.Sub(op.Scale(op.Log(d.Kappa), v), logI)
	return op.AddConst(logC, -(v+1)*math.Log(2*math.Pi)), ratio
}

// LogProb is log C(κ) + κ·mu·x, spread over the numbers of x: their sum counts.
func (d VonMisesFisher) LogProb(x graph.Value) graph.Value {
	logC, _ := d.logConstant()
	size := float64(d.Mu.Dim(-1))
	share := op.Scale(op.Sub(logC, d.Kappa), 1/size)
	return op.Add(op.Mul(op.Mul(d.Mu, x), d.Kappa), op.BroadcastTo(share, x.Shape()...))
}

// Repeat gives each example k copies.
func (d VonMisesFisher) Repeat(k int) Distribution {
	return VonMisesFisher{Mu: repeat(d.Mu, k), Kappa: repeat(d.Kappa, k), Proposals: d.Proposals}
}

// klUniform is κ·A(κ) + log C(κ) + log of the sphere's area, N.
// Source: Davidson et al. 2018, eq. 3 and appendix B.
func (d VonMisesFisher) klUniform() graph.Value {
	logC, ratio := d.logConstant()
	along := op.Mul(d.Kappa, op.AddConst(ratio, -1)) // logC has κ already
	return op.SumPerExample(op.AddConst(op.Add(along, logC), logArea(d.Mu.Dim(-1))))
}

// logArea is the logarithm of the area of the unit sphere in D dimensions, 2·π^(D/2)/Γ(D/2).
func logArea(size int) float64 {
	gamma, _ := math.Lgamma(float64(size) / 2)
	return math.Ln2 + float64(size)/2*math.Log(math.Pi) - gamma
}

// SphereUniform is all directions alike: points of length 1 of these axes, the last of which is the space's.
type SphereUniform struct {
	Graph *graph.Graph
	Dims  graph.Shape
}

// Mean is 0, the expected value, which no direction is.
func (d SphereUniform) Mean() graph.Value { return d.Graph.Constant(graph.F32(d.Dims...), 0) }

// Sample draws normal numbers and makes them as long as 1.
func (d SphereUniform) Sample(r op.RNG, name string) graph.Value {
	return Unit(op.Normal(r, name, d.Dims...))
}

// LogProb is less the logarithm of the area, spread over the numbers of x.
func (d SphereUniform) LogProb(x graph.Value) graph.Value {
	size := d.Dims[len(d.Dims)-1]
	return d.Graph.Constant(x.Spec(), -logArea(size)/float64(size))
}

// Repeat gives each example k copies.
func (d SphereUniform) Repeat(k int) Distribution {
	return SphereUniform{Graph: d.Graph, Dims: append(graph.Shape{d.Dims[0], k}, d.Dims[1:]...)}
}
