//go:build gpu

package gpu

import (
	"fmt"
	"strings"

	"aetrain/program"
)

// A chain of elementwise ops is one kernel: either the interpreter of kernels/cuda/chain.cu, which runs any chain by a tape,
// or a kernel that NVRTC compiles for exactly this chain. Both compute with the functions of kernels/cuda/point.cuh.

// chainKernels are the candidates for chains by the config's names, best first.
var chainKernels = []string{"nvrtc", "tape"}

// chainKernel is the candidate that chains of this program run by, and the reason.
func (b *binder) chainKernel() (name, reason string, err error) {
	want := b.o.Kernels["chain"]
	switch {
	case want == "tape":
		return want, "config", nil
	case want == "nvrtc" && b.dev.nvrtc != nil:
		return want, "config", nil
	case want == "nvrtc" && b.o.Strict:
		return "", "", fmt.Errorf("kernels.chain: nvrtc is asked for and was not found; there is tape")
	case want != "" && want != "nvrtc":
		return "", "", fmt.Errorf("kernels.chain: no kernel %q; there are %s", want, strings.Join(chainKernels, ", "))
	case b.dev.nvrtc == nil:
		return "tape", "NVRTC was not found", nil
	}
	return "nvrtc", "first that fits", nil
}

// chain appends the kernels of c. Where it is an epilogue, slot 0 is root, the product's output.
func (b *binder) chain(c *program.Chain, root *memory) error {
	k, err := b.compileChain(c, root)
	if err != nil {
		return err
	}
	if c.Size == 0 {
		b.nothing(c)
		return nil
	}
	return b.launchChains([]*chainCode{k})
}

// chains appends the kernels of several chains, none of which reads or writes what another writes: one launch for all.
func (b *binder) chains(group []*program.Chain) error {
	var codes []*chainCode
	for _, c := range group {
		k, err := b.compileChain(c, nil)
		if err != nil {
			return err
		}
		if c.Size == 0 {
			b.nothing(c)
			continue
		}
		codes = append(codes, k)
	}
	return b.launchChains(codes)
}

// nothing sets the totals of a chain without elements.
func (b *binder) nothing(c *program.Chain) {
	for _, t := range c.Sums {
		b.fill(b.e.mem[t.Buffer], 0)
	}
}

// launchChains appends one launch for the chains' elements, and one for each total that is added up afterwards.
func (b *binder) launchChains(codes []*chainCode) error {
	name, _, err := b.chainKernel()
	if err != nil {
		return err
	}
	var busy []*chainCode
	for _, k := range codes {
		if !k.empty() {
			busy = append(busy, k)
		}
	}
	switch {
	case len(busy) == 0:
	case name == "tape":
		b.launchTapes(busy)
	default:
		b.launchSource(busy)
	}
	for _, k := range codes {
		for _, f := range k.folds {
			b.fold(f, k.size)
		}
	}
	return nil
}
