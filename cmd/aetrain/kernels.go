package main

import (
	"slices"

	"aetrain/backend"
	"aetrain/configs"
	"aetrain/internal/registry"
)

// kernelOptions is [kernels].
type kernelOptions struct {
	Autotune bool              `toml:"autotune" doc:"measure the candidates of each op on this machine, once, instead of taking the first that fits"`
	Strict   bool              `toml:"strict" doc:"refuse a program of which a step would run by the slow reference"`
	Ops      map[string]string `toml:",rest" doc:"the candidate that computes this op; aetrain list kernels shows them" example:"\"gemm\""`
}

func init() { configs.Declare("kernels", func() any { return &kernelOptions{} }) }

// readKernels decodes [kernels]. Mistakes are kept in cfg.
func readKernels(cfg *configs.Config) backend.Options {
	var o kernelOptions
	s := cfg.Section("kernels")
	_ = s.Decode(&o) // kept in cfg
	known := kernelNames()
	for op, candidate := range o.Ops {
		checkKernel(s, known, op, candidate)
	}
	return backend.Options{Kernels: o.Ops, Autotune: o.Autotune, Strict: o.Strict}
}

// checkKernel looks an op and its candidate up.
func checkKernel(s *configs.Section, known map[string][]string, op, candidate string) {
	var ops []string
	for name := range known {
		ops = append(ops, name)
	}
	slices.Sort(ops)
	name, ok := registry.Find(op, ops)
	if !ok {
		s.Errorf(op, "no op of this name has kernels%s", registry.Suggest(op, append(ops, "autotune", "strict")))
		return
	}
	if !slices.Contains(known[name], candidate) {
		s.Errorf(op, "unknown kernel %q%s", candidate, registry.Suggest(candidate, known[name]))
	}
}
