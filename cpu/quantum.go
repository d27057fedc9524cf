package cpu

import (
	"math"

	"aetrain/op"
)

// bindRotation turns a qubit: pairs of amplitudes that lie stride apart, in runs of stride. With c = cos(θ/2), s = sin(θ/2) each
// part becomes c·own ± s·partner, where the partner is the other amplitude (y), its other part (z), or both (x).
func bindRotation(b *binder, s *step) error {
	o, shape := s.Op.(op.Rotation), s.Case.In[0].Shape
	size, stride := shape[2], op.QubitStride(shape, o.Qubit)
	state, angle, out := s.in[0].f32, s.in[1].f32, s.out[0].f32
	b.items(shape[0], 2*size, func(_ *worker, from, to int) {
		for n := from; n < to; n++ {
			sin, cos := math.Sincos(float64(angle[n%len(angle)]) / 2)
			c, s := float32(cos), float32(sin)
			re, im := state[2*n*size:][:size], state[(2*n+1)*size:][:size]
			toRe, toIm := out[2*n*size:][:size], out[(2*n+1)*size:][:size]
			for i := 0; i < size; i += 2 * stride {
				j, end := i+stride, i+2*stride
				switch o.Axis {
				case "x": // y0 = c·x0 - i·s·x1, y1 = c·x1 - i·s·x0
					blend(toRe[i:j], toIm[j:end], re[i:j], im[j:end], c, s)
					blend(toRe[j:end], toIm[i:j], re[j:end], im[i:j], c, s)
				case "y": // y0 = c·x0 - s·x1, y1 = c·x1 + s·x0
					blend(toRe[j:end], toRe[i:j], re[j:end], re[i:j], c, s)
					blend(toIm[j:end], toIm[i:j], im[j:end], im[i:j], c, s)
				default: // y0 = (c - i·s)·x0, y1 = (c + i·s)·x1
					blend(toRe[i:j], toIm[i:j], re[i:j], im[i:j], c, s)
					blend(toIm[j:end], toRe[j:end], im[j:end], re[j:end], c, s)
				}
			}
		}
	})
	return nil
}

// blend is a = c·p + s·q, b = c·q - s·p.
func blend(a, b, p, q []float32, c, s float32) {
	b, p, q = b[:len(a)], p[:len(a)], q[:len(a)]
	for k := range a {
		x, y := p[k], q[k]
		a[k] = c*x + s*y
		b[k] = c*y - s*x
	}
}

// bindControlled copies the amplitudes, those of a set control from the target's other value or with its sign turned.
func bindControlled(b *binder, s *step) error {
	o, shape := s.Op.(op.Controlled), s.Case.In[0].Shape
	control, target := op.QubitStride(shape, o.Control), op.QubitStride(shape, o.Target)
	size, src, dst := shape[2], s.in[0].f32, s.out[0].f32
	b.items(2*shape[0], size, func(_ *worker, from, to int) {
		for n := from; n < to; n++ {
			x, y := src[n*size:(n+1)*size], dst[n*size:(n+1)*size]
			for i := range x {
				switch {
				case i&control == 0:
					y[i] = x[i]
				case o.Gate == "x":
					y[i] = x[i^target]
				case i&target != 0:
					y[i] = -x[i]
				default:
					y[i] = x[i]
				}
			}
		}
	})
	return nil
}
