package configs

import "strings"

// KeyValue is a key with its value as TOML.
type KeyValue struct {
	Key   string // model.encoder[0].units
	Value string
}

// Values returns every key of the configuration with its value, defaults of decoded sections included, in order of declaration.
// Lists of tables are taken apart, other lists and schedules are one value.
func (c *Config) Values() []KeyValue { return flatten(c.root, "", nil) }

// flatten appends the values below a node.
func flatten(n *node, path string, all []KeyValue) []KeyValue {
	n = n.resolved()
	switch {
	case n.unset || n.dropped || n.kind == brokenNode:
		return all
	case n.kind == tableNode && !n.inline:
		for _, k := range n.keys {
			all = flatten(n.table[k], join(path, k), all)
		}
		return all
	case n.isBlock():
		for i, child := range n.items {
			all = flatten(child, item(path, i), all)
		}
		return all
	}
	return append(all, KeyValue{path, n.oneLine()})
}

// Difference is a key whose value differs between two configurations; "" where one of them lacks it.
type Difference struct {
	Key, A, B string
}

// Diff returns the keys that differ, in a's order, then those that only b has.
func Diff(a, b *Config) []Difference {
	of := func(values []KeyValue) map[string]string {
		m := make(map[string]string, len(values))
		for _, v := range values {
			m[v.Key] = v.Value
		}
		return m
	}
	inA, inB := a.Values(), b.Values()
	valueA, valueB := of(inA), of(inB)
	var all []Difference
	for _, v := range inA {
		if other := valueB[v.Key]; other != v.Value {
			all = append(all, Difference{v.Key, v.Value, other})
		}
	}
	for _, v := range inB {
		if _, both := valueA[v.Key]; !both {
			all = append(all, Difference{v.Key, "", v.Value})
		}
	}
	return all
}

// Allowed reports whether a key is one of those that the patterns let through. A pattern is a key in which * stands for any one part,
// at the end for all that follows; ! before it takes back what earlier ones allow: "optimizer.*", "!optimizer.name". The last match wins.
func Allowed(key string, patterns []string) bool {
	elems, ok := splitPath(key)
	if !ok {
		return false
	}
	allowed := false
	for _, p := range patterns {
		p, not := strings.CutPrefix(p, "!")
		if matches(elems, strings.Split(p, ".")) {
			allowed = !not
		}
	}
	return allowed
}

// matches holds the parts of a key against those of a pattern.
func matches(key, pattern []string) bool {
	for i, p := range pattern {
		switch {
		case i >= len(key):
			return false
		case p == "*" && i == len(pattern)-1:
			return true
		case p != "*" && p != key[i]:
			return false
		}
	}
	return len(key) == len(pattern)
}
