//go:build gpu

package gpu

func bindSoftmax(b *binder, s *step) error { return bindRows(b, s, "softmax") }

func bindLogSoftmax(b *binder, s *step) error { return bindRows(b, s, "log_softmax") }

// bindRows launches a kernel that turns each row along the last axis into one of the same length.
func bindRows(b *binder, s *step, kernel string) error {
	x, y := s.in[0], s.out[0]
	if err := size32(s.Op.Name(), x.size); err != nil || x.size == 0 {
		return err
	}
	shape := s.Case.In[0].Shape
	n := shape[len(shape)-1]
	rows := x.size / n
	g := groupOf(rows, unitsOf(n))
	b.kernel(kernel, g.grid(rows), line(g.block), 0, x, y, rows, n, g.shift)
	return nil
}
