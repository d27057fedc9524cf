package data

import (
	"context"
	"math"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/philox"
)

func init() {
	sources.Add("states", func() SourceOptions {
		return &States{Of: "ising", Qubits: 4, Code: 2, Examples: 1000, Field: []float64{0.5, 1.5}}
	})
}

// States is quantum states of some qubits: 2^qubits real parts of the amplitudes, then as many imaginary parts, of length 1. Qubit
// 0 is the highest bit of an amplitude's number.
//
// Of ising they are the ground states of a chain, H = -Σ Z_i·Z_{i+1} - g·Σ X_i (open ends), with g drawn from Field; the field
// factors holds g. Of code they are random states of one subspace, itself drawn at random, that code qubits could hold; of random
// they are random ones of all. The same seed draws the same states.
type States struct {
	Of       string    `toml:"of" choices:"ising|code|random" doc:"which states: ground states of a chain of spins, random ones of a fixed subspace, random ones"`
	Qubits   int       `toml:"qubits" min:"1" max:"12" doc:"qubits of a state, which has 2 to the power of them amplitudes"`
	Code     int       `toml:"code_qubits" min:"0" doc:"of = \"code\": qubits that the subspace fits"`
	Examples int       `toml:"examples" min:"1" doc:"how many there are"`
	Field    []float64 `toml:"field" min:"0" doc:"of = \"ising\": least and largest strength g of the field across the chain" example:"[0.5, 1.5]"`
	Draw     uint64    `toml:"draw" doc:"seed of the states: other numbers are other ones"`
}

// Validate holds sizes to what memory takes and the subspace to the whole.
func (s *States) Validate() error {
	switch {
	case int64(s.Examples)*8<<s.Qubits > largestRandom:
		return configs.KeyError("examples", "%d states of %d qubits take more than %d GB", s.Examples, s.Qubits, largestRandom>>30)
	case s.Of == "code" && s.Code > s.Qubits:
		return configs.KeyError("code_qubits", "%d qubits have no subspace for %d", s.Qubits, s.Code)
	case len(s.Field) != 2 || s.Field[0] > s.Field[1]:
		return configs.KeyError("field", "wants the least and the largest strength, such as [0.5, 1.5]")
	case s.Of == "ising" && s.Field[0] <= 0:
		return configs.KeyError("field", "without a field there are two ground states: start above 0")
	}
	return nil
}

// Open implements SourceOptions.
func (s *States) Open(ctx context.Context, _ Env) (*Parts, error) {
	size := 2 << s.Qubits
	set := &series{fields: []Field{{Name: "x", Spec: graph.F32(size)}}, values: [][]float32{make([]float32, s.Examples*size)}, count: s.Examples}
	stream := philox.Stream("data/states")
	draw := func(i int) { s.drawRandom(set.row(0, i), uint32(i), stream) }
	switch s.Of {
	case "ising":
		set.fields = append(set.fields, Field{Name: "factors", Spec: graph.F32(1)})
		set.values = append(set.values, make([]float32, s.Examples))
		draw = func(i int) { s.drawGround(set.row(0, i), set.row(1, i), uint32(i), stream) }
	case "code":
		basis := s.subspace(stream)
		draw = func(i int) { s.drawCode(set.row(0, i), basis, uint32(i), stream) }
	}
	parallel(s.Examples, func(i int) {
		if ctx.Err() == nil {
			draw(i)
		}
	})
	return &Parts{Train: set}, ctx.Err()
}

// Counters of what is drawn beside the examples.
const (
	drawExample = iota
	drawSubspace
)

// complexNormals draws n complex numbers with normal parts.
func (s *States) complexNormals(n int, row, step, stream uint32) []complex128 {
	parts := make([]float32, 2*n)
	philox.NormalsRow(parts, s.Draw, 0, row, step, stream)
	z := make([]complex128, n)
	for i := range z {
		z[i] = complex(float64(parts[i]), float64(parts[n+i]))
	}
	return z
}

// drawRandom draws a state of no preferred direction: normal amplitudes.
func (s *States) drawRandom(x []float32, row, stream uint32) {
	store(x, s.complexNormals(len(x)/2, row, drawExample, stream))
}

// drawCode draws a state of a subspace.
func (s *States) drawCode(x []float32, basis [][]complex128, row, stream uint32) {
	state := make([]complex128, len(x)/2)
	for k, c := range s.complexNormals(len(basis), row, drawExample, stream) {
		addTimes(state, basis[k], c)
	}
	store(x, state)
}

// subspace draws 2^Code orthonormal states, by Gram and Schmidt's procedure.
func (s *States) subspace(stream uint32) [][]complex128 {
	basis := make([][]complex128, 1<<s.Code)
	for k := range basis {
		v := s.complexNormals(1<<s.Qubits, uint32(k), drawSubspace, stream)
		for range 2 { // twice is enough for rounding
			for _, b := range basis[:k] {
				addTimes(v, b, -overlap(b, v))
			}
		}
		basis[k] = normalised(v)
	}
	return basis
}

// overlap is <a|b>; products are rounded one by one, so that every machine draws the same.
func overlap(a, b []complex128) complex128 {
	re, im := 0.0, 0.0
	for i, x := range a {
		y := b[i]
		re += float64(real(x)*real(y)) + float64(imag(x)*imag(y))
		im += float64(real(x)*imag(y)) - float64(imag(x)*real(y))
	}
	return complex(re, im)
}

// addTimes is v += c·b.
func addTimes(v, b []complex128, c complex128) {
	for i, y := range b {
		re := float64(real(c)*real(y)) - float64(imag(c)*imag(y))
		im := float64(real(c)*imag(y)) + float64(imag(c)*real(y))
		v[i] = complex(real(v[i])+re, imag(v[i])+im)
	}
}

func normalised(v []complex128) []complex128 {
	length := math.Sqrt(real(overlap(v, v)))
	for i, x := range v {
		v[i] = complex(real(x)/length, imag(x)/length)
	}
	return v
}

// store writes a state, made as long as 1, as real parts and then imaginary ones.
func store(x []float32, state []complex128) {
	for i, v := range normalised(state) {
		x[i], x[len(state)+i] = float32(real(v)), float32(imag(v))
	}
}
