//go:build gpu

package gpu

// bindArgMax finds each row's largest element and where it is first.
func bindArgMax(b *binder, s *step) error {
	if err := size32("ArgMax", s.in[0].size); err != nil {
		return err
	}
	shape := s.Case.In[0].Shape
	n, rows := shape[len(shape)-1], s.out[0].size
	g := groupOf(rows, n)
	b.kernel("argmax", g.grid(rows), line(g.block), 0, s.in[0], s.out[0], rows, n, g.shift)
	return nil
}
