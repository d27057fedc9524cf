package vec

import "testing"

func TestNothingAllocates(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		x, y, b := make([]float32, 77), make([]float32, 77), make([]uint8, 77)
		var sink float32
		if n := testing.AllocsPerRun(10, func() {
			k.Exp(y, x)
			k.PowS(y, x, 2)
			sink += k.Sum(x) + k.SumSquares(x) + k.MaxReduce(x)
			k.ColumnSum(y[:7], x, 11, 7)
			k.SumBlocks(y[:7], x, 11)
			k.Uint8ToFloat32(y, b, 1)
			k.Normals(y, 1, 2, 3, 4, 5)
			k.Uniforms(y, 1, 2, 3, 4, 5)
			k.Transpose2D(y, x, 7, 11, 7, 11)
			k.Adam(y, y, y, x, x, x, x, &adamArgs)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
