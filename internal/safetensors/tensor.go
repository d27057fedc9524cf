// Package safetensors turns named tensors into a safetensors file and back.
//
// A file is an 8-byte little-endian length, a JSON header of that length, and the tensors' bytes:
//
//	{"__metadata__": {"key": "value"}, "encoder.0.weight": {"dtype": "F32", "shape": [400, 784], "data_offsets": [0, 1254400]}}
//
// Write puts the same tensors and metadata into the same bytes, whatever their order. Open reads only the header
// and checks all of it, so that a damaged file is refused before a tensor of it is used; Read then fetches one tensor.
//
// Format: https://github.com/huggingface/safetensors
package safetensors

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"
)

// Info says what a tensor is, without its data.
type Info struct {
	Name  string
	DType DType
	Shape []int // row-major; empty for a scalar
}

// Tensor is a named array: Data holds its elements row-major and little-endian.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte
}

// Info returns the tensor's description.
func (t Tensor) Info() Info { return Info{t.Name, t.DType, t.Shape} }

// Digest returns the SHA-256 of the tensor's type, shape and data in lower-case hexadecimal. The name is not
// part of it, so that equal weights under two names compare equal.
func (t Tensor) Digest() string {
	h := sha256.New()
	io.WriteString(h, t.Info().header())
	h.Write(t.Data)
	return hex.EncodeToString(h.Sum(nil))
}

// Bytes returns how many bytes the tensor's data takes. It fails for an unknown type, a negative dimension and
// a size that an int64 cannot hold.
func (i Info) Bytes() (int64, error) {
	if i.DType.Size() == 0 {
		return 0, fmt.Errorf("unknown type %q", string(i.DType))
	}
	n := uint64(i.DType.Size())
	empty := false
	for _, d := range i.Shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", i.Shape)
		}
		if d == 0 {
			empty = true // keep multiplying: the other dimensions have to be sane too
			continue
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > 1<<62 {
			return 0, fmt.Errorf("shape %v is too large", i.Shape)
		}
		n = lo
	}
	if empty {
		return 0, nil
	}
	return int64(n), nil
}

// header returns type and shape as they stand in the file's header: `"dtype":"F32","shape":[2,3]`.
func (i Info) header() string {
	var b strings.Builder
	b.WriteString(`"dtype":"`)
	b.WriteString(string(i.DType))
	b.WriteString(`","shape":[`)
	for k, d := range i.Shape {
		if k > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(d))
	}
	b.WriteByte(']')
	return b.String()
}
