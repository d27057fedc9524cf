//go:build gpu

package gpu

import (
	"errors"
	"fmt"
	"runtime"

	"aetrain/backend"
	"aetrain/gpu/driver"
	"aetrain/graph"
	"aetrain/program"
)

// shared is the memory of programs that were loaded together: they take turns in it.
type shared struct {
	arena   *block // buffers, by the plans of the programs
	scratch *block // of one instruction's own
	users   int
}

func (s *shared) release(d *device) error {
	if s.users--; s.users > 0 {
		return nil
	}
	return errors.Join(s.arena.release(d), s.scratch.release(d))
}

// Load binds programs to kernels, reserves all their memory and records their steps.
func (b *Backend) Load(st backend.State, o backend.Options, ps ...*program.Program) ([]backend.Executable, error) {
	s, ok := st.(*state)
	if !ok || s.dev != b.device {
		return nil, fmt.Errorf("cuda: the state belongs to another backend (%T)", st)
	}
	var exes []backend.Executable
	err := b.do(func() error {
		sh := &shared{arena: &block{apart: b.options.apart}, scratch: &block{}, users: 1}
		defer func() {
			if b.lost == nil {
				sh.release(b.device)
			}
		}()
		for _, p := range ps {
			if err := s.declare(p, o.Seed); err != nil {
				return b.memoryError(err, sh, ps)
			}
			sh.arena.size = max(sh.arena.size, int64(p.ArenaBytes))
			placeArena(sh.arena, p)
		}
		if err := sh.arena.reserve(b.device); err != nil {
			return b.memoryError(err, sh, ps)
		}
		var all []*executable
		for _, p := range ps {
			e, err := b.bind(p, s, sh, o)
			if err != nil {
				closeAll(all)
				return b.memoryError(err, sh, ps)
			}
			all = append(all, e)
		}
		if err := b.finish(all, sh); err != nil {
			closeAll(all)
			return b.memoryError(err, sh, ps)
		}
		for _, e := range all {
			exes = append(exes, e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return exes, nil
}

// placeArena notes the pieces of the arena, for allocations of their own.
func placeArena(arena *block, p *program.Program) {
	for _, buf := range p.Buffers {
		if buf.Place == program.Arena && buf.First >= 0 {
			arena.note(int64(buf.Offset), int64(buf.Bytes()))
		}
	}
}

// bind makes one executable, but for the addresses of what it asks for while it is bound.
func (b *Backend) bind(p *program.Program, s *state, sh *shared, o backend.Options) (*executable, error) {
	sh.users++
	e := &executable{dev: b.device, p: p, o: o, state: s, owned: &owned{dev: b.device, shared: sh, own: &block{apart: b.options.apart}}}
	b.owned[e.owned] = true
	runtime.AddCleanup(e, func(o *owned) { o.dev.discard(o.release) }, e.owned)
	e.place()
	bd := &binder{backend: b, dev: b.device, e: e, o: o, precision: precisionOf(p.Precision)}
	for i := 0; i < len(p.Steps); {
		n, err := bd.step(i)
		if err != nil {
			e.close()
			return nil, err
		}
		i += n
	}
	sh.scratch.size = max(sh.scratch.size, bd.mostScratch)
	return e, nil
}

// finish reserves what the programs have asked for, uploads constants and records the graphs.
func (b *Backend) finish(all []*executable, sh *shared) error {
	if err := sh.scratch.reserve(b.device); err != nil {
		return err
	}
	for _, e := range all {
		if err := e.reserve(); err != nil {
			return err
		}
	}
	for _, e := range all {
		if err := e.record(); err != nil {
			return err
		}
	}
	return b.wait()
}

func closeAll(all []*executable) {
	for _, e := range all {
		e.close()
	}
}

// place gives every buffer of the program its memory.
func (e *executable) place() {
	e.mem = make([]memory, len(e.p.Buffers))
	for i, buf := range e.p.Buffers {
		switch buf.Place {
		case program.Arena:
			if buf.First >= 0 {
				e.mem[i] = memory{block: e.owned.shared.arena, off: int64(buf.Offset), dtype: buf.DType, size: buf.Size}
			}
		case program.Input: // by feeder.place
		case program.Stored:
			e.mem[i] = e.state.Entry(buf.Name).Memory
		case program.Constant:
			e.mem[i] = e.owned.own.take(buf.DType, buf.Size)
			e.uploads = append(e.uploads, upload{e.mem[i], buf.Data})
		}
	}
	e.feeds.place(e)
}

// upload is a constant on its way to the device.
type upload struct {
	to   memory
	data []float64
}

// reserve gives the executable's own memory its addresses and fills in what never changes.
func (e *executable) reserve() error {
	if err := e.owned.own.reserve(e.dev); err != nil {
		return err
	}
	if err := e.feeds.reserve(e); err != nil {
		return err
	}
	for _, u := range e.uploads {
		if err := u.to.write(u.data); err != nil {
			return err
		}
	}
	for _, u := range e.words {
		if err := u.write(); err != nil {
			return err
		}
	}
	e.uploads, e.words = nil, nil
	return nil
}

// memoryError adds to an error of memory what the programs want, what there is, and which batch would fit.
func (b *Backend) memoryError(err error, sh *shared, ps []*program.Program) error {
	if !errors.Is(err, driver.ErrOutOfMemory) {
		return err
	}
	arena, weights, kept, batch := 0, 0, 0, 0
	seen := map[string]bool{}
	for _, p := range ps {
		arena = max(arena, p.ArenaBytes)
		for _, st := range p.States {
			switch {
			case seen[st.Name]:
			case st.Kind == graph.Scratch:
				kept += st.Spec.Bytes()
			default:
				weights += st.Spec.Bytes()
			}
			seen[st.Name] = true
		}
		for _, in := range p.Inputs {
			if len(in.Spec.Shape) > 0 { // the batch, or which rows of a resident set are in it
				batch = max(batch, in.Spec.Shape[0])
			}
		}
	}
	free, total, e := b.ctx.MemInfo()
	if e != nil {
		return fmt.Errorf("cuda: %w: %w", err, backend.ErrOutOfMemory)
	}
	text := fmt.Sprintf("%s has %s free of %s; the plan takes %s for activations and %s for weights and their moments",
		b.info.Name, gib(free), gib(total), gib(int64(arena)), gib(int64(weights)))
	if kept > 0 {
		text += fmt.Sprintf(", and %s for what stays on the device (a resident data set)", gib(int64(kept)))
	}
	if fits := largestBatch(free+sh.held(), arena, batch); fits > 0 {
		text += fmt.Sprintf("; data.batch = %d would fit", fits)
	} else {
		text += "; a smaller data.batch or model takes less, and so does train.accumulate"
	}
	return fmt.Errorf("cuda: %s: %w: %w", text, err, backend.ErrOutOfMemory)
}

func gib(bytes int64) string { return fmt.Sprintf("%.2f GiB", float64(bytes)/(1<<30)) }

// held is what the programs have already reserved.
func (s *shared) held() (bytes int64) {
	for _, b := range []*block{s.arena, s.scratch} {
		if b.base != 0 {
			bytes += b.size
		}
	}
	return bytes
}

// largestBatch estimates the batch whose activations fit into nine tenths of what is left, since they grow with it.
func largestBatch(room int64, arena, batch int) int {
	if batch == 0 || arena == 0 {
		return 0
	}
	return min(batch-1, int(float64(room)*0.9*float64(batch)/float64(arena)))
}

// precisionOf is the driver's word for a program's.
func precisionOf(name string) driver.Precision {
	switch name {
	case "tf32":
		return driver.TF32
	case "bf16":
		return driver.BF16
	}
	return driver.Float32
}
