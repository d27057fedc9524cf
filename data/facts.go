package data

import (
	"encoding/json"
	"fmt"

	"gorgonia.org/tensor"
)

// remembering are options of a source that finds facts in the files it is trained on (types of columns, vocabularies, names of labels)
// and needs them to read others in the same way. They are kept in the checkpoint.
type remembering interface {
	facts() any        // of the last Open or recall; a pointer to what JSON writes, nil where there is nothing
	recall() any       // where JSON is to be read into
	with(recalled any) // takes it
}

// factsName is what facts are called in a checkpoint.
const factsName = "source.facts"

// factsOf are what a source remembers.
func factsOf(o SourceOptions) ([]byte, error) {
	r, ok := o.(remembering)
	if !ok {
		return nil, nil
	}
	f := r.facts()
	if f == nil {
		return nil, nil
	}
	return json.Marshal(f)
}

// recallFacts gives a source back what it remembered; a checkpoint without is of a source that finds nothing.
func recallFacts(o SourceOptions, state []Stored) error {
	r, ok := o.(remembering)
	if !ok {
		return nil
	}
	for _, s := range state {
		if s.Name != factsName {
			continue
		}
		numbers, err := find(state, factsName)
		if err != nil {
			return err
		}
		text := make([]byte, len(numbers))
		for i, v := range numbers {
			text[i] = byte(v)
		}
		into := r.recall()
		if err := json.Unmarshal(text, into); err != nil {
			return fmt.Errorf("the checkpoint's %s: %w", factsName, err)
		}
		r.with(into)
	}
	return nil
}

// storedBytes wraps bytes as numbers, which is what checkpoints hold.
func storedBytes(name string, b []byte) Stored {
	v := make([]float32, len(b))
	for i, c := range b {
		v[i] = float32(c)
	}
	return Stored{Name: name, Value: tensor.New(tensor.WithShape(len(v)), tensor.WithBacking(v))}
}
