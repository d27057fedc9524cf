package data

import (
	"math"
	"math/bits"

	"aetrain/internal/philox"
)

// drawGround draws the strength of the field and finds the ground state, whose amplitudes may all be chosen above 0.
func (s *States) drawGround(x, factors []float32, row, stream uint32) {
	philox.Uniforms(factors, s.Draw, 0, row, drawExample, stream)
	g := s.Field[0] + float64((s.Field[1]-s.Field[0])*float64(factors[0]))
	factors[0] = float32(g)
	for i, v := range groundState(s.Qubits, g) {
		x[i] = float32(v)
	}
}

// chain writes H·v for the chain of spins in a field g across it.
func chain(to, v []float64, qubits int, g float64) {
	pairs := uint(1)<<(qubits-1) - 1
	for i := range v {
		unequal := bits.OnesCount(uint(i^i>>1) & pairs) // neighbours that differ
		sum := 0.0
		for q := range qubits {
			sum += v[i^1<<q]
		}
		to[i] = float64(float64(2*unequal-(qubits-1))*v[i]) - float64(g*sum)
	}
}

// groundState is the lowest eigenvector of the chain, of length 1 and above 0, by Lanczos's method from the uniform state, which
// is in the ground state's half of the parity and overlaps with it; every new direction is made orthogonal to all before.
func groundState(qubits int, g float64) []float64 {
	const most, tiny = 64, 1e-10
	size := 1 << qubits
	v := make([]float64, size)
	for i := range v {
		v[i] = 1 / math.Sqrt(float64(size))
	}
	var basis [][]float64
	var diagonal, beside []float64
	for len(basis) < min(most, size) {
		basis = append(basis, v)
		w := make([]float64, size)
		chain(w, v, qubits, g)
		diagonal = append(diagonal, dotRounded(v, w))
		for range 2 {
			for _, b := range basis {
				subtract(w, b, dotRounded(b, w))
			}
		}
		length := math.Sqrt(dotRounded(w, w))
		if length < tiny {
			break
		}
		beside = append(beside, length)
		v = w
		for i := range v {
			v[i] /= length
		}
	}
	state := make([]float64, size)
	for k, c := range lowestOf(diagonal, beside) {
		subtract(state, basis[k], -c)
	}
	if state[0] < 0 {
		for i := range state {
			state[i] = -state[i]
		}
	}
	length := math.Sqrt(dotRounded(state, state))
	for i := range state {
		state[i] /= length
	}
	return state
}

// dotRounded rounds each product, so that no machine fuses it.
func dotRounded(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x * b[i])
	}
	return sum
}

// subtract is v -= c·b.
func subtract(v, b []float64, c float64) {
	for i, x := range b {
		v[i] -= float64(c * x)
	}
}

// lowestOf is the eigenvector of the smallest eigenvalue of a symmetric tridiagonal matrix: the eigenvalue by bisection with
// Sturm's sequence, the vector by inverse iteration.
func lowestOf(diagonal, beside []float64) []float64 {
	n := len(diagonal)
	low, high := diagonal[0], diagonal[0]
	for i, d := range diagonal {
		r := 0.0
		for _, j := range []int{i - 1, i} {
			if j >= 0 && j < n-1 {
				r += math.Abs(beside[j])
			}
		}
		low, high = min(low, d-r), max(high, d+r)
	}
	for range 200 {
		middle := low + (high-low)/2
		if middle == low || middle == high {
			break
		}
		if below(diagonal, beside, middle) {
			high = middle
		} else {
			low = middle
		}
	}
	v := make([]float64, n)
	for i := range v {
		v[i] = 1
	}
	shift := low - 1e-9*(1+math.Abs(low)) // just below: the matrix is positive definite
	for range 20 {
		solveTridiagonal(diagonal, beside, shift, v)
		length := math.Sqrt(dotRounded(v, v))
		for i := range v {
			v[i] /= length
		}
	}
	return v
}

// below reports whether an eigenvalue lies below x: a pivot of the matrix less x is negative.
func below(diagonal, beside []float64, x float64) bool {
	pivot := diagonal[0] - x
	for i := 1; i < len(diagonal) && pivot > 0; i++ {
		pivot = diagonal[i] - x - float64(beside[i-1]*beside[i-1])/pivot
	}
	return pivot <= 0
}

// solveTridiagonal replaces v by the solution of (T - shift)·u = v, by elimination without pivoting.
func solveTridiagonal(diagonal, beside []float64, shift float64, v []float64) {
	n := len(diagonal)
	pivots := make([]float64, n)
	pivots[0] = diagonal[0] - shift
	for i := 1; i < n; i++ {
		factor := beside[i-1] / pivots[i-1]
		pivots[i] = diagonal[i] - shift - float64(factor*beside[i-1])
		v[i] -= float64(factor * v[i-1])
	}
	for i := n - 1; i >= 0; i-- {
		if i < n-1 {
			v[i] -= float64(beside[i] * v[i+1])
		}
		v[i] /= pivots[i]
	}
}
