package grid

import (
	"math"
	"strconv"
)

// Ticks of an axis.
const (
	axisPad     = 8     // pixels between the ends of an axis and its least and largest value
	axisTicks   = 7     // about how many ticks have labels
	manyDecades = 4     // a logarithmic axis that spans more has labels at powers of ten only
	leastRange  = 1e-12 // of an axis, by the size of its values
)

// Labels are plain decimals where values lie between these, or where an exponent would not make them shorter.
const (
	smallPlain = 1e-4
	largePlain = 1e6
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

// newAxis is the axis from low to high, widened where they are equal or so near that float64 has too few values between them.
func newAxis(low, high float64, log bool, pixels int) axis {
	if size := max(math.Abs(low), math.Abs(high)); high-low <= max(leastRange*size, 1/largestDrawn) {
		if log {
			low, high = low/2, high*2
		} else {
			by := max(size/100, 1e-3)
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
	largest := max(math.Abs(a.low), math.Abs(a.high))
	form := newNotation(largest, step)
	var t []tick
	for i := math.Ceil(a.low/step - 1e-9); i*step <= a.high+step*1e-9; i++ {
		t = append(t, tick{i * step, form.label(i * step)})
	}
	return t
}

// logTicks are 1 to 9 times the powers of ten; 1, 2 and 5 have labels, or 1 alone over many decades.
func (a axis) logTicks() []tick {
	var t []tick
	many := math.Log10(a.high/a.low) > manyDecades
	plain := a.low >= smallPlain && a.high < largePlain
	for p := math.Floor(math.Log10(a.low)); p <= math.Log10(a.high); p++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, p)
			if v < a.low*(1-1e-9) || v > a.high*(1+1e-9) {
				continue
			}
			label := ""
			if m == 1 || !many && (m == 2 || m == 5) {
				form := notation{'e', 0}
				if plain {
					form = notation{'f', max(0, -decade(v))}
				}
				label = form.label(v)
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

// notation is how the labels of an axis are written: all alike, so that neighbours differ and can be compared at a glance.
type notation struct {
	format byte // 'f' or 'e', see [strconv.FormatFloat]
	digits int  // behind the point
}

// newNotation shows multiples of step, 1, 2 or 5 times a power of ten, up to the largest in size.
func newNotation(largest, step float64) notation {
	size, apart := decade(largest), decade(step)
	plain, short := notation{'f', max(0, -apart)}, notation{'e', max(0, size-apart)}
	if largest < largePlain && step >= smallPlain || len(plain.label(largest)) <= len(short.label(largest)) {
		return plain
	}
	return short
}

// decade is the exponent of the largest power of ten that v reaches.
func decade(v float64) int { return int(math.Floor(math.Log10(v) + 1e-9)) }

func (n notation) label(v float64) string {
	if v == 0 {
		v = 0 // not -0
		if n.format == 'e' {
			return "0"
		}
	}
	return strconv.FormatFloat(v, n.format, n.digits, 64)
}
