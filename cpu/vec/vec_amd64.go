//go:build amd64 && !noasm

package vec

import "aetrain/cpu/cpuinfo"

// Each family fills its part of a tier's table; what it leaves out stays plain Go.

var avx2Kernels = newTable(cpuinfo.AVX2, arithKernelsAVX2, scalarKernelsAVX2, compareKernelsAVX2, unaryKernelsAVX2, expKernelsAVX2,
	activationKernelsAVX2, reduceKernelsAVX2, convertKernelsAVX2, optimKernelsAVX2, recurrentKernels(false), randomKernelsAVX2)

var avx512Kernels = newTable(cpuinfo.AVX512, arithKernelsAVX512, scalarKernelsAVX512, compareKernelsAVX512, unaryKernelsAVX512, expKernelsAVX512,
	activationKernelsAVX512, reduceKernelsAVX512, convertKernelsAVX512, optimKernelsAVX512, recurrentKernels(true), randomKernelsAVX512)

func newTable(t cpuinfo.Tier, families ...func(*Kernels)) *Kernels {
	k := goKernels
	k.Tier = t
	for _, fill := range families {
		fill(&k)
	}
	return &k
}

// assembly returns the table of tier t if the processor has it, or of the tier below, or nil.
func assembly(t cpuinfo.Tier) *Kernels {
	switch {
	case t >= cpuinfo.AVX512 && cpuinfo.Has(cpuinfo.AVX512):
		return avx512Kernels
	case t >= cpuinfo.AVX2 && cpuinfo.Has(cpuinfo.AVX2):
		return avx2Kernels
	}
	return nil
}
