//go:build gpu && cgo

package driver

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

func TestDevices(t *testing.T) {
	onDevice(t, func(c *Context) {
		list, err := Devices()
		ok(t, err)
		for i, info := range list {
			t.Logf("%+v", info)
			if info.Index != i || info.Name == "" || info.Major < 5 || info.SMs < 1 || info.MemoryBytes < 1<<20 || info.SharedPerBlockOptin < 48<<10 || info.DriverVersion < 12000 {
				t.Errorf("device %d: %+v", i, info)
			}
			if len(info.PCI) != len("00000000:3B:00.0") || len(info.UUID) != len("GPU-00000000-0000-0000-0000-000000000000") {
				t.Errorf("PCI %q, UUID %q", info.PCI, info.UUID)
			}
		}
		free, total, err := c.MemInfo()
		ok(t, err)
		if total < 1<<20 || free > total {
			t.Errorf("memory: %d of %d free", free, total)
		}
	})
	_, err := Open(1000)
	wantError(t, err) // no driver, or no such device
}

func TestDo(t *testing.T) {
	onDevice(t, func(c *Context) {
		other, err := Open(0)
		ok(t, err)
		stop := errors.New("stop")
		err = c.Do(func() error {
			return other.Do(func() error { // another Context of the device, within this one's
				p, err := Alloc(4)
				ok(t, err)
				ok(t, Free(p))
				return stop
			})
		})
		if err != stop {
			t.Errorf("Do returned %v, want what f did", err)
		}
		var all sync.WaitGroup
		for range 4 { // threads that have no context
			all.Add(1)
			go func() {
				defer all.Done()
				for range 20 {
					if err := c.Do(func() error { p, err := Alloc(64); return errors.Join(err, Free(p)) }); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		all.Wait()
		ok(t, other.Close())
		ok(t, other.Close())
		wantError(t, other.Do(func() error { return nil }), "closed")
		wantError(t, other.Reset(), "closed")
		p, err := Alloc(4) // c is still current
		ok(t, err)
		ok(t, Free(p))
	})
}

// A kernel that writes anywhere kills the context: the error says so, and a reset makes a new one where the driver can.
func TestLost(t *testing.T) {
	if !isChild() {
		out := child(t)
		switch {
		case lineOf(out, "skip: ") != "":
			t.Skip("no GPU: ", lineOf(out, "skip: "))
		case lineOf(out, "lost: ") != "true":
			t.Errorf("the error of a wild write does not wrap ErrLost:\n%s", out)
		}
		t.Log(out)
		return
	}
	if err := Load(); err != nil {
		fmt.Println("skip:", err)
		return
	}
	c, err := Open(0)
	ok(t, err)
	err = c.Do(func() error {
		s := stream(t)
		if err := Launch(kernel(t, "probe"), [3]int{1, 1, 1}, [3]int{32, 1, 1}, 0, s, Ptr(64), 32, uint32(1)); err != nil {
			return err
		}
		return s.Synchronize()
	})
	fmt.Println("error:", err)
	fmt.Printf("lost: %v\n", errors.Is(err, ErrLost))
	err = c.Reset()
	fmt.Println("reset:", err)
	if err == nil {
		fmt.Println("after:", c.Do(func() error { p, err := Alloc(64); return errors.Join(err, Free(p)) }))
	}
}

func BenchmarkDo(b *testing.B) {
	if err := Load(); err != nil {
		b.Skip("no GPU: ", err)
	}
	c, err := Open(0)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for b.Loop() {
		if err := c.Do(func() error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
