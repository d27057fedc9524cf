package model

import (
	"math"
	"testing"
)

// The encoder sees an example divided by its length, ln(1 + x), or as it is; an example of zeros stays one.
func TestInputForms(t *testing.T) {
	const width = 5
	length := func(x []float64) float64 {
		sum := 0.0
		for _, v := range x {
			sum += v * v
		}
		return math.Sqrt(sum)
	}
	for input, as := range map[string]func(v, length float64) float64{
		"as-is":     func(v, _ float64) float64 { return v },
		"unit-norm": func(v, length float64) float64 { return v / max(length, 1e-6) },
		"log1p":     func(v, _ float64) float64 { return math.Log1p(v) },
	} {
		m := build(t, "[model]\nlatent_dim = 3\nencoder = []\ninput = \""+input+"\"\n", width)
		fn, err := m.Encode(3)
		if err != nil {
			t.Fatal(err)
		}
		fed := feed(fn, 2)
		x := fed[FieldX].Data
		for i := range width {
			x[width+i] = 7 * x[i] // a second example that clicked more of the same, and a third that clicked nothing
			x[2*width+i] = 0
		}
		z := evaluate(t, fed, fn.Outputs["z"]).Data
		weight, bias := fed["encoder.code.weight"].Data, fed["encoder.code.bias"].Data
		for n := range 3 {
			row := x[n*width : (n+1)*width]
			for j := range 3 {
				want := bias[j]
				for i, v := range row {
					want += weight[j*width+i] * as(v, length(row))
				}
				if got := z[n*3+j]; !close(got, want, 1e-9) {
					t.Errorf("%s: number %d of example %d is %v, want %v", input, j, n, got, want)
				}
			}
		}
	}
}
