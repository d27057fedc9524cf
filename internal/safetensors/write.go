package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"
)

// metadataKey is the one header key that is no tensor.
const metadataKey = "__metadata__"

// Write writes tensors and metadata (nil: none) as one safetensors file. Neither the order of tensors nor that of
// the map matters: the same content gives the same bytes, those of the format's own Python library: tensors by type,
// wide ones first, then by name, and a header padded to a multiple of 8 bytes.
//
// It refuses, before anything is written: a name that is empty, taken twice, reserved or not UTF-8; an unknown
// type; data whose length differs from what type and shape say.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	ordered := slices.Clone(tensors)
	slices.SortFunc(ordered, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(slices.Index(fileOrder, a.DType), slices.Index(fileOrder, b.DType)), cmp.Compare(a.Name, b.Name))
	})
	header, err := encodeHeader(ordered, metadata)
	if err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("safetensors: write header: %w", err)
	}
	for _, t := range ordered {
		if _, err := w.Write(t.Data); err != nil {
			return fmt.Errorf("safetensors: write tensor %q: %w", t.Name, err)
		}
	}
	return nil
}

// encodeHeader returns the length prefix and the padded JSON header of tensors in file order.
func encodeHeader(ordered []Tensor, metadata map[string]string) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 8)) // the length, filled in below
	b.WriteByte('{')
	if err := encodeMetadata(b, metadata); err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(ordered))
	offset := int64(0)
	for _, t := range ordered {
		if err := check(t); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("tensor %q: name given twice", t.Name)
		}
		seen[t.Name] = true
		separate(b)
		fmt.Fprintf(b, `%s:{%s,"data_offsets":[%d,%d]}`, quote(t.Name), t.Info().header(), offset, offset+int64(len(t.Data)))
		offset += int64(len(t.Data))
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len()-8 > maxHeader {
		return nil, fmt.Errorf("header of %d bytes is over the format's limit of %d", b.Len()-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(b.Len()-8))
	return b.Bytes(), nil
}

func encodeMetadata(b *bytes.Buffer, metadata map[string]string) error {
	if len(metadata) == 0 {
		return nil
	}
	b.WriteString(`"` + metadataKey + `":{`)
	for i, k := range slices.Sorted(maps.Keys(metadata)) {
		if !utf8.ValidString(k) || !utf8.ValidString(metadata[k]) {
			return fmt.Errorf("metadata %q: not valid UTF-8", k)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(k) + ":" + quote(metadata[k]))
	}
	b.WriteByte('}')
	return nil
}

// check returns what is wrong with a tensor that is to be written.
func check(t Tensor) error {
	switch {
	case t.Name == "" || t.Name == metadataKey:
		return fmt.Errorf("not a usable name")
	case !utf8.ValidString(t.Name):
		return fmt.Errorf("name is not valid UTF-8")
	}
	want, err := t.Info().Bytes()
	if err != nil {
		return err
	}
	if int64(len(t.Data)) != want {
		return fmt.Errorf("%s of shape %v takes %d bytes, data has %d", t.DType, t.Shape, want, len(t.Data))
	}
	return nil
}

// separate writes a comma unless b stands right behind an opening brace.
func separate(b *bytes.Buffer) {
	if !bytes.HasSuffix(b.Bytes(), []byte("{")) {
		b.WriteByte(',')
	}
}

// quote returns s as a JSON string; unlike json.Marshal it leaves <, > and & readable.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
