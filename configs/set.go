package configs

import (
	"strings"

	"github.com/BurntSushi/toml"
)

// splitSet takes KEY=VALUE apart: the key as TOML writes it, items of lists by number.
func splitSet(set string) (key []string, value string, ok bool) {
	s := lineScanner{text: set}
	for s.at < len(set) && set[s.at] != '=' {
		if c := set[s.at]; c == '"' || c == '\'' {
			s.quoted()
		} else {
			s.at++
		}
	}
	if s.at >= len(set) {
		return nil, "", false
	}
	key, ok = splitPath(set[:s.at])
	return key, set[s.at+1:], ok && len(key) <= maxDepth
}

// setTree merges all overrides into one tree. A later one wins over an earlier one.
func (c *Config) setTree(sets []string) *node {
	m := merger{fail: c.fail, oneLayer: true}
	tree := newTable("", Origin{Layer: Set})
	for i, set := range sets {
		origin := Origin{Layer: Set, Name: set, order: i + 1}
		key, value, ok := splitSet(set)
		if !ok {
			c.errs = append(c.errs, &Error{Origin: origin, Message: "not of the form KEY=VALUE, as in data.batch=64"})
			continue
		}
		tree = m.merge(tree, setNode(key, value, origin), "")
	}
	return tree
}

// setNode returns the tree of one override. Its value stays as it was written until the key's type is known; what is TOML is read besides.
func setNode(key []string, value string, origin Origin) *node {
	root := newTable("", origin)
	n := root
	for i, k := range key {
		path := join(n.path, k)
		child := newTable(path, origin)
		if i == len(key)-1 {
			child = setValue(path, strings.TrimSpace(value), origin)
		}
		n.put(k, child)
		n = child
	}
	return root
}

// setValue reads an override's value.
func setValue(path, value string, origin Origin) *node {
	word := &node{kind: leafNode, path: path, origin: origin, raw: value}
	text := "x = " + value
	scan := scanLines(text)
	if len(text) > maxFileBytes || scan.tooDeep > 0 || len(scan.statements) != 1 {
		return word
	}
	values := map[string]any{}
	if _, err := toml.Decode(text, &values); err != nil || len(values) != 1 {
		return word
	}
	n := treeBuilder{origin: origin}.build(values["x"], path, "", origin)
	n.raw = value
	return n
}
