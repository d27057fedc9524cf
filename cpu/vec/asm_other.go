//go:build !amd64 || noasm

package vec

import "aetrain/cpu/cpuinfo"

// assembly returns no table: this build has plain Go only.
func assembly(cpuinfo.Tier) *Kernels { return nil }
