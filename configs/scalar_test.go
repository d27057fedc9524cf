package configs

import (
	"math"
	"testing"
)

func TestScalarAt(t *testing.T) {
	ramp := func(kind string, cycles int) Scalar {
		return Scalar{Schedule{From: 1, To: 4, Epochs: 10, Kind: kind, Cycles: cycles}}
	}
	cases := []struct {
		name        string
		s           Scalar
		epoch, want float64
	}{
		{"number", Number(3), 5, 3},
		{"zero value", Scalar{}, 5, 0},
		{"linear, start", ramp("linear", 1), 0, 1},
		{"linear, before", ramp("linear", 1), -1, 1},
		{"linear, middle", ramp("linear", 1), 5, 2.5},
		{"linear, end", ramp("linear", 1), 10, 4},
		{"linear, after", ramp("linear", 1), 11, 4},
		{"cosine, quarter", ramp("cosine", 1), 2.5, 1 + 3*(1-math.Sqrt2/2)/2},
		{"exponential, middle", ramp("exponential", 1), 5, 2},
		{"step, before", ramp("step", 1), 9.99, 1},
		{"step, at the end", ramp("step", 1), 10, 4},
		{"two cycles, first rise", ramp("linear", 2), 1.25, 2.5},
		{"two cycles, first half's end", ramp("linear", 2), 2.5, 4},
		{"two cycles, first stay", ramp("linear", 2), 4, 4},
		{"two cycles, second start", ramp("linear", 2), 5, 1},
		{"two cycles, after", ramp("linear", 2), 10, 4},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.s.At(c.epoch); math.Abs(got-c.want) > 1e-12 {
				t.Errorf("%+v.At(%v) = %v; want %v", c.s, c.epoch, got, c.want)
			}
		})
	}
}

func TestScalarSorts(t *testing.T) {
	cases := []struct {
		s              Scalar
		constant, zero bool
		final          float64
	}{
		{Number(0), true, true, 0},
		{Number(2), true, false, 2},
		{Scalar{Schedule{From: 0, To: 1, Epochs: 5}}, false, false, 1},
		{Scalar{Schedule{From: 1, To: 0, Epochs: 5}}, false, false, 0},
		{Scalar{Schedule{From: 1, To: 1, Epochs: 5}}, true, false, 1},
	}
	for _, c := range cases {
		if c.s.Constant() != c.constant || c.s.Zero() != c.zero || c.s.Final() != c.final {
			t.Errorf("%+v: constant %v, zero %v, final %v; want %v, %v, %v", c.s, c.s.Constant(), c.s.Zero(), c.s.Final(), c.constant, c.zero, c.final)
		}
	}
}

func TestAmount(t *testing.T) {
	cases := []struct {
		text string
		of   int // of 1000
		set  bool
	}{
		{"", 0, false}, {"0.1", 100, true}, {"0.0005", 1, true}, {"0", 0, true}, {"0.0", 0, true}, {"250", 250, true}, {"5000", 1000, true}, {"\"test\"", 0, true},
	}
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			text := "[data]\n"
			if c.text != "" {
				text += "validation = " + c.text + "\n"
			}
			got := mustRead(t, text).data.Validation
			if got.Of(1000) != c.of || got.IsSet() != c.set {
				t.Errorf("%+v: %d of 1000, set %v; want %d, %v", got, got.Of(1000), got.IsSet(), c.of, c.set)
			}
		})
	}
}
