package philox

import (
	"math"
	"slices"
	"testing"
)

// The known answers are those of Random123's kat_vectors for philox4x32-10; its counter and key are ours in order.
func TestBlockKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		name                     string
		seed                     uint64
		block, row, step, stream uint32
		want                     [4]uint32
	}{
		{"zeros", 0, 0, 0, 0, 0, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{"ones", math.MaxUint64, math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MaxUint32,
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{"digits of pi", 0x299f31d0_a4093822, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344,
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := Block(c.seed, c.block, c.row, c.step, c.stream); got != c.want {
			t.Errorf("%s: got %08x, want %08x", c.name, got, c.want)
		}
	}
}

// The answers are those of the FNV reference code's test vectors.
func TestStream(t *testing.T) {
	for path, want := range map[string]uint32{"": 0x811c9dc5, "a": 0xe40c292c, "foobar": 0xbf9cf968} {
		if got := Stream(path); got != want {
			t.Errorf("Stream(%q) = %08x, want %08x", path, got, want)
		}
	}
}

func TestUniformEnds(t *testing.T) {
	if got := Uniform(0xff); got != 0 {
		t.Errorf("Uniform(0xff) = %v, want 0", got)
	}
	if got, want := Uniform(math.MaxUint32), float32(1-0x1p-24); got != want {
		t.Errorf("Uniform of all ones = %v, want %v", got, want)
	}
}

// kolmogorov returns sup |F_n - F| sqrt(n), which stays below 1.95 in all but one case of a thousand (Kolmogorov 1933).
func kolmogorov(x []float32, cdf func(float64) float64) float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	n, d := float64(len(x)), 0.0
	for i, v := range x {
		f := cdf(float64(v))
		d = max(d, f-float64(i)/n, float64(i+1)/n-f)
	}
	return d * math.Sqrt(n)
}

// moments returns the means of x^1 to x^4.
func moments(x []float32) (m [5]float64) {
	for _, v := range x {
		p := 1.0
		for k := range m {
			m[k] += p / float64(len(x))
			p *= float64(v)
		}
	}
	return m
}

func TestDistributions(t *testing.T) {
	const n = 1 << 18
	for _, c := range []struct {
		name string
		fill func([]float32, uint64, uint32, uint32, uint32, uint32)
		cdf  func(float64) float64
		want [5]float64
		sd   [5]float64 // of one x^k
	}{
		{"uniform", Uniforms, func(x float64) float64 { return x },
			[5]float64{1, 1. / 2, 1. / 3, 1. / 4, 1. / 5}, [5]float64{0, 0.289, 0.299, 0.284, 0.267}},
		{"normal", NormalsRow, func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 },
			[5]float64{1, 0, 1, 0, 3}, [5]float64{0, 1, 1.42, 3.88, 9.8}},
	} {
		for _, key := range []struct {
			seed                      uint64
			block0, row, step, stream uint32
		}{{1, 0, 0, 0, Stream("z")}, {1, 1 << 30, 7, 12345, Stream("dropout")}, {math.MaxUint64, 0, math.MaxUint32, 1, 0}} {
			x := make([]float32, n)
			c.fill(x, key.seed, key.block0, key.row, key.step, key.stream)
			if d := kolmogorov(x, c.cdf); d > 1.95 {
				t.Errorf("%s %v: Kolmogorov-Smirnov statistic %.3f, want below 1.95", c.name, key, d)
			}
			got := moments(x)
			for k := 1; k < 5; k++ {
				if diff := math.Abs(got[k] - c.want[k]); diff > 4*c.sd[k]/math.Sqrt(n) {
					t.Errorf("%s %v: mean of x^%d is %.5f, want %.5f", c.name, key, k, got[k], c.want[k])
				}
			}
			sum := 0.0 // of neighbours: independent, so the correlation is near 0
			for i := 1; i < n; i++ {
				sum += (float64(x[i]) - c.want[1]) * (float64(x[i-1]) - c.want[1])
			}
			if r := sum / n / (c.want[2] - c.want[1]*c.want[1]); math.Abs(r) > 4/math.Sqrt(n) {
				t.Errorf("%s %v: neighbours correlate by %.5f", c.name, key, r)
			}
		}
	}
}

func TestFillsStartAtAnyBlock(t *testing.T) {
	all := make([]float32, 37)
	Uniforms(all, 9, 5, 1, 2, 3)
	part := make([]float32, 17)
	Uniforms(part, 9, 10, 1, 2, 3)
	if !slices.Equal(part, all[20:]) {
		t.Errorf("blocks 10.. are %v, want %v", part, all[20:])
	}
}
