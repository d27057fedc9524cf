package throughput

import (
	"context"
	"errors"
	"runtime/debug"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/infer"
	"aetrain/model"
	"aetrain/program"
)

// encoding is inference: the codes of a row's examples, from the host's memory to the host's memory, again and again.
type encoding struct {
	opened *opened
	infer  *infer.Model
	x      *tensor.Dense
	device Device
}

// deviceBatch is how many examples a device with memory of its own encodes at once; others do as many as stay in their caches.
const deviceBatch = 5000

// openEncoding reads the examples and makes a model with its first weights.
func openEncoding(ctx context.Context, row Row, d Device) (Side, facts, error) {
	o, err := open(ctx, row)
	if err != nil {
		return nil, facts{}, err
	}
	e := &encoding{opened: o, device: d}
	f := facts{batch: row.Encode, precision: "float32"}
	if e.x, err = infer.Read(ctx, o.splits.Train, model.FieldX, row.Encode); err == nil {
		f.batch = e.x.Shape()[0]
		f.parameters, err = e.count(&f)
	}
	if err != nil {
		return nil, f, errors.Join(err, o.splits.Close())
	}
	e.infer = infer.New(o.model, d.Backend, d.Backend.NewState(), infer.Options{Batch: e.batch(), Seed: o.Seed, Kernels: o.Kernels})
	if _, err := e.infer.Encode(ctx, e.x); err != nil { // programs are made here
		return nil, f, errors.Join(err, e.Close())
	}
	debug.FreeOSMemory()
	return e, f, nil
}

// batch is how many examples go through the encoder at once.
func (e *encoding) batch() int {
	if e.device.Backend.Capabilities().Own {
		return min(deviceBatch, e.x.Shape()[0])
	}
	return min(e.opened.Data.Batch, e.x.Shape()[0])
}

// program compiles what encodes a batch.
func (e *encoding) program() (*program.Program, error) {
	fn, err := e.opened.model.Encode(e.batch())
	if err != nil {
		return nil, err
	}
	return program.Compile(fn.Graph, fn.Outputs, e.device.Backend.Capabilities().Target)
}

// count adds the work of all batches to f and returns the number of parameters, of encoder and decoder.
func (e *encoding) count(f *facts) (parameters int, err error) {
	p, err := e.program()
	if err != nil {
		return 0, err
	}
	f.add(p, float64(f.batch)/float64(e.batch()))
	encoder, decoder, err := e.opened.model.Parameters()
	return encoder + decoder, err
}

// round encodes all examples, over and over.
func (e *encoding) round(ctx context.Context, at pace) (Figure, error) {
	defer limitGo(e.device.Threads)()
	encode := func(ctx context.Context) error {
		_, err := e.infer.Encode(ctx, e.x) // codes are there when it returns
		return err
	}
	s := &stepping{batch: e.x.Shape()[0], step: encode, joules: e.device.Joules}
	return s.round(ctx, at)
}

// load loads the program of a batch, to look into it.
func (e *encoding) load() (backend.Executable, error) {
	p, err := e.program()
	if err != nil {
		return nil, err
	}
	exes, err := e.device.Backend.Load(e.device.Backend.NewState(), e.opened.Kernels, p)
	if err != nil {
		return nil, err
	}
	return exes[0], nil
}

// Close frees the model.
func (e *encoding) Close() error { return errors.Join(e.infer.Close(), e.opened.splits.Close()) }
