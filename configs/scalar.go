package configs

import (
	"fmt"
	"math"
	"reflect"
)

// Scalar is a number that may change while training goes on: 1.0, or a schedule { from = 0.0, to = 1.0, epochs = 10 }.
// The zero value is the number 0.
type Scalar struct {
	Schedule // of a number: From and To are it, Epochs is 0
}

// Schedule takes a number from one value to another.
type Schedule struct {
	From   float64 `toml:"from" required:"true" doc:"value at the start" example:"0.0"`
	To     float64 `toml:"to" required:"true" doc:"value at the end, kept from then on; validation always takes it" example:"1.0"`
	Epochs float64 `toml:"epochs" required:"true" over:"0" doc:"epochs from start to end" example:"10"`
	Kind   string  `toml:"kind" choices:"linear|cosine|exponential|step" doc:"the curve: a line, half a cosine, equal ratios, or a jump at the end"`
	Cycles int     `toml:"cycles" min:"1" doc:"times that the way is gone within epochs; with more than 1 each rises in its first half and stays in its second"`
}

// Number returns the Scalar that is always v.
func Number(v float64) Scalar { return Scalar{Schedule{From: v, To: v}} }

// Constant reports whether the value never changes.
func (s Scalar) Constant() bool { return s.Epochs == 0 || s.From == s.To }

// Zero reports whether the value is always 0.
func (s Scalar) Zero() bool { return s.From == 0 && s.To == 0 }

// Final returns the value at the end, which evaluation takes.
func (s Scalar) Final() float64 { return s.To }

// At returns the value after so many epochs, fractions included.
// Several cycles follow Fu et al. 2019, "Cyclical Annealing Schedule", eq. 7, with R = 0.5.
func (s Scalar) At(epoch float64) float64 {
	if s.Constant() || epoch >= s.Epochs {
		return s.To
	}
	way := max(epoch, 0) / s.Epochs
	if s.Cycles > 1 {
		_, within := math.Modf(way * float64(s.Cycles))
		way = min(2*within, 1)
	}
	switch {
	case way == 1:
		return s.To
	case s.Kind == "step":
		return s.From
	case s.Kind == "cosine":
		way = (1 - math.Cos(math.Pi*way)) / 2
	case s.Kind == "exponential":
		return s.From * math.Pow(s.To/s.From, way)
	}
	return s.From + (s.To-s.From)*way
}

// SetDefaults implements Defaulter.
func (s *Schedule) SetDefaults() { *s = Schedule{Kind: "linear", Cycles: 1} }

// Validate implements Validator.
func (s *Schedule) Validate() error {
	if s.Kind == "exponential" && !(s.From*s.To > 0) {
		return KeyError("from", "equal ratios do not lead from %s to %s: both have to be more than 0, or both less", showNumber(s.From), showNumber(s.To))
	}
	return nil
}

// schedule reads { from, to, epochs, kind, cycles }; it reports whether that went well.
func (d *decoder) schedule(n *node, s *Scalar) bool {
	before := len(d.cfg.errs)
	read := newElement(reflect.TypeFor[Schedule]())
	d.table(n, []reflect.Value{read.Elem()})
	s.Schedule = read.Elem().Interface().(Schedule)
	return len(d.cfg.errs) == before
}

// FromTOML implements Custom; schedules are read by the decoder, which knows the lines of their keys.
func (s *Scalar) FromTOML(v any) error {
	x, err := toFloat(v)
	if err != nil {
		return fmt.Errorf("%w, nor a schedule { from = 0.0, to = 1.0, epochs = 10 }", err)
	}
	*s = Number(x)
	return nil
}

// ToTOML implements Custom.
func (s *Scalar) ToTOML() any {
	if s.Epochs == 0 {
		return s.To
	}
	return map[string]any{"from": s.From, "to": s.To, "epochs": s.Epochs, "kind": s.Kind, "cycles": int64(s.Cycles)}
}

// Describe implements Custom.
func (s *Scalar) Describe() string {
	return "a number, or a schedule { from, to, epochs, kind, cycles }"
}

func (s *Scalar) numbers() []float64 { return []float64{s.From, s.To} }
