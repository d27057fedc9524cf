package data

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// check reports files that are not there.
func (p Paths) check(missing func(key, abs, what string)) {
	for _, path := range p {
		if !exists(path) {
			missing("file", path, "file")
		}
	}
}

// eachFile opens the files one after the other, gunzipped where they are compressed, as each does.
func (p Paths) eachFile(read func(name string, text io.Reader) error) error {
	return p.each(func(name string) error { return readFile(name, read) })
}

// each visits the files one after the other. Errors get the file's name, mistakes have a key.
func (p Paths) each(visit func(name string) error) error {
	files, err := p.Files()
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := visit(name); err != nil {
			var m *Mistake
			if errors.As(err, &m) {
				return m
			}
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func readFile(name string, read func(name string, text io.Reader) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := gunzipped(f)
	if err != nil {
		return err
	}
	return read(name, text)
}

// eachRecord visits the records of a table with their numbers from 0, and shows how far it has come. A record is valid until the next.
func eachRecord(ctx context.Context, r *csv.Reader, name string, env Env, visit func(n int, record []string) error) error {
	const between = 1 << 16 // records from one look at ctx to the next
	r.ReuseRecord, r.LazyQuotes = true, true
	for n := 0; ; n++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n%between == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			env.Progress(Progress{What: "reading " + filepath.Base(name), Done: int64(n), Unit: "rows"})
		}
		if err := visit(n, record); err != nil {
			return err
		}
	}
}
