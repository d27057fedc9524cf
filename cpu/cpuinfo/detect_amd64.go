//go:build amd64 && !noasm

package cpuinfo

import "golang.org/x/sys/cpu"

var bf16 = cpu.X86.HasAVX512BF16

func detect() []Tier {
	tiers := []Tier{Go}
	x := &cpu.X86
	if x.HasAVX2 && x.HasFMA {
		tiers = append(tiers, AVX2)
		if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512CD && x.HasAVX512DQ && x.HasAVX512VL {
			tiers = append(tiers, AVX512)
		}
	}
	return tiers
}
