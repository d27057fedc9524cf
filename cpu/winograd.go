package cpu

// Convolutions by fewer multiplications. Along one axis, a filter of 3 taps is a bilinear form of a tile's samples and the taps:
//
//	result = outs · ((ins · samples) ∘ (weights · taps))
//
// with fewer products than results times taps, and nothing but sums and differences before and behind. In two dimensions every
// part is the product of those of both axes. The products over channels stay matrix products, of which most of the work is done.
// With stride 1 it is F(2,3): 4 products for 6, 16 for 36. With stride 2 the taps 0 and 2 are a filter of two taps on every
// second sample, F(2,2), and tap 1 stands alone: 5 products for 6, 25 for 36.
// At 64 channels the largest error was measured to be 4e-7 (stride 1) and 7e-7 (stride 2) of the largest result, about that of the
// plain sum.
// Source: Winograd 1980, "Arithmetic Complexity of Computations"; Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural
// Networks", section 4.

// bilinear is such an algorithm for one axis.
type bilinear struct {
	results int // of a tile
	step    int // samples from one tile to the next
	samples int // that a tile reads
	ins     [][]term
	weights [][]term // of taps
	groups  []bilinearGroup
	sums    int      // of products, which results are made of
	outs    [][]term // by result, of sums
}

// term is one number of a linear form.
type term struct {
	at   int
	coef float32
}

// bilinearGroup is products that are computed together: each of sums is the sum over ins, times the weight at [sum][in].
type bilinearGroup struct {
	ins, sums []int
	weights   [][]int
}

// pairTaps are the forms of taps for stride 2: those of F(2,2) on taps 0 and 2, and tap 1.
var pairTaps = [][]term{{{0, 1}}, {{0, 1}, {2, 1}}, {{2, 1}}, {{1, 1}}}

// downBy2 gives 2 results of a convolution of stride 2 from 5 samples:
//
//	y0 = w0·s0 + w1·s1 + w2·s2 = (s0-s2)·w0 + s2·(w0+w2) + s1·w1
//	y1 = w0·s2 + w1·s3 + w2·s4 = (s4-s2)·w2 + s2·(w0+w2) + s3·w1
func downBy2() *bilinear {
	return &bilinear{
		results: 2, step: 4, samples: 5,
		ins:     [][]term{{{0, 1}, {2, -1}}, {{2, 1}}, {{4, 1}, {2, -1}}, {{1, 1}}, {{3, 1}}},
		weights: pairTaps,
		groups: []bilinearGroup{
			{ins: []int{0, 3}, sums: []int{0}, weights: [][]int{{0, 3}}},
			{ins: []int{1}, sums: []int{1}, weights: [][]int{{1}}},
			{ins: []int{2, 4}, sums: []int{2}, weights: [][]int{{2, 3}}},
		},
		sums: 3,
		outs: [][]term{{{0, 1}, {1, 1}}, {{2, 1}, {1, 1}}},
	}
}

// upBy2 gives 4 results of a transposed convolution of stride 2 from 3 samples. Results of one parity have two taps,
//
//	y0 = w2·s0 + w0·s1 = (s0-s1)·w2 + s1·(w0+w2)
//	y1 = w2·s1 + w0·s2 = (s2-s1)·w0 + s1·(w0+w2)
//
// those of the other tap 1 of a sample: s1 and s2, or with an odd padding, where they come first, s0 and s1.
func upBy2(pad int) *bilinear {
	b := &bilinear{
		results: 4, step: 2, samples: 3,
		ins:     [][]term{{{0, 1}, {1, -1}}, {{1, 1}}, {{2, 1}, {1, -1}}, {{2, 1}}},
		weights: pairTaps,
		groups: []bilinearGroup{
			{ins: []int{0}, sums: []int{0}, weights: [][]int{{2}}},
			{ins: []int{1}, sums: []int{1, 3}, weights: [][]int{{1}, {3}}},
			{ins: []int{2}, sums: []int{2}, weights: [][]int{{0}}},
			{ins: []int{3}, sums: []int{4}, weights: [][]int{{3}}},
		},
		sums: 5,
	}
	two := [][]term{{{0, 1}, {1, 1}}, {{2, 1}, {1, 1}}}
	if pad%2 == 0 {
		b.outs = [][]term{two[0], {{3, 1}}, two[1], {{4, 1}}}
		return b
	}
	b.ins[3] = []term{{0, 1}}
	b.groups[1].sums[1], b.groups[3].sums[0] = 4, 3
	b.outs = [][]term{{{3, 1}}, two[0], {{4, 1}}, two[1]}
	return b
}

// by1 gives 2 results with stride 1 from 4 samples; reversed takes the taps from behind, as transposed convolutions do.
func by1(reversed bool) *bilinear {
	first, last := 0, 2
	if reversed {
		first, last = 2, 0
	}
	b := &bilinear{
		results: 2, step: 2, samples: 4,
		ins:  [][]term{{{0, 1}, {2, -1}}, {{1, 1}, {2, 1}}, {{2, 1}, {1, -1}}, {{1, 1}, {3, -1}}},
		sums: 4,
		weights: [][]term{{{first, 1}}, {{first, 0.5}, {1, 0.5}, {last, 0.5}},
			{{first, 0.5}, {1, -0.5}, {last, 0.5}}, {{last, 1}}},
		outs: [][]term{{{0, 1}, {1, 1}, {2, 1}}, {{1, 1}, {2, -1}, {3, -1}}},
	}
	for i := range 4 {
		b.groups = append(b.groups, bilinearGroup{ins: []int{i}, sums: []int{i}, weights: [][]int{{i}}})
	}
	return b
}

// downAxis is the algorithm of a convolution and the first sample of its first tile; upAxis that of a transposed one.
func downAxis(stride, pad int) (b *bilinear, first int) {
	if stride == 1 {
		return by1(false), -pad
	}
	return downBy2(), -pad
}

func upAxis(stride, pad int) (b *bilinear, first int) {
	if stride == 1 {
		return by1(true), pad - 2
	}
	return upBy2(pad), (pad+1)/2 - 1
}

// needs says whether any of a tile's first results needs a sum.
func (b *bilinear) needs(sum, results int) bool {
	for _, out := range b.outs[:results] {
		for _, t := range out {
			if t.at == sum {
				return true
			}
		}
	}
	return false
}

// tensorProduct lists the terms of a product of forms of two axes; a place is row·width + column.
func tensorProduct(h, w []term, width int) []term {
	var list []term
	for _, a := range h {
		for _, b := range w {
			list = append(list, term{a.at*width + b.at, a.coef * b.coef})
		}
	}
	return list
}
