package configs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxInt bounds what fields of type int take: no size or count in an experiment is larger, and sums of them stay within int64.
const maxInt = math.MaxInt32

// toFloat returns a number as float64: integers are taken, what is not finite or no float32 is refused by a sentence.
// The bare word of an override may be a number in Go's spelling, such as .5.
func toFloat(v any) (float64, error) {
	switch x := v.(type) {
	case int64:
		return float64(x), nil
	case float64:
		switch {
		case math.IsNaN(x) || math.IsInf(x, 0):
			return 0, fmt.Errorf("%s is not finite", show(v))
		case math.Abs(x) > math.MaxFloat32:
			return 0, fmt.Errorf("%s is too large: at most %.3g", show(v), math.MaxFloat32)
		}
		return x, nil
	}
	return 0, fmt.Errorf("%s is not a number", show(v))
}

// toInt returns a whole number between the limits.
func toInt(v any, low, high int64) (int64, error) {
	switch x := v.(type) {
	case int64:
		switch {
		case x < low && low == 0:
			return 0, fmt.Errorf("must be at least 0, not %d", x)
		case x < low:
			return 0, fmt.Errorf("%d is too small: at least %d", x, low)
		case x > high:
			return 0, fmt.Errorf("%d is too large: at most %d", x, high)
		}
		return x, nil
	case float64:
		return 0, fmt.Errorf("%s is not a whole number", show(v))
	}
	if s, ok := v.(string); ok {
		if digits := strings.TrimLeft(strings.ReplaceAll(s, "_", ""), "+-"); digits != "" && strings.Trim(digits, "0123456789") == "" && len(digits) > 18 {
			return 0, fmt.Errorf("%s is too large: at most %d", s, high) // an override that the parser has refused
		}
	}
	return 0, fmt.Errorf("%s is not a whole number", show(v))
}

// number returns the value of a node for a key that takes numbers: the bare word of an override may be one that TOML does not know.
func (n *node) number() any {
	if n.kind == leafNode && n.value == nil {
		if f, err := strconv.ParseFloat(n.raw, 64); err == nil && !strings.ContainsAny(n.raw, "xXpPiI_") {
			return f
		}
	}
	return n.plain()
}

// show returns a value as a sentence quotes it: as TOML writes it, shortened.
func show(v any) string {
	const longest = 60
	text := []rune(showWhole(v))
	if len(text) > longest {
		return string(text[:longest-3]) + "..."
	}
	return string(text)
}

// showWhole returns a value as TOML writes it, on one line.
func showWhole(v any) string {
	switch x := v.(type) {
	case string:
		return quote(x)
	case float64:
		return showFloat(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case bool:
		return strconv.FormatBool(x)
	case time.Time:
		return showTime(x)
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = showWhole(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		return "a table"
	}
	return fmt.Sprint(v)
}

// showFloat returns the shortest text that is read back as x and as a float: 0.001, 1.0, 1e-05.
func showFloat(x float64) string {
	switch {
	case math.IsNaN(x):
		return "nan"
	case math.IsInf(x, 1):
		return "inf"
	case math.IsInf(x, -1):
		return "-inf"
	}
	format := byte('g')
	if a := math.Abs(x); a == 0 || (a >= 1e-4 && a < 1e9) {
		format = 'f'
	}
	text := strconv.FormatFloat(x, format, -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// showNumber is showFloat without a needless fraction, for sentences.
func showNumber(x float64) string { return strings.TrimSuffix(showFloat(x), ".0") }

// showTime returns a date as TOML writes it; the parser marks the local ones by their location.
func showTime(t time.Time) string {
	switch t.Location().String() {
	case "date-local":
		return t.Format("2006-01-02")
	case "time-local":
		return t.Format("15:04:05.999999999")
	case "datetime-local":
		return t.Format("2006-01-02T15:04:05.999999999")
	}
	return t.Format(time.RFC3339Nano)
}

// quote returns a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r) // a byte that is no UTF-8 becomes the replacement character: TOML could not hold it
		}
	}
	b.WriteByte('"')
	return b.String()
}
