package configs

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"aetrain/internal/registry"
)

// encoder turns decoded structs back into a tree: every key in order of declaration, with its meaning, defaults included.
type encoder struct {
	kinds map[any]string      // as the decoder noted
	off   map[string][]string // likewise
}

// table returns the tree of structs that share a table.
func (e *encoder) table(path string, structs []reflect.Value) *node {
	n := newTable(path, Origin{})
	for _, s := range structs {
		e.fields(n, s)
	}
	return n
}

// fields adds the keys of one struct to a table.
func (e *encoder) fields(n *node, s reflect.Value) {
	for _, f := range fieldsOf(s.Type()) {
		v := s.Field(f.index)
		switch {
		case f.inline:
			e.inline(n, v, &f)
		case f.key == "" && !f.rest:
			e.fields(n, v)
		case f.rest:
			all := e.mapping(n.path, v, &f)
			for _, k := range all.keys {
				n.put(k, all.table[k])
			}
		case n.table[f.key] == nil:
			if child := e.value(join(n.path, f.key), v, &f); child != nil {
				child.doc = f.comment()
				n.put(f.key, child)
			}
		}
	}
}

// comment returns what stands above a key in a commented config.
func (f *field) comment() string {
	var more []string
	if len(f.choices) > 0 {
		more = append(more, strings.Join(f.choices, ", "))
	}
	if b := f.bounds(); b != "" {
		more = append(more, b)
	}
	if len(more) == 0 {
		return f.doc
	}
	return f.doc + " (" + strings.Join(more, "; ") + ")"
}

// inline adds the kind of an inline table, and its keys.
func (e *encoder) inline(n *node, v reflect.Value, f *field) {
	if fam := families[f.typ]; fam != nil && !v.IsNil() {
		child := e.leaf(join(n.path, fam.key), fam.nameOf(v.Interface(), e.kinds))
		child.doc = f.doc
		n.put(fam.key, child)
	}
	if s := structBehind(v); s.IsValid() {
		e.fields(n, s)
	}
}

func (e *encoder) leaf(path string, value any) *node {
	return &node{kind: leafNode, path: path, value: value}
}

// nothing returns the node of a key that has no value; a commented config shows its example.
func (e *encoder) nothing(path string, f *field) *node {
	return &node{kind: leafNode, path: path, unset: true, raw: f.example}
}

// takes reports whether a value could have been written: a default outside of the choices and limits says that nothing was, as 0 of a size.
func (f *field) takes(v reflect.Value) bool {
	var numbers []float64
	switch x, _ := asUnion(v).(numbered); {
	case x != nil:
		numbers = x.numbers()
	case v.CanFloat():
		numbers = []float64{v.Float()}
	case v.CanInt():
		numbers = []float64{float64(v.Int())}
	case v.CanUint():
		numbers = []float64{float64(v.Uint())}
	case v.Kind() == reflect.String && len(f.choices) > 0 && !f.path:
		_, ok := registry.Find(v.String(), f.choices)
		return ok
	}
	return !slices.ContainsFunc(numbers, func(x float64) bool { return f.check(x) != nil })
}

// value returns the node of one variable, nil where there is nothing to write.
func (e *encoder) value(path string, v reflect.Value, f *field) *node {
	if s, ok := v.Interface().(*Section); ok {
		if s == nil {
			return nil
		}
		return s.node
	}
	if !f.takes(v) {
		return e.nothing(path, f)
	}
	if u := asUnion(v); u != nil {
		return e.union(path, u, f)
	}
	if fam := families[v.Type()]; fam != nil {
		return e.family(path, v, fam)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return e.nothing(path, f)
		}
		return e.value(path, v.Elem(), f)
	case reflect.Slice:
		n := &node{kind: listNode, path: path}
		for i := range v.Len() {
			if child := e.value(item(path, i), v.Index(i), f); child != nil {
				n.items = append(n.items, child)
			}
		}
		return n
	case reflect.Map:
		return e.mapping(path, v, f)
	case reflect.Struct:
		return e.table(path, []reflect.Value{v})
	}
	return e.plain(path, v)
}

// plain returns the node of a number, text or bool; nil for what a config cannot hold.
func (e *encoder) plain(path string, v reflect.Value) *node {
	switch {
	case v.Kind() == reflect.String:
		return e.leaf(path, v.String())
	case v.Kind() == reflect.Bool:
		return e.leaf(path, v.Bool())
	case v.CanFloat():
		if math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0) {
			return nil
		}
		return e.leaf(path, v.Float())
	case v.CanInt():
		return e.leaf(path, v.Int())
	case v.CanUint():
		return e.leaf(path, int64(min(v.Uint(), math.MaxInt64)))
	}
	panic(fmt.Sprintf("configs: %s has type %v, which no key can have", path, v.Type()))
}

// union returns the node of a Custom; a schedule is a table on one line.
func (e *encoder) union(path string, u Custom, f *field) *node {
	if s, ok := u.(*Scalar); ok && s.Epochs != 0 {
		n := e.table(path, []reflect.Value{reflect.ValueOf(&s.Schedule).Elem()})
		n.inline = true
		return n
	}
	value := u.ToTOML()
	if value == nil {
		return e.nothing(path, f)
	}
	n := treeBuilder{}.build(value, path, "", Origin{})
	n.inline = n.kind == tableNode
	return n
}

// family returns the table of a value that names its kind first.
func (e *encoder) family(path string, v reflect.Value, fam *family) *node {
	s := structBehind(v)
	if !s.IsValid() {
		return nil
	}
	n := newTable(path, Origin{})
	kind := e.leaf(join(path, fam.key), fam.nameOf(v.Interface(), e.kinds))
	kind.doc = "the " + fam.word
	n.put(fam.key, kind)
	e.fields(n, s)
	return n
}

// mapping returns the table of a map, sorted by name; entries that are switched off say so.
func (e *encoder) mapping(path string, v reflect.Value, f *field) *node {
	n := newTable(path, Origin{})
	names := v.MapKeys()
	slices.SortFunc(names, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
	for _, name := range names {
		entry := reflect.New(v.Type().Elem()).Elem() // maps hold values that have no address
		entry.Set(v.MapIndex(name))
		if child := e.value(join(path, name.String()), entry, f); child != nil {
			n.put(name.String(), child)
		}
	}
	for _, name := range e.off[path] {
		off := newTable(join(path, name), Origin{})
		off.put("enabled", e.leaf(join(off.path, "enabled"), false))
		n.put(name, off)
	}
	return n
}
