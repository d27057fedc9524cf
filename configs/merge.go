package configs

import (
	"strconv"
	"strings"
	"sync"

	"aetrain/internal/registry"
)

// nameIsKind holds the tables of tables in which an entry's name is its kind unless a key says otherwise.
var nameIsKind = map[string]bool{"model.penalties": true}

// dropped is what a value of one's own takes away from a preset: an encoder the preset's decoder, which mirrors another one.
var dropped = []struct{ table, by, what string }{{"model", "encoder", "decoder"}}

// kindKey returns the key by which the table at a path names its kind.
func kindKey(path string) string {
	if path == "optimizer" || strings.HasSuffix(path, ".optimizer") {
		return "name"
	}
	return "kind"
}

// merger lays one tree over another.
type merger struct {
	fail     func(at *node, format string, args ...any)
	oneLayer bool // the trees belong to one layer: nothing is below, not even the declarations
}

// merge returns upper laid over lower at a path (dotted, without quotes or indices): tables merge key by key, everything else is replaced,
// and so is a table that names another kind. The arguments stay as they are.
func (m merger) merge(lower, upper *node, path string) *node {
	switch {
	case lower == nil || lower.kind == brokenNode:
		return upper
	case upper == nil:
		return lower
	case lower.kind == listNode && upper.isPatch():
		return m.patch(lower, upper, path)
	case lower.kind != tableNode || upper.kind != tableNode || m.otherKind(lower, upper, path):
		return upper
	}
	out := newTable(upper.path, upper.origin)
	out.raw = upper.raw
	for _, k := range lower.keys {
		if !upper.replaces(path, k, lower.table[k]) {
			out.put(k, lower.table[k])
		}
	}
	for _, k := range upper.keys {
		at := k
		if nameIsKind[path] && out.table[k] == nil {
			if same, ok := registry.Find(k, out.keys); ok {
				at = same // kl_sparsity over kl-sparsity
			}
		}
		out.put(at, m.merge(out.table[at], upper.table[k], strings.TrimPrefix(path+"."+at, ".")))
	}
	return out
}

// replaces reports whether n takes the key of the preset below it away.
func (n *node) replaces(path, key string, lower *node) bool {
	for _, d := range dropped {
		own := n.table[d.by]
		if d.table == path && d.what == key && own != nil && !own.isPatch() && lower.origin.Layer == Preset {
			return true
		}
	}
	return false
}

// otherKind reports whether upper names a kind, and not that of lower: the one that is written there, else that of its name, else the declared one.
func (m merger) otherKind(lower, upper *node, path string) bool {
	key := kindKey(path)
	want, named := upper.child(key).text()
	if !named {
		return false
	}
	have, named := lower.child(key).text()
	parent := path[:max(strings.LastIndexByte(path, '.'), 0)]
	switch {
	case named:
	case nameIsKind[parent]:
		have = path[len(parent)+1:]
	case m.oneLayer:
		return false
	default:
		have = defaultKind(path, key)
	}
	return have != "" && registry.Fold(have) != registry.Fold(want)
}

// defaultKind returns the kind that the table at a path has where none is written, "" where the declarations do not say.
func defaultKind(path, key string) string {
	return declaredDefaults()[path+"."+key]
}

// declaredDefaults holds the default of every key that all tables have, without quotes. Declarations are complete once packages have initialised.
var declaredDefaults = sync.OnceValue(func() map[string]string {
	defaults := map[string]string{}
	for _, k := range declaredKeys(1) {
		if len(k.Kinds) == 0 {
			defaults[k.Path] = strings.Trim(k.Default, `"`)
		}
	}
	return defaults
})

// isPatch reports whether an override names items of a list by number.
func (n *node) isPatch() bool {
	if n.kind != tableNode || n.origin.Layer != Set || len(n.keys) == 0 {
		return false
	}
	for _, k := range n.keys {
		if _, err := strconv.ParseUint(k, 10, 31); err != nil {
			return false
		}
	}
	return true
}

// patch returns the list with some items overridden by number.
func (m merger) patch(list, upper *node, path string) *node {
	out := *list
	out.items = append([]*node(nil), list.items...)
	for _, k := range upper.keys {
		over := upper.table[k]
		i, err := strconv.Atoi(k)
		if err != nil || i >= len(out.items) {
			m.fail(over, "%s has %s, counted from 0", list.path, count(len(out.items), "item"))
			continue
		}
		out.items[i] = m.merge(out.items[i], over, path)
	}
	return &out
}

// count returns "1 item", "2 items".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}
