package vec

import (
	"fmt"
	"testing"

	"aetrain/internal/philox"
)

// TestLSTM compares a time of an LSTM and of its gradient with the plain Go tier: sizes around a vector's, rows far apart, with and
// without the operands that may be missing. What lies between rows stays as it is.
func TestLSTM(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		for _, h := range []int{0, 1, 7, 8, 9, 16, 33} {
			for _, rows := range []int{0, 1, 3} {
				for _, more := range []bool{false, true} {
					t.Run(fmt.Sprintf("%dx%d/%v", rows, h, more), func(t *testing.T) {
						got, want := lstmCase(rows, h, more), lstmCase(rows, h, more)
						k.LSTM(&got.LSTMArgs)
						lstmGo(&want.LSTMArgs)
						k.LSTMGrad(&got.LSTMGradArgs)
						lstmGradGo(&want.LSTMGradArgs)
						for i, x := range got.memory {
							if d := x - want.memory[i]; d > 2e-6 || d < -2e-6 || d != d {
								t.Fatalf("float %d is %v, want %v", i, x, want.memory[i])
							}
						}
					})
				}
			}
		}
	})
}

// lstmOperands are both kernels' arguments in one block of memory.
type lstmOperands struct {
	LSTMArgs
	LSTMGradArgs
	memory []float32
}

func lstmCase(rows, h int, more bool) *lstmOperands {
	const gap = 5 // floats between operands and between rows
	o := &lstmOperands{memory: normals(40*(rows+1)*(h+gap), philox.New(3, 1))}
	free := o.memory
	take := func(n int) []float32 {
		x := free[:n:n]
		free = free[n+gap:]
		return x
	}
	a, b, size := &o.LSTMArgs, &o.LSTMGradArgs, rows*h
	a.Rows, a.H, a.InputStep, a.CopyStep = rows, h, 4*h+gap, h+gap
	a.Products, a.Input, a.Bias = take(4*size), take(rows*a.InputStep), take(4*h)
	a.C, a.NewC, a.H1 = take(size), take(size), take(size)
	b.Rows, b.H, b.SequenceStep, b.CopyStep = rows, h, h+gap, 4*h+gap
	b.DH, b.DC, b.NewDC, b.Gates, b.Sum = take(size), take(size), take(size), take(4*size), take(4*size)
	b.C, b.Before = a.NewC, a.C
	for g := range 4 {
		a.Acts[g] = take(size)
	}
	b.Acts = a.Acts
	if more {
		a.Copies[1], b.Copy, b.Sequence = take(rows*a.CopyStep), take(rows*b.CopyStep), take(rows*b.SequenceStep)
	}
	return o
}
