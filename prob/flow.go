package prob

import (
	"errors"

	"aetrain/graph"
	"aetrain/op"
)

// Step is an invertible map of vectors, with the logarithm of the absolute determinant of its Jacobian.
type Step interface {
	// Apply maps z, N×D or N×k×D, and returns the log-determinants, N or N×k.
	Apply(z graph.Value) (mapped, logDet graph.Value)
}

// Flow is what steps make of a simpler distribution. Its density is known of what it has drawn, by
// log q(z) = log q0(z0) - Σ log|det|; it is spread evenly over the numbers of a vector.
// Source: Rezende & Mohamed 2015, "Variational Inference with Normalizing Flows", eq. 12-13.
type Flow struct {
	Base  Normal // N×D
	Steps []Step

	z, z0, logDet graph.Value // the last draw
	copies        map[int]*Flow
}

// pass applies all steps.
func (f *Flow) pass(z graph.Value) (mapped, logDet graph.Value) {
	var sum []graph.Value
	for _, s := range f.Steps {
		var d graph.Value
		z, d = s.Apply(z)
		sum = append(sum, d)
	}
	return z, graph.SumOf(sum...)
}

// Mean is where the base's mean goes.
func (f *Flow) Mean() graph.Value {
	z, _ := f.pass(f.Base.Mean())
	return z
}

// Sample draws and remembers.
func (f *Flow) Sample(r op.RNG, name string) graph.Value {
	f.z0 = f.Base.Sample(r, name)
	f.z, f.logDet = f.pass(f.z0)
	return f.z
}

// LogProb is that of the last draw, whatever x.
func (f *Flow) LogProb(x graph.Value) graph.Value {
	if !f.z.Valid() {
		x.Graph().Fail(errors.New("a flow's density is known of what it has drawn alone"))
		return x
	}
	base := f.Base.LogProb(f.z0)
	if !f.logDet.Valid() {
		return op.Reshape(base, x.Shape()...)
	}
	each := op.Reshape(op.Scale(f.logDet, 1/float64(f.z.Dim(-1))), append(f.logDet.Shape().Clone(), 1)...)
	return op.Reshape(op.Sub(base, each), x.Shape()...)
}

// Repeat gives each example k copies; always the same ones, so that the draw is remembered.
func (f *Flow) Repeat(k int) Distribution {
	if f.copies == nil {
		f.copies = map[int]*Flow{}
	}
	if f.copies[k] == nil {
		f.copies[k] = &Flow{Base: f.Base.Repeat(k).(Normal), Steps: f.Steps}
	}
	return f.copies[k]
}

// beside gives a parameter N×D an axis for the samples of z, N×k×D, where it has them.
func beside(v, z graph.Value) graph.Value {
	if z.Rank() == 3 && v.Rank() == 2 {
		return op.Reshape(v, v.Dim(0), 1, v.Dim(1))
	}
	return v
}

// sumLast adds up the last axis.
func sumLast(v graph.Value) graph.Value { return op.ReduceSum(v, v.Rank()-1) }

// column adds a last axis of 1.
func column(v graph.Value) graph.Value { return op.Reshape(v, append(v.Shape().Clone(), 1)...) }

// Planar is z + û·tanh(w·z + b): it stretches along one direction. U and W are N×D, B is N×1.
// Source: Rezende & Mohamed 2015, eq. 10-12 and appendix A.1 (û keeps it invertible).
type Planar struct{ U, W, B graph.Value }

// Apply maps z.
func (p Planar) Apply(z graph.Value) (mapped, logDet graph.Value) {
	const tiny = 1e-8
	u, w, b := beside(p.U, z), beside(p.W, z), beside(p.B, z)
	wu := column(sumLast(op.Mul(w, u)))
	lift := op.Sub(op.AddConst(op.Softplus(wu), -1), wu)
	u = op.Add(u, op.Mul(w, op.Div(lift, op.AddConst(column(sumLast(op.Square(w))), tiny))))
	t := op.Tanh(op.Add(column(sumLast(op.Mul(w, z))), b))
	slope := op.Mul(op.AddConst(op.Neg(op.Square(t)), 1), column(sumLast(op.Mul(w, u))))
	log := op.Log(op.AddConst(op.Abs(op.AddConst(slope, 1)), tiny))
	return op.Add(z, op.Mul(u, t)), op.Reshape(log, z.Shape()[:z.Rank()-1]...)
}

// Radial is z + β·(z - c)/(α + |z - c|): it contracts or expands around a point. Centre is N×D; A and B are N×1,
// α = softplus(A), β = softplus(B) - α.
// Source: Rezende & Mohamed 2015, eq. 14 and appendix A.2.
type Radial struct{ Centre, A, B graph.Value }

// Apply maps z.
func (p Radial) Apply(z graph.Value) (mapped, logDet graph.Value) {
	const tiny = 1e-12
	alpha := beside(op.Softplus(p.A), z)
	beta := op.Sub(beside(op.Softplus(p.B), z), alpha)
	away := op.Sub(z, beside(p.Centre, z))
	r := op.Sqrt(op.AddConst(column(sumLast(op.Square(away))), tiny))
	h := op.Reciprocal(op.Add(alpha, r))
	bh := op.Mul(beta, h)
	along := op.AddConst(op.Sub(bh, op.Mul(op.Mul(bh, h), r)), 1)
	across := op.AddConst(bh, 1)
	log := op.Add(op.Scale(op.Log(across), float64(z.Dim(-1)-1)), op.Log(along))
	return op.Add(z, op.Mul(bh, away)), op.Reshape(log, z.Shape()[:z.Rank()-1]...)
}

// IAF is σ·z + (1-σ)·m, where σ and m of a number depend on the numbers before it (behind it, where Reverse is set) and on the
// context. In, MeanOut and GateOut are the weights of a masked network with one hidden layer, H×D, D×H, D×H; Context is N×H.
// Source: Kingma et al. 2016, "Improved Variational Inference with Inverse Autoregressive Flow", eq. 13-14 and algorithm 1;
// masks: Germain et al. 2015, "MADE", eq. 12-13.
type IAF struct {
	In, MeanOut, GateOut, MeanBias, GateBias graph.Value
	Context                                  graph.Value
	Reverse                                  bool
}

// masks are those of the first and the second layer: a hidden unit of degree d sees numbers up to d, a number is told by units of
// smaller degree.
func (f IAF) masks() (in, out graph.Value) {
	hidden, size := f.In.Dim(0), f.In.Dim(1)
	first, second := make([]float64, hidden*size), make([]float64, hidden*size)
	for h := range hidden {
		degree := 1 + h%max(1, size-1)
		for d := range size {
			place := d + 1
			if f.Reverse {
				place = size - d
			}
			if degree >= place {
				first[h*size+d] = 1
			}
			if place > degree {
				second[d*hidden+h] = 1
			}
		}
	}
	g := f.In.Graph()
	return g.Constant(graph.F32(hidden, size), first...), g.Constant(graph.F32(size, hidden), second...)
}

// Apply maps z.
func (f IAF) Apply(z graph.Value) (mapped, logDet graph.Value) {
	in, out := f.masks()
	lead := z.Shape()[:z.Rank()-1]
	size, hidden := z.Dim(-1), f.In.Dim(0)
	rows := op.Reshape(z, lead.Size(), size)
	h := op.Reshape(op.MatMul(rows, op.Mul(f.In, in), false, true), append(lead.Clone(), hidden)...)
	h = op.Reshape(op.ELU(op.Add(h, beside(f.Context, z)), 1), lead.Size(), hidden)
	m := op.AddBias(op.MatMul(h, op.Mul(f.MeanOut, out), false, true), f.MeanBias)
	const open = 2 // gates start nearly open
	gate := op.AddConst(op.AddBias(op.MatMul(h, op.Mul(f.GateOut, out), false, true), f.GateBias), open)
	share := op.Sigmoid(gate)
	next := op.Add(op.Mul(share, op.Sub(rows, m)), m)
	log := op.Neg(op.Softplus(op.Neg(gate)))
	return op.Reshape(next, z.Shape()...), op.Reshape(op.ReduceSum(log, 1), lead...)
}
