package trainer_test

import (
	"bytes"
	"testing"

	"aetrain/data"
)

// opaque hides of a source that it lies in memory.
type opaque struct{ data.Source }

// TestInstant: examples that the workers read as a step begins give the bits of batches that the loader has read, in one part and
// in several, where a split is a part of the set, too.
func TestInstant(t *testing.T) {
	for _, set := range []string{"train.accumulate=1", "train.accumulate=3"} {
		fed := prepare(t, t.TempDir(), 2, set)
		if data.Instant(fed.Splits.Train, 0) == nil {
			t.Fatal("the training split is not read instantly")
		}
		fed.Splits.Train = opaque{fed.Splits.Train}
		if data.Instant(fed.Splits.Train, 0) != nil {
			t.Fatal("an opaque source is read instantly")
		}
		if _, err := fed.train(t, nil); err != nil {
			t.Fatal(err)
		}
		instant := prepare(t, t.TempDir(), 2, set)
		if _, err := instant.train(t, nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(weights(t, instant.Dir, "last"), weights(t, fed.Dir, "last")) {
			t.Errorf("%s: other weights than those of the fed run", set)
		}
	}
}
