//go:build gpu

package gpu

// bindConvImplicit runs a convolution as a product whose right operand is gathered on the way: groups, dilation and any padding
// included. Few pixels and many channels are summed in parts.
func bindConvImplicit(b *binder, s *step) error {
	c := convolutionOf(s.Case)
	st, plane, channels := b.convStore(s)
	out := s.out[0]
	t := tilingOf(c.groups*c.phases(), c.m, c.pixels(), c.steps(), convTiles)
	to := b.parts(out, t.parts)
	now := st.of(t.parts)
	taps, phases := c.tables(false)
	flags := 0
	if !c.transposed {
		flags = 1
		if c.c*c.kh*c.kw%4 == 0 {
			flags |= 2
		}
	}
	b.kernel("conv_implicit_"+t.name, [3]int{t.across, t.down * t.parts, c.groups * c.phases()}, line(256), 0,
		s.in[0], s.in[1], to, now.bias, b.constant(taps), b.constant(phases), c.geometry(), flags, t.per, int64(out.size), now.activation)
	b.sumParts(out, to, t.parts, st, plane, channels)
	return nil
}
