package vec

import (
	"fmt"
	"math"
	"testing"

	"aetrain/internal/philox"
)

// TestRecurrentCells compares a time of each cell and of its gradient with the plain Go tier: sizes around a vector's, rows far apart,
// with and without the operands that may be missing, and without and with something to ask for ahead. What lies between rows stays as it is.
func TestRecurrentCells(t *testing.T) {
	for _, cell := range []struct {
		name string
		run  func(o *operands, k *Kernels)
	}{{"lstm", lstmCase}, {"gru", gruCase}, {"rnn", rnnCase}} {
		t.Run(cell.name, func(t *testing.T) {
			eachTier(t, func(t *testing.T, k *Kernels) {
				for _, h := range []int{0, 1, 7, 8, 9, 16, 33} {
					for _, rows := range []int{0, 1, 3} {
						for _, more := range []bool{false, true} {
							t.Run(fmt.Sprintf("%dx%d/%v", rows, h, more), func(t *testing.T) {
								got, want := newOperands(rows, h, more), newOperands(rows, h, more)
								cell.run(got, k)
								cell.run(want, &goKernels)
								for i, x := range got.memory {
									y := want.memory[i]
									if d := math.Abs(float64(x) - float64(y)); !(d <= 2e-6*(1+math.Abs(float64(y)))) {
										t.Fatalf("float %d is %v, want %v", i, x, y)
									}
								}
							})
						}
					}
				}
			})
		})
	}
}

// TestGRUFormulas holds a time of a GRU to its definition in float64, and its gradients to central differences over that.
func TestGRUFormulas(t *testing.T) {
	const delta = 1e-5
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	// x are the products of the state and the inputs for r, z, n, and the state before.
	state := func(x [7]float64) float64 {
		r, z := logistic(x[0]+x[3]), logistic(x[1]+x[4])
		n := math.Tanh(x[5] + r*x[2])
		return (1-z)*n + z*x[6]
	}
	x := [7]float64{0.3, -0.8, 1.1, 0.2, 0.5, -0.4, 0.9}
	eachTier(t, func(t *testing.T, k *Kernels) {
		near := func(name string, got float32, want float64) {
			t.Helper()
			if math.Abs(float64(got)-want) > 1e-6 {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		one := func() []float32 { return make([]float32, 1) }
		a := GRUArgs{RecurrentArgs: RecurrentArgs{
			Rows: 1, H: 1, Products: []float32{0.3, -0.8, 1}, Input: []float32{0.1, 0.2, -0.6}, InputStep: 3,
			Bias: []float32{0.1, 0.3, 0.2, 0.1}, H1: one(),
		}, H0: []float32{0.9}, Acts: [4][]float32{one(), one(), one(), one()}}
		k.GRU(&a)
		near("the state", a.H1[0], state(x))
		inputs, gates, sum, around := make([]float32, 3), make([]float32, 3), make([]float32, 4), one()
		k.GRUGrad(&GRUGradArgs{RecurrentGradArgs: RecurrentGradArgs{Rows: 1, H: 1, DH: []float32{1}, Gates: gates, Sum: sum, CopyStep: 3},
			Acts: a.Acts, Before: a.H0, BeforeStep: 1, Inputs: inputs, Around: around})
		want := [7]float64{}
		for i := range x {
			up, down := x, x
			up[i] += delta
			down[i] -= delta
			want[i] = (state(up) - state(down)) / (2 * delta)
		}
		for i := range 3 {
			near(fmt.Sprintf("gradient %d of the state's part", i), gates[i], want[i])
			near(fmt.Sprintf("gradient %d of the input's part", i), inputs[i], want[3+i])
			near(fmt.Sprintf("sum %d", i), sum[i], want[3+i])
		}
		near("sum 3", sum[3], want[2])
		near("what goes around the gates", around[0], want[6])
	})
}

// operands gives pieces of one block of random memory.
type operands struct {
	memory, free []float32
	rows, h      int
	more         bool // the operands that may be missing are there
}

const gap = 5 // floats between operands and between rows

func newOperands(rows, h int, more bool) *operands {
	memory := normals(60*(rows+1)*(h+gap), philox.New(3, 1))
	return &operands{memory: memory, free: memory, rows: rows, h: h, more: more}
}

func (o *operands) take(n int) []float32 {
	x := o.free[:n:n]
	o.free = o.free[n+gap:]
	return x
}

// blocks are some of the rows' size, one after another.
func (o *operands) blocks(n int) []float32 { return o.take(n * o.rows * o.h) }

// maybe are rows of n blocks, a gap between them.
func (o *operands) maybe(n int) []float32 {
	if !o.more {
		return nil
	}
	return o.take(o.rows * (n*o.h + gap))
}

func (o *operands) acts() (list [4][]float32) {
	for g := range list {
		list[g] = o.blocks(1)
	}
	return list
}

func (o *operands) forward(gates, biases int) RecurrentArgs {
	step := gates*o.h + gap
	return RecurrentArgs{
		Rows: o.rows, H: o.h, Products: o.blocks(gates), Input: o.take(o.rows * step), InputStep: step, Bias: o.take(biases * o.h),
		H1: o.blocks(1), Copies: [2][]float32{nil, o.maybe(1)}, CopyStep: o.h + gap, Next: o.next(),
	}
}

func (o *operands) backward(gates, sums int) RecurrentGradArgs {
	return RecurrentGradArgs{
		Rows: o.rows, H: o.h, DH: o.blocks(1), Sequence: o.maybe(1), SequenceStep: o.h + gap,
		Gates: o.blocks(gates), Sum: o.blocks(sums), Copy: o.maybe(gates), CopyStep: gates*o.h + gap, Next: o.next(),
	}
}

// next is somewhere, as nothing is read or written there.
func (o *operands) next() Next {
	if !o.more {
		return Next{}
	}
	return Next{Time: -1, Stored: o.rows * o.h}
}

func lstmCase(o *operands, k *Kernels) {
	a := LSTMArgs{RecurrentArgs: o.forward(4, 4), Acts: o.acts(), C: o.blocks(1), NewC: o.blocks(1)}
	k.LSTM(&a)
	k.LSTMGrad(&LSTMGradArgs{RecurrentGradArgs: o.backward(4, 4), Acts: a.Acts, C: a.NewC, Before: a.C, DC: o.blocks(1), NewDC: o.blocks(1)})
}

func gruCase(o *operands, k *Kernels) {
	a := GRUArgs{RecurrentArgs: o.forward(3, 4), Acts: o.acts(), H0: o.blocks(1)}
	k.GRU(&a)
	step := o.h + gap
	k.GRUGrad(&GRUGradArgs{RecurrentGradArgs: o.backward(3, 4), Acts: a.Acts, Before: o.take(o.rows * step), BeforeStep: step,
		Inputs: o.maybe(3), Around: o.blocks(1)})
}

func rnnCase(o *operands, k *Kernels) {
	k.RNN(&RNNArgs{o.forward(1, 1)})
	step := o.h + gap
	k.RNNGrad(&RNNGradArgs{RecurrentGradArgs: o.backward(1, 1), States: o.take(o.rows * step), StatesStep: step})
}
