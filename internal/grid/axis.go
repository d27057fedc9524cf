package grid

import (
	"math"
	"strconv"
)

// Ticks of an axis.
const (
	axisPad     = 8 // pixels between the ends of an axis and its least and largest value
	axisTicks   = 7 // about how many ticks have labels
	manyDecades = 4 // a logarithmic axis that spans more has labels at powers of ten only
)

// axis places values on a number of pixels.
type axis struct {
	low, high float64
	log       bool // both are positive then
	pixels    int
}

// tick is a place on an axis; those between others have no label.
type tick struct {
	value float64
	label string
}

// newAxis is the axis from low to high, widened where they are equal.
func newAxis(low, high float64, log bool, pixels int) axis {
	if low == high {
		if log {
			low, high = low/2, high*2
		} else {
			by := max(math.Abs(low)/100, 1e-3)
			low, high = low-by, high+by
		}
	}
	return axis{low, high, log, pixels}
}

// place is how many pixels from the axis's beginning a value stands.
func (a axis) place(v float64) float64 {
	low, high := a.low, a.high
	if a.log {
		low, high, v = math.Log(low), math.Log(high), math.Log(v)
	}
	return axisPad + (v-low)/(high-low)*float64(a.pixels-1-2*axisPad)
}

// ticks are the round values that the axis reaches, from the least on.
func (a axis) ticks() []tick {
	if a.log {
		if t := a.logTicks(); labelled(t) > 1 {
			return t
		}
	}
	return a.linearTicks()
}

// linearTicks are multiples of 1, 2 or 5 times a power of ten.
func (a axis) linearTicks() []tick {
	rough := (a.high - a.low) / axisTicks
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * power
	for _, m := range []float64{1, 2, 5} {
		if m*power >= rough {
			step = m * power
			break
		}
	}
	var t []tick
	for i := math.Ceil(a.low/step - 1e-9); i*step <= a.high+step*1e-9 && len(t) < 10*axisTicks; i++ {
		t = append(t, tick{i * step, tickLabel(i*step, step)})
	}
	return t
}

// logTicks are 1 to 9 times the powers of ten; 1, 2 and 5 have labels, or 1 alone over many decades.
func (a axis) logTicks() []tick {
	var t []tick
	many := math.Log10(a.high/a.low) > manyDecades
	for p := math.Floor(math.Log10(a.low)); p <= math.Log10(a.high); p++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, p)
			if v < a.low*(1-1e-9) || v > a.high*(1+1e-9) {
				continue
			}
			label := ""
			if m == 1 || !many && (m == 2 || m == 5) {
				label = tickLabel(v, v)
			}
			t = append(t, tick{v, label})
		}
	}
	return t
}

func labelled(t []tick) int {
	n := 0
	for _, x := range t {
		if x.label != "" {
			n++
		}
	}
	return n
}

// tickLabel writes a value with as many digits as its neighbours, a step away, want.
func tickLabel(v, step float64) string {
	digits := int(max(0, math.Ceil(-math.Log10(step)-1e-9)))
	if math.Abs(v) < step/2 { // -0 and what rounding leaves of 0
		v = 0
	}
	if digits > 4 || math.Abs(v) >= 1e6 {
		return strconv.FormatFloat(v, 'g', 5, 64)
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
