package data

import (
	"fmt"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

// Invert brings what the network gives, N examples of Fields' x, back to the units of the data; src may be dst.
// What lost information (a smaller size, one channel, 0 and 1) stays lost.
func (p *Pipeline) Invert(dst, src *tensor.Dense) error {
	size := p.fields[0].Spec.Shape.Size()
	if dst.DataSize() != src.DataSize() || src.DataSize()%size != 0 || src.Dtype() != tensor.Float32 || dst.Dtype() != tensor.Float32 {
		return fmt.Errorf("data: examples of %v are to be inverted, the tensors are %v %v and %v %v", p.fields[0].Spec, src.Shape(), src.Dtype(), dst.Shape(), dst.Dtype())
	}
	d, s := dst.Float32s(), src.Float32s()
	copy(d, s)
	if p.columns != nil {
		p.invertTable(d)
		return nil
	}
	p.invert(d, p.fields[0].Spec)
	return nil
}

// invert undoes what can be undone in d, examples of out one after the other.
func (p *Pipeline) invert(d []float32, out graph.Spec) {
	size := out.Shape.Size()
	for i := len(p.steps) - 1; i >= 0; i-- {
		inverter, ok := p.steps[i].Step.(Inverter)
		if !ok || !inverter.Inverts(out) {
			continue
		}
		for at := 0; at < len(d); at += size {
			inverter.Invert(d[at:at+size], d[at:at+size])
		}
	}
	if p.rows == nil || size%p.rows.fields[0].Spec.Shape.Size() != 0 {
		return
	}
	if p.rows.columns != nil {
		p.rows.invertTable(d)
		return
	}
	p.rows.invert(d, p.rows.fields[0].Spec)
}
