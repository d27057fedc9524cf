package configs

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxFileBytes is the largest config that is read.
const maxFileBytes = 1 << 20

// maxSyntaxErrors is the number of statements that are passed over in search of further mistakes.
const maxSyntaxErrors = 20

// parse reads one TOML text into a tree whose values carry origin and line.
// A key = value that is not TOML is recorded and left as a broken node, so that the other mistakes of the text are found, too;
// fatal is set where nothing can be said of the rest.
func parse(text string, origin Origin) (tree *node, mistakes Errors, fatal bool) {
	fail := func(line int, format string, args ...any) {
		at := origin
		at.Line = line
		mistakes = append(mistakes, &Error{Origin: at, Message: fmt.Sprintf(format, args...)})
	}
	if len(text) > maxFileBytes {
		fail(0, "%d bytes are too many for a config; at most %d", len(text), maxFileBytes)
		return nil, mistakes, true
	}
	scan := scanLines(text)
	if scan.tooDeep > 0 {
		fail(scan.tooDeep, "nested deeper than %d levels", maxDepth)
		return nil, mistakes, true
	}
	var broken []statement
	for {
		values := map[string]any{}
		_, err := toml.Decode(text, &values)
		if err == nil {
			tree = newTree(values, scan, origin)
			for _, st := range broken {
				tree.breakAt(st, origin)
			}
			return tree, mistakes, false
		}
		line, message := syntaxError(err, text, scan)
		fail(line, "%s", message)
		st, ok := scan.statementAt(line)
		if !ok || st.header || !st.whole || len(broken) == maxSyntaxErrors || slices.ContainsFunc(broken, func(b statement) bool { return b.start == st.start }) {
			return nil, mistakes, true
		}
		broken = append(broken, st)
		text = text[:st.start] + blanked(text[st.start:st.end]) + text[st.end:]
	}
}

// blanked returns as many spaces, with the line ends kept.
func blanked(text string) string {
	b := []byte(text)
	for i := range b {
		if b[i] != '\n' {
			b[i] = ' '
		}
	}
	return string(b)
}

// statementAt returns the statement that a line belongs to.
func (s *lineScanner) statementAt(line int) (statement, bool) {
	for _, st := range s.statements {
		if st.first <= line && line <= st.last {
			return st, true
		}
	}
	return statement{}, false
}

// unquoted and twice are what the parser says of the two commonest mistakes.
var (
	unquoted = regexp.MustCompile(`^expected value but found "(.*)" instead$`)
	twice    = regexp.MustCompile(`^Key '(.*)' has already been defined\.$`)
)

// syntaxError returns line and sentence of the parser's error.
func syntaxError(err error, text string, scan *lineScanner) (line int, message string) {
	var at toml.ParseError
	if !errors.As(err, &at) {
		return 0, strings.TrimPrefix(err.Error(), "toml: ")
	}
	line, message = at.Position.Line, at.Message
	if i := at.Position.Start; i >= 0 && i <= len(text) && strings.Contains(message, `'\n'`) {
		line = strings.Count(text[:i], "\n") + 1 // the parser has counted the line end that it met
		message = strings.ReplaceAll(message, `'\n'`, "the line's end")
	}
	line = max(1, min(line, strings.Count(text, "\n")+1))
	st, _ := scan.statementAt(line)
	key := ""
	if !st.header && len(st.keys) > 0 {
		key = pathOf(st.keys)
	}
	if m := unquoted.FindStringSubmatch(message); m != nil {
		message = fmt.Sprintf("text needs quotes: %q", m[1])
		if word := strings.ToLower(m[1]); slices.Contains([]string{"true", "false", "yes", "no", "on", "off"}, word) {
			message = fmt.Sprintf("%s is neither true nor false; text needs quotes: %q", m[1], m[1])
		}
	}
	if number, found := strings.CutSuffix(message, " is out of range for int64"); found {
		message = number + " is too large"
	}
	if number, found := strings.CutSuffix(message, " is out of range for float64"); found {
		message = number + " is too large"
	}
	if m := twice.FindStringSubmatch(message); m != nil {
		message = "already defined"
		if first := scan.lines[st.path].line; first > 0 && first < line {
			message = fmt.Sprintf("already defined in line %d", first)
		}
		if key == "" {
			key = m[1]
		}
	}
	if key != "" {
		message = key + ": " + message
	}
	return line, message
}

// pathOf joins keys.
func pathOf(keys []string) string {
	path := ""
	for _, k := range keys {
		path = join(path, k)
	}
	return path
}

// treeBuilder turns the parser's values into nodes.
type treeBuilder struct {
	lines  map[string]keyLine
	origin Origin
}

func newTree(values map[string]any, scan *lineScanner, origin Origin) *node {
	b := treeBuilder{lines: scan.lines, origin: origin}
	return b.build(values, "", "", origin)
}

// build makes the node of one value. path is for people, at the scanner's; above is the origin of the value around it,
// which stands in where the scanner did not see a line.
func (b treeBuilder) build(value any, path, at string, above Origin) *node {
	origin := above
	if l, ok := b.lines[at]; ok {
		origin = b.origin
		origin.Line = l.line
	}
	switch v := value.(type) {
	case map[string]any:
		n := newTable(path, origin)
		for _, k := range b.order(v, at) {
			n.put(k, b.build(v[k], join(path, k), place(at, k), origin))
		}
		return n
	case []map[string]any:
		n := &node{kind: listNode, path: path, origin: origin}
		for i, e := range v {
			n.items = append(n.items, b.build(e, item(path, i), placeItem(at, i), origin))
		}
		return n
	case []any:
		n := &node{kind: listNode, path: path, origin: origin}
		for i, e := range v {
			n.items = append(n.items, b.build(e, item(path, i), placeItem(at, i), origin))
		}
		return n
	}
	return &node{kind: leafNode, path: path, origin: origin, value: value}
}

// order returns a table's keys as they were written.
func (b treeBuilder) order(m map[string]any, at string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y string) int {
		a, c := b.lines[place(at, x)], b.lines[place(at, y)]
		return cmp.Or(cmp.Compare(a.order, c.order), cmp.Compare(x, y))
	})
	return keys
}

// breakAt puts a broken node where a statement stood, unless the key has another value.
func (n *node) breakAt(st statement, origin Origin) {
	for i, k := range st.keys {
		if n.kind == listNode && len(n.items) > 0 { // [[table]]: its last item is as good as any
			n = n.items[len(n.items)-1]
		}
		if n.kind != tableNode {
			return
		}
		next := n.table[k]
		if next == nil {
			at := origin
			at.Line = st.first
			next = newTable(join(n.path, k), at)
			if i == len(st.keys)-1 {
				next.kind = brokenNode
			}
			n.put(k, next)
		}
		n = next
	}
}
