//go:build amd64 && !noasm

package vec

import "aetrain/cpu/cpuinfo"

func assembly(cpuinfo.Tier) *Kernels { return nil }
