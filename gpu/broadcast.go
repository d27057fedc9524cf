//go:build gpu

package gpu

import (
	"aetrain/kernels"
	"aetrain/op"
)

// bindBroadcast materialises a stretched value that some step cannot read in place.
func bindBroadcast(b *binder, s *step) error {
	b.strided(s, op.BroadcastStrides(s.Case.In[0].Shape, s.Case.Out[0].Shape))
	return nil
}

// broadcastFits says that the axes that remain are few enough.
func broadcastFits(k kernels.Case) bool {
	return countable(k.In, k.Out) && len(joined(k.Out[0].Shape, op.BroadcastStrides(k.In[0].Shape, k.Out[0].Shape))) <= maxAxes
}
