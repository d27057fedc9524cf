package archtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// TestHouse holds the source to the table.
func TestHouse(t *testing.T) {
	pkgs := list(t)
	for _, v := range House.Check(pkgs) {
		t.Error(v)
	}
	for _, r := range House {
		if !slices.ContainsFunc(pkgs, func(p Package) bool { return p.Path == r.Room || r.Tree && within(p.Path, []string{r.Room}) }) {
			t.Errorf("the table has a row about %s, and there is no such package", r.Room)
		}
	}
}

func list(t *testing.T) []Package {
	t.Helper()
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	pkgs, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(pkgs) == 0 {
		t.Fatal("go list has found no package")
	}
	return pkgs
}

// TestList reads files under build tags and leaves tests out.
func TestList(t *testing.T) {
	pkgs := list(t)
	at := slices.IndexFunc(pkgs, func(p Package) bool { return p.Path == "cpu/gemm" })
	if at < 0 {
		t.Fatal("cpu/gemm is missing")
	}
	files := pkgs[at].Files
	for _, want := range []string{"cpu/gemm/kernels_amd64.go", "cpu/gemm/kernels_other.go"} { // one of them is ignored by any build
		if _, ok := files[want]; !ok {
			t.Errorf("%s is missing; files are %v", want, sortedKeys(files))
		}
	}
	for name := range files {
		if strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s is a test", name)
		}
	}
}

// TestArchitecture holds the table of ARCHITECTURE.md to House: each row is there, in the order, with what it may import.
func TestArchitecture(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) == 5 && strings.HasPrefix(cells[1], " `") {
			got = append(got, strings.Trim(cells[1], " `/")+": "+strings.ReplaceAll(strings.TrimSpace(cells[3]), "`", ""))
		}
	}
	var want []string
	for _, r := range House {
		want = append(want, r.Room+": "+r.Allowed())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the table of ARCHITECTURE.md is not archtest.House:\ngot\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// made is a small house of its own, so that the checker itself is seen to fail.
var made = Table{
	{Room: "graph"},
	{Room: "op", May: []string{"graph"}},
	{Room: "cpu/gemm"},
	{Room: "cpu", May: []string{"op", "cpu/gemm"}},
	{Room: "configs", Open: true},
	{Room: "data", May: []string{"graph"}},
	{Room: "infer", May: []string{Earlier}},
	{Room: "trainer", May: []string{Earlier}},
	{Room: "cmd", Tree: true, May: []string{All}},
	{Room: "internal", Tree: true, Internal: true},
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		pkg  string
		imp  string
		want string // the sentence; empty: allowed
	}{
		{"a row's own list", "op", "aetrain/graph", ""},
		{"standard library and other modules", "graph", "gorgonia.org/tensor", ""},
		{"a name that only begins like the module", "graph", "aetrainer/x", ""},
		{"upwards", "graph", "aetrain/op", "graph/x.go imports aetrain/op; graph may import nothing, besides internal packages"},
		{"a list names its rooms", "op", "aetrain/data", "op/x.go imports aetrain/data; op may import graph, besides internal packages"},
		{"an open room, from below it", "data", "aetrain/configs", ""},
		{"an open room, from above it", "op", "aetrain/configs", "op/x.go imports aetrain/configs; op may import graph, besides internal packages"},
		{"what a later row may import is said", "data", "aetrain/op", "data/x.go imports aetrain/op; data may import graph, besides internal packages and configs"},
		{"internal is for all", "graph", "aetrain/internal/philox", ""},
		{"internal among itself", "internal/a", "aetrain/internal/b", ""},
		{"internal imports no room", "internal/a", "aetrain/graph", "internal/a/x.go imports aetrain/graph; internal may import nothing, besides internal packages and configs"},
		{"any earlier row", "trainer", "aetrain/infer", ""},
		{"but no later one", "infer", "aetrain/trainer", "infer/x.go imports aetrain/trainer; infer may import any earlier row but a device, besides internal packages and configs"},
		{"and no device", "infer", "aetrain/cpu", "infer/x.go imports aetrain/cpu; infer may import any earlier row but a device, besides internal packages and configs"},
		{"and no part of one", "infer", "aetrain/cpu/gemm", "infer/x.go imports aetrain/cpu/gemm; infer may import any earlier row but a device, besides internal packages and configs"},
		{"a part is a room of its own", "cpu", "aetrain/cpu/gemm", ""},
		{"the room does not stand for its parts", "cpu/gemm", "aetrain/cpu", "cpu/gemm/x.go imports aetrain/cpu; cpu/gemm may import nothing, besides internal packages"},
		{"a command imports all", "cmd/tool", "aetrain/cpu", ""},
		{"nobody knows the package", "attic", "fmt", "attic: no row of archtest.House is about this package: add one, and to ARCHITECTURE.md too"},
		{"nobody knows the import", "cmd/tool", "aetrain/attic", "cmd/tool/x.go imports aetrain/attic; cmd may import all, besides internal packages and configs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if v := made.Check([]Package{{c.pkg, map[string][]string{c.pkg + "/x.go": {"fmt", c.imp}}}}); len(v) > 0 {
				got = v[0].String()
			}
			if got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestDevices follows imports through other packages.
func TestDevices(t *testing.T) {
	pkgs := []Package{
		{"cpu", map[string][]string{"cpu/cpu.go": {"aetrain/op"}}},
		{"op", nil},
		{"internal/bridge", map[string][]string{"internal/bridge/b.go": {"aetrain/cpu"}}},
		{"trainer", map[string][]string{"trainer/t.go": {"aetrain/internal/bridge"}}},
		{"cmd/tool", map[string][]string{"cmd/tool/main.go": {"aetrain/trainer", "aetrain/cpu"}}},
	}
	var got []string
	for _, v := range devices(pkgs) {
		got = append(got, v.String())
	}
	want := []string{
		"internal/bridge: it depends on cpu (by way of internal/bridge -> cpu); only cmd and bench may, the others are handed a backend.Backend",
		"trainer: it depends on cpu (by way of trainer -> internal/bridge -> cpu); only cmd and bench may, the others are handed a backend.Backend",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
