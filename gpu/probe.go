//go:build gpu

package gpu

import (
	"errors"
	"fmt"
	"unsafe"

	"aetrain/gpu/driver"
)

// Probe runs a small kernel on device index and looks at what it has written: an error says that the driver does not take our PTX,
// or that the device computes something else.
func Probe(index int) (err error) {
	ctx, err := driver.Open(index)
	if err != nil {
		return fmt.Errorf("cuda:%d: %w", index, err)
	}
	defer func() { err = errors.Join(err, ctx.Close()) }()
	if err := ctx.Do(probe); err != nil {
		return fmt.Errorf("cuda:%d: %w", index, err)
	}
	return nil
}

// probe launches kernels/cuda/probe.cu.
func probe() (err error) {
	const n, seed = 1000, 77
	var loaded modules
	defer func() { err = errors.Join(err, loaded.unload()) }()
	f, err := loaded.function("probe")
	if err != nil {
		return err
	}
	s, err := driver.NewStream()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Destroy()) }()
	out, err := driver.Alloc(4 * n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, driver.Free(out)) }()
	var got [n]uint32
	if err := errors.Join(driver.Launch(f, [3]int{2, 1, 1}, [3]int{96, 1, 1}, 0, s, out, n, uint32(seed)), s.Synchronize()); err != nil {
		return err
	}
	if err := driver.CopyToHost(unsafe.Pointer(&got[0]), out, 4*n); err != nil {
		return err
	}
	for i, v := range got {
		if want := uint32(i)*2654435761 + seed; v != want {
			return fmt.Errorf("kernel probe: element %d is %d, want %d", i, v, want)
		}
	}
	return nil
}
