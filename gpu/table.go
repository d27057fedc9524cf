//go:build gpu

package gpu

import (
	"slices"

	"aetrain/graph"
	"aetrain/kernels"
)

// table lists the kernels of a device, best first for each op; the first that fits runs. Libraries come first where they are
// there: their candidates fit only then.
func table(d *device) kernels.Table[launch] {
	return kernels.Table[launch]{}
}

// Kernels lists the candidates of every op by the config's names, for "aetrain list kernels".
func Kernels() map[string][]string { return table(&device{}).Names() }

// hasKernel says which ops have a candidate; composite ops without one run as what they are made of.
func (b *Backend) hasKernel(o graph.Op) bool {
	return slices.ContainsFunc(b.table, func(k kernels.Candidate[launch]) bool { return k.Op == o.Name() })
}

// hasEpilogue says which ops take a chain on their output: a bias and a ReLU go into the store of the product, the rest follows
// as a kernel of its own.
func hasEpilogue(o graph.Op) bool {
	switch o.Name() {
	case "MatMul", "Conv2D", "ConvTranspose2D":
		return true
	}
	return false
}
