//go:build gpu

package gpu

// OnlyTile leaves one tile of the products', and those of the convolutions', to choose from; restore brings the others back.
func OnlyTile(name string) (restore func()) {
	gemm, conv := gemmTiles, convTiles
	only := func(list []tile) (one []tile) {
		for _, t := range list {
			if t.name == name {
				one = append(one, t)
			}
		}
		return one
	}
	gemmTiles, convTiles = only(gemm), only(conv)
	return func() { gemmTiles, convTiles = gemm, conv }
}

// Parts is into how many parts the inner axis of a product is cut.
func Parts(batch, m, n, k int) int { return tilingOf(batch, m, n, k, gemmTiles).parts }
