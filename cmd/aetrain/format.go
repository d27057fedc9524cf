package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"aetrain/trainer"
)

// number writes a figure with about four digits that matter.
func number(x float64) string {
	switch a := math.Abs(x); {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return fmt.Sprint(x)
	case a >= 1e7:
		return strconv.FormatFloat(x, 'e', 3, 64)
	case a >= 10:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case a >= 1:
		return strconv.FormatFloat(x, 'f', 3, 64)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

// count writes a whole number with a comma at each thousand.
func count[T int | int64](n T) string {
	if n < 0 {
		return "-" + count(-n)
	}
	text := strconv.FormatInt(int64(n), 10)
	var parts []string
	for len(text) > 3 {
		parts = append(parts, text[len(text)-3:])
		text = text[:len(text)-3]
	}
	parts = append(parts, text)
	slices.Reverse(parts)
	return strings.Join(parts, ",")
}

// epochs is how many were made, with what there is of the last one: "1 epoch", "2.5 epochs".
func epochs(n float64) string {
	text := strconv.FormatFloat(math.Round(100*n)/100, 'f', -1, 64)
	if text == "1" {
		return "1 epoch"
	}
	return text + " epochs"
}

// bytesText writes a size in the unit that fits.
func bytesText(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	x, units := float64(n)/unit, []string{"KiB", "MiB", "GiB", "TiB"}
	for x >= 1000 && len(units) > 1 { // from there on three digits would be an exponent
		x, units = x/unit, units[1:]
	}
	return fmt.Sprintf("%.3g %s", x, units[0])
}

// span writes a time that people wait: "12 s", "3 min 20 s", "2 h 5 min".
func span(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	switch {
	case d < 10*time.Second && d > 0:
		return strconv.FormatFloat(d.Seconds(), 'g', 2, 64) + " s"
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s/60%60)
}

// shown are the terms of a row in the order in which people read them: the loss, the reconstruction, the others by name.
func shown(m map[string]float64) []string {
	var names []string
	for name := range m {
		if name != "gradient_norm" && name != "learning_rate" && name != "examples_per_second" {
			names = append(names, name)
		}
	}
	rank := map[string]int{"loss": -2, "reconstruction": -1}
	slices.SortFunc(names, func(a, b string) int {
		if rank[a] != rank[b] {
			return rank[a] - rank[b]
		}
		return strings.Compare(a, b)
	})
	return names
}

// terms writes "loss 110.62  reconstruction 85.31  kl 25.31".
func terms(m map[string]float64) string {
	var parts []string
	for _, name := range shown(m) {
		parts = append(parts, name+" "+number(m[name]))
	}
	return strings.Join(parts, "  ")
}

// numbers makes figures that JSON can hold: what is not finite becomes null.
func numbers(m map[string]float64) map[string]trainer.Number {
	out := make(map[string]trainer.Number, len(m))
	for k, v := range m {
		out[k] = trainer.Number(v)
	}
	return out
}

// writeJSON writes one object, indented.
func writeJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
