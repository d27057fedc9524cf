//go:build gpu && cgo

package driver

import (
	"math"
	"math/rand/v2"
	"testing"
)

// operand is a tensor as a test has it: the values that the device computes with, and what is to be uploaded.
type operand struct {
	values []float32 // rounded to bfloat16 where the precision is BF16
	bits   []uint16  // of bfloat16
}

// random makes n normal numbers for a precision.
func random(r *rand.Rand, n int, p Precision) operand {
	o := operand{values: make([]float32, n)}
	for i := range o.values {
		o.values[i] = float32(r.NormFloat64())
		if p == BF16 {
			b := bfloat16(o.values[i])
			o.values[i] = float(b)
			o.bits = append(o.bits, b)
		}
	}
	return o
}

// put uploads an operand in its own type.
func (o operand) put(t *testing.T) Ptr {
	t.Helper()
	if o.bits != nil {
		return upload(t, o.bits)
	}
	return upload(t, o.values)
}

// bfloat16 rounds to the nearest, ties to even.
func bfloat16(v float32) uint16 {
	b := math.Float32bits(v)
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func float(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// roundoff bounds the error of a product of operands, by the precision they are multiplied in.
func roundoff(p Precision) float64 {
	if p == TF32 {
		return 1.0 / (1 << 10) // of the operands: 10 bits of mantissa, both rounded or cut off
	}
	return 1.0 / (1 << 21) // of the sum, and of products of a few terms more than that (Winograd, FFT)
}
