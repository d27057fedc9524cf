package configs

import (
	"fmt"
	"slices"
	"strings"

	"aetrain/internal/registry"
)

// Key is what a declaration says about one key.
type Key struct {
	Path    string   // model.encoder[].units, model.penalties.NAME.beta
	Of      string   // the word for the kinds, as "layer"; "" where every table has the key
	Kinds   []string // the kinds whose tables have it
	Type    string   // "a whole number or a list of them"
	Default string   // as TOML; "" where there is none
	Choices []string
	Range   string // "at least 0, less than 1"
	Doc     string
	Example string   // a value as TOML
	Table   bool     // holds keys of its own
	Keys    []string // which, where Table is set

	ofKind bool // the table of one kind
}

// String returns the key as "aetrain explain" shows it.
func (k Key) String() string {
	var b strings.Builder
	b.WriteString(k.Path)
	if len(k.Kinds) > 0 {
		fmt.Fprintf(&b, " (%s %s)", k.Of, strings.Join(k.Kinds, ", "))
	}
	b.WriteByte('\n')
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %-8s %s\n", name, strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", 11)))
		}
	}
	row("meaning", k.Doc)
	row("type", k.Type)
	row("default", k.Default)
	row("choices", strings.Join(k.Choices, ", "))
	row("range", k.Range)
	row("keys", strings.Join(k.Keys, ", "))
	row("example", k.snippet())
	return b.String()
}

// snippet returns the example as it stands in a file.
func (k Key) snippet() string {
	if k.Example == "" {
		return ""
	}
	table, key := k.split()
	line := key + " = " + k.Example
	switch {
	case table == "":
		return line
	case strings.HasPrefix(k.Path, table+"[]."):
		return "[[" + strings.ReplaceAll(table, "[]", "") + "]]\n" + line
	}
	return "[" + strings.ReplaceAll(table, "[]", "") + "]\n" + line
}

// Keys returns the path of every key that a declaration has, in order of declaration.
func Keys() []string {
	var paths []string
	for _, k := range declaredKeys(1) {
		if !k.ofKind && !slices.Contains(paths, k.Path) {
			paths = append(paths, k.Path)
		}
	}
	return paths
}

// Undocumented returns the keys whose declaration says nothing about their meaning.
func Undocumented() []string {
	var paths []string
	for _, k := range declaredKeys(1) {
		if k.Doc == "" && !k.ofKind && !slices.Contains(paths, k.Path) {
			paths = append(paths, k.Path)
		}
	}
	return paths
}

// Explain returns what the declarations say of a key: one Key, or several where tables of different kinds differ in it.
// Items of lists may be written as model.encoder[0].units, model.encoder.0.units or model.encoder.units;
// a key that only one table has may be named alone. The error suggests the nearest key.
func Explain(path string) ([]Key, error) {
	elems, ok := splitPath(strings.ReplaceAll(path, "[]", ""))
	if !ok {
		return nil, fmt.Errorf("%q is not a key, such as data.batch", path)
	}
	elems = slices.DeleteFunc(elems, func(e string) bool { return itemNumber(e) >= 0 })
	all := declaredKeys(2)
	var found, free []Key
	for _, k := range all {
		switch {
		case !k.answers(elems):
		case k.isNamed(elems):
			found = append(found, k.named(elems))
		default: // any name; one that is declared beside it is another key: kernels.autotune
			free = append(free, k.named(elems))
		}
	}
	if len(found) == 0 {
		found = free
	}
	if len(found) == 0 {
		found = loneKey(elems, all)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("unknown key %s%s", path, nearestPath(elems, all))
	}
	return found, nil
}

// ownersOf names the kinds whose tables have a key: "layer dense", "data source mnist, fashion-mnist"; "" where there are none.
func ownersOf(path string) string {
	elems, ok := splitPath(strings.ReplaceAll(path, "[]", ""))
	if !ok {
		return ""
	}
	elems = slices.DeleteFunc(elems, func(e string) bool { return itemNumber(e) >= 0 })
	word, kinds := "", []string{}
	for _, k := range declaredKeys(2) {
		if len(k.Kinds) > 0 && k.answers(elems) && k.isNamed(elems) {
			word, kinds = k.Of, append(kinds, k.Kinds...)
		}
	}
	slices.Sort(kinds)
	return strings.TrimSpace(word + " " + strings.Join(slices.Compact(kinds), ", "))
}

// answers reports whether the key is the one asked for. NAME stands for any name; where the name is a kind, only for the keys of that kind.
func (k Key) answers(asked []string) bool {
	have, _ := splitPath(strings.ReplaceAll(k.Path, "[]", ""))
	if len(have) != len(asked) {
		return false
	}
	for i, h := range have {
		if h == anyName {
			if kind, ok := registry.Find(asked[i], k.kindsOfName(have[:i])); ok && len(k.Kinds) > 0 && !slices.Contains(k.Kinds, kind) {
				return false
			}
			continue
		}
		if h != asked[i] {
			return false
		}
	}
	return true
}

// isNamed reports whether the key's own name is what was asked for, and not one that is free.
func (k Key) isNamed(asked []string) bool {
	_, key := k.split()
	return key == quoteKey(asked[len(asked)-1])
}

// named returns the key with the names that were asked for in place of NAME.
func (k Key) named(asked []string) Key {
	have, _ := splitPath(strings.ReplaceAll(k.Path, "[]", ""))
	for i, h := range have {
		if h == anyName {
			k.Path = strings.Replace(k.Path, anyName, quoteKey(asked[i]), 1)
		}
	}
	return k
}

// kindsOfName returns the kinds that a name may stand for in a table of tables.
func (k Key) kindsOfName(table []string) []string {
	if !nameIsKind[strings.Join(table, ".")] {
		return nil
	}
	for _, fam := range families {
		if fam.namedByKind && fam.word == k.Of {
			return fam.names()
		}
	}
	return nil
}

// loneKey finds a key by the end of its path, if all that end so are the same key.
func loneKey(elems []string, all []Key) []Key {
	var found []Key
	for _, k := range all {
		have, _ := splitPath(strings.ReplaceAll(k.Path, "[]", ""))
		if len(have) < len(elems) || !slices.Equal(have[len(have)-len(elems):], elems) {
			continue
		}
		if len(found) > 0 && found[0].Path != k.Path {
			return nil
		}
		found = append(found, k)
	}
	return found
}

// nearestPath suggests a key for one that does not exist: one of the same table, else one whose path is near, else one whose end is.
func nearestPath(asked []string, all []Key) string {
	last := asked[len(asked)-1]
	var siblings []string
	for _, k := range all {
		if k.Table && k.answers(asked[:len(asked)-1]) {
			siblings = append(siblings, k.Keys...)
		}
	}
	if near := registry.Nearest(last, siblings); near != "" {
		return "; did you mean " + pathOf(append(slices.Clone(asked[:len(asked)-1]), near)) + "?"
	}
	if len(siblings) > 0 {
		slices.Sort(siblings)
		return suggestKey(last, slices.Compact(siblings))
	}
	var paths, ends []string
	for _, k := range all {
		plain := strings.ReplaceAll(k.Path, "[]", "")
		paths = append(paths, plain)
		ends = append(ends, plain[strings.LastIndexByte(plain, '.')+1:])
	}
	if near := registry.Nearest(strings.Join(asked, "."), paths); near != "" {
		return "; did you mean " + near + "?"
	}
	if near := registry.Nearest(last, ends); near != "" {
		return "; did you mean " + paths[slices.Index(ends, near)] + "?"
	}
	return ""
}
