package configs

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"aetrain/internal/registry"
)

// decoder fills Go values from nodes and records what does not fit.
type decoder struct {
	cfg   *Config
	kinds map[any]string      // the kind of each table that a family made
	off   map[string][]string // entries with enabled = false, by the path of their table of tables
}

// fail records a mistake at a node.
func (d *decoder) fail(n *node, format string, args ...any) { d.cfg.fail(n, format, args...) }

// table fills structs that share the keys of a table; also names further keys that somebody else has read.
func (d *decoder) table(n *node, structs []reflect.Value, also ...string) {
	before := len(d.cfg.errs)
	read, lax := also, false // keys that are done with
	var rest *bound
	var behindInline []reflect.Value
	inline := func(f *field, v reflect.Value) reflect.Value {
		fam := families[f.typ]
		if fam == nil {
			return structBehind(v)
		}
		read = append(read, fam.key)
		made, ok := d.family(n, v, f, fam, "")
		lax = lax || !ok // without its kind nobody knows which keys there are
		if made.IsValid() {
			behindInline = append(behindInline, made)
		}
		return made
	}
	var all []bound
	for _, s := range structs {
		all = append(all, bind(s, inline)...)
	}
	known := slices.Clone(read)
	for i, b := range all {
		switch {
		case b.rest:
			rest = &all[i]
		case !slices.Contains(read, b.key):
			known = append(known, b.key)
			d.key(n, b.key, b.value, &all[i].field)
		}
	}
	d.others(n, known, rest, lax)
	if len(d.cfg.errs) > before {
		return // what Validate would say may only follow from those
	}
	for _, s := range append(behindInline, structs...) {
		d.validate(n, s)
	}
}

// key fills the variable of one key of a table.
func (d *decoder) key(table *node, key string, v reflect.Value, f *field) {
	if n := table.child(key); n != nil {
		d.value(n, v, f)
		return
	}
	if f.required && table.table[key] == nil {
		d.cfg.errs = append(d.cfg.errs, &Error{Origin: table.origin, Key: join(table.path, key), Message: "is missing"})
		return
	}
	d.absent(d.cfg.emptyTable(join(table.path, key), table.origin), v, f)
}

// absent completes the default of a key that was not written: nested tables may have required keys, and kinds with defaults.
func (d *decoder) absent(n *node, v reflect.Value, f *field) {
	switch {
	case v.Type() == reflect.TypeFor[*Section]():
		v.Set(reflect.ValueOf(&Section{cfg: d.cfg, node: n}))
	case families[v.Type()] != nil:
		if v.IsNil() && f.kind != "" {
			d.family(n, v, f, families[v.Type()], "")
		} else if s := structBehind(v); s.IsValid() {
			d.table(n, []reflect.Value{s})
		}
	case v.Kind() == reflect.Struct && asUnion(v) == nil:
		d.table(n, []reflect.Value{v})
	}
}

// others deals with the keys that no field has: rest takes them, else they are unknown.
func (d *decoder) others(n *node, known []string, rest *bound, lax bool) {
	left := newTable(n.path, n.origin)
	for _, k := range n.keys {
		child := n.child(k)
		switch {
		case child == nil || slices.Contains(known, k):
		case rest != nil:
			left.put(k, child)
		case !lax:
			if owners := ownersOf(child.path); owners != "" {
				d.fail(child, "unknown key; it belongs to %s", owners)
				continue
			}
			d.fail(child, "unknown key%s", suggestKey(k, known))
		}
	}
	if rest != nil && len(left.keys) > 0 {
		d.mapping(left, rest.value, &rest.field)
	}
}

// suggestKey ends the sentence about an unknown key: with the nearest key, else with all of them where they are few.
func suggestKey(key string, known []string) string {
	const few = 12
	if len(known) == 0 {
		return "; this table takes none"
	}
	if near := registry.Nearest(key, known); near != "" || len(known) > few {
		if near == "" {
			return ""
		}
		return "; did you mean " + near + "?"
	}
	return "; known are " + strings.Join(known, ", ")
}

// validate asks a struct what it thinks of its keys together.
func (d *decoder) validate(n *node, s reflect.Value) {
	v, ok := s.Addr().Interface().(Validator)
	if !ok {
		return
	}
	err := v.Validate()
	if err == nil {
		return
	}
	for _, e := range flattenErrors(err) {
		var at *keyError
		if errors.As(e, &at) {
			(&Section{cfg: d.cfg, node: n}).Errorf(at.key, "%s", at.message)
		} else {
			d.fail(n, "%v", e)
		}
	}
}

// value fills a variable from a node. On a mistake the variable keeps its default.
func (d *decoder) value(n *node, v reflect.Value, f *field) {
	if n.kind == brokenNode {
		return
	}
	if v.Type() == reflect.TypeFor[*Section]() {
		if d.wantTable(n, f) {
			v.Set(reflect.ValueOf(&Section{cfg: d.cfg, node: n}))
		} else {
			v.Set(reflect.ValueOf(&Section{cfg: d.cfg, node: d.cfg.emptyTable(n.path, n.origin)}))
		}
		return
	}
	if u := asUnion(v); u != nil {
		d.union(n, u, v, f)
		return
	}
	if fam := families[v.Type()]; fam != nil {
		d.family(n, v, f, fam, "")
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		target := newElement(v.Type().Elem())
		if !v.IsNil() {
			target.Elem().Set(v.Elem())
		}
		d.value(n, target.Elem(), f)
		v.Set(target)
	case reflect.Slice:
		d.list(n, v, f)
	case reflect.Map:
		if d.wantTable(n, f) {
			d.mapping(n, v, f)
		}
	case reflect.Struct:
		if d.wantTable(n, f) {
			d.table(n, []reflect.Value{v})
		}
	default:
		d.leaf(n, v, f)
	}
}

// leaf fills a number, text or bool.
func (d *decoder) leaf(n *node, v reflect.Value, f *field) {
	switch v.Kind() {
	case reflect.String:
		text, err := n.wantText()
		if err == nil {
			text, err = f.word(text, "")
		}
		if err != nil {
			d.fail(n, "%v", err)
			return
		}
		v.SetString(text)
	case reflect.Bool:
		b, ok := n.plain().(bool)
		if !ok {
			d.fail(n, "%s is neither true nor false", show(n.plain()))
			return
		}
		v.SetBool(b)
	default:
		d.numeric(n, v, f)
	}
}

// numeric fills a number.
func (d *decoder) numeric(n *node, v reflect.Value, f *field) {
	var x float64
	var err error
	switch {
	case v.CanFloat():
		if x, err = toFloat(n.number()); err == nil && f.check(x) == nil {
			v.SetFloat(x)
		}
	case v.CanInt():
		var i int64
		low, high := intLimits(v.Type())
		if i, err = toInt(n.plain(), low, high); err == nil && f.check(float64(i)) == nil {
			v.SetInt(i)
		}
		x = float64(i)
	case v.CanUint():
		var i int64
		_, high := intLimits(v.Type())
		if i, err = toInt(n.plain(), 0, high); err == nil && f.check(float64(i)) == nil {
			v.SetUint(uint64(i))
		}
		x = float64(i)
	default:
		panic(fmt.Sprintf("configs: %s has type %v, which no key can have", n.path, v.Type()))
	}
	if err == nil {
		err = f.check(x)
	}
	if err != nil {
		d.fail(n, "%v", err)
	}
}

// intLimits returns what a field of an integer type takes.
func intLimits(t reflect.Type) (low, high int64) {
	switch t.Kind() {
	case reflect.Int64, reflect.Uint64:
		return math.MinInt64, math.MaxInt64
	case reflect.Int8:
		return math.MinInt8, math.MaxInt8
	case reflect.Int16:
		return math.MinInt16, math.MaxInt16
	case reflect.Uint8:
		return 0, math.MaxUint8
	case reflect.Uint16:
		return 0, math.MaxUint16
	}
	return -maxInt, maxInt
}

// check holds a number to the limits of its key.
func (f *field) check(x float64) error {
	for _, l := range f.limits {
		if !l.holds(x, l.bound) {
			return fmt.Errorf("must be %s %s, not %s", l.words, showNumber(l.bound), showNumber(x))
		}
	}
	return nil
}

// word holds a text to the choices of its key and returns the canonical spelling; where it is a path, the absolute one.
// also says what else the key takes.
func (f *field) word(text, also string) (string, error) {
	if found, ok := registry.Find(text, f.choices); ok {
		return found, nil
	}
	switch {
	case f.path:
		return ResolvePath(text), nil
	case len(f.choices) == 0 && also == "":
		return text, nil
	case len(f.choices) == 0:
		return "", fmt.Errorf("%s is not %s", show(text), also)
	}
	end := ""
	if also != "" {
		end = ", nor " + also
	}
	if near := registry.Nearest(text, f.choices); near != "" {
		end += "; did you mean " + near + "?"
	}
	return "", fmt.Errorf("%s is none of %s%s", show(text), strings.Join(f.choices, ", "), end)
}

// wantText returns the text of a leaf: of an override what was typed, without quotes where there were some.
func (n *node) wantText() (string, error) {
	if text, ok := n.text(); ok {
		return text, nil
	}
	switch n.kind {
	case tableNode:
		return "", errors.New("a table is not text")
	case listNode:
		return "", fmt.Errorf("%s is a list, where one text is wanted", show(n.plain()))
	}
	return "", fmt.Errorf("%s is not text: write %s", show(n.value), quote(showWhole(n.value)))
}

// wantTable complains where a node is not a table.
func (d *decoder) wantTable(n *node, f *field) bool {
	switch {
	case n.kind == tableNode:
		return true
	case n.kind == listNode:
		d.fail(n, "is a list, where one table is wanted: write [%s]", n.path)
	case f.example != "":
		d.fail(n, "%s is not a table, such as %s", show(n.plain()), f.example)
	default:
		d.fail(n, "%s is not a table: write [%s]", show(n.plain()), n.path)
	}
	return false
}

// itemNumber returns the number of a key that is an index, -1 else.
func itemNumber(key string) int {
	i, err := strconv.ParseUint(key, 10, 31)
	if err != nil {
		return -1
	}
	return int(i)
}
