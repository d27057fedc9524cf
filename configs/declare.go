package configs

import (
	"reflect"
	"slices"
	"strings"
)

// anyName stands in the paths of tables of tables for the names that users give.
const anyName = "NAME"

// declarations are the sections as the rooms have declared them.
var declarations []declaration

// declaration is a struct that takes part in decoding a section.
type declaration struct {
	section string
	make    func() any
}

// Declare makes known what a section is decoded into: make returns a pointer to a struct with its defaults.
// Several declarations of a section add up, as the loop's and the callbacks' keys in [train] do. It is called while packages initialise.
func Declare(section string, make func() any) {
	declarations = append(declarations, declaration{section, make})
}

// declaredKeys lists the keys of the root and of every declared section, in the order of the root's fields.
// Tables with kinds that hold tables of the same kinds are followed so many times.
func declaredKeys(depth int) []Key {
	w := keyWalker{depth: depth, at: map[string][]int{}}
	sections := map[string][]reflect.Value{}
	var rest []string
	for _, d := range declarations {
		if sections[d.section] == nil {
			rest = append(rest, d.section)
		}
		sections[d.section] = append(sections[d.section], structBehind(reflect.ValueOf(d.make())))
	}
	for _, root := range sections[""] {
		for _, f := range fieldsOf(root.Type()) {
			w.field("", root.Field(f.index), &f, scope{})
			if f.typ == reflect.TypeFor[*Section]() {
				w.section(f.key, sections[f.key])
				rest = slices.DeleteFunc(rest, func(s string) bool { return s == f.key })
			}
		}
	}
	for _, s := range rest {
		if s != "" {
			w.section(s, sections[s])
		}
	}
	w.fillTables()
	return w.keys
}

// keyWalker lists keys by walking declared structs.
type keyWalker struct {
	depth int
	keys  []Key
	at    map[string][]int // by path
}

// scope is where the walk is: in the table of which kind, within which families.
type scope struct {
	of, kind string
	key      string // which names the kind: it is listed once for all of them
	within   []*family
}

// section lists the keys of a section.
func (w *keyWalker) section(path string, structs []reflect.Value) {
	for _, s := range structs {
		w.table(path, s, scope{})
	}
}

// fillTables writes into the entries of tables which keys they have.
func (w *keyWalker) fillTables() {
	for _, k := range w.keys {
		if k.ofKind || strings.HasSuffix(k.Path, "."+anyName) {
			continue
		}
		table, key := k.split()
		for _, path := range []string{table, table + "[]"} {
			for _, i := range w.at[path] {
				if t := &w.keys[i]; t.Table && t.has(k) && !slices.Contains(t.Keys, key) {
					t.Keys = append(t.Keys, key)
				}
			}
		}
	}
}

// has reports whether a key may stand in a table: any in that of no kind in particular, in that of a kind its own and those of all.
func (k Key) has(below Key) bool {
	return !k.ofKind || len(below.Kinds) == 0 || below.Of == k.Of && slices.Contains(below.Kinds, k.Kinds[0])
}

// split returns the path of the table that a key stands in, and the key.
func (k Key) split() (table, key string) {
	elems, _ := splitPath(strings.ReplaceAll(k.Path, "[]", ""))
	key = quoteKey(elems[len(elems)-1])
	table = strings.TrimSuffix(strings.TrimSuffix(k.Path, "[]"), key)
	return strings.TrimSuffix(strings.TrimSuffix(table, "."), "[]"), key
}

// table lists the keys of one struct.
func (w *keyWalker) table(path string, s reflect.Value, in scope) {
	for _, f := range fieldsOf(s.Type()) {
		v := s.Field(f.index)
		switch {
		case f.inline && families[f.typ] != nil:
			fam := families[f.typ]
			w.kind(path, &f, fam, in, f.doc)
			w.members(path, fam, in)
		case f.inline, f.key == "" && !f.rest:
			w.table(path, structBehind(v), in)
		case f.key == "" || f.key != in.key:
			w.field(path, v, &f, in)
		}
	}
}

// field lists one key, and those below it.
func (w *keyWalker) field(path string, v reflect.Value, f *field, in scope) {
	if f.rest {
		w.entry(path, v.Type().Elem(), f, in)
		return
	}
	w.add(w.key(join(path, f.key), v, f, in))
	w.below(join(path, f.key), v, f, in)
}

// entry lists what any name in a table of plain values is worth.
func (w *keyWalker) entry(path string, t reflect.Type, f *field, in scope) {
	k := w.key(path+"."+anyName, newElement(t).Elem(), &field{typ: t, doc: f.doc, choices: f.choices, limits: f.limits, path: f.path, example: f.example}, in)
	k.Default = ""
	w.add(k)
}

// below lists the keys of the tables that a key holds.
func (w *keyWalker) below(path string, v reflect.Value, f *field, in scope) {
	t := v.Type()
	if fam := families[t]; fam != nil {
		w.kind(path, f, fam, in, "the "+fam.word)
		w.members(path, fam, in)
		return
	}
	if v.CanAddr() && asUnion(v) != nil || t == reflect.TypeFor[*Section]() {
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		w.table(path, v, in)
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Struct {
			w.below(path, newElement(t.Elem()).Elem(), f, in)
		}
	case reflect.Slice:
		if isTable(t.Elem()) {
			w.below(path+"[]", newElement(t.Elem()).Elem(), f, in)
		}
	case reflect.Map:
		if !isTable(t.Elem()) {
			w.entry(path, t.Elem(), f, in)
			return
		}
		if families[t.Elem()] == nil {
			w.add(Key{Path: path + "." + anyName, Doc: f.doc, Type: "a table", Table: true})
		}
		elem := newElement(t.Elem()).Elem()
		w.below(path+"."+anyName, elem, f, in)
		w.add(Key{Path: path + "." + anyName + ".enabled", Type: "true or false", Default: "true", Example: "false",
			Doc: "false takes the entry away, also one of the preset's"})
	}
}

// isTable reports whether values of a type are written as tables.
func isTable(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return families[t] != nil || t.Kind() == reflect.Struct && asUnion(reflect.New(t).Elem()) == nil
}

// kind lists the key that names a table's kind.
func (w *keyWalker) kind(path string, f *field, fam *family, in scope, doc string) {
	k := Key{Path: join(path, fam.key), Of: in.of, Type: "text", Choices: fam.names(), Doc: doc, Example: quote(fam.example(f, nil))}
	if f.kind != "" {
		k.Default = quote(f.kind)
	}
	if fam.namedByKind {
		k.Doc += "; the table's name where it is left out"
	}
	if in.kind != "" {
		k.Kinds = []string{in.kind}
	}
	w.add(k)
}

// members lists the keys of every kind.
func (w *keyWalker) members(path string, fam *family, in scope) {
	times := 0
	for _, f := range in.within {
		if f == fam {
			times++
		}
	}
	if times >= w.depth {
		return
	}
	inner := scope{of: fam.word, within: append(slices.Clone(in.within), fam)}
	for _, name := range fam.names() {
		inner.kind, inner.key = name, fam.key
		made := fam.make(name)
		k := Key{Path: path, Of: fam.word, Kinds: []string{name}, Type: "a table", Table: true, ofKind: true}
		if d, ok := made.(Documented); ok {
			k.Doc = d.Doc()
		}
		w.add(k)
		w.table(path, structBehind(reflect.ValueOf(made)), inner)
	}
}

// add appends a key, or adds its kind to an equal one.
func (w *keyWalker) add(k Key) {
	for _, i := range w.at[k.Path] {
		if w.keys[i].sameBut(k) {
			for _, kind := range k.Kinds {
				if !slices.Contains(w.keys[i].Kinds, kind) {
					w.keys[i].Kinds = append(w.keys[i].Kinds, kind)
				}
			}
			return
		}
	}
	w.at[k.Path] = append(w.at[k.Path], len(w.keys))
	w.keys = append(w.keys, k)
}

// sameBut reports whether two keys differ in their kinds at most.
func (k Key) sameBut(o Key) bool {
	return !k.ofKind && !o.ofKind && k.Path == o.Path && k.Of == o.Of && k.Type == o.Type && k.Default == o.Default && k.Range == o.Range &&
		k.Doc == o.Doc && k.Example == o.Example && slices.Equal(k.Choices, o.Choices) && (len(k.Kinds) > 0) == (len(o.Kinds) > 0)
}

// key describes one field.
func (w *keyWalker) key(path string, v reflect.Value, f *field, in scope) Key {
	k := Key{Path: path, Of: in.of, Doc: f.doc, Choices: f.choices, Range: f.bounds(), Example: f.example, Type: typeWords(f.typ, f)}
	if in.kind != "" {
		k.Kinds = []string{in.kind}
	}
	k.Table = f.typ == reflect.TypeFor[*Section]() || f.typ.Kind() == reflect.Map || isTable(f.typ) || f.typ.Kind() == reflect.Slice && isTable(f.typ.Elem())
	addressable := reflect.New(v.Type()).Elem()
	addressable.Set(v)
	if !k.Table {
		if n := (&encoder{}).value(path, addressable, f); n != nil && !n.unset {
			k.Default = n.oneLine()
		}
		if k.Example == "" {
			k.Example = exampleOf(k, f)
		}
	}
	return k
}

// exampleOf returns a value for a key whose declaration has no example.
func exampleOf(k Key, f *field) string {
	switch {
	case k.Default != "" && k.Default != `""` && k.Default != "[]":
		return k.Default
	case len(f.choices) > 0:
		return quote(f.choices[0])
	case f.path:
		return `"data/` + f.key + `"`
	case strings.Contains(k.Type, "text"):
		return `"..."`
	case strings.HasPrefix(k.Type, "true"):
		return "true"
	case strings.HasPrefix(k.Type, "a list of"):
		return "[1, 2]"
	}
	return "1"
}

// typeWords says what a key takes.
func typeWords(t reflect.Type, f *field) string {
	if u, ok := reflect.New(t).Interface().(Custom); ok {
		words := u.Describe()
		_, takesWords := u.(worded)
		if _, takesNumbers := u.(numbered); takesNumbers && takesWords && (len(f.choices) > 0 || f.path) {
			words += ", or text"
		}
		return words
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		if f.path {
			return "text: a path, from the working directory"
		}
		return "text"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list of " + plural(typeWords(t.Elem(), f))
	case reflect.Map:
		return "a table of " + plural(typeWords(t.Elem(), f)) + " by name"
	case reflect.Pointer:
		if t != reflect.TypeFor[*Section]() {
			return typeWords(t.Elem(), f)
		}
		return "a table"
	case reflect.Struct, reflect.Interface:
		return "a table"
	}
	return "a whole number"
}

// plural turns "a number" into "numbers".
func plural(words string) string {
	words, more, _ := strings.Cut(strings.TrimPrefix(words, "a "), ":")
	if strings.HasPrefix(words, "text") {
		words = "texts"
	} else if !strings.Contains(words, " or ") && !strings.HasPrefix(words, "list") {
		words += "s"
	}
	if more != "" {
		words += ":" + more
	}
	return words
}
