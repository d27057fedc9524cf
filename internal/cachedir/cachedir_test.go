package cachedir

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestPath(t *testing.T) {
	t.Setenv(Variable, "/somewhere")
	got, err := Path("data", "digits")
	if want := filepath.Join("/somewhere", "data", "digits"); err != nil || got != want {
		t.Errorf("with %s: got %q, %v, want %q", Variable, got, err, want)
	}
	t.Setenv(Variable, "")
	t.Setenv("XDG_CACHE_HOME", "/cache")
	t.Setenv("HOME", "/home/me")
	if got, err = Path("data"); err != nil || filepath.Base(filepath.Dir(got)) != "aetrain" {
		t.Errorf("in the user's cache: got %q, %v", got, err)
	}
}

func TestWriteFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "new", "file")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	if err := WriteFile(name, text("one")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left")
	err := WriteFile(name, func(w io.Writer) error { io.WriteString(w, "half"); return full })
	if !errors.Is(err, full) {
		t.Errorf("got error %v, want %v", err, full)
	}
	if got, _ := os.ReadFile(name); string(got) != "one" {
		t.Errorf("after a failed write: got %q, want what was there", got)
	}
	if files, _ := os.ReadDir(filepath.Dir(name)); len(files) != 1 {
		t.Errorf("%d files are left, want 1", len(files))
	}
}
