//go:build gpu

package gpu

import "fmt"

// stripSteps is how long a sum must be for conv_strip, which divides it among threads, to be worth it.
const stripSteps = 64

// bindConvDirect runs a convolution without tiles: a thread has a pixel, or for few filters and many channels a strip of pixels,
// of several filters.
func bindConvDirect(b *binder, s *step) error {
	c := convolutionOf(s.Case)
	st, _, _ := b.convStore(s)
	strips := c.m <= 4 && c.steps() >= stripSteps && c.strips()
	filters := 16
	switch {
	case c.m == 1:
		filters = 1
	case c.m <= 4:
		filters = 4
	}
	taps, phases := c.tables(strips)
	kernel, grid, block := "conv_direct", blocks(c.pixels(), 128), line(128)
	if strips {
		kernel, grid, block = "conv_strip", blocks(c.n*blocks(c.h[0].count, 4)*c.w[0].count, 64), [3]int{64, 4, 1}
	}
	b.kernel(fmt.Sprintf("%s_%d", kernel, filters), [3]int{grid, blocks(c.m, filters), c.groups * c.phases()}, block, 0,
		s.in[0], s.in[1], s.out[0], st.bias, b.constant(taps), b.constant(phases), c.geometry(), st.activation)
	return nil
}
