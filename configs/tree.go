package configs

import (
	"regexp"
	"strconv"
	"strings"
)

// nodeKind tells the four sorts of nodes apart.
type nodeKind int

const (
	tableNode  nodeKind = iota // keys to nodes
	listNode                   // items
	leafNode                   // one value
	brokenNode                 // could not be read; the mistake is recorded, nobody complains again
)

// node is a value of the merged tree, or of a tree that is to be rendered.
type node struct {
	kind   nodeKind
	path   string // as sentences show it: model.encoder[0].units
	origin Origin

	keys  []string // of a table, in order
	table map[string]*node
	items []*node
	value any // of a leaf: string, int64, float64, bool; a date as time.Time; nil for the bare word of an override

	raw     string // of an override: its text, which a key of type string takes as it is
	dropped bool   // taken away by Section.Drop: not decoded, rendered as enabled = false

	done   *node // of a section: what decoding made of it
	doc    string
	inline bool // rendered on one line
	unset  bool // has no value; a commented config shows its example
}

func newTable(path string, origin Origin) *node {
	return &node{kind: tableNode, path: path, origin: origin, table: map[string]*node{}}
}

// put sets a key of a table, the last one if it is new.
func (n *node) put(key string, child *node) {
	if _, exists := n.table[key]; !exists {
		n.keys = append(n.keys, key)
	}
	n.table[key] = child
}

// child returns a table's value, nil where there is none or it was dropped.
func (n *node) child(key string) *node {
	if n == nil || n.kind != tableNode {
		return nil
	}
	if c := n.table[key]; c != nil && !c.dropped {
		return c
	}
	return nil
}

// text returns the string of a leaf, also the bare word of an override.
func (n *node) text() (string, bool) {
	if n == nil || n.kind == brokenNode {
		return "", false
	}
	if s, ok := n.value.(string); ok && n.kind == leafNode {
		return s, true
	}
	return n.raw, n.raw != "" || (n.kind == leafNode && n.value == nil)
}

// plain returns the value in Go's own types: string, int64, float64, bool, []any, map[string]any. The bare word of an override is a string.
func (n *node) plain() any {
	switch n.kind {
	case tableNode:
		m := make(map[string]any, len(n.keys))
		for _, k := range n.keys {
			m[k] = n.table[k].plain()
		}
		return m
	case listNode:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plain()
		}
		return list
	}
	if n.value == nil {
		return n.raw
	}
	return n.value
}

// bare matches the keys that TOML takes without quotes.
var bare = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// quoteKey returns a key as TOML writes it.
func quoteKey(key string) string {
	if bare.MatchString(key) {
		return key
	}
	return quote(key)
}

// join appends a key to a path.
func join(path, key string) string {
	if path == "" {
		return quoteKey(key)
	}
	return path + "." + quoteKey(key)
}

// item appends an index to a path.
func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// lookup walks from n along a path whose items are written as [2] or .2.
// It returns the node, or nil and the deepest one on the way with the keys that were not found.
func (n *node) lookup(elems []string) (found, deepest *node, rest []string) {
	for i, e := range elems {
		next := n.child(e)
		if n.kind == listNode {
			if k, err := strconv.Atoi(e); err == nil && k >= 0 && k < len(n.items) {
				next = n.items[k]
			}
		}
		if next == nil {
			return nil, n, elems[i:]
		}
		n = next
	}
	return n, n, nil
}

// splitPath takes "model.encoder[0].units", "model.encoder.0.units" or `a."b.c"` apart; ok is false where it is no path.
func splitPath(path string) (elems []string, ok bool) {
	s := lineScanner{text: path}
	for {
		s.space()
		key, ok := s.simpleKey()
		if !ok {
			return nil, false
		}
		elems = append(elems, key)
		for s.peek() == '[' {
			end := strings.IndexByte(path[s.at:], ']')
			if end < 2 {
				return nil, false
			}
			elems = append(elems, path[s.at+1:s.at+end])
			s.at += end + 1
		}
		s.space()
		switch s.peek() {
		case 0:
			return elems, s.at == len(path)
		case '.':
			s.at++
		default:
			return nil, false
		}
	}
}
