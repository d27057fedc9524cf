package infer

import (
	"context"
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
)

// Ways from one code to another.
const (
	PathLinear    = "linear"
	PathSpherical = "spherical"
)

// Interpolate decodes steps codes on the way from each row of a to that row of b, ends included: N×steps×example. given is what the
// model is told beside both, and at each step; where that differs, see [Model.InterpolateCodes].
// path is linear, or spherical: at a constant angle, through lengths that the prior knows. "" is spherical for a gaussian code, else
// linear.
// Source: White 2016, "Sampling Generative Networks", section 2 (slerp; Shoemake 1985).
func (m *Model) Interpolate(ctx context.Context, a, b *tensor.Dense, steps int, path string, given ...Fields) (*tensor.Dense, error) {
	za, err := m.Encode(ctx, a, given...)
	if err != nil {
		return nil, err
	}
	zb, err := m.Encode(ctx, b, given...)
	if err != nil {
		return nil, err
	}
	return m.InterpolateCodes(ctx, za, zb, steps, path, given...)
}

// InterpolateCodes is Interpolate between codes, as Encode returns them. given is what the decoder is told of each pair, N rows.
func (m *Model) InterpolateCodes(ctx context.Context, za, zb *tensor.Dense, steps int, path string, given ...Fields) (*tensor.Dense, error) {
	way, err := m.way(path)
	if err != nil {
		return nil, err
	}
	if steps < 2 {
		return nil, fmt.Errorf("interpolate: %d steps; want 2 or more, the ends among them", steps)
	}
	n := za.Shape()[0]
	if zb.Shape()[0] != n {
		return nil, fmt.Errorf("interpolate: from %d examples to %d; want as many", n, zb.Shape()[0])
	}
	size := m.model.Code.Size()
	if err := checkRows("interpolate: the codes", steps, n*max(size, m.model.X.Size())); err != nil {
		return nil, err
	}
	z := backend.NewHost(graph.Spec{Shape: append(graph.Shape{n * steps}, m.model.Code...)})
	from, to, out := za.Float32s(), zb.Float32s(), z.Float32s()
	for i := range n {
		for s := range steps {
			at := (i*steps + s) * size
			way(out[at:at+size], from[i*size:(i+1)*size], to[i*size:(i+1)*size], float64(s)/float64(steps-1))
		}
	}
	told, err := m.eachTimes("interpolate", n, steps, given)
	if err != nil {
		return nil, err
	}
	recon, err := m.Decode(ctx, z, told)
	if err != nil {
		return nil, err
	}
	return recon, recon.Reshape(append([]int{n, steps}, recon.Shape()[1:]...)...)
}

func (m *Model) way(path string) (func(dst, a, b []float32, t float64), error) {
	switch {
	case path == PathLinear, path == "" && !m.prior:
		return linear, nil
	case path == PathSpherical, path == "":
		return spherical, nil
	}
	return nil, fmt.Errorf("interpolate: the way %q is unknown: want linear or spherical", path)
}

// linear is (1-t)·a + t·b.
func linear(dst, a, b []float32, t float64) {
	for i := range dst {
		dst[i] = float32((1-t)*float64(a[i]) + t*float64(b[i]))
	}
}

// spherical is (sin((1-t)ω)·a + sin(tω)·b) / sin ω, ω being the angle between a and b; nearly parallel codes go straight.
func spherical(dst, a, b []float32, t float64) {
	var dot, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb = dot+x*y, aa+x*x, bb+y*y
	}
	omega := math.Acos(max(-1, min(1, dot/math.Sqrt(aa*bb)))) // NaN where one is zero
	sin := math.Sin(omega)
	const parallel = 1e-6
	if !(sin > parallel) { // NaN too
		linear(dst, a, b, t)
		return
	}
	u, v := math.Sin((1-t)*omega)/sin, math.Sin(t*omega)/sin
	for i := range dst {
		dst[i] = float32(u*float64(a[i]) + v*float64(b[i]))
	}
}
