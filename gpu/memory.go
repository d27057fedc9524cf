//go:build gpu

package gpu

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"gorgonia.org/tensor"

	"aetrain/gpu/driver"
	"aetrain/graph"
)

// alignment of every piece of device memory: what vector loads, cuBLASLt and cuDNN like best.
const alignment = 256

// block is one allocation. While a program is bound it has a size and no address yet.
type block struct {
	base  driver.Ptr
	size  int64
	apart bool // pieces are allocations of their own
	own   map[int64]driver.Ptr
	sizes map[int64]int64
}

// memory is a piece of a block: one buffer of a program.
type memory struct {
	block *block
	off   int64 // bytes
	shift int64 // of them behind the piece's start: at
	dtype graph.DType
	size  int // elements
}

// nilMemory is a null pointer among a kernel's arguments.
type nilMemory struct{}

// ptr is the address; it is known once the block is reserved.
func (m memory) ptr() driver.Ptr {
	if m.block == nil {
		return 0
	}
	return m.block.at(m.off-m.shift) + driver.Ptr(m.shift)
}

func (m memory) bytes() int64 { return int64(m.size) * int64(m.dtype.Bytes()) }

// at is the rest of m from an element on.
func (m memory) at(element int) memory {
	n := int64(element) * int64(m.dtype.Bytes())
	m.off, m.shift, m.size = m.off+n, m.shift+n, m.size-element
	return m
}

// same reports whether two pieces begin at one place.
func (m memory) same(o memory) bool { return m.block == o.block && m.off == o.off }

// take reserves n elements at the block's end.
func (b *block) take(d graph.DType, n int) memory {
	m := memory{block: b, off: b.size, dtype: d, size: n}
	b.size += roundUp(m.bytes())
	b.note(m.off, m.bytes())
	return m
}

// note remembers where a piece lies, in blocks whose pieces are allocations of their own.
func (b *block) note(off, bytes int64) {
	if b.apart && bytes > 0 {
		if b.sizes == nil {
			b.sizes = map[int64]int64{}
		}
		b.sizes[off] = max(b.sizes[off], bytes)
	}
}

func roundUp(bytes int64) int64 { return (bytes + alignment - 1) / alignment * alignment }

// at is the address of a byte of the block.
func (b *block) at(off int64) driver.Ptr {
	if b.own == nil {
		return b.base + driver.Ptr(off)
	}
	best := int64(-1)
	for start := range b.own {
		if start <= off && start > best {
			best = start
		}
	}
	return b.own[best] + driver.Ptr(off-best)
}

// reserve allocates the block, zeroed. Where memory is short, what nobody holds any more is given back first: the collector that
// finds it knows nothing of the device.
func (b *block) reserve(d *device) error {
	err := b.allocate()
	if errors.Is(err, driver.ErrOutOfMemory) && d.collect() {
		b.free()
		err = b.allocate()
	}
	if err != nil {
		return errors.Join(err, b.free())
	}
	if b.base != 0 || b.own != nil {
		d.blocks[b] = true
	}
	return nil
}

// release gives a reserved block back.
func (b *block) release(d *device) error {
	delete(d.blocks, b)
	return b.free()
}

// allocate gets the block's memory.
func (b *block) allocate() (err error) {
	if b.size == 0 || b.base != 0 || b.own != nil {
		return nil
	}
	if b.apart {
		b.own = map[int64]driver.Ptr{}
		for off, n := range b.sizes {
			if b.own[off], err = zeroed(n); err != nil {
				delete(b.own, off)
				return err
			}
		}
		return nil
	}
	b.base, err = zeroed(b.size)
	return err
}

func zeroed(n int64) (driver.Ptr, error) {
	n = (n + 3) / 4 * 4
	p, err := driver.Alloc(n)
	if err != nil {
		return 0, err
	}
	if err := driver.Fill(p, 0, n/4); err != nil {
		driver.Free(p)
		return 0, err
	}
	return p, nil
}

// free gives the block back.
func (b *block) free() error {
	var first error
	for _, p := range b.own {
		if err := driver.Free(p); err != nil && first == nil {
			first = err
		}
	}
	if b.base != 0 {
		first = driver.Free(b.base)
	}
	b.base, b.own = 0, nil
	return first
}

// hostBytes is the memory of a host tensor.
func hostBytes(t *tensor.Dense) (unsafe.Pointer, int64) {
	n := int64(t.DataSize())
	if n == 0 {
		return nil, 0
	}
	switch v := t.Data().(type) {
	case []float32:
		return unsafe.Pointer(&v[0]), 4 * n
	case []int32:
		return unsafe.Pointer(&v[0]), 4 * n
	case []uint8:
		return unsafe.Pointer(&v[0]), n
	}
	return nil, 0
}

// write copies numbers to m: one for all elements, or one for each.
func (m memory) write(data []float64) error {
	if m.size == 0 {
		return nil
	}
	raw := make([]byte, m.bytes())
	for i := range m.size {
		x := data[0]
		if len(data) > 1 {
			x = data[i]
		}
		put(raw, m.dtype, i, x)
	}
	return driver.CopyToDevice(m.ptr(), unsafe.Pointer(&raw[0]), m.bytes())
}

// read copies m to numbers.
func (m memory) read(data []float64) error {
	if m.size == 0 {
		return nil
	}
	raw := make([]byte, m.bytes())
	if err := driver.CopyToHost(unsafe.Pointer(&raw[0]), m.ptr(), m.bytes()); err != nil {
		return err
	}
	for i := range m.size {
		data[i] = get(raw, m.dtype, i)
	}
	return nil
}

func put(raw []byte, d graph.DType, i int, x float64) {
	switch d {
	case graph.Int32:
		*(*int32)(unsafe.Pointer(&raw[4*i])) = int32(x)
	case graph.Uint8:
		raw[i] = uint8(x)
	default:
		*(*uint32)(unsafe.Pointer(&raw[4*i])) = math.Float32bits(float32(x))
	}
}

func get(raw []byte, d graph.DType, i int) float64 {
	switch d {
	case graph.Int32:
		return float64(*(*int32)(unsafe.Pointer(&raw[4*i])))
	case graph.Uint8:
		return float64(raw[i])
	}
	return float64(math.Float32frombits(*(*uint32)(unsafe.Pointer(&raw[4*i]))))
}

// size32 refuses what kernels cannot index with 32 bits; a loop may go beyond the end by one stride.
func size32(what string, n int) error {
	if n > math.MaxInt32-1<<20 {
		return fmt.Errorf("%s has %d elements, more than the kernels can count", what, n)
	}
	return nil
}
