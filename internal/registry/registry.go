// Package registry keeps what a configuration can name: layers, parts, data sources, optimisers.
//
// Each thing registers itself with its defaults in its own file, in the package that owns the registry (see [Registry.Add]).
// Looking a name up takes "-" and "_" as one and British spellings for American ones; see [Fold].
package registry

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Registry maps names to constructors of T. It is filled while packages initialise and only read afterwards.
type Registry[T any] struct {
	kind   string
	make   map[string]func() T // by canonical name
	folded map[string]string   // folded name to canonical name
}

// New returns an empty registry; kind is the word that sentences use for its members, such as "layer" or "data source".
func New[T any](kind string) *Registry[T] {
	return &Registry[T]{kind: kind, make: map[string]func() T{}, folded: map[string]string{}}
}

// Kind returns the word for one member, as given to New.
func (r *Registry[T]) Kind() string { return r.kind }

// Add registers a constructor, which returns a new value with its defaults, under its canonical name.
// A name that is already taken, in whatever spelling, is a mistake in our own source: Add panics.
func (r *Registry[T]) Add(name string, make func() T) {
	if other, taken := r.folded[Fold(name)]; taken {
		panic(fmt.Sprintf("registry: %s %q is registered twice (as %q)", r.kind, name, other))
	}
	r.folded[Fold(name)] = name
	r.make[name] = make
}

// Make returns a new value for the name, and false where nothing has that name.
func (r *Registry[T]) Make(name string) (T, bool) {
	canonical, ok := r.Canonical(name)
	if !ok {
		var zero T
		return zero, false
	}
	return r.make[canonical](), true
}

// Canonical returns the spelling under which the name was registered.
func (r *Registry[T]) Canonical(name string) (string, bool) {
	canonical, ok := r.folded[Fold(name)]
	return canonical, ok
}

// Names returns the canonical names, sorted.
func (r *Registry[T]) Names() []string { return slices.Sorted(maps.Keys(r.make)) }

// Nearest returns the registered name that was probably meant, or "" where none is near.
func (r *Registry[T]) Nearest(name string) string { return Nearest(name, r.Names()) }

// Unknown returns the error for a name that is not registered: it ends with the nearest name, else with all of them.
func (r *Registry[T]) Unknown(name string) error {
	return fmt.Errorf("unknown %s %q%s", r.kind, name, Suggest(name, r.Names()))
}

// Suggest returns the end of a sentence about an unknown name: "; did you mean x?", else "; there are a, b and c",
// else nothing where there is nothing to suggest.
func Suggest(name string, among []string) string {
	if near := Nearest(name, among); near != "" {
		return "; did you mean " + near + "?"
	}
	switch len(among) {
	case 0:
		return ""
	case 1:
		return "; there is " + among[0]
	}
	last := len(among) - 1
	return "; there are " + strings.Join(among[:last], ", ") + " and " + among[last]
}
