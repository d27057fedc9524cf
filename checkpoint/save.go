package checkpoint

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"aetrain/backend"
	"aetrain/internal/safetensors"
)

// Save writes st, the stored arrays and m as the checkpoint dir, which is made or replaced. On any error the checkpoint that was
// there is as it was.
//
// Everything is written beside, into dir.tmp-PID, and synced; then dir becomes dir.old, the new folder becomes dir, and dir.old is
// removed. A crash leaves dir, or dir.old where dir is missing, which all readers of this package understand. One process at a time
// may write the checkpoints of a run.
func Save(dir string, st backend.State, stored []Stored, m Meta) error {
	s := &saving{dir: filepath.Clean(dir), create: createFile}
	if err := s.run(st, stored, m); err != nil {
		return fmt.Errorf("the checkpoint %s was not written: %w", dir, err)
	}
	return nil
}

// oldSuffix and tmpSuffix mark folders that exist only while a checkpoint is being replaced.
const (
	oldSuffix = ".old"
	tmpSuffix = ".tmp-"
)

// file is what is written to.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

func createFile(path string) (file, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
}

// saving is a Save under way, in stages: prepare, write, retire, promote, sweep.
type saving struct {
	dir, tmp string
	create   func(path string) (file, error)
}

func (s *saving) run(st backend.State, stored []Stored, m Meta) error {
	model, optimizer, err := collect(st, stored)
	if err != nil {
		return err
	}
	if err := s.prepare(); err != nil {
		return err
	}
	err = s.write(model, optimizer, stored, m)
	if err == nil {
		err = s.retire()
	}
	if err == nil {
		err = s.promote()
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(s.tmp))
	}
	s.sweep()
	return nil
}

// prepare removes what crashed saves have left and makes the folder to write to.
func (s *saving) prepare() error {
	if err := checkOurs(s.dir); err != nil {
		return err
	}
	parent := filepath.Dir(s.dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(parent)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(s.dir)+tmpSuffix) {
			if err := os.RemoveAll(filepath.Join(parent, e.Name())); err != nil {
				return err
			}
		}
	}
	s.tmp = fmt.Sprintf("%s%s%d", s.dir, tmpSuffix, os.Getpid())
	return os.Mkdir(s.tmp, 0o755)
}

// checkOurs refuses to replace what is no checkpoint.
func checkOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !slices.Contains([]string{ModelFile, OptimizerFile, StateFile}, e.Name()) {
			return fmt.Errorf("%s is no checkpoint and will not be replaced: it holds %s", dir, e.Name())
		}
	}
	return nil
}

// write writes the three files and syncs them and their folder.
func (s *saving) write(model, optimizer []safetensors.Tensor, stored []Stored, m Meta) error {
	m.Version, m.Digests, m.Stored = version, map[string]string{}, nil
	for _, x := range stored {
		m.Stored = append(m.Stored, x.Name)
	}
	if m.Created.IsZero() {
		m.Created = time.Now().UTC().Truncate(time.Second)
	}
	for _, f := range []struct {
		name    string
		tensors []safetensors.Tensor
	}{{ModelFile, model}, {OptimizerFile, optimizer}} {
		digest, err := s.writeFile(f.name, func(w io.Writer) error { return safetensors.Write(w, f.tensors, metadata) })
		if err != nil {
			return err
		}
		m.Digests[f.name] = digest
	}
	state, err := m.encode()
	if err != nil {
		return fmt.Errorf("%s: %w", StateFile, err)
	}
	if _, err = s.writeFile(StateFile, func(w io.Writer) error { _, err := w.Write(state); return err }); err != nil {
		return err
	}
	return syncFolder(s.tmp)
}

// writeFile writes one file, syncs it and returns the SHA-256 of its content.
func (s *saving) writeFile(name string, write func(io.Writer) error) (digest string, err error) {
	path := filepath.Join(s.tmp, name)
	f, err := s.create(path)
	if err != nil {
		return "", err
	}
	const buffer = 1 << 20
	h := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, h), buffer)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// retire moves the checkpoint that is there, if there is one, out of the way. Where a crash has left only dir.old, that one stays.
func (s *saving) retire() error {
	if _, err := os.Stat(s.dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if !complete(s.dir) { // what Keep did not finish removing
		return os.RemoveAll(s.dir)
	}
	if err := os.RemoveAll(s.dir + oldSuffix); err != nil {
		return err
	}
	return os.Rename(s.dir, s.dir+oldSuffix)
}

// promote gives the new folder its name; if that fails the old one gets its name back.
func (s *saving) promote() error {
	if err := os.Rename(s.tmp, s.dir); err != nil {
		if complete(s.dir + oldSuffix) {
			return errors.Join(err, os.Rename(s.dir+oldSuffix, s.dir))
		}
		return err
	}
	return syncFolder(filepath.Dir(s.dir))
}

// sweep removes the old checkpoint. The new one is safe by now: what cannot be removed is left for the next time.
func (s *saving) sweep() { _ = os.RemoveAll(s.dir + oldSuffix) }

// syncFolder makes names in a folder last through a power failure, where the system can do that.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" || runtime.GOOS == "js" || runtime.GOOS == "wasip1" || runtime.GOOS == "plan9" {
		return nil // folders cannot be opened for that
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
