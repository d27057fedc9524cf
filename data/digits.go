package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"

	"aetrain/graph"
	"aetrain/internal/cachedir"
)

func init() { sources.Add("digits", func() SourceOptions { return &Digits{} }) }

// Digits is the built-in stand-in for MNIST: 60,000 and 10,000 grey digits of 28×28 pixels, drawn from fonts with random
// size, slant, turn, stroke and elastic distortion. They are always the same, drawn on first use and kept in the user's cache.
type Digits struct{}

const (
	digitsTrain = 60000
	digitsTest  = 10000
	digitsSeed  = 1 // of the set, whatever a run's seed is
)

// digitsFiles are the set in the cache, in MNIST's form, with the digests of what this version of the artist draws.
// The digests are also its version: another one does not take these files for its own.
var digitsFiles = [4]idxFile{
	{name: "train-images-idx3-ubyte", sha256: "2a261d62a66f847089bdebf59352de9ae3521434ba333833affd5bff3edcfa78"},
	{name: "train-labels-idx1-ubyte", sha256: "465e09b9dc55fee8bf8eee3274f3bbeb3540f076f3abb7ec816de137811b8796"},
	{name: "t10k-images-idx3-ubyte", sha256: "86484e3ab4747fe69120fb675777a5afeaef08ddc14083121c51cca9dba6e9d9"},
	{name: "t10k-labels-idx1-ubyte", sha256: "8132a50ee5a509986f30adb1eb22853a47525350450650227703739b03b8361f"},
}

// Open implements SourceOptions. A cache that cannot be read or written is no error: the digits are drawn in seconds.
func (*Digits) Open(ctx context.Context, env Env) (*Parts, error) {
	dir, err := cachedir.Path("data", "digits-"+digitsFiles[0].sha256[:8])
	if err != nil {
		dir = ""
	}
	if parts := cachedDigits(dir); parts != nil {
		return parts, nil
	}
	arrays, err := drawAllDigits(ctx, env.Progress)
	if err != nil {
		return nil, err
	}
	keepDigits(dir, arrays)
	return digitParts(arrays), nil
}

// at reads files of MNIST's form.
func (*Digits) at(path string) SourceOptions { return &MNIST{IDXFolder{Dir: path}} }

// cachedDigits reads the set from the cache; nil where it is not there, or not whole.
func cachedDigits(dir string) *Parts {
	if dir == "" {
		return nil
	}
	var arrays [4]*idxArray
	for i, f := range digitsFiles {
		file, err := os.ReadFile(filepath.Join(dir, f.name))
		if err != nil {
			return nil
		}
		if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != f.sha256 {
			return nil
		}
		if arrays[i], err = readIDX(bytes.NewReader(file), int64(len(file))); err != nil {
			return nil
		}
	}
	return digitParts(arrays)
}

// drawAllDigits draws the four files.
func drawAllDigits(ctx context.Context, progress func(Progress)) (arrays [4]*idxArray, err error) {
	artist, err := newDigitArtist()
	if err != nil {
		return arrays, err
	}
	for part, n := range []int{digitsTrain, digitsTest} {
		first := part * digitsTrain
		pixels, labels := artist.drawDigits(ctx, digitsSeed, first, first+n, func(done int) {
			progress(Progress{What: "drawing digits (once)", Done: int64(first + done), Total: digitsTrain + digitsTest, Unit: "images"})
		})
		if err := ctx.Err(); err != nil {
			return arrays, err
		}
		arrays[2*part] = &idxArray{dims: []int{n, digitSide, digitSide}, data: pixels}
		arrays[2*part+1] = &idxArray{dims: []int{n}, data: labels}
	}
	return arrays, nil
}

// keepDigits writes the set to the cache, if it can.
func keepDigits(dir string, arrays [4]*idxArray) {
	if dir == "" {
		return
	}
	for i, f := range digitsFiles {
		write := func(w io.Writer) error { return writeIDX(w, arrays[i]) }
		if cachedir.WriteFile(filepath.Join(dir, f.name), write) != nil {
			return // it is drawn again next time
		}
	}
}

func digitParts(arrays [4]*idxArray) *Parts {
	part := func(x, y *idxArray) *images {
		labels := make([]int32, len(y.data))
		for i, v := range y.data {
			labels[i] = int32(v)
		}
		return newImages(graph.Shape{1, digitSide, digitSide}, x.data, labels)
	}
	return &Parts{Train: part(arrays[0], arrays[1]), Test: part(arrays[2], arrays[3])}
}
