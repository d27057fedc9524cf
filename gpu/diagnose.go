//go:build gpu

package gpu

import (
	"context"
	"errors"
	"fmt"

	"aetrain/backend"
	"aetrain/gpu/driver"
	"aetrain/program"
)

// fail remembers an error that the context does not survive: all later calls end with it. A library only says that its work has
// failed (cuBLASLt's 13, cuDNN's 5000), so the driver is asked whether the context lives. A recorded graph does not tell which of its
// kernels failed, so the step is made again, one instruction after the other.
func (d *device) fail(err error) error {
	if err != nil && d.lost == nil && !errors.Is(err, driver.ErrLost) {
		if asked := d.stream.Synchronize(); errors.Is(asked, driver.ErrLost) || errors.Is(asked, driver.ErrUnclear) {
			err = fmt.Errorf("%w: %w: %w", err, asked, driver.ErrLost)
		}
	}
	if !errors.Is(err, driver.ErrLost) || d.lost != nil {
		return err
	}
	d.lost = fmt.Errorf("cuda:%d: the device is lost: %w", d.info.Index, err)
	if where := d.diagnose(); where != "" {
		d.lost = fmt.Errorf("cuda:%d: the device is lost in %s: %w", d.info.Index, where, err)
	}
	return d.lost
}

// attempt is what a step needs to be made again: programs and inputs, without the values of states.
type attempt struct {
	program *program.Program
	options backend.Options
	inputs  [][]byte // of ports, by place
}

// attempt copies the inputs of the executable's last step.
func (e *executable) attempt() attempt {
	a := attempt{program: e.p, options: e.o}
	for i := range e.feeds.ports {
		a.inputs = append(a.inputs, e.feeds.last(e, i))
	}
	return a
}

// diagnose repeats the last step in a context of its own and returns which instruction fails; "" where none does, or where the
// driver gives no new context before the process ends. States begin at their first values: what fails by its shapes alone fails again.
func (d *device) diagnose() string {
	e := d.running
	if e == nil || d.options.each {
		return ""
	}
	a := e.attempt()
	if d.ctx.Reset() != nil {
		return ""
	}
	again, err := Open(d.info.Index, func(o *options) { *o = d.options; o.each = true })
	if err != nil {
		return ""
	}
	defer again.Close()
	exes, err := again.Load(again.NewState(), a.options, a.program)
	if err != nil {
		return ""
	}
	x := exes[0].(*executable)
	err = again.do(func() error { return x.feeds.repeat(x, a.inputs) })
	if err == nil {
		err = x.Run(context.Background())
	}
	var named *stepError
	if errors.Is(err, driver.ErrLost) && errors.As(err, &named) {
		return named.place
	}
	return ""
}

// stepError is an error of one instruction, with its place.
type stepError struct {
	place string
	err   error
}

func (e *stepError) Error() string { return e.place + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }
