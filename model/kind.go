package model

import (
	"reflect"

	"aetrain/internal/registry"
)

// nameIn is the name under which a part's type is registered.
func nameIn[T any](r *registry.Registry[T], part T) string {
	for _, name := range r.Names() {
		if made, ok := r.Make(name); ok && reflect.TypeOf(made) == reflect.TypeOf(part) {
			return name
		}
	}
	return ""
}
