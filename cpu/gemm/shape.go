package gemm

import "fmt"

// Shape is one product: C (+)= op(A)·op(B), row-major float32, where C is M×N, op(A) M×K and op(B) K×N.
type Shape struct {
	M, N, K int
	// TransA: A is stored K×M. TransB: B is stored N×K.
	TransA, TransB bool
	// Floats from one stored row to the next; 0 is the stored matrix's own width.
	LDA, LDB, LDC int
	// Accumulate adds to C; otherwise C is overwritten, whatever it held.
	Accumulate bool
}

// Flops returns the multiplications and additions of s.
func (s Shape) Flops() float64 { return 2 * float64(s.M) * float64(s.N) * float64(s.K) }

// String shows s as in "128x400x784 NT", M×N×K and which operands are transposed.
func (s Shape) String() string {
	ops := [2]byte{'N', 'N'}
	if s.TransA {
		ops[0] = 'T'
	}
	if s.TransB {
		ops[1] = 'T'
	}
	return fmt.Sprintf("%dx%dx%d %s", s.M, s.N, s.K, ops[:])
}

// stored returns rows and columns of a matrix as it lies in memory.
func stored(rows, cols int, trans bool) (int, int) {
	if trans {
		return cols, rows
	}
	return rows, cols
}

// fill sets the leading dimensions that are 0 and panics where one is too small: a mistake of the caller's source.
func (s Shape) fill() Shape {
	fix := func(name string, ld *int, width int) {
		if *ld == 0 {
			*ld = width
		}
		if *ld < width {
			panic(fmt.Sprintf("gemm: %s is %d, a row of %v has %d floats", name, *ld, s, width))
		}
	}
	if s.M < 0 || s.N < 0 || s.K < 0 {
		panic(fmt.Sprintf("gemm: negative size in %v", s))
	}
	_, wa := stored(s.M, s.K, s.TransA)
	_, wb := stored(s.K, s.N, s.TransB)
	fix("LDA", &s.LDA, wa)
	fix("LDB", &s.LDB, wb)
	fix("LDC", &s.LDC, s.N)
	return s
}

// floats returns how long a slice must be that holds a rows×cols matrix with rows ld apart.
func floats(rows, cols, ld int) int {
	if rows == 0 || cols == 0 {
		return 0
	}
	return (rows-1)*ld + cols
}
