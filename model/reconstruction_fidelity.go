package model

import (
	"fmt"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("fidelity", func() Reconstruction { return &Fidelity{ReconstructionOptions: newReconstructionOptions()} })
}

// Fidelity compares quantum states, real parts of the amplitudes before imaginary ones: 1 - |<x|x̃>|²/(<x|x>·<x̃|x̃>), which is 0
// where both are the same state, whatever its phase, and 1 where they are orthogonal.
// Source: Nielsen & Chuang 2010, "Quantum Computation and Quantum Information", section 9.2.2.
type Fidelity struct{ ReconstructionOptions }

// Channels is 1.
func (*Fidelity) Channels() int { return 1 }

// Link is linear.
func (*Fidelity) Link() string { return "linear" }

// Distribution has the decoder's state as its mean.
func (*Fidelity) Distribution(s *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	return prob.Normal{Mu: raw, LogVar: s.Graph().Scalar(0)}
}

// Loss is the squared error of the amplitudes; Compare is what is minimised.
func (*Fidelity) Loss(recon prob.Distribution, x graph.Value) graph.Value {
	return op.SquaredError(recon.Mean(), x)
}

// IsDensity is false.
func (*Fidelity) IsDensity() bool { return false }

// Range is unbounded.
func (*Fidelity) Range() (low, high float64, bounded bool) { return 0, 0, false }

// Check wants states.
func (*Fidelity) Check(m *Model) error {
	if len(m.X) != 1 || m.X[0]%2 != 0 {
		return fmt.Errorf("x is %v: a state is a vector of amplitudes, real parts and then as many imaginary ones", m.X)
	}
	return nil
}

// Compare is 1 less the fidelity of each example, N·k×1.
func (*Fidelity) Compare(_ *nn.Scope, f *Forward) graph.Value {
	recon := f.Recon.Mean()
	x := f.Repeated(f.X)
	half := x.Dim(1) / 2
	re, im := op.Slice(x, 1, 0, half), op.Slice(x, 1, half, 2*half)
	toRe, toIm := op.Slice(recon, 1, 0, half), op.Slice(recon, 1, half, 2*half)
	real := op.SumPerExample(op.Add(op.Mul(re, toRe), op.Mul(im, toIm)))
	imaginary := op.SumPerExample(op.Sub(op.Mul(re, toIm), op.Mul(im, toRe)))
	const tiny = 1e-20
	lengths := op.AddConst(op.Mul(op.SumPerExample(op.Square(x)), op.SumPerExample(op.Square(recon))), tiny)
	fidelity := op.Div(op.Add(op.Square(real), op.Square(imaginary)), lengths)
	return op.Reshape(op.AddConst(op.Neg(fidelity), 1), x.Dim(0), 1)
}
