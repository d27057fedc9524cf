package cpu

import "aetrain/op"

// bindBroadcast materialises a stretched value that some step cannot read in place.
func bindBroadcast(b *binder, s *step) error {
	b.strided(s, op.BroadcastStrides(s.Case.In[0].Shape, s.Case.Out[0].Shape))
	return nil
}

// strided writes output 0 from input 0, whose element for an index of the output lies at the sum of index times strides.
// Tasks are rows of the last axis.
func (b *binder) strided(s *step, strides []int) {
	shape, src, dst := s.Case.Out[0].Shape, s.in[0], s.out[0]
	if dst.size == 0 {
		return
	}
	row, stride := 1, 0
	if n := len(shape); n > 0 {
		row, stride = shape[n-1], strides[n-1]
	}
	rows := dst.size / row
	per := max(1, taskSize/row)
	fill := b.b.vec.Fill
	b.phase((rows+per-1)/per, func(_ *worker, task int) {
		for r := task * per; r < min(rows, (task+1)*per); r++ {
			from := 0
			for a, rest := len(shape)-2, r; a >= 0; a-- {
				from += rest % shape[a] * strides[a]
				rest /= shape[a]
			}
			switch {
			case dst.f32 == nil:
				for i := range row {
					dst.set(r*row+i, src.at(from+i*stride))
				}
			case stride == 1:
				copy(dst.f32[r*row:(r+1)*row], src.f32[from:from+row])
			case stride == 0:
				fill(dst.f32[r*row:(r+1)*row], src.f32[from])
			default:
				d := dst.f32[r*row : (r+1)*row]
				for i := range d {
					d[i] = src.f32[from+i*stride]
				}
			}
		}
	})
}
