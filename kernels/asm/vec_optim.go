package main

// The optimiser updates; cpu/vec/optim.go has the formulas and the layout of each Args type.

func update(name string, out, in []string, n int, f func(m simd, x, h []V) []V) elementwise {
	return elementwise{name: name, out: out, in: in, args: n, unroll: 1, body: f}
}

var (
	adamOut = []string{"p1", "m1", "v1"}
	adamIn  = []string{"p", "m", "v", "g"}
)

var optimisers = []elementwise{
	update("adam", adamOut, adamIn, 7, func(m simd, x, h []V) []V {
		g := m.fma(h[6], x[0], x[3])
		return m.adam(x[0], x[1], x[2], g, h)
	}),
	update("adamW", adamOut, adamIn, 8, func(m simd, x, h []V) []V {
		return m.adam(m.fnma(h[7], x[0], x[0]), x[1], x[2], x[3], h)
	}),
	update("sgd", []string{"p1"}, []string{"p", "g"}, 2, func(m simd, x, h []V) []V {
		g := m.fma(h[1], x[0], x[1])
		return []V{m.fnma(h[0], g, x[0])}
	}),
	update("momentum", []string{"p1", "buf1"}, []string{"p", "buf", "g"}, 6, func(m simd, x, h []V) []V {
		g := m.fma(h[3], x[0], x[2])
		buf := m.fma(h[2], g, m.mul(h[1], x[1]))
		d := m.fma(h[5], buf, m.mul(h[4], g))
		return []V{m.fnma(h[0], d, x[0]), buf}
	}),
	update("rmsprop", []string{"p1", "v1"}, []string{"p", "v", "g"}, 5, func(m simd, x, h []V) []V {
		g := m.fma(h[4], x[0], x[2])
		v := m.fma(m.mul(h[2], g), g, m.mul(h[1], x[1]))
		d := m.div(g, m.add(m.sqrt(v), h[3]))
		return []V{m.fnma(h[0], d, x[0]), v}
	}),
}

// adam returns p, m, v after a step; h holds 1-beta1, beta2, 1-beta2, step size, 1/sqrt(1-beta2^t), eps.
func (m simd) adam(p, mean, variance, g V, h []V) []V {
	mean = m.fma(h[0], m.sub(g, mean), mean)
	variance = m.fma(m.mul(h[2], g), g, m.mul(h[1], variance))
	d := m.fma(m.sqrt(variance), h[4], h[5])
	return []V{m.fnma(h[3], m.div(mean, d), p), mean, variance}
}
