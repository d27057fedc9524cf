package nn

import (
	"fmt"
	"reflect"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/registry"
)

// Layer is one entry of an encoder's or decoder's list. Its fields are its keys in the configuration.
type Layer interface {
	// Kind is the layer's name in a configuration: "conv2d".
	Kind() string
	// Label is the name that the user gave it, "" for none.
	Label() string
	// Output is the shape rule, for one example; an error is one sentence that says what is wrong and what would help.
	Output(in graph.Shape) (graph.Shape, error)
	// Build adds the layer to the scope's graph. x has the batch axis first, and a shape that Output has accepted.
	Build(s *Scope, x graph.Value) graph.Value
	// Mirror returns layers that lead from Output(in) back to in exactly, without norm, activation and dropout.
	// Layers that keep the shape (see Decoration) return nil.
	Mirror(in graph.Shape) ([]Layer, error)
}

// Decoration is implemented by layers between the sized ones: norm, activation, dropout. A mirror keeps them where they stand.
type Decoration interface{ decorates() }

// Spreader is implemented by layers with a list in units or filters: one such layer each.
type Spreader interface{ Spread() []Layer }

// Sized is implemented by layers whose number of outputs may be left out at a decoder's end.
type Sized interface {
	Layer
	// Size is the number of units or filters, 0 where it was left out.
	Size() int
	// Resized returns the layer with n units or filters.
	Resized(n int) Layer
}

// Layers is the registry of [Layer]; each adds itself in its own file.
var Layers = registry.New[Layer]("layer")

func init() { configs.Family("layer", Layers) }

// Common holds the keys of every layer.
type Common struct {
	Name string `toml:"name" doc:"name of the layer, by which other parts refer to it (on, feature)" example:"\"features\""`
}

// Label returns the name that the user gave the layer.
func (c Common) Label() string { return c.Name }

func (c *Common) rename(name string) { c.Name = name }

// duplicate returns a shallow copy of a layer.
func duplicate[L Layer](l L) L {
	c := reflect.New(reflect.TypeOf(l).Elem())
	c.Elem().Set(reflect.ValueOf(l).Elem())
	return c.Interface().(L)
}

// wantImage refuses what is no image, with the layer that would help.
func wantImage(in graph.Shape) error {
	shape := "[channels, height, width]"
	switch len(in) {
	case 3:
		return nil
	case 2: // an image without an axis for its one channel
		shape = fmt.Sprintf("[1, %d, %d]", in[0], in[1])
	}
	return fmt.Errorf("it works on images, its input is %v: add { layer = \"reshape\", shape = %s } before it", in, shape)
}
