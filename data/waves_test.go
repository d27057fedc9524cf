package data

import (
	"context"
	"math"
	"testing"
)

func TestWaves(t *testing.T) {
	open := func(w Waves) Source {
		p, err := w.Open(context.Background(), Env{})
		if err != nil {
			t.Fatal(err)
		}
		return p.Train
	}
	options := Waves{Length: 50, Channels: 2, Examples: 40}
	s := open(options)
	if s.Len() != 40 || !s.Fields()[0].Spec.Shape.Equal([]int{50, 2}) {
		t.Fatalf("%d examples of %v", s.Len(), s.Fields())
	}
	dst := NewBatch(s.Fields(), 2, nil)
	if err := s.Read(dst, []int{7, 39}); err != nil {
		t.Fatal(err)
	}
	x, factors := dst[0].Float32s(), dst[1].Float32s()
	for n := range 2 {
		f := factors[n*5 : (n+1)*5]
		if f[0] < 1 || f[0] >= 5 || f[1] < 0.5 || f[2] >= 1 {
			t.Errorf("factors are %v", f)
		}
		for at, got := range x[n*100 : (n+1)*100] {
			c := at % 2
			want := float64(f[1+c]) * math.Sin(2*math.Pi*(float64(f[0])*float64(at/2)/50+float64(f[3+c])))
			if math.Abs(float64(got)-want) > 1e-5 { // the factors are float32
				t.Errorf("example %d, element %d: got %v, want %v", n, at, got, want)
			}
		}
	}

	options.Noise = 0.1
	noisy, other := open(options), open(Waves{Length: 50, Channels: 2, Examples: 40, Draw: 1})
	again := NewBatch(s.Fields(), 2, nil)
	noisy.Read(again, []int{7, 39})
	sum := 0.0
	for i, v := range again[0].Float32s() {
		d := float64(v - x[i])
		sum += d * d
	}
	if sigma := math.Sqrt(sum / 200); sigma < 0.08 || sigma > 0.12 {
		t.Errorf("the noise deviates by %v, want 0.1", sigma)
	}
	other.Read(again, []int{7, 39})
	if again[1].Float32s()[0] == factors[0] {
		t.Error("another draw gives the same series")
	}
	if err := (&Waves{Length: 1 << 20, Channels: 1 << 10, Examples: 1 << 10}).Validate(); err == nil {
		t.Error("a set that fits no memory is accepted")
	}
}
