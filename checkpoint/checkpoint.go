// Package checkpoint is a State on disk and back.
//
// A checkpoint is a folder of three files: model.safetensors (weights, running statistics, fitted transforms; PyTorch's layouts and
// names by path, the same bytes for the same values), optimizer.safetensors (moments and counters) and state.json ([Meta]: where
// training stood, and the digests of the other two). [Save] writes it so that a crash at any moment leaves either the old one or the
// new one, [Load] reads it into a State whose states are declared, [Find] gets from a run's folder to a checkpoint. save.go tells
// how a folder is replaced.
package checkpoint

import (
	"errors"
	"strings"

	"gorgonia.org/tensor"

	"aetrain/internal/safetensors"
)

// Folder is where a run keeps its checkpoints, in folders called best, last and step-N.
const Folder = "checkpoints"

// Files of a checkpoint.
const (
	ModelFile     = "model.safetensors"
	OptimizerFile = "optimizer.safetensors"
	StateFile     = "state.json"
)

// ErrCorrupt is what errors about the content of a checkpoint wrap: truncated, damaged, of another version, or files that do
// not belong together. Their text names file and reason.
var ErrCorrupt = errors.New("not a valid checkpoint")

// Stored is an array beside the states that a model needs to work: what a transform of the data has learnt, by its name
// ("transforms.0.mean"). It stands in model.safetensors.
type Stored struct {
	Name  string
	Value *tensor.Dense // float32, int32 or uint8
}

// metadata stands in the header of both safetensors files. "pt" is what readers from the world of PyTorch ask for: its layouts.
var metadata = map[string]string{"format": "pt"}

// isOptimizer reports whether a state belongs to training and not to the model: moments, sums, counters.
func isOptimizer(name string) bool {
	return name == "step" || strings.HasPrefix(name, "optimizer.") || strings.HasPrefix(name, "train.")
}

// damaged gives an error about the content of a safetensors file this package's mark beside its own.
func damaged(err error) error {
	if errors.Is(err, safetensors.ErrCorrupt) {
		return damage{err}
	}
	return err
}

type damage struct{ error }

func (d damage) Unwrap() error        { return d.error }
func (d damage) Is(target error) bool { return target == ErrCorrupt }
