package mixture

import (
	"math"
	"slices"
	"strings"
	"testing"

	"aetrain/internal/philox"
)

// draw is n rows of three well separated normal distributions in the plane, a tilted one among them.
func draw(n int) []float64 {
	r := philox.New(5, 1)
	var x []float64
	for i := range n {
		a, b := r.NormFloat64(), r.NormFloat64()
		switch {
		case i%10 < 5:
			x = append(x, 10+a, b)
		case i%10 < 8:
			x = append(x, -10+a, 0.8*a+0.6*b)
		default:
			x = append(x, 0.5*a, 12+2*b)
		}
	}
	return x
}

func TestFit(t *testing.T) {
	x := draw(3000)
	m, mean, err := Fit(x, 2, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	again, _, _ := Fit(x, 2, 3, 1)
	order := []int{0, 1, 2}
	slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, m.Weights[b]-m.Weights[a])) })
	for i, want := range []struct{ weight, x, y, xx, xy, yy float64 }{
		{0.5, 10, 0, 1, 0, 1}, {0.3, -10, 0, 1, 0.8, 1}, {0.2, 0, 12, 0.25, 0, 4},
	} {
		k := order[i]
		l := m.Factors[k]
		got := []float64{m.Weights[k], m.Means[k][0], m.Means[k][1], l[0] * l[0], l[0] * l[2], l[2]*l[2] + l[3]*l[3]}
		for j, w := range []float64{want.weight, want.x, want.y, want.xx, want.xy, want.yy} {
			if math.Abs(got[j]-w) > 0.1*(1+math.Abs(w)) {
				t.Errorf("component %d is %v, want %v", i, got, want)
				break
			}
		}
		if !slices.Equal(m.Means[k], again.Means[k]) {
			t.Error("the same seed gives another mixture")
		}
	}
	sum := 0.0
	for i := 0; i < len(x); i += 2 {
		sum += m.LogProb(x[i:i+2]) / float64(len(x)/2)
	}
	if math.Abs(sum-mean) > 0.01 {
		t.Errorf("mean log-likelihood is %v, Fit says %v", sum, mean)
	}
	if _, one, _ := Fit(x, 2, 1, 1); one > mean-1 {
		t.Errorf("one component reaches %v nats, three %v", one, mean)
	}
}

func TestFitRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		x    []float64
		d, k int
		want string
	}{
		"nothing":  {nil, 2, 1, "no rows"},
		"too few":  {[]float64{1, 2}, 1, 3, "too few"},
		"a NaN":    {[]float64{1, math.NaN()}, 1, 1, "row 1 is NaN"},
		"odd size": {[]float64{1, 2, 3}, 2, 1, "no rows"},
	} {
		if _, _, err := Fit(c.x, c.d, c.k, 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if m, _, err := Fit([]float64{3, 3, 3, 3}, 1, 2, 1); err != nil || math.Abs(m.Means[0][0]-3) > 1e-9 {
		t.Errorf("equal rows: %v, %v", m, err)
	}
}
