package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// FromFloat32 returns an F32 tensor of v; the product of shape has to be len(v), which Write checks.
func FromFloat32(name string, shape []int, v []float32) Tensor {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return Tensor{Name: name, DType: F32, Shape: shape, Data: b}
}

// FromInt32 returns an I32 tensor of v; the product of shape has to be len(v), which Write checks.
func FromInt32(name string, shape []int, v []int32) Tensor {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(x))
	}
	return Tensor{Name: name, DType: I32, Shape: shape, Data: b}
}

// Float32 returns the elements of a tensor of any floating-point type as float32: exact for F32, F16 and BF16,
// rounded to nearest for F64. Other types fail.
func (t Tensor) Float32() ([]float32, error) {
	v := make([]float32, len(t.Data)/max(t.DType.Size(), 1))
	le := binary.LittleEndian
	for i := range v {
		switch t.DType {
		case F64:
			v[i] = float32(math.Float64frombits(le.Uint64(t.Data[8*i:])))
		case F32:
			v[i] = math.Float32frombits(le.Uint32(t.Data[4*i:]))
		case BF16:
			v[i] = math.Float32frombits(uint32(le.Uint16(t.Data[2*i:])) << 16)
		case F16:
			v[i] = half(le.Uint16(t.Data[2*i:]))
		}
	}
	switch t.DType {
	case F64, F32, BF16, F16:
		return v, nil
	}
	return nil, fmt.Errorf("tensor %q is %s, want floating point", t.Name, t.DType)
}

// Int32 returns the elements of a tensor of an integer type as int32. Other types, and an element that an int32
// cannot hold, fail.
func (t Tensor) Int32() ([]int32, error) {
	v := make([]int32, len(t.Data)/max(t.DType.Size(), 1))
	for i := range v {
		x, ok := t.integer(i)
		if !ok {
			return nil, fmt.Errorf("tensor %q is %s, want integers", t.Name, t.DType)
		}
		if x < math.MinInt32 || x > math.MaxInt32 {
			return nil, fmt.Errorf("tensor %q: element %d is %d, too large for int32", t.Name, i, x)
		}
		v[i] = int32(x)
	}
	return v, nil
}

// integer returns element i of an integer tensor; a U64 beyond int64 is given as the largest int64.
func (t Tensor) integer(i int) (int64, bool) {
	le := binary.LittleEndian
	switch t.DType {
	case I64:
		return int64(le.Uint64(t.Data[8*i:])), true
	case U64:
		return int64(min(le.Uint64(t.Data[8*i:]), math.MaxInt64)), true
	case I32:
		return int64(int32(le.Uint32(t.Data[4*i:]))), true
	case U32:
		return int64(le.Uint32(t.Data[4*i:])), true
	case I16:
		return int64(int16(le.Uint16(t.Data[2*i:]))), true
	case U16:
		return int64(le.Uint16(t.Data[2*i:])), true
	case I8:
		return int64(int8(t.Data[i])), true
	case U8, Bool:
		return int64(t.Data[i]), true
	}
	return 0, false
}

// half widens an IEEE 754 binary16, subnormals, infinities and NaN included.
func half(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, fraction := uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch exponent {
	case 0: // zero or subnormal: fraction times 2^-24
		v := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}
