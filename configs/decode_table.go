package configs

import (
	"fmt"
	"reflect"
	"strings"
)

// family fills a variable of an interface type from the table that names its kind. entry is the table's name in a map.
// It returns the struct behind the value; ok is false where the kind could not be told.
// The keys of an inline table are left to the caller, who knows the others.
func (d *decoder) family(n *node, v reflect.Value, f *field, fam *family, entry string) (made reflect.Value, ok bool) {
	if !d.wantTable(n, &field{example: fmt.Sprintf("{ %s = %s }", fam.key, quote(fam.example(f, n)))}) {
		return reflect.Value{}, false
	}
	name, ok := d.kind(n, f, fam, entry)
	if !ok {
		return structBehind(v), false
	}
	value := reflect.ValueOf(fam.make(name))
	made = structBehind(value)
	if !made.IsValid() || !made.CanSet() {
		panic(fmt.Sprintf("configs: the constructor of %s %q returns %T, no pointer to a struct", fam.word, name, value.Interface()))
	}
	d.kinds[value.Interface()] = name
	v.Set(value)
	setKind(made, fam.key, name)
	if !f.inline {
		also := []string{fam.key} // what the struct need not know
		if entry != "" {
			also = append(also, "enabled")
		}
		d.table(n, []reflect.Value{made}, also...)
	}
	return made, true
}

// setKind writes the canonical kind into a struct that has a key for it.
func setKind(s reflect.Value, key, name string) {
	for _, b := range bind(s, func(*field, reflect.Value) reflect.Value { return reflect.Value{} }) {
		if b.key == key && b.value.Kind() == reflect.String {
			b.value.SetString(name)
		}
	}
}

// example returns a kind for the end of a sentence: the one that stands there as text, if there is one.
func (fam *family) example(f *field, n *node) string {
	if text, ok := n.text(); ok {
		if kind, ok := fam.canonical(text); ok {
			return kind
		}
	}
	if f.kind != "" {
		return f.kind
	}
	if names := fam.names(); len(names) > 0 {
		return names[0]
	}
	return "..."
}

// kind returns the canonical kind that a table names, else the name of its entry where that counts, else the key's default.
func (d *decoder) kind(n *node, f *field, fam *family, entry string) (string, bool) {
	at := n.child(fam.key)
	name := f.kind
	switch {
	case at != nil && at.kind == brokenNode:
		return "", false
	case at != nil:
		text, err := at.wantText()
		if err != nil {
			d.fail(at, "%v", err)
			return "", false
		}
		name = text
	case fam.namedByKind && entry != "":
		at, name = n, entry
	case name == "":
		d.cfg.errs = append(d.cfg.errs, &Error{Origin: n.origin, Key: join(n.path, fam.key), Message: "is missing: one of " + strings.Join(fam.names(), ", ")})
		return "", false
	}
	canonical, ok := fam.canonical(name)
	if !ok {
		if at == nil {
			at = n
		}
		d.fail(at, "%v", fam.unknown(name))
	}
	return canonical, ok
}

// list fills a slice; a list replaces the default whole, an override by number changes it.
func (d *decoder) list(n *node, v reflect.Value, f *field) {
	if n.isPatch() {
		d.patchList(n, v, f)
		return
	}
	if n.kind != listNode {
		d.wantList(n, v.Type().Elem(), f)
		return
	}
	elem := v.Type().Elem()
	list := reflect.MakeSlice(v.Type(), 0, len(n.items))
	for _, child := range n.items {
		e := reflect.New(elem).Elem()
		if elem.Kind() == reflect.Struct {
			e.Set(newElement(elem).Elem())
		}
		d.value(child, e, f)
		if elem.Kind() != reflect.Interface || !e.IsNil() { // of an unknown kind: nobody should meet a nil
			list = reflect.Append(list, e)
		}
	}
	v.Set(list)
}

// wantList says how a list is written.
func (d *decoder) wantList(n *node, elem reflect.Type, f *field) {
	if n.kind == tableNode {
		d.fail(n, "is a table, where a list is wanted: write [[%s]]", n.path)
		return
	}
	example := f.example
	if !strings.HasPrefix(example, "[") {
		example = "[" + showWhole(n.plain()) + "]"
	}
	if families[elem] != nil || elem.Kind() == reflect.Struct {
		example = "[{ ... }, ...]"
	}
	d.fail(n, "%s is not a list, such as %s", show(n.plain()), example)
}

// patchList overrides items of the default by number.
func (d *decoder) patchList(n *node, v reflect.Value, f *field) {
	list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	reflect.Copy(list, v)
	for _, k := range n.keys {
		if i := itemNumber(k); i >= 0 && i < list.Len() {
			d.value(n.table[k], list.Index(i), f)
		} else {
			d.fail(n.table[k], "%s has %s, counted from 0", n.path, count(list.Len(), "item"))
		}
	}
	v.Set(list)
}

// mapping fills a map from a table: entries of the default are kept, those with enabled = false left out.
func (d *decoder) mapping(n *node, v reflect.Value, f *field) {
	m := reflect.MakeMap(v.Type())
	for it := v.MapRange(); it.Next(); {
		m.SetMapIndex(it.Key(), it.Value())
	}
	elem := v.Type().Elem()
	for _, name := range n.keys {
		child, key := n.table[name], reflect.ValueOf(name)
		if child.dropped {
			d.off[n.path] = append(d.off[n.path], name)
			continue
		}
		entry := reflect.New(elem).Elem()
		if d.entry(child, entry, f, name) {
			if elem.Kind() != reflect.Interface || !entry.IsNil() {
				m.SetMapIndex(key, entry)
			}
		} else {
			m.SetMapIndex(key, reflect.Value{})
			d.off[n.path] = append(d.off[n.path], name)
		}
	}
	v.Set(m)
}

// entry fills one value of a map and reports whether it counts. What is switched off is looked at all the same.
func (d *decoder) entry(n *node, v reflect.Value, f *field, name string) bool {
	fam := families[v.Type()]
	target := v
	if v.Kind() == reflect.Pointer {
		target = newElement(v.Type().Elem()).Elem()
		v.Set(target.Addr())
	} else if v.Kind() == reflect.Struct {
		v.Set(newElement(v.Type()).Elem())
	}
	switch {
	case fam != nil:
		if _, ok := d.family(n, v, f, fam, name); !ok {
			return !n.switchedOff()
		}
	case target.Kind() == reflect.Struct && asUnion(target) == nil:
		if d.wantTable(n, f) {
			d.table(n, []reflect.Value{target}, "enabled")
		}
	default:
		d.value(n, v, f)
		return true
	}
	return d.enabled(n)
}

// switchedOff reports whether a table says enabled = false.
func (n *node) switchedOff() bool {
	at := n.child("enabled")
	return at != nil && at.kind == leafNode && at.value == false
}

// enabled reads the key that switches an entry off.
func (d *decoder) enabled(n *node) bool {
	if at := n.child("enabled"); at != nil && at.kind != brokenNode {
		if _, ok := at.plain().(bool); !ok {
			d.fail(at, "%s is neither true nor false", show(at.plain()))
		}
	}
	return !n.switchedOff()
}
