//go:build amd64 && !noasm

package gemm

// Declarations of kernels_amd64.s: packers, register peaks, tiles of AVX-512 (z) and AVX2 (y, m: masked), dot products (d).

//go:noescape
func packRows512(dst, src *float32, k, stride uint64, mask uint32)

//go:noescape
func transpose512(dst, src *float32, dstride, sstride, n uint64)

//go:noescape
func transpose256(dst, src *float32, dstride, sstride, n, blocks uint64)

//go:noescape
func packRows256(dst, src *float32, k, stride, panel uint64)

//go:noescape
func packEdge256(dst, src *float32, k, stride, edge0, edge1 uint64)

//go:noescape
func packTiles256(dst, src *float32, k, stride, panel uint64)

//go:noescape
func peak512(n uint64)

//go:noescape
func peak256(n uint64)

//go:noescape
func z1x32(p *Args)

//go:noescape
func z1x16(p *Args)

//go:noescape
func z2x32(p *Args)

//go:noescape
func z2x16(p *Args)

//go:noescape
func z3x32(p *Args)

//go:noescape
func z3x16(p *Args)

//go:noescape
func z4x32(p *Args)

//go:noescape
func z4x16(p *Args)

//go:noescape
func z5x32(p *Args)

//go:noescape
func z5x16(p *Args)

//go:noescape
func z6x32(p *Args)

//go:noescape
func z6x16(p *Args)

//go:noescape
func z7x32(p *Args)

//go:noescape
func z7x16(p *Args)

//go:noescape
func z8x32(p *Args)

//go:noescape
func z8x16(p *Args)

//go:noescape
func z9x32(p *Args)

//go:noescape
func z9x16(p *Args)

//go:noescape
func z10x32(p *Args)

//go:noescape
func z10x16(p *Args)

//go:noescape
func z11x32(p *Args)

//go:noescape
func z11x16(p *Args)

//go:noescape
func z12x32(p *Args)

//go:noescape
func z12x16(p *Args)

//go:noescape
func z13x32(p *Args)

//go:noescape
func z13x16(p *Args)

//go:noescape
func z14x32(p *Args)

//go:noescape
func z14x16(p *Args)

//go:noescape
func y1x16(p *Args)

//go:noescape
func y1x16m(p *Args)

//go:noescape
func y1x8m(p *Args)

//go:noescape
func y2x16(p *Args)

//go:noescape
func y2x16m(p *Args)

//go:noescape
func y2x8m(p *Args)

//go:noescape
func y3x16(p *Args)

//go:noescape
func y3x16m(p *Args)

//go:noescape
func y3x8m(p *Args)

//go:noescape
func y4x16(p *Args)

//go:noescape
func y4x16m(p *Args)

//go:noescape
func y4x8m(p *Args)

//go:noescape
func y5x16(p *Args)

//go:noescape
func y5x16m(p *Args)

//go:noescape
func y5x8m(p *Args)

//go:noescape
func y6x16(p *Args)

//go:noescape
func y6x16m(p *Args)

//go:noescape
func y6x8m(p *Args)

//go:noescape
func y7x8m(p *Args)

//go:noescape
func y8x8m(p *Args)

//go:noescape
func y9x8m(p *Args)

//go:noescape
func y10x8m(p *Args)

//go:noescape
func y11x8m(p *Args)

//go:noescape
func y12x8m(p *Args)

//go:noescape
func d1x1(p *Args)

//go:noescape
func d1x2(p *Args)

//go:noescape
func d1x3(p *Args)

//go:noescape
func d1x4(p *Args)

//go:noescape
func d2x1(p *Args)

//go:noescape
func d2x2(p *Args)

//go:noescape
func d2x3(p *Args)

//go:noescape
func d2x4(p *Args)

//go:noescape
func d3x1(p *Args)

//go:noescape
func d3x2(p *Args)

//go:noescape
func d3x3(p *Args)

//go:noescape
func d3x4(p *Args)
