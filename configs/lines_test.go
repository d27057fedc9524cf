package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	cases := []struct {
		name, text string
		lines      map[string]int
	}{
		{"plain", "a = 1\n\nb = 2 # b = 3\n", map[string]int{"a": 1, "b": 3}},
		{"dotted and quoted", "a.b.\"c d\" = 1\n'e.f' = 2\n", map[string]int{"a": 1, "a.b": 1, `a.b."c d"`: 1, `"e.f"`: 2}},
		{"escaped key", "\"\\u0061\\n\" = 1\n", map[string]int{`"a\n"`: 1}},
		{"tables", "[a]\nx = 1\n[ a . b ]\nx = 1\n", map[string]int{"a": 1, "a.x": 2, "a.b": 3, "a.b.x": 4}},
		{"arrays of tables", "[[a]]\nx = 1\n[[a]]\n[[a.b]]\ny = 1\n[[a.b]]\ny = 2\n[a.c]\nz = 1\n",
			map[string]int{"a": 1, "a[0].x": 2, "a[1]": 3, "a[1].b[0].y": 5, "a[1].b[1]": 6, "a[1].b[1].y": 7, "a[1].c.z": 9}},
		{"list over lines", "a = [ # ]\n  1, # [\n\n  [2,\n   3],\n]\nb = 1\n", map[string]int{"a": 1, "a[0]": 2, "a[1]": 4, "a[1][0]": 4, "a[1][1]": 5, "b": 7}},
		{"inline tables", "a = { x = 1, y.z = { w = 2 } }\nb = [\n  { x = 1 },\n  { x = 2,\n    y = 3 },\n]\n",
			map[string]int{"a.x": 1, "a.y.z.w": 1, "b[0].x": 3, "b[1].x": 4, "b[1].y": 5}},
		{"long strings", "a = \"\"\"\nb = 1\n\\\"\"\" c = 2\\\n\"\"\"\"\"\nd = '''\n'\n\\''' \ne = 5\n", map[string]int{"a": 1, "d": 5, "e": 8}},
		{"strings with brackets", "a = \"[{\\\"#\"\nb = '[\\'\nc = [\"#]\", '}']\nd = 4\n", map[string]int{"a": 1, "b": 2, "c": 3, "c[1]": 3, "d": 4}},
		{"windows", "\xef\xbb\xbfa = 1\r\n[b]\r\nc = [\r\n1]\r\n", map[string]int{"a": 1, "b": 2, "b.c": 3, "b.c[0]": 4}},
		{"dates", "a = 1979-05-27 07:32:00\nb = 07:32:00\n", map[string]int{"a": 1, "b": 2}},
		{"no line end", "a = 1\nb = [1,\n2]", map[string]int{"a": 1, "b": 2, "b[1]": 3}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tree, mistakes, fatal := parse(c.text, Origin{Layer: File, Name: "t.toml"})
			if fatal || len(mistakes) > 0 {
				t.Fatal(mistakes)
			}
			for key, want := range c.lines {
				elems, ok := splitPath(key)
				if !ok {
					t.Fatalf("%s is no path", key)
				}
				n, _, _ := tree.lookup(elems)
				if n == nil {
					t.Errorf("%s is not there", key)
				} else if n.origin.Line != want || n.path != key {
					t.Errorf("%s: line %d as %s; want %d as %s", key, n.origin.Line, n.path, want, key)
				}
			}
			withoutLine(t, tree)
		})
	}
}

// withoutLine fails the test for every value below n whose line is not known.
func withoutLine(t *testing.T, n *node) {
	t.Helper()
	if n.path != "" && n.origin.Line == 0 {
		t.Errorf("%s has no line", n.path)
	}
	for _, k := range n.keys {
		withoutLine(t, n.table[k])
	}
	for _, item := range n.items {
		withoutLine(t, item)
	}
}

// TestExamples reads the experiments that users were promised to be taken as they are.
func TestExamples(t *testing.T) {
	data := os.Getenv("AETRAIN_DATA")
	if data == "" {
		t.Skip("AETRAIN_DATA names no folder")
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(data), "examples", "*.toml"))
	if len(files) == 0 {
		t.Skip("no examples beside AETRAIN_DATA")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var root any
			if strings.HasPrefix(filepath.Base(file), "sweep") {
				root = &struct {
					Config string   `toml:"config,path"`
					Set    []string `toml:"set"`
					Sweep  *Section `toml:"sweep"`
				}{}
			}
			cfg, err := Load(LoadOptions{File: file, Root: root})
			if err != nil {
				t.Fatal(err)
			}
			if err := cfg.Err(); err != nil {
				t.Error(err)
			}
			withoutLine(t, cfg.root)
			var out strings.Builder
			if err := cfg.Render(&out, RenderOptions{}); err != nil {
				t.Fatal(err)
			}
			again, err := Load(LoadOptions{File: file, Bytes: []byte(out.String()), Root: root})
			if err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			if diff := Diff(cfg, again); len(diff) > 0 {
				t.Errorf("rendered and read again: %v", diff)
			}
		})
	}
}
