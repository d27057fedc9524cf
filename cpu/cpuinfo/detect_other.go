//go:build !amd64 || noasm

package cpuinfo

const bf16 = false

func detect() []Tier { return []Tier{Go} }
