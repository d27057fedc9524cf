package configs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Layer is one of the sources of a configuration, each of which overrides those before it.
type Layer int

// The layers, lowest first.
const (
	Default Layer = iota // the Go declarations
	Preset               // a preset's file
	File                 // the user's file
	Set                  // -set
)

// Origin tells where a value was written.
type Origin struct {
	Layer Layer
	Name  string // of the file or the preset; of an override its text, data.batch=-5
	Line  int    // from 1; 0 where the value is nowhere in particular
	order int    // of an override: its place on the command line
}

// String returns the place as it stands before an error: experiments/vae.toml:14, preset vae:3, -set data.batch=-5, or default.
func (o Origin) String() string {
	place := o.Name
	switch o.Layer {
	case Default:
		if place == "" {
			return "default"
		}
	case Preset:
		place = "preset " + place
	case Set:
		return "-set " + place
	}
	if o.Line > 0 {
		place = fmt.Sprintf("%s:%d", place, o.Line)
	}
	return place
}

// Error is one mistake in a configuration.
type Error struct {
	Origin  Origin
	Key     string // full path, as model.encoder[0].units; "" for mistakes of the whole file
	Message string // the sentence: what was wanted, what came
}

// Error returns "experiments/vae.toml:14: model.laten_dim: unknown key; did you mean latent_dim?".
// An override that is nothing but this key already names it, so the key is not repeated.
func (e *Error) Error() string {
	var parts []string
	if place := e.Origin.String(); place != "" && (e.Origin.Layer != Default || e.Origin.Name != "") {
		parts = append(parts, place)
	}
	if e.Key != "" && !e.keyIsInSet() {
		parts = append(parts, e.Key)
	}
	return strings.Join(append(parts, e.Message), ": ")
}

// keyIsInSet reports whether the override's own text names the key.
func (e *Error) keyIsInSet() bool {
	if e.Origin.Layer != Set {
		return false
	}
	elems, _, ok := splitSet(e.Origin.Name)
	key, _ := splitPath(e.Key)
	return ok && slices.Equal(elems, key)
}

// Errors are all mistakes of a configuration; the command line ends with exit code 2 on them.
type Errors []*Error

// Error joins the mistakes, one a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// orNil returns the mistakes sorted (files by line, presets, overrides as on the command line) and each once; nil where there are none.
func (e Errors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	rank := map[Layer]int{File: 0, Preset: 1, Set: 2, Default: 3}
	sorted := slices.Clone(e)
	slices.SortStableFunc(sorted, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(rank[a.Origin.Layer], rank[b.Origin.Layer]), cmp.Compare(a.Origin.order, b.Origin.order),
			cmp.Compare(a.Origin.Name, b.Origin.Name), cmp.Compare(a.Origin.Line, b.Origin.Line), cmp.Compare(a.Key, b.Key))
	})
	return slices.CompactFunc(sorted, func(a, b *Error) bool { return a.Error() == b.Error() })
}

// IsMistake reports whether err is a mistake of the user's in a configuration, as opposed to a failure.
func IsMistake(err error) bool {
	var list Errors
	return errors.As(err, &list)
}

// keyError is a sentence about one key of the table that a Validate looked at.
type keyError struct {
	key, message string
}

func (e *keyError) Error() string { return e.key + ": " + e.message }

// KeyError returns an error about one key of a table, for the table's Validate method:
//
//	return configs.KeyError("stride", "must divide the input's %d pixels", size)
func KeyError(key, format string, args ...any) error {
	return &keyError{key: key, message: fmt.Sprintf(format, args...)}
}

// flattenErrors takes joined errors apart.
func flattenErrors(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, flattenErrors(e)...)
		}
		return all
	}
	return []error{err}
}
