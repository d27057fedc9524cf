// Package cachedir is the place for what can be made or fetched again: downloads, generated data, measured kernel choices.
package cachedir

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Variable is the environment variable that names another folder than the user's cache folder.
const Variable = "AETRAIN_CACHE"

// Path returns the path of elem below the cache folder: $AETRAIN_CACHE, else aetrain in the user's cache folder
// (~/.cache on Linux, ~/Library/Caches on macOS, %LocalAppData% on Windows). It makes nothing.
func Path(elem ...string) (string, error) {
	root := os.Getenv(Variable)
	if root == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no cache folder (%w): set %s to one", err, Variable)
		}
		root = filepath.Join(user, "aetrain")
	}
	return filepath.Join(append([]string{root}, elem...)...), nil
}

// WriteFile has write produce the file name, making its folder: written beside, synced, renamed.
// So name is either whole or as it was before; whoever comes second wins.
func WriteFile(name string, write func(io.Writer) error) (err error) {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(name)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close() // an error of its own adds nothing: the file goes away
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
