package metrics

import (
	"math"
	"testing"

	"gorgonia.org/tensor"
)

func TestFrechetDistanceAsSciPy(t *testing.T) {
	for _, c := range readGolden(t).Frechet {
		var a, b Moments
		x := c.A.dense()
		for _, rows := range [][2]int{{0, 3}, {3, c.A.Shape[0]}} {
			if err := a.Add(part(t, x, rows)); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Add(c.B.dense()); err != nil {
			t.Fatal(err)
		}
		got, err := FrechetDistance(&a, &b)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "distance", []float64{got}, []float64{c.Distance}, 1e-6) // SciPy's root of a product that is nearly singular
		if same, err := FrechetDistance(&a, &a); err != nil || math.Abs(same) > 1e-9*c.Distance {
			t.Errorf("the distance of a set from itself is %v (%v)", same, err)
		}
	}
}

// Features far from 0 keep their digits.
func TestMomentsFarFromZero(t *testing.T) {
	var near, far Moments
	x := []float64{1, 2, 4, 3, 0, 5}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v + 1e8
	}
	for m, v := range map[*Moments][]float64{&near: x, &far: y} {
		if err := m.Add(tensor.New(tensor.WithShape(3, 2), tensor.WithBacking(v))); err != nil {
			t.Fatal(err)
		}
	}
	a, b := near.covariance(), far.covariance()
	for i := range 2 {
		for j := range 2 {
			if math.Abs(a.At(i, j)-b.At(i, j)) > 1e-6 {
				t.Errorf("covariance %d,%d: %v, and %v after a shift", i, j, a.At(i, j), b.At(i, j))
			}
		}
	}
}

func TestFrechetDistanceRefuses(t *testing.T) {
	add := func(shape []int, v ...float64) *Moments {
		var m Moments
		if err := m.Add(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))); err != nil {
			t.Fatal(err)
		}
		return &m
	}
	two := add([]int{2, 2}, 1, 2, 3, 4)
	for name, other := range map[string]*Moments{"nothing": {}, "one row": add([]int{1, 2}, 1, 2), "other length": add([]int{2, 1}, 1, 2)} {
		if _, err := FrechetDistance(two, other); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := two.Add(tensor.New(tensor.WithShape(1, 2), tensor.WithBacking([]float64{1, math.NaN()}))); err == nil {
		t.Error("a NaN is taken")
	}
	if err := two.Add(tensor.New(tensor.WithShape(1, 3), tensor.WithBacking([]float64{1, 2, 3}))); err == nil {
		t.Error("rows of another length are taken")
	}
}
