package safetensors

// DType is an element type by the name that the format gives it.
type DType string

// The element types that this package reads and writes. Elements are little-endian; a BOOL is one byte, 0 or 1.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	I64  DType = "I64"
	I32  DType = "I32"
	I16  DType = "I16"
	I8   DType = "I8"
	U64  DType = "U64"
	U32  DType = "U32"
	U16  DType = "U16"
	U8   DType = "U8"
	Bool DType = "BOOL"
)

// Size returns the bytes of one element, or 0 for a type that this package does not know.
func (d DType) Size() int {
	switch d {
	case F64, I64, U64:
		return 8
	case F32, I32, U32:
		return 4
	case F16, BF16, I16, U16:
		return 2
	case I8, U8, Bool:
		return 1
	}
	return 0
}

// fileOrder lists the types as they follow one another in a file: wide ones first, so that each tensor stands
// aligned to its type; among types of one width, as the format's own library has them.
var fileOrder = []DType{U64, I64, F64, F32, U32, I32, BF16, F16, U16, I16, I8, U8, Bool}
