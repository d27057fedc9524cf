package data

import (
	"context"
	"fmt"

	"aetrain/configs"
	"aetrain/internal/registry"
)

// Parts is what a source has of its own: a test split or none, a validation split or none.
type Parts struct {
	Train, Validation, Test Source
}

// all lists the parts there are.
func (p *Parts) all() []Source {
	var there []Source
	for _, s := range []Source{p.Train, p.Validation, p.Test} {
		if s != nil {
			there = append(there, s)
		}
	}
	return there
}

// Env is what opening a source may use besides its own keys.
type Env struct {
	Label    string         // data.label
	Progress func(Progress) // never nil; called by one goroutine at a time
}

// Progress tells how far a download or a generator is.
type Progress struct {
	What  string // "downloading train-images-idx3-ubyte.gz"
	Done  int64
	Total int64  // 0: unknown
	Unit  string // "B" or "images"
}

// SourceOptions are the keys that one kind of source adds to [data]; Open reads the source.
// A kind registers itself in its own file by sources.Add.
type SourceOptions interface {
	Open(ctx context.Context, env Env) (*Parts, error)
}

// pathed is a source that can read another file or folder of its kind: validation = "photos/held-out", -in PATH.
type pathed interface {
	at(path string) SourceOptions
}

// checker is a source whose paths can be looked at before anything is opened: missing is called for each that is not there,
// what is "file" or "folder".
type checker interface {
	check(missing func(key, abs, what string))
}

// labelFiler is a source whose data.label is a file with a label for each example.
type labelFiler interface {
	labelFile()
}

// labelColumner is a source whose data.label is one of its columns or variables.
type labelColumner interface {
	labelColumn()
}

var sources = registry.New[SourceOptions]("data source")

func init() { configs.Family("source", sources) }

// Sources lists the kinds of sources, for aetrain list.
func Sources() []string { return sources.Names() }

// Mistake is an error that the user mends in the config: Key is data.validation, Message the sentence.
type Mistake struct {
	Key, Message string
}

func (m *Mistake) Error() string { return m.Key + ": " + m.Message }

func mistake(key, format string, args ...any) error {
	return &Mistake{Key: key, Message: fmt.Sprintf(format, args...)}
}
