package data

import (
	"context"
	"encoding/binary"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/philox"
)

func init() {
	sources.Add("random", func() SourceOptions { return &Random{Shape: configs.Ints{1, digitSide, digitSide}, Examples: 10000} })
}

// Random is noise, uniform in [0,1] in steps of 1/255, for benchmarks. It is always the same.
type Random struct {
	Shape    configs.Ints `toml:"shape" min:"1" doc:"of one example: channels, height, width of an image, or the length of a vector" example:"[3, 32, 32]"`
	Examples int          `toml:"examples" min:"1" doc:"how many there are"`
}

// largestRandom bounds the noise in memory, in bytes.
const largestRandom = 1 << 32

// Validate holds the whole set to what memory takes.
func (r *Random) Validate() error {
	size := int64(r.Examples)
	for _, d := range r.Shape {
		if size *= int64(d); size > largestRandom {
			return configs.KeyError("examples", "%d examples of %v take more than %d GB", r.Examples, graph.Shape(r.Shape), largestRandom>>30)
		}
	}
	return nil
}

// Open implements SourceOptions.
func (r *Random) Open(ctx context.Context, _ Env) (*Parts, error) {
	shape := graph.Shape(r.Shape).Clone()
	size := shape.Size()
	pixels, stream := make([]uint8, r.Examples*size), philox.Stream("data/random")
	parallel(r.Examples, func(i int) {
		if ctx.Err() != nil {
			return
		}
		noise(pixels[i*size:(i+1)*size], uint32(i), stream)
	})
	return &Parts{Train: newImages(shape, pixels, nil)}, ctx.Err()
}

// noise fills dst with row's random bytes, 16 a block.
func noise(dst []uint8, row, stream uint32) {
	var block [16]uint8
	for at := 0; at < len(dst); at += len(block) {
		for k, w := range philox.Block(0, uint32(at/len(block)), row, 0, stream) {
			binary.LittleEndian.PutUint32(block[4*k:], w)
		}
		copy(dst[at:], block[:])
	}
}
