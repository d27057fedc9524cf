// Package archtest holds the house in place: which package may import which of ours. [House] is the table, [Table.Check]
// compares it with what [List] finds in the source; the test of this package is where both meet.
package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// Module is the path that our own imports begin with.
const Module = "aetrain"

// What a row may import, beside the names of rooms.
const (
	Earlier = "any earlier row but a device" // every room in a row above, devices and their parts excepted
	All     = "all"
)

// Room is a row of the table: a package, and what it may import of ours besides internal packages and open rooms above it.
type Room struct {
	Room     string   // path below the module: "cpu/gemm"
	May      []string // rooms, or Earlier, or All
	Tree     bool     // the row is for all packages below as well
	Open     bool     // every later row may import it
	Internal bool     // every row may import it
}

// Table lists the rooms in the order in which they build on one another.
type Table []Room

// Package is one package of the module as it is in the source.
type Package struct {
	Path  string              // below the module: "cpu/gemm"; "." is the module itself
	Files map[string][]string // a file that is no test, to the packages that it imports, as written
}

// Violation is an import that the table does not allow, or a package that it does not know.
type Violation struct {
	Package string
	File    string // empty where the whole package is meant
	Import  string
	Reason  string // what is allowed
}

// String is the sentence that a failing test prints.
func (v Violation) String() string {
	if v.File == "" {
		return fmt.Sprintf("%s: %s", v.Package, v.Reason)
	}
	return fmt.Sprintf("%s imports %s/%s; %s", v.File, Module, v.Import, v.Reason)
}

// Check returns every import among pkgs that t does not allow, in the order of pkgs and of file names.
func (t Table) Check(pkgs []Package) []Violation {
	var found []Violation
	for _, p := range pkgs {
		row := t.row(p.Path)
		if row < 0 {
			found = append(found, Violation{Package: p.Path, Reason: "no row of archtest.House is about this package: add one, and to ARCHITECTURE.md too"})
			continue
		}
		for _, file := range sortedKeys(p.Files) {
			for _, target := range ours(p.Files[file]) {
				if !t.allows(row, p.Path, target) {
					found = append(found, Violation{p.Path, file, target, t.sentence(row)})
				}
			}
		}
	}
	return append(found, devices(pkgs)...)
}

// devices finds packages that depend on a device without being a program.
func devices(pkgs []Package) []Violation {
	var found []Violation
	for _, p := range pkgs {
		if within(p.Path, Programs) || within(p.Path, Devices) {
			continue
		}
		if way := path(pkgs, p.Path, map[string]bool{}); way != nil {
			found = append(found, Violation{Package: p.Path, Reason: fmt.Sprintf(
				"it depends on %s (by way of %s); only %s may, the others are handed a backend.Backend",
				way[len(way)-1], strings.Join(way, " -> "), strings.Join(Programs, " and "))})
		}
	}
	return found
}

// path is a chain of imports from a package to a device, nil if there is none.
func path(pkgs []Package, from string, seen map[string]bool) []string {
	if within(from, Devices) {
		return []string{from}
	}
	i := slices.IndexFunc(pkgs, func(p Package) bool { return p.Path == from })
	if i < 0 || seen[from] {
		return nil
	}
	seen[from] = true
	for _, file := range sortedKeys(pkgs[i].Files) {
		for _, next := range ours(pkgs[i].Files[file]) {
			if way := path(pkgs, next, seen); way != nil {
				return append([]string{from}, way...)
			}
		}
	}
	return nil
}

// row is the index of the row about a package, -1 if there is none. A row of the very name goes before a tree's.
func (t Table) row(pkg string) int {
	if i := slices.IndexFunc(t, func(r Room) bool { return r.Room == pkg }); i >= 0 {
		return i
	}
	return slices.IndexFunc(t, func(r Room) bool { return r.Tree && within(pkg, []string{r.Room}) })
}

func (t Table) allows(row int, from, target string) bool {
	at := t.row(target)
	switch {
	case at < 0:
		return false
	case t[at].Internal, t[at].Open && at < row:
		return true
	case slices.Contains(t[row].May, All), slices.Contains(t[row].May, t[at].Room):
		return true
	case at == row && t[row].Tree: // packages of one tree
		return true
	}
	return slices.Contains(t[row].May, Earlier) && at < row && !within(target, Devices)
}

// sentence says what a row allows.
func (t Table) sentence(row int) string {
	r := t[row]
	return fmt.Sprintf("%s may import %s, besides internal packages%s", r.Room, r.Allowed(), t.openBefore(row))
}

func (t Table) openBefore(row int) string {
	for i, r := range t {
		if r.Open && i < row {
			return " and " + r.Room
		}
	}
	return ""
}

// Allowed is what a row may import, as ARCHITECTURE.md writes it.
func (r Room) Allowed() string {
	if len(r.May) == 0 {
		return "nothing"
	}
	return strings.Join(r.May, ", ")
}

// ours are the imports of the module among list, below it.
func ours(list []string) []string {
	var own []string
	for _, path := range list {
		if rest, ok := strings.CutPrefix(path, Module+"/"); ok {
			own = append(own, rest)
		}
	}
	return own
}

// within reports whether a package is one of rooms or below one.
func within(pkg string, rooms []string) bool {
	return slices.ContainsFunc(rooms, func(r string) bool { return pkg == r || strings.HasPrefix(pkg, r+"/") })
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
