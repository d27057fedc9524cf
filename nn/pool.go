package nn

import (
	"fmt"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

// Pool holds the keys of a pooling layer, without padding: rows that no window covers are left out.
type Pool struct {
	Common
	Kernel configs.Ints `toml:"kernel" min:"1" doc:"size of the window: n or [height, width]"`
	Stride configs.Ints `toml:"stride" min:"1" doc:"step of the window: n or [height, width]; left out: the window's size" example:"2"`
}

// newPool holds the defaults.
func newPool() Pool { return Pool{Kernel: configs.Ints{2}} }

// Validate holds pairs to one or two numbers.
func (p *Pool) Validate() error { return Window{Kernel: p.Kernel, Stride: p.Stride}.Validate() }

func (p *Pool) config() op.PoolConfig {
	c := op.PoolConfig{}
	c.KH, c.KW = pair(p.Kernel, 2)
	c.StrideH, c.StrideW = pair(p.Stride, 0)
	return c.Normalized()
}

// Output is C × ⌊(H-KH)/StrideH⌋+1 × ⌊(W-KW)/StrideW⌋+1.
func (p *Pool) Output(in graph.Shape) (graph.Shape, error) {
	if err := wantImage(in); err != nil {
		return nil, err
	}
	c := p.config()
	if c.KH > in[1] || c.KW > in[2] {
		return nil, fmt.Errorf("its window %dx%d is larger than its input %dx%d", c.KH, c.KW, in[1], in[2])
	}
	return graph.Shape{in[0], (in[1]-c.KH)/c.StrideH + 1, (in[2]-c.KW)/c.StrideW + 1}, nil
}

// Mirror repeats each pixel stride times, placed in the middle of its window, and repeats the border for rows that no window saw.
func (p *Pool) Mirror(in graph.Shape) ([]Layer, error) {
	c := p.config()
	u := &Upsample2D{Scale: configs.Ints{c.StrideH, c.StrideW}, Mode: "nearest"}
	u.target, u.shift = []int{in[1], in[2]}, []int{(c.KH - c.StrideH) / 2, (c.KW - c.StrideW) / 2}
	return []Layer{u}, nil
}
