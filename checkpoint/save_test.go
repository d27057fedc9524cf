package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

type tester interface {
	Helper()
	Fatal(...any)
}

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func removeAll(elem ...string) error { return os.RemoveAll(filepath.Join(elem...)) }

// A process may die after each stage: what is read then is the whole old checkpoint or the whole new one, and the next Save works.
func TestCrash(t *testing.T) {
	const stages = 6
	for _, first := range []bool{true, false} {
		for died := range stages {
			t.Run(fmt.Sprintf("first %v, after stage %d", first, died), func(t *testing.T) {
				parent := t.TempDir()
				dir := filepath.Join(parent, Last)
				if !first {
					save(t, dir, 1)
				}
				s := &saving{dir: dir, create: createFile}
				model, optimizer, err := collect(example(2), stored())
				must(t, err)
				for i, stage := range []func() error{
					s.prepare,
					func() error { _, err := s.create(filepath.Join(s.tmp, ModelFile)); return err }, // dies while writing
					func() error {
						must(t, os.Remove(filepath.Join(s.tmp, ModelFile)))
						return s.write(model, optimizer, stored(), Meta{Step: 2})
					},
					s.retire,
					s.promote,
					func() error { s.sweep(); return nil },
				} {
					if i > died {
						break
					}
					must(t, stage())
				}
				switch promoted := died >= 4; {
				case promoted:
					holds(t, dir, 2)
				case !first:
					holds(t, dir, 1)
				default:
					if _, _, err := Load(dir, blank()); err == nil {
						t.Error("a checkpoint that was never finished was loaded")
					}
				}
				save(t, dir, 3)
				holds(t, dir, 3)
				if got := names(t, parent); !slices.Equal(got, []string{Last}) {
					t.Errorf("left behind: %v", got)
				}
			})
		}
	}
}

// full is a file on a disk with room for so many bytes.
type full struct {
	file
	room *int
}

func (f full) Write(b []byte) (int, error) {
	if len(b) > *f.room {
		n, _ := f.file.Write(b[:*f.room])
		*f.room = 0
		return n, syscall.ENOSPC
	}
	*f.room -= len(b)
	return f.file.Write(b)
}

func TestFullDisk(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, Last)
	save(t, dir, 1)
	size := 0
	for _, name := range names(t, dir) {
		size += len(read(t, dir, name))
	}
	for room := 0; room < size-40; room += 211 {
		left := room
		s := &saving{dir: dir, create: func(path string) (file, error) {
			f, err := createFile(path)
			return full{f, &left}, err
		}}
		err := s.run(example(2), stored(), Meta{Step: 2})
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "no space left") {
			t.Fatalf("room for %d bytes: %v", room, err)
		}
		holds(t, dir, 1)
		if got := names(t, parent); !slices.Equal(got, []string{Last}) {
			t.Fatalf("left behind: %v", got)
		}
	}
}

// broken fails when it is synced.
type broken struct{ file }

func (broken) Sync() error { return syscall.EIO }

func TestSyncFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), Last)
	save(t, dir, 1)
	s := &saving{dir: dir, create: func(path string) (file, error) { f, err := createFile(path); return broken{f}, err }}
	if err := s.run(example(2), nil, Meta{}); !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v", err)
	}
	holds(t, dir, 1)
}

func TestUnwritable(t *testing.T) {
	parent := t.TempDir()
	write(t, nil, parent, "file")
	dir := filepath.Join(parent, "file", Last)
	err := Save(dir, example(1), nil, Meta{})
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("below a file: %v", err)
	}
	if os.Getuid() == 0 {
		return // permissions do not hold for root
	}
	dir = filepath.Join(parent, Last)
	save(t, dir, 1)
	must(t, os.Chmod(parent, 0o555))
	defer os.Chmod(parent, 0o755)
	if err := Save(dir, example(2), nil, Meta{}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("in a folder that cannot be written to: %v", err)
	}
	holds(t, dir, 1)
}

func TestWillNotReplaceOtherThings(t *testing.T) {
	dir := t.TempDir()
	write(t, []byte("years of work"), dir, "thesis.txt")
	if err := Save(dir, example(1), nil, Meta{}); err == nil || !strings.Contains(err.Error(), "thesis.txt") {
		t.Errorf("got %v", err)
	}
	if string(read(t, dir, "thesis.txt")) != "years of work" {
		t.Error("it is gone")
	}
}
