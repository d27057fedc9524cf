package archtest

// House is who may import what, in the order in which the rooms build on one another. ARCHITECTURE.md shows the same table,
// and a test holds the two together.
var House = Table{
	{Room: "graph"},
	{Room: "op", May: []string{"graph"}},
	{Room: "program", May: []string{"graph", "op"}},
	{Room: "backend", May: []string{"graph", "op", "program"}},
	{Room: "backend/backendtest", May: []string{"graph", "op", "program", "backend"}},
	{Room: "kernels", May: []string{"graph", "op", "program"}},
	{Room: "cpu/cpuinfo"},
	{Room: "cpu/gemm", May: []string{"cpu/cpuinfo"}},
	{Room: "cpu/vec", May: []string{"cpu/cpuinfo"}},
	{Room: "cpu", May: []string{"graph", "op", "program", "backend", "kernels", "cpu/cpuinfo", "cpu/gemm", "cpu/vec"}},
	{Room: "kernels/cuda"},
	{Room: "gpu/driver"},
	{Room: "gpu/ptx"},
	{Room: "gpu/faketest"},
	{Room: "gpu", May: []string{"graph", "op", "program", "backend", "kernels", "kernels/cuda", "gpu/driver", "gpu/ptx"}},
	{Room: "configs", Open: true},
	{Room: "prob", May: []string{"graph", "op"}},
	{Room: "nn", May: []string{"graph", "op"}},
	{Room: "optim", May: []string{"graph", "op"}},
	{Room: "model", May: []string{"graph", "op", "prob", "nn"}},
	{Room: "data", May: []string{"graph", "op"}},
	{Room: "metrics"},
	{Room: "checkpoint", May: []string{"graph", "backend"}},
	{Room: "infer", May: []string{Earlier}},
	{Room: "trainer", May: []string{Earlier}},
	{Room: "trainer/trainertest", May: []string{Earlier}},
	{Room: "tasks", May: []string{Earlier}},
	{Room: "cmd", Tree: true, May: []string{All}},
	{Room: "bench", Tree: true, May: []string{All}},
	{Room: "internal", Tree: true, Internal: true, May: []string{"graph"}},
}

// Devices are the rooms that only programs may depend on, directly or not: everybody else is handed a backend.Backend.
var Devices = []string{"cpu", "gpu"}

// Programs are the rooms that open devices.
var Programs = []string{"cmd", "bench"}
