package safetensors

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"sort"
)

// maxHeader is the format's limit for the JSON header, in bytes.
const maxHeader = 100_000_000

// ErrCorrupt is what every error wraps that is about the content of a file: truncated, damaged, or not
// safetensors at all. The error's text names file and reason.
var ErrCorrupt = errors.New("not a valid safetensors file")

// File is an open safetensors file whose header has been checked. Its methods may be called from several
// goroutines, Close excepted.
type File struct {
	name     string
	src      io.ReaderAt
	closer   io.Closer
	size     int64   // of the file
	start    int64   // of the tensors' bytes, from the file's beginning
	tensors  []entry // sorted by name
	metadata map[string]string
}

// entry is a tensor of the header; begin and end count from the end of the header.
type entry struct {
	Info
	begin, end int64
}

// Open opens the file at path and checks its header: every offset lies in the file, tensors neither overlap nor
// leave holes, sizes agree with types and shapes, nothing is missing at the end. The memory it takes is bounded
// by the file's size. Errors about the content name path and reason and wrap ErrCorrupt.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = fmt.Errorf("%s: is a folder, not a safetensors file", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	file, err := NewFile(f, st.Size(), path)
	if err != nil {
		f.Close()
		return nil, err
	}
	file.closer = f
	return file, nil
}

// NewFile is Open for a source of size bytes that is not a file on disk (bytes.NewReader, an embedded file); name
// stands in error messages. Close does not close src.
func NewFile(src io.ReaderAt, size int64, name string) (*File, error) {
	f := &File{name: name, src: src, size: size}
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *File) readHeader() error {
	if f.size < 8 {
		return f.corrupt("%d bytes, too short for the length of a header", f.size)
	}
	var prefix [8]byte
	if err := f.readAt(prefix[:], 0); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > maxHeader {
		return f.corrupt("header length %d is over the format's limit of %d", n, maxHeader)
	}
	if int64(n) > f.size-8 {
		return f.corrupt("header of %d bytes, but only %d follow: truncated?", n, f.size-8)
	}
	header := make([]byte, n)
	if err := f.readAt(header, 8); err != nil {
		return err
	}
	f.start = 8 + int64(n)
	entries, metadata, err := decodeHeader(header)
	if err != nil {
		return f.corrupt("header: %v", err)
	}
	if err := checkLayout(entries, f.size-f.start); err != nil {
		return f.corrupt("%v", err)
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name < entries[j].Name })
	f.tensors, f.metadata = entries, metadata
	return nil
}

// checkLayout reports the first tensor, in file order, that does not begin where the one before it ends, and
// tensors that do not fill the data's bytes exactly.
func checkLayout(entries []entry, bytes int64) error {
	sort.Slice(entries, func(i, j int) bool {
		a, b := entries[i], entries[j]
		if a.begin != b.begin {
			return a.begin < b.begin
		}
		return a.end < b.end // an empty tensor stands before its neighbour
	})
	at := int64(0)
	for _, e := range entries {
		switch {
		case e.begin < at:
			return fmt.Errorf("tensor %q: bytes %d to %d overlap the tensor before it", e.Name, e.begin, e.end)
		case e.begin > at:
			return fmt.Errorf("tensor %q: begins at byte %d, the one before it ends at %d", e.Name, e.begin, at)
		case e.end > bytes:
			return fmt.Errorf("tensor %q: ends at byte %d, the file has %d: truncated?", e.Name, e.end, bytes)
		}
		at = e.end
	}
	if at != bytes {
		return fmt.Errorf("%d bytes behind the last tensor", bytes-at)
	}
	return nil
}

// Tensors describes all tensors, sorted by name.
func (f *File) Tensors() []Info {
	infos := make([]Info, len(f.tensors))
	for i, e := range f.tensors {
		infos[i] = e.Info
	}
	return infos
}

// Metadata returns a copy of the header's free strings; it is empty, not nil, where there are none.
func (f *File) Metadata() map[string]string {
	m := make(map[string]string, len(f.metadata))
	maps.Copy(m, f.metadata)
	return m
}

// Has reports whether the file holds a tensor of that name.
func (f *File) Has(name string) bool { return f.find(name) != nil }

// Read reads one tensor into memory of its own.
func (f *File) Read(name string) (Tensor, error) {
	e := f.find(name)
	if e == nil {
		return Tensor{}, fmt.Errorf("%s: no tensor %q", f.name, name)
	}
	t := Tensor{Name: e.Name, DType: e.DType, Shape: e.Shape, Data: make([]byte, e.end-e.begin)}
	return t, f.readAt(t.Data, f.start+e.begin)
}

// ReadInto reads one tensor's bytes into dst, whose length has to be the tensor's.
func (f *File) ReadInto(name string, dst []byte) error {
	e := f.find(name)
	if e == nil {
		return fmt.Errorf("%s: no tensor %q", f.name, name)
	}
	if int64(len(dst)) != e.end-e.begin {
		return fmt.Errorf("%s: tensor %q has %d bytes, the destination %d", f.name, name, e.end-e.begin, len(dst))
	}
	return f.readAt(dst, f.start+e.begin)
}

// Offset returns where a tensor's bytes begin in the file, -1 where there is no such tensor: for who reads it piece by piece.
func (f *File) Offset(name string) int64 {
	e := f.find(name)
	if e == nil {
		return -1
	}
	return f.start + e.begin
}

// Digest returns the SHA-256 of the whole file in lower-case hexadecimal, as sha256sum prints it.
func (f *File) Digest() (string, error) {
	h := sha256.New()
	n, err := io.Copy(h, io.NewSectionReader(f.src, 0, f.size))
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.name, err)
	}
	if n != f.size {
		return "", f.corrupt("ends at byte %d of %d", n, f.size)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Close closes the file that Open opened.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

func (f *File) find(name string) *entry {
	i := sort.Search(len(f.tensors), func(i int) bool { return f.tensors[i].Name >= name })
	if i == len(f.tensors) || f.tensors[i].Name != name {
		return nil
	}
	return &f.tensors[i]
}

func (f *File) readAt(dst []byte, at int64) error {
	if len(dst) == 0 {
		return nil
	}
	n, err := f.src.ReadAt(dst, at)
	if n == len(dst) {
		return nil // a ReaderAt may add io.EOF to a full read
	}
	if errors.Is(err, io.EOF) {
		return f.corrupt("ends at byte %d, wanted %d from %d on: truncated?", at+int64(n), len(dst), at)
	}
	return fmt.Errorf("%s: read: %w", f.name, err)
}

func (f *File) corrupt(format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", f.name, ErrCorrupt, fmt.Sprintf(format, args...))
}
