//go:build gpu && cgo

package driver

// Precision is the arithmetic of matrix products and convolutions. Sums are always float32.
type Precision uint8

const (
	Float32 Precision = iota // strictly float32: operands are not rounded
	TF32                     // float32 operands, rounded to 10 bits of mantissa in the tensor cores (Ampere and later)
	BF16                     // bfloat16 operands in memory
)

// String returns "float32", "tf32" or "bf16".
func (p Precision) String() string {
	return [...]string{"float32", "tf32", "bf16"}[min(p, BF16)]
}
