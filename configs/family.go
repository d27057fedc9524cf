package configs

import (
	"fmt"
	"reflect"
	"slices"

	"aetrain/internal/registry"
)

// family tells how tables become values of an interface type.
type family struct {
	key         string // which names the kind: layer, kind, source, name
	word        string // for one member, in sentences
	typ         reflect.Type
	namedByKind bool
	names       func() []string
	canonical   func(name string) (string, bool)
	make        func(name string) any // of a canonical name: a pointer to a struct with its defaults
	unknown     func(name string) error
}

// families holds those made known by Family; it is filled while packages initialise.
var families = map[reflect.Type]*family{}

// FamilyOption changes how a family's tables are read.
type FamilyOption func(*family)

// NamedByKind makes the name of an entry in a map its kind, unless a key says otherwise: [model.penalties.kl].
func NamedByKind(f *family) { f.namedByKind = true }

// Family makes the members of a registry known as values of interface type T: from then on a field of type T is written as a table,
// []T as a list and map[string]T as a table of tables, in which key says the kind. The constructors have to return pointers to structs.
// It is called while packages initialise; a second call for the same T is a mistake in our own source: it panics.
func Family[T any](key string, r *registry.Registry[T], options ...FamilyOption) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Interface || families[t] != nil {
		panic(fmt.Sprintf("configs: %v is no interface type, or is a family already", t))
	}
	f := &family{key: key, word: r.Kind(), typ: t, names: r.Names, canonical: r.Canonical, unknown: r.Unknown}
	f.make = func(name string) any {
		v, _ := r.Make(name)
		return v
	}
	for _, o := range options {
		o(f)
	}
	families[t] = f
}

// nameOf returns the kind of a value: what decoding has noted, or the value's own key says, else the first member of that type.
func (f *family) nameOf(v any, noted map[any]string) string {
	if name, ok := noted[v]; ok {
		return name
	}
	s := structBehind(reflect.ValueOf(v))
	if !s.IsValid() {
		return ""
	}
	for _, b := range bind(s, func(*field, reflect.Value) reflect.Value { return reflect.Value{} }) {
		if b.key == f.key && b.value.Kind() == reflect.String && b.value.String() != "" {
			return b.value.String()
		}
	}
	names := f.names()
	i := slices.IndexFunc(names, func(name string) bool { return reflect.TypeOf(f.make(name)) == reflect.TypeOf(v) })
	if i < 0 {
		return ""
	}
	return names[i]
}

// Defaulter is a table with defaults of its own where no constructor gives them: the elements of []struct and map[string]struct.
type Defaulter interface{ SetDefaults() }

// Validator is a table that looks at its keys together, once they are decoded.
// The error is a sentence about the table, or one about a key (see KeyError), or several joined.
type Validator interface{ Validate() error }

// Documented is a member of a family that says in one sentence what it is, for explain.
type Documented interface{ Doc() string }

// newElement returns a new struct with its defaults.
func newElement(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if d, ok := v.Interface().(Defaulter); ok {
		d.SetDefaults()
	}
	return v
}
