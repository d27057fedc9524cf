package nn

import (
	"aetrain/graph"
)

// Post holds the keys of what follows a layer's product, in this order: norm, activation, dropout.
type Post struct {
	Activation string  `toml:"activation" choices:"linear|relu|leaky_relu|elu|gelu|silu|tanh|sigmoid|softplus" doc:"what follows the layer and its norm" example:"\"relu\""`
	Norm       string  `toml:"norm" choices:"none|batch|layer|group" doc:"normalisation between the layer and its activation"`
	Dropout    float64 `toml:"dropout" min:"0" below:"1" doc:"share of the layer's outputs that training sets to 0"`
}

// noPost is what a layer has by default: nothing.
var noPost = Post{Activation: "linear", Norm: "none"}

// Plain reports whether nothing follows the layer.
func (p Post) Plain() bool {
	return (p.Activation == "" || p.Activation == "linear") && (p.Norm == "" || p.Norm == "none") && p.Dropout == 0
}

// layers returns p as layers of their own.
func (p Post) layers() []Layer {
	var ls []Layer
	switch p.Norm {
	case "batch":
		ls = append(ls, newBatchNorm())
	case "layer":
		ls = append(ls, newLayerNorm())
	case "group":
		ls = append(ls, newGroupNorm())
	}
	if p.Activation != "" && p.Activation != "linear" {
		ls = append(ls, &Activation{Function: p.Activation})
	}
	if p.Dropout > 0 {
		ls = append(ls, &Dropout{Rate: p.Dropout})
	}
	return ls
}

// check asks the layers of p whether they work on a layer's output.
func (p Post) check(out graph.Shape) error {
	for _, l := range p.layers() {
		if _, err := l.Output(out); err != nil {
			return err
		}
	}
	return nil
}

// checked is the output of a convolution whose size has been computed, if it is not too large and what follows takes it.
func (p Post) checked(out graph.Shape, err error) (graph.Shape, error) {
	if err != nil {
		return nil, err
	}
	if out, err = checkImage(out); err != nil {
		return nil, err
	}
	return out, p.check(out)
}

// build adds norm, activation and dropout behind y; their states are PATH.norm.weight and so on.
func (p Post) build(s *Scope, y graph.Value) graph.Value {
	for _, l := range p.layers() {
		name := "dropout"
		switch l.(type) {
		case *BatchNorm, *LayerNorm, *GroupNorm:
			name = "norm"
		case *Activation:
			y = l.Build(s, y)
			continue
		}
		y = s.Within(name, func(s *Scope) graph.Value { return l.Build(s, y) })
	}
	return y
}

// posted is implemented by layers that hold a Post, through [Affine].
type posted interface {
	Layer
	post() Post
	withPost(p Post) Layer
}

// Ending returns the activation that l ends with ("linear" if none) and, if that is the very last thing it does,
// a copy of l without it.
func Ending(l Layer) (activation string, without Layer) {
	switch l := l.(type) {
	case *Activation:
		return l.Function, nil
	case posted:
		p := l.post()
		if p.Activation == "" || p.Dropout > 0 {
			return "linear", l
		}
		activation, p.Activation = p.Activation, "linear"
		return activation, l.withPost(p)
	}
	return "linear", l
}
