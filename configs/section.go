package configs

import (
	"fmt"
	"reflect"
	"strings"
)

// Section is a table of a configuration, not yet decoded.
type Section struct {
	cfg  *Config
	node *node
}

// Path returns the section's place: "model.bottleneck"; "" for the root.
func (s *Section) Path() string { return s.node.path }

// Sub returns a table within the section. It is never nil; where nothing was written it is empty.
func (s *Section) Sub(key string) *Section {
	n, deepest, rest := s.find(key)
	if n == nil || n.kind != tableNode {
		path := deepest.path
		for _, k := range rest {
			path = join(path, k)
		}
		n = s.cfg.emptyTable(path, deepest.origin)
	}
	return &Section{cfg: s.cfg, node: n}
}

// emptyTable returns the one node that stands for a table nobody wrote, so that its defaults are rendered once it is decoded.
func (c *Config) emptyTable(path string, around Origin) *node {
	if c.empty[path] == nil {
		if c.empty == nil {
			c.empty = map[string]*node{}
		}
		c.empty[path] = newTable(path, around)
	}
	return c.empty[path]
}

// find looks a relative path up; "" is the section itself.
func (s *Section) find(key string) (found, deepest *node, rest []string) {
	if key == "" {
		return s.node, s.node, nil
	}
	elems, ok := splitPath(key)
	if !ok {
		elems = []string{key}
	}
	return s.node.lookup(elems)
}

// Has reports whether a key was written in any layer.
func (s *Section) Has(key string) bool {
	n, _, _ := s.find(key)
	return n != nil
}

// Text returns a text before decoding, such as "bottleneck.kind"; "" where the key is missing or is not text.
func (s *Section) Text(key string) string {
	n, _, _ := s.find(key)
	text, _ := n.text()
	return text
}

// Keys returns the keys of a table within the section, in order: s.Keys("penalties").
func (s *Section) Keys(key string) []string {
	n, _, _ := s.find(key)
	if n == nil || n.kind != tableNode {
		return nil
	}
	var keys []string
	for _, k := range n.keys {
		if n.child(k) != nil {
			keys = append(keys, k)
		}
	}
	return keys
}

// Where returns the origin of a key, or of the nearest table around it where the key itself was not written.
func (s *Section) Where(key string) Origin {
	_, deepest, _ := s.find(key)
	return deepest.origin
}

// Errorf records a mistake at a key of the section: "dir", "transforms[0].size", "" for the section itself.
// A note in brackets behind the key stays with it: "encoder[2] (dense)".
func (s *Section) Errorf(key, format string, args ...any) {
	key, note, noted := strings.Cut(key, " (")
	n, deepest, rest := s.find(key)
	e := &Error{Origin: deepest.origin, Key: deepest.path, Message: fmt.Sprintf(format, args...)}
	if n == nil {
		for _, k := range rest {
			e.Key = join(e.Key, k)
		}
	}
	if noted {
		e.Key += " (" + note
	}
	s.cfg.errs = append(s.cfg.errs, e)
}

// Drop takes a value away before decoding, as a preset's penalty that means nothing on the user's bottleneck.
// An entry of a table of tables is rendered as enabled = false.
func (s *Section) Drop(key string) {
	if n, _, _ := s.find(key); n != nil {
		n.dropped = true
	}
}

// Take gives a key of the section, before decoding, the value that stands at another place; false where nothing stands there. It is
// rendered with the section, so that what was taken may go away: the layers of a network from the config of the run that trained it.
func (s *Section) Take(key string, from *Section, at string) bool {
	n, _, _ := from.find(at)
	if n != nil {
		s.node.put(key, n)
	}
	return n != nil
}

// Over returns the section laid over another one: its own keys win, a kind of its own replaces all of base.
// An adversary's optimizer = {...} takes what it lacks from [optimizer] by it. Decoding the result leaves what is rendered as it was.
func (s *Section) Over(base *Section) *Section {
	m := merger{fail: s.cfg.fail}
	merged := *m.merge(base.node, s.node, "optimizer")
	merged.path, merged.done = s.node.path, nil
	return &Section{cfg: s.cfg, node: &merged}
}

// Decode fills structs from the section, strictly: every key has to be known to one of them, every value has to be of its key's type
// and within its limits. The arguments are pointers to structs that hold their defaults, which keys that were not written leave alone.
// Mistakes are recorded in the Config; they are also returned, as Errors.
func (s *Section) Decode(into ...any) error {
	before := len(s.cfg.errs)
	d := &decoder{cfg: s.cfg, kinds: map[any]string{}, off: map[string][]string{}}
	structs := make([]reflect.Value, len(into))
	for i, v := range into {
		structs[i] = structBehind(reflect.ValueOf(v))
		if !structs[i].IsValid() || !structs[i].CanSet() {
			panic(fmt.Sprintf("configs: Decode wants pointers to structs, not %T", v))
		}
	}
	d.table(s.node, structs)
	s.node.done = (&encoder{kinds: d.kinds, off: d.off}).table(s.node.path, structs)
	return s.cfg.errs[before:].orNil()
}

// MissingPath records that a key's file or folder is not there; abs is the resolved path, what "file" or "folder".
func (s *Section) MissingPath(key, abs, what string) {
	s.Errorf(key, "%s", MissingPath(abs, s.cfg.Dir(), what))
}
