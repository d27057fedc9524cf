package configs

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Custom is a type that reads its own value, where one key takes several forms. Implement it on the pointer.
type Custom interface {
	// FromTOML sets the value from a string, int64, float64, bool, []any or map[string]any; its error is a sentence: "\"x\" is not a number".
	// Numbers outside the key's limits and words that are none of its choices are refused for the types of this package.
	FromTOML(v any) error
	// ToTOML returns the value in the same types, nil where the key is not set.
	ToTOML() any
	// Describe says what is taken, for explain: "a number or a list of numbers".
	Describe() string
}

// numbered and worded let the decoder hold a union to the limits and choices of its key.
type (
	numbered interface{ numbers() []float64 }
	worded   interface{ words() []*string }
)

// asUnion returns the variable as a Custom, nil where its type is none.
func asUnion(v reflect.Value) Custom {
	if !v.CanAddr() {
		return nil
	}
	u, _ := v.Addr().Interface().(Custom)
	return u
}

// union fills a Custom and holds it to its key's limits.
func (d *decoder) union(n *node, u Custom, v reflect.Value, f *field) {
	before := reflect.New(v.Type()).Elem()
	before.Set(v)
	if err := d.readUnion(n, u, f); err != nil {
		v.Set(before)
		if !errors.Is(err, errRecorded) {
			d.fail(n, "%v", err)
		}
	}
}

// errRecorded says that a mistake has been recorded where it stands.
var errRecorded = errors.New("recorded")

func (d *decoder) readUnion(n *node, u Custom, f *field) error {
	if s, ok := u.(*Scalar); ok && n.kind == tableNode {
		if !d.schedule(n, s) {
			return errRecorded
		}
	} else if err := u.FromTOML(n.number()); err != nil {
		return err
	}
	if w, ok := u.(worded); ok {
		_, alsoNumbers := u.(numbered)
		for _, word := range w.words() {
			also := ""
			if alsoNumbers {
				also = u.Describe()
			}
			found, err := f.word(*word, also)
			if err != nil {
				return err
			}
			*word = found
		}
	}
	if x, ok := u.(numbered); ok {
		for _, number := range x.numbers() {
			if err := f.check(number); err != nil {
				return err
			}
		}
	}
	return nil
}

// toInts reads a whole number or a list of them.
func toInts(v any) ([]int, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 {
		return nil, errors.New("the list is empty")
	}
	ints := make([]int, len(list))
	for i, e := range list {
		x, err := toInt(e, -maxInt, maxInt)
		if err != nil {
			return nil, err
		}
		ints[i] = int(x)
	}
	return ints, nil
}

// fromInts is the reverse of toInts: a list of one is written as a number.
func fromInts(ints []int) any {
	if len(ints) == 1 {
		return int64(ints[0])
	}
	list := make([]any, len(ints))
	for i, x := range ints {
		list[i] = int64(x)
	}
	return list
}

func intsToFloats(ints []int) []float64 {
	floats := make([]float64, len(ints))
	for i, x := range ints {
		floats[i] = float64(x)
	}
	return floats
}

// Ints is a whole number or a list of them: kernel = 3 or [3, 5]. An empty Ints is a key that is not set.
type Ints []int

// FromTOML implements Custom.
func (p *Ints) FromTOML(v any) (err error) {
	*p, err = toInts(v)
	return err
}

// ToTOML implements Custom.
func (p *Ints) ToTOML() any {
	if len(*p) == 0 {
		return nil
	}
	return fromInts(*p)
}

// Describe implements Custom.
func (p *Ints) Describe() string { return "a whole number or a list of them" }

func (p *Ints) numbers() []float64 { return intsToFloats(*p) }

// IntsOrWord is a whole number, a list of them, or one of the key's words: padding = 1, [1, 2] or "same".
type IntsOrWord struct {
	Ints Ints
	Word string // canonical; "" for numbers
}

// FromTOML implements Custom.
func (p *IntsOrWord) FromTOML(v any) (err error) {
	if word, ok := v.(string); ok {
		*p = IntsOrWord{Word: word}
		return wordIsEmpty(word)
	}
	p.Word = ""
	p.Ints, err = toInts(v)
	return err
}

// ToTOML implements Custom.
func (p *IntsOrWord) ToTOML() any {
	if p.Word != "" {
		return p.Word
	}
	return p.Ints.ToTOML()
}

// Describe implements Custom.
func (p *IntsOrWord) Describe() string { return p.Ints.Describe() }

func (p *IntsOrWord) numbers() []float64 { return p.Ints.numbers() }
func (p *IntsOrWord) words() []*string   { return nonEmpty(&p.Word) }

// NumbersOrWord is a number, a list of numbers, or one of the key's words: variance = 1.0 or "learned", to = [0, 1] or "unit-norm".
type NumbersOrWord struct {
	Numbers []float64
	Word    string // canonical; "" for numbers
}

// Number returns the first number, 0 where there is none.
func (p NumbersOrWord) Number() float64 {
	if len(p.Numbers) == 0 {
		return 0
	}
	return p.Numbers[0]
}

// FromTOML implements Custom.
func (p *NumbersOrWord) FromTOML(v any) error {
	if word, ok := v.(string); ok {
		*p = NumbersOrWord{Word: word}
		return wordIsEmpty(word)
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 {
		return errors.New("the list is empty")
	}
	numbers := make([]float64, len(list))
	for i, e := range list {
		x, err := toFloat(e)
		if err != nil {
			return err
		}
		numbers[i] = x
	}
	*p = NumbersOrWord{Numbers: numbers}
	return nil
}

// ToTOML implements Custom.
func (p *NumbersOrWord) ToTOML() any {
	switch {
	case p.Word != "":
		return p.Word
	case len(p.Numbers) == 0:
		return nil
	case len(p.Numbers) == 1:
		return p.Numbers[0]
	}
	list := make([]any, len(p.Numbers))
	for i, x := range p.Numbers {
		list[i] = x
	}
	return list
}

// Describe implements Custom.
func (p *NumbersOrWord) Describe() string { return "a number or a list of them" }

func (p *NumbersOrWord) numbers() []float64 { return p.Numbers }
func (p *NumbersOrWord) words() []*string   { return nonEmpty(&p.Word) }

// nonEmpty returns the word, if there is one.
func nonEmpty(word *string) []*string {
	if *word == "" {
		return nil
	}
	return []*string{word}
}

// Texts is a text or a list of them: file = "a.csv" or ["a.csv", "b.csv"]. An empty Texts is a key that is not set.
type Texts []string

// FromTOML implements Custom.
func (p *Texts) FromTOML(v any) error {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	texts := make(Texts, len(list))
	for i, e := range list {
		text, ok := e.(string)
		if !ok {
			return fmt.Errorf("%s is not text: write %s", show(e), quote(showWhole(e)))
		}
		texts[i] = text
	}
	*p = texts
	return nil
}

// ToTOML implements Custom.
func (p *Texts) ToTOML() any {
	switch len(*p) {
	case 0:
		return nil
	case 1:
		return (*p)[0]
	}
	list := make([]any, len(*p))
	for i, text := range *p {
		list[i] = text
	}
	return list
}

// Describe implements Custom.
func (p *Texts) Describe() string { return "text or a list of texts" }

func (p *Texts) words() []*string {
	words := make([]*string, len(*p))
	for i := range *p {
		words[i] = &(*p)[i]
	}
	return words
}

// wordIsEmpty refuses "", which would read as not set.
func wordIsEmpty(word string) error {
	if strings.TrimSpace(word) == "" {
		return fmt.Errorf("%s is empty", show(word))
	}
	return nil
}

// Toggle is true, false or "auto"; the zero value is "auto".
type Toggle struct {
	Fixed bool // the user has decided
	On    bool // what, if so
}

// Or returns the user's decision, else what auto means here.
func (t Toggle) Or(auto bool) bool {
	if t.Fixed {
		return t.On
	}
	return auto
}

// FromTOML implements Custom.
func (t *Toggle) FromTOML(v any) error {
	switch x := v.(type) {
	case bool:
		*t = Toggle{Fixed: true, On: x}
		return nil
	case string:
		if x == "auto" {
			*t = Toggle{}
			return nil
		}
	}
	return fmt.Errorf("%s is none of true, false, \"auto\"", show(v))
}

// ToTOML implements Custom.
func (t *Toggle) ToTOML() any {
	if t.Fixed {
		return t.On
	}
	return "auto"
}

// Describe implements Custom.
func (t *Toggle) Describe() string { return `true, false or "auto"` }
