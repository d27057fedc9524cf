package throughput

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"aetrain/internal/cachedir"
)

// Write writes the report to a folder, which it makes: bench.json, bench.txt and bench.png.
func (r *Report) Write(dir string) error {
	return writeAll(dir, map[string]func(io.Writer) error{"bench.json": asJSON(r), "bench.txt": r.WriteTable, "bench.png": r.WriteChart})
}

// Write writes the profiles to a folder, which it makes: profile.json and profile.txt.
func (p *Profiles) Write(dir string) error {
	return writeAll(dir, map[string]func(io.Writer) error{"profile.json": asJSON(p), "profile.txt": p.WriteTable})
}

// writeAll writes files, each of them whole or not at all.
func writeAll(dir string, files map[string]func(io.Writer) error) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, write := range files {
		if err := cachedir.WriteFile(filepath.Join(dir, name), write); err != nil {
			return err
		}
	}
	return nil
}

// asJSON writes a value, indented.
func asJSON(v any) func(io.Writer) error {
	return func(w io.Writer) error {
		text, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		_, err = io.Copy(w, bytes.NewReader(append(text, '\n')))
		return err
	}
}
