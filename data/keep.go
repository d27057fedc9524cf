package data

import (
	"fmt"
	"math"

	"aetrain/graph"
	"aetrain/op"

	"gorgonia.org/tensor"
)

// Kept is a training split in the form in which a device's memory holds it: as the first transforms leave it, or as it is stored, in
// bytes where it is. The transforms that follow, all those that draw among them, are ops of the training program.
type Kept struct {
	src    Source // after the transforms that are done once
	fields []Field
	bytes  bool // x is kept as bytes, of which 255 stands for 1
	steps  []boundStep
	seed   uint64
}

// Keep says how a device may keep s, a training split. Its error is a sentence: why batches have to be fed.
func Keep(s Source) (*Kept, error) {
	k := &Kept{src: s, bytes: storedAsBytes(s)}
	if t, ok := s.(*transformed); ok {
		if err := k.divide(t); err != nil {
			return nil, err
		}
	} else if _, changes := s.(epochReader); changes {
		return nil, fmt.Errorf("the data gives other examples in each epoch")
	}
	k.fields = append([]Field(nil), k.src.Fields()...)
	if k.bytes {
		k.fields[0].Spec.DType = graph.Uint8
	}
	return k, nil
}

// divide finds the place in the pipeline that takes the least memory among those with nothing drawn before and ops for all behind.
func (k *Kept) divide(t *transformed) error {
	p := t.p
	if p.sizing != nil && p.sizing.random {
		return fmt.Errorf("images that are brought to one size at random are made by the loader")
	}
	drawn := 0 // steps before the first that training does otherwise in each epoch
	for drawn < len(p.steps) && !p.steps[drawn].varies() {
		drawn++
	}
	best := int64(math.MaxInt64)
	for from := drawn; from >= 0; from-- {
		if err := p.tryOps(from); err != nil {
			if from == drawn {
				return err
			}
			break
		}
		bytes := from == 0 && p.sizing == nil && storedAsBytes(t.Source)
		size := int64(p.specBefore(from).Bytes())
		if bytes {
			size /= int64(graph.Float32.Bytes())
		}
		if size < best {
			best, k.bytes, k.steps, k.seed = size, bytes, p.steps[from:], p.seed
			k.src = p.upTo(from).transform(t.Source)
		}
	}
	return nil
}

// varies reports whether training sees other outputs of the step in each epoch.
func (s boundStep) varies() bool {
	_, draws := s.Step.(drawing)
	return draws || s.training
}

// specBefore is that of what step i gets.
func (p *Pipeline) specBefore(i int) graph.Spec {
	if i == 0 {
		return p.first
	}
	return p.steps[i-1].Out()
}

// tryOps reports the first step from one on that has no form in ops.
func (p *Pipeline) tryOps(from int) error {
	g, in := graph.New(), p.specBefore(from)
	x := g.Input("x", graph.Spec{Shape: append(graph.Shape{1}, in.Shape...), DType: in.DType})
	d := OpDraw{Seed: g.Input("seed", graph.I32(2)), Epoch: g.Input("epoch", graph.I32()), Rows: g.Input("rows", graph.I32(1))}
	if _, err := withOps(p.steps[from:], x, d); err != nil {
		return err
	}
	return g.Err()
}

// withOps applies steps.
func withOps(steps []boundStep, x graph.Value, d OpDraw) (graph.Value, error) {
	for _, s := range steps {
		o, ok := s.Step.(opStep)
		if !ok {
			return x, fmt.Errorf("%s runs in the loader only", s.kind)
		}
		d.stream = s.stream
		var err error
		if x, err = o.Ops(x, d); err != nil {
			return x, fmt.Errorf("%s runs in the loader here: %w", s.kind, err)
		}
	}
	return x, nil
}

// Fields are those of the examples as they are kept: x may have another shape than a batch's, and be bytes.
func (k *Kept) Fields() []Field { return k.fields }

// Len is the number of examples.
func (k *Kept) Len() int { return k.src.Len() }

// Read fills dst, a tensor for each of Fields, with the examples from (inclusive) to (exclusive).
func (k *Kept) Read(dst []*tensor.Dense, from, to int) error {
	if !k.bytes {
		return ReadRange(k.src, from, to, dst)
	}
	all := append([]*tensor.Dense(nil), dst...)
	all[0] = Dense(k.src.Fields()[0].batch(to - from))
	if err := ReadRange(k.src, from, to, all); err != nil {
		return err
	}
	x := dst[0].Data().([]uint8)
	for i, v := range all[0].Float32s() {
		x[i] = uint8(math.Round(float64(v) * 255)) // what unitFloats made it of
	}
	return nil
}

// X makes the field x of a batch of training of what is kept of its examples. white is a float32 scalar that is 255: as a constant it
// would become a multiplication by 1/255, which rounds otherwise than the loader's division.
func (k *Kept) X(x, rows, epoch, white graph.Value) graph.Value {
	g := x.Graph()
	if k.bytes {
		x = op.Div(op.Cast(x, graph.Float32), white)
	}
	seed := g.Constant(graph.I32(2), float64(int32(uint32(k.seed))), float64(int32(uint32(k.seed>>32))))
	x, err := withOps(k.steps, x, OpDraw{Seed: seed, Epoch: epoch, Rows: rows})
	if err != nil {
		g.Fail(err)
	}
	return x
}

// bytesSource is a Source whose x are stored bytes divided by 255.
type bytesSource interface{ asBytes() bool }

// storedAsBytes reports whether all x of s are bytes divided by 255.
func storedAsBytes(s Source) bool {
	switch v := s.(type) {
	case *subset:
		return storedAsBytes(v.Source)
	case *relabelled:
		return storedAsBytes(v.Source)
	case *joined:
		for _, part := range v.sources {
			if !storedAsBytes(part) {
				return false
			}
		}
		return true
	}
	b, ok := s.(bytesSource)
	return ok && b.asBytes()
}

// ReadTraining fills dst, a tensor for each of s's Fields, with these examples as training sees them in an epoch, from 0.
func ReadTraining(s Source, dst []*tensor.Dense, indices []int, epoch int) error {
	if r, ok := s.(epochReader); ok {
		return r.readTraining(dst, indices, epoch)
	}
	return s.Read(dst, indices)
}
