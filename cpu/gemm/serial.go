package gemm

import "aetrain/cpu/cpuinfo"

// Serial computes s on the calling goroutine, for use inside another kernel's task. local has SerialFloats(t, s) floats.
// It allocates nothing. A product with custom packing or an epilogue is a Plan with Options.Serial, whose only task is 0.
func Serial(t cpuinfo.Tier, s Shape, a, b, c, local []float32) {
	var p Plan
	p.init(t, s, Options{Serial: true})
	if p.Tasks() > 0 {
		p.Do(0, &Call{A: a, B: b, C: c, Local: local})
	}
}

// SerialFloats returns how much scratch Serial needs.
func SerialFloats(t cpuinfo.Tier, s Shape) int {
	var p Plan
	p.init(t, s, Options{Serial: true})
	return p.LocalFloats()
}
