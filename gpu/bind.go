//go:build gpu

package gpu

import (
	"fmt"
	"time"
	"unsafe"

	"aetrain/backend"
	"aetrain/gpu/driver"
	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/program"
)

// launch binds a kernel to a step: it decides and reserves everything and appends instructions. No memory has an address yet.
type launch func(b *binder, s *step) error

// step is what a kernel sees of a program step.
type step struct {
	kernels.Case
	in, out  []memory       // an output that nobody reads has size 0, except the first, which always has memory
	epilogue *program.Chain // to run on output 0 afterwards; a kernel that computes it, or a part, takes that away
	name     string         // of the candidate
}

// instruction is work of one program step on the stream, or on the host.
type instruction struct {
	step    int
	name    string
	enqueue func(s driver.Stream) error
	prepare func() error // loads what enqueue uses; nil: nothing
	library bool         // enqueue calls a library, which loads its code when it first runs
	host    func() error // instead of enqueue: the graph is split here
}

// binder turns the steps of one program into instructions.
type binder struct {
	backend     *Backend
	dev         *device
	e           *executable
	o           backend.Options
	precision   driver.Precision // of the program's products
	computed    driver.Precision // of this step's: what has no kernel in the program's runs in another
	at          int              // the program's step
	used        int64            // bytes of scratch that this step has taken
	mostScratch int64
	trial       *trial // while a candidate is measured
}

// kernel appends a launch of an embedded kernel. Arguments are those of driver.Launch, and memory, by its address.
func (b *binder) kernel(function string, grid, block [3]int, shared int, args ...any) {
	for _, n := range grid {
		if n == 0 {
			return
		}
	}
	var f driver.Function
	b.append(instruction{step: b.at, name: function,
		prepare: func() (err error) { f, err = b.dev.modules.function(function); return err },
		enqueue: func(s driver.Stream) error { return launchKernel(f, grid, block, shared, s, args) },
	})
}

// launchKernel replaces memory by addresses, which are known now.
func launchKernel(f driver.Function, grid, block [3]int, shared int, s driver.Stream, args []any) error {
	if shared > 48<<10 {
		if err := f.SetMaxShared(shared); err != nil {
			return err
		}
	}
	plain := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case memory:
			plain[i] = a.ptr()
		case nilMemory:
			plain[i] = driver.Ptr(0)
		default:
			plain[i] = a
		}
	}
	return driver.Launch(f, grid, block, shared, s, plain...)
}

// call appends work on the stream: a library's, or several launches. Addresses are read inside f.
func (b *binder) call(name string, f func(s driver.Stream) error) {
	b.append(instruction{step: b.at, name: name, enqueue: f, library: true})
}

// host appends work of the host, for which the device is waited for.
func (b *binder) host(name string, f func() error) {
	b.append(instruction{step: b.at, name: name, host: f})
}

func (b *binder) append(i instruction) {
	if b.trial != nil {
		b.trial.code = append(b.trial.code, i)
		return
	}
	b.e.code = append(b.e.code, i)
}

// fill appends setting all of dst, whose elements have four bytes, to a word.
func (b *binder) fill(dst memory, word uint32) {
	if dst.size == 0 {
		return
	}
	b.append(instruction{step: b.at, name: "fill", enqueue: func(s driver.Stream) error {
		return driver.FillAsync(dst.ptr(), word, dst.bytes()/4, s)
	}})
}

// scratch is memory for this step alone: all steps use the same.
func (b *binder) scratch(d graph.DType, n int) memory {
	blk := b.e.owned.shared.scratch
	if b.trial != nil {
		blk = b.trial.scratch
	}
	m := memory{block: blk, off: b.used, dtype: d, size: n}
	b.used += roundUp(m.bytes())
	b.mostScratch = max(b.mostScratch, b.used)
	return m
}

// keep is memory for as long as the program is loaded, zeroed.
func (b *binder) keep(d graph.DType, n int) memory { return b.own().take(d, n) }

func (b *binder) own() *block {
	if b.trial != nil {
		return b.trial.own
	}
	return b.e.owned.own
}

// constant is memory that holds words from the start.
func (b *binder) constant(words []uint32) memory {
	return b.later(len(words), func() []uint32 { return words })
}

// later is memory that is filled when all addresses are known: tables of pointers.
func (b *binder) later(n int, words func() []uint32) memory {
	m := b.own().take(graph.Int32, n)
	w := words32{m, words}
	if b.trial != nil {
		b.trial.words = append(b.trial.words, w)
	} else {
		b.e.words = append(b.e.words, w)
	}
	return m
}

// words32 are words on their way to the device.
type words32 struct {
	to   memory
	make func() []uint32
}

func (w words32) write() error {
	if w.to.size == 0 {
		return nil
	}
	words := w.make()
	return driver.CopyToDevice(w.to.ptr(), unsafe.Pointer(&words[0]), int64(4*len(words)))
}

// onClose calls f when the executable is closed.
func (b *binder) onClose(f func() error) {
	if b.trial != nil {
		b.trial.closers = append(b.trial.closers, f)
		return
	}
	b.e.owned.closers = append(b.e.owned.closers, f)
}

// step binds step i of the program, and those behind it that run together with it. It returns how many.
func (b *binder) step(i int) (int, error) {
	b.at, b.used, b.computed = i, 0, driver.Float32
	s := &b.e.p.Steps[i]
	if s.Node == nil {
		n := b.together(i)
		if err := b.chainGroup(i, n); err != nil {
			return 0, err
		}
		return n, nil
	}
	st := b.operands(s)
	n := 1 + b.joinTotals(i, st)
	k, reason, ok, err := b.choose(st)
	if err != nil {
		return 0, err
	}
	if !ok {
		err = b.reference(i, s, st)
	} else {
		st.name = k.Name
		if err := b.run(k, st); err != nil {
			return 0, fmt.Errorf("%s (%s): %w", s.Path, s.Kind(), err)
		}
		b.explain(i, s, k.Name, reason)
	}
	for j := i + 1; j < i+n; j++ {
		b.explain(j, &b.e.p.Steps[j], "chain", "joins the epilogue before it")
	}
	return n, err
}

// run binds a candidate, and what it leaves of the epilogue as a chain of its own.
func (b *binder) run(k kernels.Candidate[launch], st *step) error {
	b.computed = driver.Float32
	if err := k.Bind(b, st); err != nil {
		return err
	}
	if st.epilogue == nil {
		return nil
	}
	return b.chain(st.epilogue, &st.out[0])
}

// chainGroup binds n chains from step i on.
func (b *binder) chainGroup(i, n int) error {
	var list []*program.Chain
	for j := i; j < i+n; j++ {
		list = append(list, b.e.p.Steps[j].Chain)
	}
	var err error
	if n == 1 {
		err = b.chain(list[0], nil)
	} else {
		err = b.chains(list)
	}
	if err != nil {
		return fmt.Errorf("%s (chain): %w", b.e.p.Steps[i].Path, err)
	}
	kernel, reason, err := b.chainKernel()
	if err != nil {
		return err
	}
	if n > 1 {
		reason = fmt.Sprintf("%s, one launch for %d", reason, n)
	}
	for j := i; j < i+n; j++ {
		b.explain(j, &b.e.p.Steps[j], kernel, reason)
	}
	return nil
}

// choose picks the step's candidate.
func (b *binder) choose(st *step) (kernels.Candidate[launch], string, bool, error) {
	choose := kernels.Options[launch]{Wanted: b.o.Kernels, Strict: b.o.Strict}
	if b.o.Autotune {
		choose.Measure = func(k kernels.Candidate[launch]) (time.Duration, error) { return b.measure(k, st) }
		choose.Key = fmt.Sprintf("%s %s %+v %v %v", b.dev.info.Name, st.Op.Name(), st.Op, st.Case.In, b.precision)
		choose.Known, choose.Learned = b.dev.tuned.Lookup, b.dev.tuned.Learn
	}
	return b.backend.table.Choose(st.Case, choose)
}

// operands resolves a step's buffers.
func (b *binder) operands(s *program.Step) *step {
	st := &step{Case: kernels.CaseOf(s), epilogue: s.Chain}
	for _, in := range s.In {
		st.in = append(st.in, b.e.mem[in])
	}
	for i, out := range s.Out {
		switch {
		case out >= 0:
			st.out = append(st.out, b.e.mem[out])
		case i == 0:
			st.out = append(st.out, b.hidden(s))
		default:
			st.out = append(st.out, memory{dtype: s.Node.Out[i].DType})
		}
	}
	return st
}

// hidden finds memory for a product that only its epilogue reads.
func (b *binder) hidden(s *program.Step) memory {
	if spare := b.e.p.Spare(s); spare >= 0 {
		return b.e.mem[spare]
	}
	return b.scratch(s.Node.Out[0].DType, s.Node.Out[0].Shape.Size())
}

func (b *binder) explain(i int, s *program.Step, kernel, reason string) {
	c := backend.Choice{Step: i, Op: s.Kind(), Path: s.Path, Kernel: kernel, Reason: reason, FLOP: s.FLOP()}
	if s.Node != nil {
		c.Shape = s.Node.Out[0].Shape.String()
	}
	if c.FLOP > 0 && b.computed != b.precision {
		c.Precision = b.computed.String()
	}
	b.e.choices = append(b.e.choices, c)
}

// blocks is how many groups of per are needed for n.
func blocks(n, per int) int { return (n + per - 1) / per }
