package philox

// Rand is a sequence of random numbers for host code: shuffling, initial weights, splits. It is the numbers of one stream,
// counter after counter, so that two streams never meet. It is a rand.Source of math/rand/v2. Not for several goroutines at once.
type Rand struct {
	seed   uint64
	next   uint64 // counter of the next block: its low word is block, its high word row
	step   uint32
	stream uint32
	word   [4]uint32
	left   int // unused words at the end of word
	normal [4]float32
	kept   int // unused numbers at the end of normal
}

// New returns the sequence of a stream (see [Stream]) under seed, at step 0.
func New(seed uint64, stream uint32) *Rand { return &Rand{seed: seed, stream: stream} }

// At returns a new sequence: that of the same stream at step (an epoch, say), from its start.
func (r *Rand) At(step uint32) *Rand { return &Rand{seed: r.seed, stream: r.stream, step: step} }

func (r *Rand) block() [4]uint32 {
	w := Block(r.seed, uint32(r.next), uint32(r.next>>32), r.step, r.stream)
	r.next++
	return w
}

// Uint32 returns 32 random bits.
func (r *Rand) Uint32() uint32 {
	if r.left == 0 {
		r.word, r.left = r.block(), 4
	}
	r.left--
	return r.word[3-r.left]
}

// Uint64 returns 64 random bits.
func (r *Rand) Uint64() uint64 { return uint64(r.Uint32())<<32 | uint64(r.Uint32()) }

// Float64 returns a number in [0, 1), a multiple of 2^-53.
func (r *Rand) Float64() float64 { return float64(r.Uint64()>>11) * 0x1p-53 }

// Float32 returns a number in [0, 1), a multiple of 2^-24.
func (r *Rand) Float32() float32 { return Uniform(r.Uint32()) }

// NormFloat64 returns a standard normal number, one of [Normals] and thus the same on every machine (float32's precision).
func (r *Rand) NormFloat64() float64 {
	if r.kept == 0 {
		r.normal, r.kept = Normals(r.block()), 4
	}
	r.kept--
	return float64(r.normal[3-r.kept])
}

// IntN returns a number in [0, n) without bias; n is above 0.
// Source: Lemire 2019, "Fast Random Integer Generation in an Interval", algorithm 3 (as in Java and OpenBSD: rejection).
func (r *Rand) IntN(n int) int {
	if n <= 0 {
		panic("philox: IntN needs n above 0")
	}
	limit := -uint64(n) % uint64(n) // 2^64 mod n
	for {
		if x := r.Uint64(); x >= limit {
			return int(x % uint64(n))
		}
	}
}

// Shuffle permutes n things by swap, each order as likely as another (Fisher and Yates).
func (r *Rand) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, r.IntN(i+1))
	}
}

// Perm returns a random permutation of 0 to n-1.
func (r *Rand) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	r.Shuffle(n, func(i, j int) { p[i], p[j] = p[j], p[i] })
	return p
}
