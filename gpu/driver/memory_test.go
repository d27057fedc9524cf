//go:build gpu && cgo

package driver

import (
	"errors"
	"slices"
	"testing"
	"unsafe"
)

func TestOutOfMemory(t *testing.T) {
	onDevice(t, func(*Context) {
		_, err := Alloc(1 << 50)
		wantError(t, err, "cuMemAlloc of 1125.9 TB: ", "(2)")
		if !errors.Is(err, ErrOutOfMemory) || errors.Is(err, ErrLost) {
			t.Errorf("%v wraps ErrOutOfMemory: %v, ErrLost: %v", err, errors.Is(err, ErrOutOfMemory), errors.Is(err, ErrLost))
		}
		var e *Error
		if !errors.As(err, &e) || e.Code != 2 {
			t.Errorf("%#v is no Error with code 2", err)
		}
	})
}

func TestNoMemory(t *testing.T) {
	onDevice(t, func(*Context) {
		p, err := Alloc(0)
		if p != 0 || err != nil {
			t.Errorf("Alloc(0) = %v, %v", p, err)
		}
		ok(t, Free(0))
		h, err := AllocHost(0)
		if h != nil || err != nil {
			t.Errorf("AllocHost(0) = %v, %v", h, err)
		}
		ok(t, FreeHost(nil))
		ok(t, CopyToDevice(0, nil, 0))
		ok(t, CopyToHost(nil, 0, 0))
		ok(t, Fill(0, 0, 0))
		ok(t, FillAsync(0, 0, 0, Stream{}))
		ok(t, CopyAsync(0, 0, 0, Stream{}))
		ok(t, CopyToDeviceAsync(0, nil, 0, Stream{}))
		ok(t, CopyToHostAsync(nil, 0, 0, Stream{}))
	})
}

func TestCopies(t *testing.T) {
	onDevice(t, func(*Context) {
		want := make([]float32, 1021)
		for i := range want {
			want[i] = float32(i) * 0.5
		}
		n := int64(4 * len(want))
		a, b := upload(t, want), upload(t, make([]float32, len(want)))
		s := stream(t)
		ok(t, CopyAsync(b, a, n, s))
		ok(t, s.Synchronize())
		if got := download[float32](t, b, len(want)); !slices.Equal(got, want) {
			t.Error("a copy within the device differs")
		}
		ok(t, Fill(b, 7, int64(len(want))))
		ok(t, FillAsync(b+4, 9, 2, s))
		ok(t, s.Synchronize())
		if got := download[uint32](t, b, 5); !slices.Equal(got, []uint32{7, 9, 9, 7, 7}) {
			t.Errorf("filled with %v", got)
		}
		p, err := AllocHost(n)
		ok(t, err)
		pinned := unsafe.Slice((*float32)(p), len(want))
		copy(pinned, want)
		ok(t, CopyToDeviceAsync(b, p, n, s))
		ok(t, s.Synchronize())
		clear(pinned)
		ok(t, CopyToHostAsync(p, b, n, s))
		ok(t, s.Synchronize())
		if !slices.Equal(pinned, want) {
			t.Error("a copy through pinned memory differs")
		}
		ok(t, FreeHost(p))
		ok(t, s.Destroy())
	})
}

func TestEvents(t *testing.T) {
	onDevice(t, func(*Context) {
		s, other := stream(t), stream(t)
		start, err := NewEvent(true)
		ok(t, err)
		end, err := NewEvent(true)
		ok(t, err)
		mark, err := NewEvent(false)
		ok(t, err)
		done, err := mark.Done()
		if !done || err != nil {
			t.Errorf("an event that was not recorded: done %v, %v", done, err)
		}
		a, b := upload(t, make([]uint32, 1<<16)), upload(t, make([]uint32, 1<<16))
		ok(t, start.Record(s))
		ok(t, FillAsync(a, 5, 1<<16, s))
		ok(t, mark.Record(s))
		ok(t, end.Record(s))
		ok(t, other.Wait(mark)) // the other stream's copy comes after the fill
		ok(t, CopyAsync(b, a, 4<<16, other))
		ok(t, other.Synchronize())
		ok(t, end.Synchronize())
		if got := download[uint32](t, b, 1<<16); got[0] != 5 || got[1<<16-1] != 5 {
			t.Errorf("the copy overtook the fill: %d %d", got[0], got[1<<16-1])
		}
		if done, err := mark.Done(); !done || err != nil {
			t.Errorf("after the stream: done %v, %v", done, err)
		}
		d, err := end.Since(start)
		ok(t, err)
		if d < 0 || d.Seconds() > 1 {
			t.Errorf("a fill of 256 KiB took %v", d)
		}
		for _, e := range []Event{start, end, mark} {
			ok(t, e.Destroy())
		}
		ok(t, s.Destroy())
		ok(t, other.Destroy())
	})
}
