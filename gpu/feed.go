//go:build gpu

package gpu

import (
	"fmt"
	"slices"
	"unsafe"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/gpu/driver"
	"aetrain/program"
)

// Inputs reach the device in two hops. Feed copies to page-locked memory, of which there are two slots that steps use in turn. The
// step's own order begins with a copy, on the device, from the slot's staging memory to the inputs; the way from the host to the
// staging memory runs on a stream of its own, beside the step before. So an input arrives while the last step still computes, and
// the recorded graph reads it at an address that never changes.

// small inputs travel together: learning rates, counters, seeds.
const small = 4096

// feeds is the input side of an executable.
type feeds struct {
	ports []port
	total int64  // bytes of all inputs
	head  int64  // bytes of the small ones, which come first
	base  memory // of the inputs
	slots [2]slot
	turn  int
	dirty []int // large inputs that the next step needs
	fresh bool  // a small input has changed
	few   []byte
}

// port is an input: its place among all inputs.
type port struct {
	program.Port
	off, bytes int64
	turn       int // the slot that it was fed to last
}

// slot is one set of inputs on its way.
type slot struct {
	staged memory       // on the device
	copied driver.Event // the copy from the host is done
	freed  driver.Event // the step has taken it
	used   bool
	open   bool // the host may write
}

// pinned is page-locked memory of both slots and what belongs to it.
type pinned struct {
	mem    [2]unsafe.Pointer
	events []driver.Event
}

func (p *pinned) free() error {
	if p == nil {
		return nil
	}
	var first error
	keep := func(err error) {
		if err != nil && first == nil {
			first = err
		}
	}
	for _, e := range p.events {
		keep(e.Destroy())
	}
	for _, m := range p.mem {
		if m != nil {
			keep(driver.FreeHost(m))
		}
	}
	return first
}

// place lays the inputs one behind the other, small ones first.
func (f *feeds) place(e *executable) {
	ports := slices.Clone(e.p.Inputs)
	slices.SortStableFunc(ports, func(a, b program.Port) int { return a.Spec.Bytes() - b.Spec.Bytes() })
	for _, in := range ports {
		n := int64(in.Spec.Bytes())
		align := int64(alignment)
		if n <= small {
			align = 16
		}
		f.total = (f.total + align - 1) / align * align
		f.ports = append(f.ports, port{Port: in, off: f.total, bytes: n})
		f.total += n
		if n <= small {
			f.head = f.total
		}
	}
	if f.total == 0 {
		return
	}
	own := e.owned.own
	take := func() memory { return own.take(0, int((f.total+3)/4)) }
	f.base, f.slots[0].staged, f.slots[1].staged = take(), take(), take()
	for _, in := range f.ports {
		m := f.base
		m.off, m.dtype, m.size = m.off+in.off, in.Spec.DType, in.Spec.Shape.Size()
		e.mem[in.Buffer] = m
	}
	f.few = make([]byte, f.head)
}

// reserve gets page-locked memory and events.
func (f *feeds) reserve(e *executable) (err error) {
	if f.total == 0 {
		return nil
	}
	p := &pinned{}
	e.owned.pinned = p
	for i := range f.slots {
		if p.mem[i], err = driver.AllocHost(f.total); err != nil {
			return fmt.Errorf("page-locked memory for inputs: %w", err)
		}
		for _, ev := range []*driver.Event{&f.slots[i].copied, &f.slots[i].freed} {
			if *ev, err = driver.NewEvent(false); err != nil {
				return err
			}
			p.events = append(p.events, *ev)
		}
	}
	return nil
}

// feed copies src to the slot of the next step.
func (f *feeds) feed(e *executable, input string, src *tensor.Dense) error {
	for i := range f.ports {
		in := &f.ports[i]
		if in.Name != input {
			continue
		}
		if err := backend.CheckHost("input", input, in.Spec, src); err != nil {
			return err
		}
		p, n := hostBytes(src)
		if n == 0 {
			return nil
		}
		raw := unsafe.Slice((*byte)(p), n)
		if in.bytes <= small {
			copy(f.few[in.off:], raw)
			f.fresh = true
			return nil
		}
		if err := f.enter(e); err != nil {
			return err
		}
		copy(f.host(e)[in.off:in.off+in.bytes], raw)
		in.turn = f.turn
		if !slices.Contains(f.dirty, i) {
			f.dirty = append(f.dirty, i)
		}
		return nil
	}
	return fmt.Errorf("cuda: the program has no input %s", input)
}

// host is the current slot's page-locked memory.
func (f *feeds) host(e *executable) []byte {
	return unsafe.Slice((*byte)(e.owned.pinned.mem[f.turn]), f.total)
}

// enter waits until the step before the last has taken what lies in the current slot.
func (f *feeds) enter(e *executable) error {
	s := &f.slots[f.turn]
	if s.open {
		return nil
	}
	s.open = true
	if !s.used {
		return nil
	}
	return e.dev.fail(s.freed.Synchronize())
}

// send puts what was fed since the last step on its way: to the slot's staging memory on the copies' stream, then into the
// inputs on the step's.
func (f *feeds) send(e *executable) error {
	if len(f.dirty) == 0 && !f.fresh {
		return nil
	}
	if err := f.enter(e); err != nil {
		return err
	}
	s, host, d := &f.slots[f.turn], f.host(e), e.dev
	type span struct{ off, n int64 }
	var spans [8]span
	list := spans[:0]
	if f.fresh {
		copy(host, f.few)
		list = append(list, span{0, f.head})
	}
	for _, i := range f.dirty {
		list = append(list, span{f.ports[i].off, f.ports[i].bytes})
	}
	staged, inputs := s.staged.ptr(), f.base.ptr()
	for _, sp := range list {
		if err := driver.CopyToDeviceAsync(staged+driver.Ptr(sp.off), unsafe.Pointer(&host[sp.off]), sp.n, d.copies); err != nil {
			return err
		}
	}
	if err := s.copied.Record(d.copies); err != nil {
		return err
	}
	if err := d.stream.Wait(s.copied); err != nil {
		return err
	}
	for _, sp := range list {
		if err := driver.CopyAsync(inputs+driver.Ptr(sp.off), staged+driver.Ptr(sp.off), sp.n, d.stream); err != nil {
			return err
		}
	}
	if err := s.freed.Record(d.stream); err != nil {
		return err
	}
	s.used, s.open = true, false
	f.turn, f.dirty, f.fresh = 1-f.turn, f.dirty[:0], false
	return nil
}

// last copies what input i was fed last.
func (f *feeds) last(e *executable, i int) []byte {
	in := f.ports[i]
	from := f.few
	if in.bytes > small {
		from = unsafe.Slice((*byte)(e.owned.pinned.mem[in.turn]), f.total)
	}
	return slices.Clone(from[in.off : in.off+in.bytes])
}

// repeat feeds all inputs by place.
func (f *feeds) repeat(e *executable, inputs [][]byte) error {
	for i, raw := range inputs {
		in := f.ports[i]
		if in.bytes <= small {
			copy(f.few[in.off:], raw)
			f.fresh = f.fresh || len(raw) > 0
			continue
		}
		if err := f.enter(e); err != nil {
			return err
		}
		copy(f.host(e)[in.off:], raw)
		f.dirty = append(f.dirty, i)
	}
	return nil
}
