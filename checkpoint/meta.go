package checkpoint

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"aetrain/graph"
	"aetrain/internal/column"
)

// version is that of state.json.
const version = 1

// Meta is what a checkpoint knows beside its arrays: state.json.
type Meta struct {
	Version int    `json:"version"` // of the format; Save sets it
	Name    string `json:"name"`    // of the experiment
	Seed    uint64 `json:"seed"`    // of the run

	Stage int `json:"stage"` // of training, from 0
	Epoch int `json:"epoch"` // epochs done
	Batch int `json:"batch"` // batches of the current epoch done
	Step  int `json:"step"`  // steps done

	Fields []Field `json:"fields"` // of the data, as the network is fed

	Monitor   string   `json:"monitor,omitempty"`    // the validation metric that tells which checkpoint is best
	Best      *float64 `json:"best,omitempty"`       // its best value so far; nil: none yet. One that is not finite is not written
	BestEpoch float64  `json:"best_epoch,omitempty"` // when that was

	Extra map[string]json.RawMessage `json:"extra,omitempty"` // what parts of the trainer remember; see Put and Get

	Kernels   map[string]string `json:"kernels,omitempty"` // chosen kernel by op and shape: another choice may round differently
	Precision string            `json:"precision,omitempty"`
	Device    string            `json:"device,omitempty"`
	Platform  map[string]string `json:"platform,omitempty"` // of the device: model, driver, libraries, instructions, by name

	Stored  []string          `json:"stored,omitempty"` // names in model.safetensors that are no states; Save sets it
	Digests map[string]string `json:"digests"`          // SHA-256 of the other files by name, hexadecimal; Save sets it
	Created time.Time         `json:"created"`          // Save sets it where it is zero
}

// Field is one named array of the data; Spec is that of one example.
type Field struct {
	Name    string
	Spec    graph.Spec
	Classes int             // of int32 fields: values lie in 0 ≤ v < Classes; 0: any
	Words   []string        // the names of those values; nil: they have none
	Columns []column.Column // of a table: what the numbers on the last axis are; nil: it is none
}

// fieldJSON is a Field as it is written.
type fieldJSON struct {
	Name    string `json:"name"`
	Shape   []int  `json:"shape"`
	DType   string `json:"dtype"`
	Classes int    `json:"classes,omitempty"`

	Words   []string        `json:"words,omitempty"`
	Columns []column.Column `json:"columns,omitempty"`
}

// MarshalJSON writes {"name": "x", "shape": [1, 28, 28], "dtype": "float32"}.
func (f Field) MarshalJSON() ([]byte, error) {
	return json.Marshal(fieldJSON{f.Name, append([]int{}, f.Spec.Shape...), f.Spec.DType.String(), f.Classes, f.Words, f.Columns})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Field) UnmarshalJSON(b []byte) error {
	var j fieldJSON
	if err := strict(b, &j); err != nil {
		return err
	}
	types := []graph.DType{graph.Float32, graph.Int32, graph.Uint8}
	i := slices.IndexFunc(types, func(d graph.DType) bool { return d.String() == j.DType })
	if i < 0 {
		return fmt.Errorf("field %q has elements of type %q; want float32, int32 or uint8", j.Name, j.DType)
	}
	*f = Field{j.Name, graph.Spec{Shape: j.Shape, DType: types[i]}, j.Classes, j.Words, j.Columns}
	return nil
}

// Put remembers v, as JSON, under a key of Extra.
func (m *Meta) Put(key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("checkpoint: %s: %w", key, err)
	}
	if m.Extra == nil {
		m.Extra = map[string]json.RawMessage{}
	}
	m.Extra[key] = b
	return nil
}

// Get reads what Put has remembered; false if there is nothing under that key.
func (m Meta) Get(key string, into any) (bool, error) {
	b, ok := m.Extra[key]
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return true, fmt.Errorf("%s: extra.%s: %w", StateFile, key, err)
	}
	return true, nil
}

// encode writes state.json.
func (m Meta) encode() ([]byte, error) {
	if m.Best != nil && (math.IsNaN(*m.Best) || math.IsInf(*m.Best, 0)) {
		m.Best = nil // JSON has no word for it, and it is the best of nothing
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(m, "", "  ")
	return append(b, '\n'), err
}

// parseMeta reads state.json: every key known, every value in its range, nothing behind the end.
func parseMeta(b []byte) (Meta, error) {
	var v struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return Meta{}, err
	}
	switch {
	case v.Version == nil:
		return Meta{}, errors.New("it has no version")
	case *v.Version > version:
		return Meta{}, fmt.Errorf("its version is %d, this program reads %d: it was written by a newer one", *v.Version, version)
	}
	var m Meta
	if err := strict(b, &m); err != nil {
		return Meta{}, err
	}
	for key, raw := range m.Extra { // without the indentation of the file
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return Meta{}, fmt.Errorf("extra.%s: %w", key, err)
		}
		m.Extra[key] = compact.Bytes()
	}
	if _, ok := m.Digests[ModelFile]; !ok {
		return Meta{}, fmt.Errorf("it has no digest of %s", ModelFile)
	}
	return m, m.check()
}

// checkColumns holds a table's columns to the shape of its rows.
func (f Field) checkColumns() error {
	width := 0
	for _, c := range f.Columns {
		if c.Width < 1 || c.Kind == column.OneHot && c.Width != len(c.Words) || c.Kind != column.OneHot && c.Width != 1 {
			return fmt.Errorf("column %q is %s of %d elements and %d words", c.Name, c.Kind, c.Width, len(c.Words))
		}
		width += c.Width
	}
	if s := f.Spec.Shape; f.Columns != nil && (len(s) == 0 || s[len(s)-1] != width) {
		return fmt.Errorf("its columns have %d elements, its shape is %v", width, s)
	}
	return nil
}

// strict decodes one JSON value that is all of b and has no unknown keys.
func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the end")
	}
	return nil
}

// check holds values to their ranges.
func (m *Meta) check() error {
	if m.Version != version {
		return fmt.Errorf("its version is %d; want %d", m.Version, version)
	}
	for _, c := range []struct {
		name  string
		value int
	}{{"stage", m.Stage}, {"epoch", m.Epoch}, {"batch", m.Batch}, {"step", m.Step}} {
		if c.value < 0 {
			return fmt.Errorf("%s is %d; want 0 or more", c.name, c.value)
		}
	}
	seen := map[string]bool{}
	for _, f := range m.Fields {
		if f.Name == "" || seen[f.Name] {
			return fmt.Errorf("field %q: its name is empty or taken twice", f.Name)
		}
		seen[f.Name] = true
		if err := checkShape(f.Spec.Shape); err != nil {
			return fmt.Errorf("field %q: %w", f.Name, err)
		}
		if err := f.checkColumns(); err != nil {
			return fmt.Errorf("field %q: %w", f.Name, err)
		}
	}
	for name, digest := range m.Digests {
		if b, err := hex.DecodeString(digest); err != nil || len(b) != 32 {
			return fmt.Errorf("digest of %s: %q is no SHA-256", name, digest)
		}
	}
	return nil
}

// checkShape refuses sizes that no array has.
func checkShape(shape graph.Shape) error {
	n := 1
	for _, d := range shape {
		if d < 1 || d > math.MaxInt32/n {
			return fmt.Errorf("its shape is %v", []int(shape))
		}
		n *= d
	}
	return nil
}

// maxState bounds the size of state.json, in bytes.
const maxState = 64 << 20

// ReadMeta reads a checkpoint's state.json.
func ReadMeta(dir string) (m Meta, err error) {
	err = whole(dir, func(_ string, found Meta) error {
		m = found
		return nil
	})
	return m, err
}

func readMeta(dir string) (Meta, error) {
	path := filepath.Join(dir, StateFile)
	f, err := os.Open(path)
	if err != nil {
		return Meta{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil {
		return Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	if len(b) > maxState {
		return Meta{}, fmt.Errorf("%s: %w: over %d bytes", path, ErrCorrupt, maxState)
	}
	m, err := parseMeta(b)
	if err != nil {
		return Meta{}, fmt.Errorf("%s: %w: %w", path, ErrCorrupt, err)
	}
	return m, nil
}
