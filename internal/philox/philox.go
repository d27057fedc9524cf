// Package philox turns (seed, stream, step, row, block) into random numbers: the same bits on every backend.
//
// The generator is counter-based: nothing is carried from one number to the next, so any thread, device or rank draws any
// part of a tensor, a backward pass draws again what the forward pass drew, and a resumed run goes on as if never stopped.
// [Block] is the generator, [Uniform] and [Normals] turn its bits into numbers, [Rand] is for host code that wants a sequence.
//
// Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel Random Numbers: As Easy as 1, 2, 3", section 3.3: Philox4x32-10.
package philox

// The multipliers and the Weyl constants added to the key between rounds (Salmon et al. 2011, table 2; Random123's philox.h).
const (
	Mul0  = 0xD2511F53
	Mul1  = 0xCD9E8D57
	Weyl0 = 0x9E3779B9 // golden ratio
	Weyl1 = 0xBB67AE85 // sqrt(3) - 1
)

// Rounds is the number of rounds of Philox4x32-10.
const Rounds = 10

// Block returns the four random words of one counter under the 64-bit key seed.
//
//	block: which four elements within the row   row: the example's place in the global batch or split
//	step:  training step, or repetition in evaluation   stream: the drawing value, see [Stream]
//
// In Random123's notation the counter is {block, row, step, stream} and the key {low word of seed, high word of seed}.
func Block(seed uint64, block, row, step, stream uint32) [4]uint32 {
	c0, c1, c2, c3 := block, row, step, stream
	k0, k1 := uint32(seed), uint32(seed>>32)
	for range Rounds {
		p0, p1 := uint64(c0)*Mul0, uint64(c2)*Mul1
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		k0 += Weyl0
		k1 += Weyl1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// Stream returns the stream of the value drawn at path (such as "train/encoder.0.dropout"): its 32-bit FNV-1a hash.
// Who builds a graph has to refuse two paths with the same stream.
// Source: Fowler, Noll & Vo, "The FNV Non-Cryptographic Hash Algorithm", IETF draft-eastlake-fnv.
func Stream(path string) uint32 {
	h := uint32(2166136261)
	for i := range len(path) {
		h = (h ^ uint32(path[i])) * 16777619
	}
	return h
}

// Uniform returns the number in [0, 1) that the top 24 bits of a random word stand for: a multiple of 2^-24, exact in float32.
func Uniform(bits uint32) float32 { return float32(bits>>8) * 0x1p-24 }

// Uniforms fills dst, elements 4*block0 onwards of a row, with numbers in [0, 1); the last block may be partial.
func Uniforms(dst []float32, seed uint64, block0, row, step, stream uint32) {
	for i := 0; i < len(dst); i += 4 {
		w := Block(seed, block0+uint32(i/4), row, step, stream)
		u := [4]float32{Uniform(w[0]), Uniform(w[1]), Uniform(w[2]), Uniform(w[3])}
		copy(dst[i:], u[:])
	}
}
