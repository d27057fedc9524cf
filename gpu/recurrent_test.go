//go:build gpu

package gpu_test

import (
	"fmt"
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
