package safetensors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"unicode/utf8"
)

// decodeHeader parses the JSON header and checks each tensor on its own: a known type, a shape whose size is that
// of its offsets. A key given twice is refused: which of the two holds would be a guess.
func decodeHeader(header []byte) ([]entry, map[string]string, error) {
	if !utf8.Valid(header) {
		return nil, nil, fmt.Errorf("not valid UTF-8")
	}
	if len(header) == 0 || header[0] != '{' {
		return nil, nil, fmt.Errorf("does not begin with {")
	}
	var (
		entries  []entry
		metadata map[string]string
		seen     = map[string]bool{}
	)
	d := json.NewDecoder(bytes.NewReader(header))
	d.DisallowUnknownFields()
	if _, err := d.Token(); err != nil { // the brace
		return nil, nil, err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		name := key.(string) // the decoder allows no other key
		if seen[name] {
			return nil, nil, fmt.Errorf("%q stands there twice", name)
		}
		seen[name] = true
		if name == metadataKey {
			if err := d.Decode(&metadata); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", metadataKey, err)
			}
			continue
		}
		e, err := decodeEntry(d, name)
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	if _, err := d.Token(); err != io.EOF { // only the padding may follow
		return nil, nil, fmt.Errorf("something follows its closing brace")
	}
	return entries, metadata, nil
}

func decodeEntry(d *json.Decoder, name string) (entry, error) {
	var raw struct {
		DType   *DType  `json:"dtype"`
		Shape   []int64 `json:"shape"`
		Offsets []int64 `json:"data_offsets"`
	}
	if err := d.Decode(&raw); err != nil {
		return entry{}, err
	}
	if raw.DType == nil || raw.Shape == nil || len(raw.Offsets) != 2 {
		return entry{}, fmt.Errorf("wants dtype, shape and two data_offsets")
	}
	e := entry{Info: Info{Name: name, DType: *raw.DType, Shape: make([]int, len(raw.Shape))}, begin: raw.Offsets[0], end: raw.Offsets[1]}
	for i, n := range raw.Shape {
		if n > math.MaxInt {
			return entry{}, fmt.Errorf("shape %v is too large", raw.Shape)
		}
		e.Shape[i] = int(n)
	}
	want, err := e.Bytes()
	if err != nil {
		return entry{}, err
	}
	if e.begin < 0 || e.end < e.begin || e.end-e.begin != want {
		return entry{}, fmt.Errorf("%s of shape %v takes %d bytes, its data_offsets are %d to %d", e.DType, e.Shape, want, e.begin, e.end)
	}
	return e, nil
}
