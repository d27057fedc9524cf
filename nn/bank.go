package nn

import (
	"errors"

	"aetrain/configs"
	"aetrain/graph"
)

// Bank is how many filters a convolution has.
type Bank struct {
	Filters configs.Ints `toml:"filters" min:"1" doc:"output channels; a list is one such layer each; left out at a decoder's end: what the input has" example:"[32, 64]"`
}

// newBank holds n filters; 0 leaves them out.
func newBank(n int) Bank { return Bank{Filters: oneSize(n)} }

// Size is the number of filters, 0 where it was left out.
func (b Bank) Size() int { return sizeOf(b.Filters) }

var errNoFilters = errors.New("filters is missing; only a decoder's last layer may leave it out")

// takes reports why the filters cannot be applied to in, which has to be an image whose channels the groups share out.
func (b Bank) takes(in graph.Shape, groups int) error {
	if err := wantImage(in); err != nil {
		return err
	}
	if b.Size() == 0 {
		return errNoFilters
	}
	return checkGroups(groups, in[0], b.Size())
}
