package configs

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// field is a key as its Go declaration has it, read from the tags of a struct field.
//
//	`toml:"latent_dim"`   the key; options: path, inline, rest
//	`doc:"..."`           one sentence for explain and init
//	`choices:"a|b|c"`     the words that are taken
//	`min:"1" max:"9"`     limits of every number in the value, inclusive
//	`over:"0" below:"1"`  limits, exclusive
//	`required:"true"`     has to be written
//	`example:"[3, 5]"`    a value in TOML
//	`kind:"digits"`       of a table with kinds: the one where none is written
type field struct {
	key   string
	index int
	typ   reflect.Type

	path     bool // a file or folder: becomes absolute
	inline   bool // the keys of a table with kinds stand beside ours
	rest     bool // a map that takes the keys nobody else knows
	required bool

	doc, example, kind string
	choices            []string
	limits             []limit
}

// limit is one bound of a number.
type limit struct {
	bound float64
	holds func(x, bound float64) bool
	words string // "at least"
}

// limitTags are the bounds that a declaration may set.
var limitTags = []struct {
	tag, words string
	holds      func(x, bound float64) bool
}{
	{"min", "at least", func(x, bound float64) bool { return x >= bound }},
	{"over", "more than", func(x, bound float64) bool { return x > bound }},
	{"max", "at most", func(x, bound float64) bool { return x <= bound }},
	{"below", "less than", func(x, bound float64) bool { return x < bound }},
}

// schemas caches the fields of each struct type.
var schemas sync.Map // reflect.Type to []field

// fieldsOf returns the keys of a struct type in order of declaration; embedded structs stay nested and are marked by an empty key.
// A tag that cannot be read is a mistake in our own source: fieldsOf panics.
func fieldsOf(t reflect.Type) []field {
	if known, ok := schemas.Load(t); ok {
		return known.([]field)
	}
	var fields []field
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, tagged := sf.Tag.Lookup("toml")
		if !tagged && sf.Anonymous && sf.Type.Kind() == reflect.Struct {
			fields = append(fields, field{index: i, typ: sf.Type})
			continue
		}
		if !tagged || tag == "-" || !sf.IsExported() {
			continue
		}
		fields = append(fields, newField(sf, tag, i, t))
	}
	schemas.Store(t, fields)
	return fields
}

func newField(sf reflect.StructField, tag string, index int, owner reflect.Type) field {
	key, options, _ := strings.Cut(tag, ",")
	f := field{key: key, index: index, typ: sf.Type, doc: sf.Tag.Get("doc"), example: sf.Tag.Get("example"), kind: sf.Tag.Get("kind")}
	f.required = sf.Tag.Get("required") == "true"
	for _, o := range strings.Split(options, ",") {
		switch o {
		case "":
		case "path":
			f.path = true
		case "inline":
			f.inline = true
		case "rest":
			f.rest = true
		default:
			panic(fmt.Sprintf("configs: %v.%s: unknown option %q", owner, sf.Name, o))
		}
	}
	if choices := sf.Tag.Get("choices"); choices != "" {
		f.choices = strings.Split(choices, "|")
	}
	for _, l := range limitTags {
		text, ok := sf.Tag.Lookup(l.tag)
		if !ok {
			continue
		}
		bound, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(fmt.Sprintf("configs: %v.%s: %s is no number: %q", owner, sf.Name, l.tag, text))
		}
		f.limits = append(f.limits, limit{bound: bound, holds: l.holds, words: l.words})
	}
	return f
}

// bounds returns the limits in words: "at least 0, less than 1".
func (f *field) bounds() string {
	var words []string
	for _, l := range f.limits {
		words = append(words, l.words+" "+showNumber(l.bound))
	}
	return strings.Join(words, ", ")
}

// bound is a key together with the variable that it fills.
type bound struct {
	field
	value reflect.Value
}

// bind lists the keys of a struct with their variables, those of embedded structs and of inline tables among them.
// inline returns the struct behind an inline field, an invalid value where there is none.
func bind(v reflect.Value, inline func(f *field, v reflect.Value) reflect.Value) []bound {
	var all []bound
	for _, f := range fieldsOf(v.Type()) {
		fv := v.Field(f.index)
		switch {
		case f.key == "" && !f.inline && !f.rest:
			all = append(all, bind(fv, inline)...)
		case f.inline:
			if behind := inline(&f, fv); behind.IsValid() {
				all = append(all, bind(behind, inline)...)
			}
		default:
			all = append(all, bound{field: f, value: fv})
		}
	}
	return all
}

// structBehind returns the struct that an interface or pointer leads to, an invalid value where there is none.
func structBehind(v reflect.Value) reflect.Value {
	for v.IsValid() && (v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer) {
		v = v.Elem()
	}
	if v.IsValid() && v.Kind() == reflect.Struct {
		return v
	}
	return reflect.Value{}
}
