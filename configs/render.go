package configs

import (
	"bufio"
	"io"
	"strings"
)

// RenderOptions say how a configuration is written.
type RenderOptions struct {
	Comments bool   // the meaning above each key, and keys that are not set as examples
	Header   string // lines that begin the file, as comments
}

// Render writes the complete configuration as TOML, once the rooms have decoded it: every key in order of declaration, defaults included,
// paths absolute. Loaded again it gives the same values; keys of sections that no room has decoded are written as they were read.
func (c *Config) Render(w io.Writer, o RenderOptions) error {
	r := &renderer{w: bufio.NewWriter(w), comments: o.Comments}
	for line := range strings.Lines(o.Header) {
		r.line("# " + strings.TrimRight(line, "\r\n"))
	}
	r.table(c.root, "", false)
	return r.w.Flush()
}

// resolved returns what decoding has made of a table, else the table.
func (n *node) resolved() *node {
	if n.done != nil {
		return n.done
	}
	return n
}

// renderer writes TOML; its writer keeps the first error.
type renderer struct {
	w        *bufio.Writer
	comments bool
	begun    bool // something was written: the next header stands off
}

func (r *renderer) line(parts ...string) {
	for _, p := range parts {
		_, _ = r.w.WriteString(p) // Flush returns the writer's error
	}
	_ = r.w.WriteByte('\n')
	r.begun = true
}

// comment writes a key's meaning.
func (r *renderer) comment(doc string) {
	if r.comments && doc != "" {
		r.line("# ", oneLine(doc))
	}
}

// oneLine keeps a comment from becoming TOML.
func oneLine(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, text)
}

// isBlock reports whether a node is written under headers of its own: a table, or a list of nothing but tables.
func (n *node) isBlock() bool {
	if n.kind == tableNode {
		return !n.inline
	}
	if n.kind != listNode || len(n.items) == 0 {
		return false
	}
	for _, item := range n.items {
		if item.kind != tableNode || item.inline {
			return false
		}
	}
	return true
}

// hidden reports whether nothing is written for a node.
func (r *renderer) hidden(n *node) bool {
	return n.kind == brokenNode || n.dropped || n.unset && (!r.comments || n.raw == "")
}

// table writes the keys of a table: first those on one line, then the tables within it under headers of their own.
// item says that the table is an item of a list, whose header stands already.
func (r *renderer) table(n *node, path string, item bool) {
	doc := n.doc
	n = n.resolved()
	simple, blocks := 0, 0
	for _, k := range n.keys {
		child := n.table[k].resolved()
		switch {
		case r.hidden(child):
		case child.isBlock():
			blocks++
		default:
			simple++
		}
	}
	if path != "" && !item && simple > 0 {
		r.header("[", path, "]", doc)
	}
	for _, k := range n.keys {
		if child := n.table[k].resolved(); !r.hidden(child) && !child.isBlock() {
			r.key(k, child)
		}
	}
	if blocks == 0 {
		return
	}
	for _, k := range n.keys {
		if child := n.table[k]; !r.hidden(child.resolved()) && child.resolved().isBlock() {
			r.block(child, join(path, k))
		}
	}
}

// block writes a table, or a list of tables, under headers of its own.
func (r *renderer) block(n *node, path string) {
	if n.kind == tableNode {
		r.table(n, path, false)
		return
	}
	for i, child := range n.items {
		doc := ""
		if i == 0 {
			doc = n.doc
		}
		r.header("[[", path, "]]", doc)
		r.table(child, path, true)
	}
}

// header writes the header of a table, apart from what came before.
func (r *renderer) header(open, path, end, doc string) {
	if r.begun {
		r.line()
	}
	r.comment(doc)
	r.line(open, path, end)
}

// key writes one key on its line; in a commented config one that is not set as its example, commented out.
func (r *renderer) key(key string, n *node) {
	r.comment(n.doc)
	if n.unset {
		r.line("# ", quoteKey(key), " = ", oneLine(n.raw))
		return
	}
	r.line(quoteKey(key), " = ", n.oneLine())
}

// oneLine returns a node as TOML on one line.
func (n *node) oneLine() string {
	n = n.resolved()
	switch n.kind {
	case tableNode:
		var parts []string
		for _, k := range n.keys {
			if child := n.table[k]; !child.unset && !child.dropped && child.kind != brokenNode {
				parts = append(parts, quoteKey(k)+" = "+child.oneLine())
			}
		}
		if len(parts) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case listNode:
		parts := make([]string, 0, len(n.items))
		for _, item := range n.items {
			if item.kind != brokenNode {
				parts = append(parts, item.oneLine())
			}
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case brokenNode:
		return `""`
	}
	if n.value == nil {
		return quote(n.raw)
	}
	return showWhole(n.value)
}
