package data

import (
	"context"
	"math"
	"slices"
	"testing"
)

// TestCounts holds the drawn counts to what their options say: the mean, the variance of a negative binomial, the lost ones.
func TestCounts(t *testing.T) {
	open := func(c Counts) (*series, []float32) {
		p, err := c.Open(context.Background(), Env{})
		if err != nil {
			t.Fatal(err)
		}
		s := p.Train.(*series)
		return s, s.values[0]
	}
	options := Counts{Features: 50, Kinds: 2, Examples: 4000, Mean: 5, Dispersion: 2}
	s, x := open(options)
	for i, v := range x {
		if v < 0 || v != float32(math.Trunc(float64(v))) {
			t.Fatalf("count %d is %v", i, v)
		}
	}
	dst := NewBatch(s.Fields(), 3, nil)
	if err := s.Read(dst, []int{0, 1, 3999}); err != nil || !slices.Equal(dst[1].Int32s(), []int32{0, 1, 1}) || !slices.Equal(dst[0].Float32s()[100:], x[3999*50:]) {
		t.Errorf("labels %v, %v", dst[1].Int32s(), err)
	}

	// With the example's size l, E[l] = exp(0.045) and E[l²] = exp(0.18): the ratio of E[x² - x] to E[x]² is E[l²]/E[l]²·(1 + 1/theta).
	mean, ratio := 0.0, 0.0
	for f := range options.Features {
		first, second := 0.0, 0.0
		for i := 0; i < options.Examples; i += 2 { // of one kind
			v := float64(x[i*options.Features+f])
			first += v
			second += v*v - v
		}
		n := float64(options.Examples / 2)
		ratio += second / n / (first / n * first / n) / float64(options.Features)
	}
	for _, v := range x {
		mean += float64(v) / float64(len(x))
	}
	if want := 5 * math.Exp(0.045); math.Abs(mean-want) > 0.1*want {
		t.Errorf("mean %v, want %v", mean, want)
	}
	if want := math.Exp(0.09) * 1.5; math.Abs(ratio-want) > 0.07*want {
		t.Errorf("second factorial moment over the square of the mean: %v, want %v", ratio, want)
	}

	options.Dropout = 0.3
	_, lossy := open(options)
	lost, positive := 0, 0
	for i, v := range x {
		if v > 0 {
			positive++
			if lossy[i] == 0 {
				lost++
			}
		}
	}
	if share := float64(lost) / float64(positive); math.Abs(share-0.3) > 0.02 {
		t.Errorf("%v of the counts are lost, want 0.3", share)
	}
	_, again := open(options)
	options.Draw = 1
	if _, other := open(options); !slices.Equal(lossy, again) || slices.Equal(lossy, other) {
		t.Error("the draw does not decide alone")
	}
	if (&Counts{Features: 1 << 20, Kinds: 1, Examples: 1 << 20}).Validate() == nil {
		t.Error("a set that fits no memory is accepted")
	}
}
