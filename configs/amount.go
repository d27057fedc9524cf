package configs

import "fmt"

// Amount is a part of something: a fraction below 1, a count, or a text (a path or a word): validation = 0.1, 5000, "test", "photos/held-out".
// The zero value is a key that is not set; 0 is set, and none.
type Amount struct {
	Fraction float64 // in (0, 1), else 0
	Count    int     // from 1, else 0
	Text     string  // a word of the key's choices, or a path
	None     bool    // 0 was written
}

// IsSet reports whether the key has a value.
func (a Amount) IsSet() bool { return a != Amount{} }

// Of returns how many of n the amount stands for, rounded to the nearest; of a text 0.
func (a Amount) Of(n int) int {
	if a.Fraction > 0 {
		return int(a.Fraction*float64(n) + 0.5)
	}
	return min(a.Count, n)
}

// FromTOML implements Custom.
func (a *Amount) FromTOML(v any) error {
	switch x := v.(type) {
	case string:
		*a = Amount{Text: x}
		return wordIsEmpty(x)
	case int64:
		if x < 0 || x > maxInt {
			break
		}
		*a = Amount{Count: int(x), None: x == 0}
		return nil
	case float64:
		if !(x >= 0 && x < 1) {
			break
		}
		*a = Amount{Fraction: x, None: x == 0}
		return nil
	}
	return fmt.Errorf("%s is neither a fraction below 1 nor a count", show(v))
}

// ToTOML implements Custom.
func (a *Amount) ToTOML() any {
	switch {
	case !a.IsSet():
		return nil
	case a.Text != "":
		return a.Text
	case a.Fraction > 0:
		return a.Fraction
	}
	return int64(a.Count)
}

// Describe implements Custom.
func (a *Amount) Describe() string { return "a fraction below 1 or a count" }

func (a *Amount) numbers() []float64 {
	if a.Text != "" || !a.IsSet() {
		return nil
	}
	return []float64{a.Fraction + float64(a.Count)}
}

func (a *Amount) words() []*string { return nonEmpty(&a.Text) }
