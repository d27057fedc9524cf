//go:build !amd64 || noasm

package cpuinfo

func detect() []Tier { return []Tier{Go} }
