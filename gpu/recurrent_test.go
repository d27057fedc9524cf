//go:build gpu

package gpu_test

import (
	"fmt"
	"math"
	"testing"

	"aetrain/gpu"
	"aetrain/graph"
	"aetrain/op"
)

// TestRecurrent checks blocks of one and of four examples, weights in shared memory and out of it, odd sizes, both ways.
func TestRecurrent(t *testing.T) {
	b := open(t, gpu.Apart())
	for i, c := range []struct{ n, t, h int }{{5, 4, 8}, {3, 2, 67}, {301, 2, 5}, {302, 2, 12}, {2, 2, 260}} {
		n, steps, h := c.n, c.t, c.h
		for _, reverse := range []bool{false, true} {
			t.Run(fmt.Sprint(n, steps, h, reverse), func(t *testing.T) {
				seed := uint64(10 * i)
				w := func(gates int) graph.Tensor { return drawn(seed, -0.3, 0.3, gates*h, h) }
				x := func(gates int) graph.Tensor { return drawn(seed+1, -1, 1, n, steps, gates*h) }
				state, kept := drawn(seed+2, -1, 1, n, h), drawn(seed+3, 0.1, 0.9, steps, 4, n, h)
				bias, all := drawn(seed+4, -1, 1, 4*h), drawn(seed+5, -1, 1, n, steps, h)
				r := op.Recurrence{Reverse: reverse}
				checkOp(t, b, "", 3e-5, op.LSTMSequence{Recurrence: r}, x(4), w(4), bias, state, state)
				checkOp(t, b, "", 3e-5, op.GRUSequence{Recurrence: r}, x(3), w(3), bias, state)
				checkOp(t, b, "", 3e-5, op.RNNSequence{Recurrence: r}, x(1), w(1), drawn(seed+4, -1, 1, h), state)
				cells := drawn(seed+6, -1, 1, steps, 1, n, h)
				checkOp(t, b, "", 3e-5, op.LSTMGrad{Reverse: reverse, Sequence: true}, kept, cells, state, w(4), state, state, all)
				checkOp(t, b, "", 3e-5, op.GRUGrad{Reverse: reverse, Sequence: true}, kept, all, w(3), state, all)
				checkOp(t, b, "", 3e-5, op.RNNGrad{Reverse: reverse}, all, w(1), state)
			})
		}
	}
}

// TestRecurrentHidden has NaN at the times that a mask hides, in what comes in and in what is kept for the gradients: nothing else
// becomes NaN.
func TestRecurrentHidden(t *testing.T) {
	b := open(t, gpu.Apart())
	for _, c := range []struct{ n, t, h int }{{5, 4, 8}, {302, 2, 12}} {
		n, steps, h := c.n, c.t, c.h
		t.Run(fmt.Sprint(n, steps, h), func(t *testing.T) {
			mask := drawn(1, 0, 2, n, steps)
			for i, v := range mask.Data {
				mask.Data[i] = math.Floor(v)
			}
			hide := func(x graph.Tensor, example, time func(i int) int) graph.Tensor {
				for i := range x.Data {
					if mask.Data[example(i)*steps+time(i)] == 0 {
						x.Data[i] = math.NaN()
					}
				}
				return x
			}
			w := func(gates int) graph.Tensor { return drawn(2, -0.3, 0.3, gates*h, h) }
			x := func(gates int) graph.Tensor { // N×T×GH
				size := gates * h
				return hide(drawn(3, -1, 1, n, steps, size), func(i int) int { return i / size / steps }, func(i int) int { return i / size % steps })
			}
			kept := func(blocks int) graph.Tensor { // T×B×N×H
				return hide(drawn(4, 0.1, 0.9, steps, blocks, n, h), func(i int) int { return i / h % n }, func(i int) int { return i / h / n / blocks })
			}
			state, bias, all := drawn(5, -1, 1, n, h), drawn(6, -1, 1, 4*h), drawn(7, -1, 1, n, steps, h)
			check := func(o graph.Op, in ...graph.Tensor) { checkOp(t, b, "", 3e-5, o, append(in, mask)...) }
			check(op.LSTMSequence{}, x(4), w(4), bias, state, state)
			check(op.GRUSequence{}, x(3), w(3), bias, state)
			check(op.RNNSequence{}, x(1), w(1), drawn(6, -1, 1, h), state)
			check(op.LSTMGrad{Sequence: true}, kept(4), drawn(8, -1, 1, steps, 1, n, h), state, w(4), state, state, all)
			check(op.GRUGrad{Sequence: true}, kept(4), all, w(3), state, all)
			check(op.RNNGrad{Sequence: true}, x(1), w(1), state, all)
		})
	}
}
