package cpu

import (
	"fmt"
	"unsafe"

	"aetrain/cpu/gemm"
	"aetrain/graph"
	"aetrain/program"
)

// alloc returns zeroed floats at a cache line, on huge pages where they are many.
func alloc(n int) []float32 { return gemm.Alloc(n) }

// memory is one buffer of a program: the slice of its type is set.
type memory struct {
	dtype graph.DType
	size  int
	f32   []float32
	i32   []int32
	u8    []uint8

	changes changes // of a state
}

// newMemory returns n zeroed elements.
func newMemory(d graph.DType, n int) memory {
	return view(alloc((n*d.Bytes()+3)/4), d, n)
}

// view reads floats as n elements of d.
func view(block []float32, d graph.DType, n int) memory {
	m := memory{dtype: d, size: n}
	if n == 0 {
		return m
	}
	p := unsafe.Pointer(unsafe.SliceData(block))
	switch d {
	case graph.Float32:
		m.f32 = unsafe.Slice((*float32)(p), n)
	case graph.Int32:
		m.i32 = unsafe.Slice((*int32)(p), n)
	case graph.Uint8:
		m.u8 = unsafe.Slice((*uint8)(p), n)
	}
	return m
}

// slice returns the elements in a slice of their type.
func (m memory) slice() any {
	switch m.dtype {
	case graph.Int32:
		return m.i32
	case graph.Uint8:
		return m.u8
	}
	return m.f32
}

// at returns element i as a number.
func (m memory) at(i int) float64 {
	switch m.dtype {
	case graph.Int32:
		return float64(m.i32[i])
	case graph.Uint8:
		return float64(m.u8[i])
	}
	return float64(m.f32[i])
}

// set writes element i.
func (m memory) set(i int, x float64) {
	switch m.dtype {
	case graph.Int32:
		m.i32[i] = int32(x)
	case graph.Uint8:
		m.u8[i] = uint8(x)
	default:
		m.f32[i] = float32(x)
	}
}

// fill writes numbers: one for all elements, or one for each.
func (m memory) fill(data []float64) {
	for i := range m.size {
		if len(data) == 1 {
			m.set(i, data[0])
		} else {
			m.set(i, data[i])
		}
	}
}

// place gives every buffer of p its memory.
func place(p *program.Program, arena []float32, st *state, inputs map[string]memory) ([]memory, error) {
	all := make([]memory, len(p.Buffers))
	for i, b := range p.Buffers {
		switch b.Place {
		case program.Arena:
			if b.First >= 0 {
				all[i] = view(arena[b.Offset/4:], b.DType, b.Size)
			}
		case program.Input:
			m, ok := inputs[b.Name]
			if !ok {
				m = newMemory(b.DType, b.Size)
				inputs[b.Name] = m
			}
			all[i] = m
		case program.Stored:
			e := st.Entry(b.Name)
			if e.Memory.size != b.Size || e.Memory.dtype != b.DType {
				return nil, fmt.Errorf("cpu: state %s holds %v, the program wants %d of %v", b.Name, e.Spec, b.Size, b.DType)
			}
			all[i] = e.Memory
		case program.Constant:
			all[i] = newMemory(b.DType, b.Size)
			all[i].fill(b.Data)
		}
	}
	return all, nil
}
