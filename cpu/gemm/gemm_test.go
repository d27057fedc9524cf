package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"aetrain/cpu/cpuinfo"
)

// eachTier runs f on every tier; one that the processor lacks is skipped by name.
func eachTier(t *testing.T, f func(t *testing.T, tier cpuinfo.Tier)) {
	t.Helper()
	for _, tier := range []cpuinfo.Tier{cpuinfo.Go, cpuinfo.AVX2, cpuinfo.AVX512} {
		t.Run(tier.String(), func(t *testing.T) {
			if !cpuinfo.Has(tier) {
				t.Skipf("this processor or build has no %v", tier)
			}
			f(t, tier)
		})
	}
}

const guard = 777 // what memory around a result holds

// problem is one product with its operands, extras and reference.
type problem struct {
	s             Shape
	a, b, c       []float32
	bias, rowBias []float32
	mask          []float32
	relu          bool
	want, slack   []float64 // by row and column; how much rounding may move it
	before        []float32
}

func random(rng *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = rng.Float32()*2 - 1
	}
	return s
}

// newProblem draws operands that end where the matrices end, so that a read beyond shows under -d=checkptr or a fault.
func newProblem(rng *rand.Rand, s Shape, extras int) *problem {
	s = s.fill()
	ra, ca := stored(s.M, s.K, s.TransA)
	rb, cb := stored(s.K, s.N, s.TransB)
	p := &problem{s: s, a: random(rng, floats(ra, ca, s.LDA)), b: random(rng, floats(rb, cb, s.LDB)), relu: extras&4 != 0}
	if extras&1 != 0 {
		p.bias = random(rng, s.N)
	}
	if extras&2 != 0 {
		p.rowBias = random(rng, s.M)
	}
	if extras&8 != 0 {
		p.mask = random(rng, floats(s.M, s.N, s.LDC))
	}
	p.before = make([]float32, floats(s.M, s.N, s.LDC)+64)
	for i := range p.before {
		p.before[i] = guard
	}
	for i := range s.M {
		for j := range s.N {
			p.before[i*s.LDC+j] = rng.Float32()
			if !s.Accumulate {
				p.before[i*s.LDC+j] = float32(math.NaN())
			}
		}
	}
	p.c = make([]float32, len(p.before))
	p.reference()
	return p
}

func (p *problem) at(x []float32, ld int, trans bool, i, j int) float64 {
	if trans {
		i, j = j, i
	}
	return float64(x[i*ld+j])
}

// reference computes the product in float64.
func (p *problem) reference() {
	s := p.s
	p.want, p.slack = make([]float64, s.M*s.N), make([]float64, s.M*s.N)
	for i := range s.M {
		for j := range s.N {
			v, size := 0.0, 1.0
			for k := range s.K {
				x := p.at(p.a, s.LDA, s.TransA, i, k) * p.at(p.b, s.LDB, s.TransB, k, j)
				v += x
				size += math.Abs(x)
			}
			if s.Accumulate {
				v += float64(p.before[i*s.LDC+j])
			}
			if p.bias != nil {
				v += float64(p.bias[j])
			}
			if p.rowBias != nil {
				v += float64(p.rowBias[i])
			}
			if p.relu {
				v = math.Max(v, 0)
			}
			if p.mask != nil && p.mask[i*s.LDC+j] <= 0 {
				v = 0
			}
			p.want[i*s.N+j], p.slack[i*s.N+j] = v, size*1e-6
		}
	}
}

// rowPacker and panelPacker are custom packers over a problem's own operands.
type (
	rowPacker   struct{ p *problem }
	panelPacker struct {
		p  *problem
		nr int
	}
)

func (x rowPacker) PackA(dst []float32, ld, m0, m1, k0, k1 int) {
	for m := m0; m < m1; m++ {
		for k := k0; k < k1; k++ {
			dst[(m-m0)*ld+k-k0] = float32(x.p.at(x.p.a, x.p.s.LDA, x.p.s.TransA, m, k))
		}
	}
}

func (x panelPacker) PackB(dst []float32, k0, k1, n0, n1 int) {
	clear(dst)
	for n := n0; n < n1; n++ {
		for k := k0; k < k1; k++ {
			dst[(n-n0)/x.nr*x.nr*(k1-k0)+(k-k0)*x.nr+(n-n0)%x.nr] = float32(x.p.at(x.p.b, x.p.s.LDB, x.p.s.TransB, k, n))
		}
	}
}

// compute runs both phases of a plan, the tasks in the order that rng draws.
func (p *problem) compute(t *testing.T, rng *rand.Rand, tier cpuinfo.Tier, o Options) *Plan {
	t.Helper()
	copy(p.c, p.before)
	plan := NewPlan(tier, p.s, o)
	c := Call{A: p.a, B: p.b, C: p.c[:floats(p.s.M, p.s.N, p.s.LDC)], Bias: p.bias, RowBias: p.rowBias, ReLU: p.relu, Mask: p.mask,
		Shared: make([]float32, plan.SharedFloats()), PackerA: rowPacker{p}, PackerB: panelPacker{p, NR(tier)}}
	for i := range c.Shared {
		c.Shared[i] = float32(math.NaN())
	}
	for _, task := range rng.Perm(plan.PackTasks()) {
		plan.Pack(task, p.a, p.b, c.Shared)
	}
	if a, _ := plan.Packs(); a == PackShared || o.CustomA {
		c.A = nil
	}
	if _, b := plan.Packs(); b == PackShared || o.CustomB {
		c.B = nil
	}
	seen := make([]int, p.s.M*p.s.N)
	c.Epilogue = func(row0, row1, col0, col1 int) {
		for i := row0; i < row1; i++ {
			for j := col0; j < col1; j++ {
				seen[i*p.s.N+j]++
			}
		}
	}
	for _, task := range rng.Perm(plan.Tasks()) {
		c.Local = make([]float32, plan.LocalFloats())
		for i := range c.Local {
			c.Local[i] = float32(math.NaN())
		}
		plan.Do(task, &c)
	}
	for i, n := range seen {
		if n != 1 {
			t.Fatalf("%v %+v: the epilogue saw %d,%d %d times", p.s, o, i/p.s.N, i%p.s.N, n)
		}
	}
	return plan
}

// verify compares C with the reference, and the memory around it with what it was.
func (p *problem) verify(t *testing.T, what string) {
	t.Helper()
	for i, got := range p.c {
		row, col := i, 0
		if p.s.LDC > 0 {
			row, col = i/p.s.LDC, i%p.s.LDC
		}
		if row >= p.s.M || col >= p.s.N {
			if got != guard {
				t.Fatalf("%s: %+v: wrote beyond C at row %d, column %d", what, p.s, row, col)
			}
			continue
		}
		want, slack := p.want[row*p.s.N+col], p.slack[row*p.s.N+col]
		if p.relu && p.mask == nil && math.Abs(want) < slack { // either side of 0
			continue
		}
		if !(math.Abs(float64(got)-want) <= slack) {
			t.Fatalf("%s: %+v: C[%d][%d] = %g, want %g", what, p.s, row, col, got, want)
		}
	}
}

// variants are the ways to compute a product that every test goes through.
var variants = []Options{
	{},
	{Serial: true},
	{Method: "dot"},
	{PackA: PackNone, PackB: PackNone, KC: 50, MC: 33, Tasks: 7},
	{PackA: PackLocal, PackB: PackLocal, KC: 37, MC: 40, NC: 64, Tasks: 3},
	{PackA: PackShared, PackB: PackShared, KC: 64, MC: 40, Tasks: 9},
	{PackA: PackShared, PackB: PackLocal, Tasks: 4},
	{PackB: PackShared, Serial: true, KC: 30},
	{CustomB: true, KC: 33, NC: 48},
	{CustomA: true, PackB: PackShared, KC: 33, MC: 20, Tasks: 5},
	{CustomA: true, CustomB: true, Serial: true},
}

func TestRandom(t *testing.T) {
	eachTier(t, func(t *testing.T, tier cpuinfo.Tier) {
		rng := rand.New(rand.NewPCG(1, uint64(tier)))
		for range 120 {
			s := Shape{M: 1 + rng.IntN(90), N: 1 + rng.IntN(130), K: 1 + rng.IntN(120),
				TransA: rng.IntN(2) == 0, TransB: rng.IntN(2) == 0, Accumulate: rng.IntN(2) == 0}
			s = s.fill()
			s.LDA, s.LDB, s.LDC = s.LDA+rng.IntN(3), s.LDB+rng.IntN(3), s.LDC+rng.IntN(3)
			p := newProblem(rng, s, rng.IntN(16))
			for _, o := range variants {
				p.compute(t, rng, tier, o)
				p.verify(t, fmt.Sprintf("%v %+v", tier, o))
			}
		}
	})
}

// TestEdges goes through every size around the tiles, with one of the sizes large.
func TestEdges(t *testing.T) {
	sizes := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 20, 24, 31, 32, 33, 49}
	eachTier(t, func(t *testing.T, tier cpuinfo.Tier) {
		rng := rand.New(rand.NewPCG(2, uint64(tier)))
		for _, m := range sizes {
			for _, n := range sizes {
				k := sizes[rng.IntN(len(sizes))]
				for trans := range 4 {
					s := Shape{M: m, N: n, K: k, TransA: trans&1 != 0, TransB: trans&2 != 0, Accumulate: rng.IntN(2) == 0}
					p := newProblem(rng, s, rng.IntN(16))
					o := variants[rng.IntN(len(variants))]
					p.compute(t, rng, tier, o)
					p.verify(t, fmt.Sprintf("%v %+v", tier, o))
				}
			}
		}
	})
}

// TestShapes computes shapes of real models, which take the default plans through packing and many tasks.
func TestShapes(t *testing.T) {
	eachTier(t, func(t *testing.T, tier cpuinfo.Tier) {
		rng := rand.New(rand.NewPCG(3, uint64(tier)))
		for _, s := range []Shape{
			{M: 128, N: 400, K: 784, TransB: true},
			{M: 400, N: 784, K: 128, TransA: true},
			{M: 128, N: 784, K: 400},
			{M: 128, N: 20, K: 400, TransB: true},
			{M: 300, N: 512, K: 512, TransA: true, TransB: true},
			{M: 256, N: 256, K: 1024, TransA: true, LDA: 1024},
			{M: 32, N: 784, K: 9},
			{M: 1, N: 784, K: 400, TransB: true},
			{M: 64, N: 1, K: 500},
		} {
			if tier == cpuinfo.Go { // the same code, slowly
				s.M = min(s.M, 20)
			}
			p := newProblem(rng, s, 0)
			plan := p.compute(t, rng, tier, Options{})
			p.verify(t, tier.String())
			a, b := plan.Packs()
			t.Logf("%v: %s, A %v, B %v, %d+%d tasks, KC %d", s, plan.Method(), a, b, plan.PackTasks(), plan.Tasks(), plan.kc)
		}
	})
}

// TestBits: the same bits in any order of tasks, from any cut of C, and for a row alone or among others.
func TestBits(t *testing.T) {
	eachTier(t, func(t *testing.T, tier cpuinfo.Tier) {
		rng := rand.New(rand.NewPCG(4, uint64(tier)))
		p := newProblem(rng, Shape{M: 61, N: 75, K: 900, TransB: true}, 3)
		p.compute(t, rng, tier, Options{Method: "tile"})
		want := append([]float32{}, p.c...)
		for _, o := range []Options{
			{Method: "tile"}, {Tasks: 2}, {Tasks: 50}, {MC: 12, NC: 16}, {PackA: PackShared, PackB: PackShared}, {CustomA: true, CustomB: true}, {Serial: true},
		} {
			p.compute(t, rng, tier, o)
			for i := range want {
				if p.c[i] != want[i] {
					t.Fatalf("%+v: C[%d] = %v, was %v", o, i, p.c[i], want[i])
				}
			}
		}
	})
}

// TestNaN: what is not a number goes through a ReLU, so that a diverged step shows.
func TestNaN(t *testing.T) {
	eachTier(t, func(t *testing.T, tier cpuinfo.Tier) {
		for _, method := range []string{"tile", "dot"} {
			a, c := []float32{float32(math.NaN()), 1}, make([]float32, 2)
			p := NewPlan(tier, Shape{M: 2, N: 1, K: 1, TransB: true}, Options{Method: method})
			for task := range p.Tasks() {
				p.Do(task, &Call{A: a, B: []float32{-1}, C: c, Local: make([]float32, p.LocalFloats()), ReLU: true})
			}
			if c[0] == c[0] || c[1] != 0 {
				t.Errorf("%s: ReLU of NaN and -1 gives %v", method, c)
			}
		}
	})
}

// TestSerial also holds that nothing is allocated.
func TestSerial(t *testing.T) {
	eachTier(t, func(t *testing.T, tier cpuinfo.Tier) {
		rng := rand.New(rand.NewPCG(5, uint64(tier)))
		p := newProblem(rng, Shape{M: 33, N: 49, K: 90, TransB: true}, 0)
		local := make([]float32, SerialFloats(tier, p.s))
		allocs := testing.AllocsPerRun(5, func() {
			copy(p.c, p.before)
			Serial(tier, p.s, p.a, p.b, p.c, local)
		})
		p.verify(t, "serial")
		if allocs != 0 {
			t.Errorf("Serial allocates %v times", allocs)
		}
		plan := NewPlan(tier, p.s, Options{CustomB: true})
		c := &Call{A: p.a, C: p.c, Local: make([]float32, plan.LocalFloats()), PackerB: &panelPacker{p, NR(tier)}}
		if n := testing.AllocsPerRun(5, func() { plan.Do(0, c) }); n != 0 {
			t.Errorf("Do allocates %v times", n)
		}
	})
}

func TestShort(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a slice that is too short was taken")
		}
	}()
	Serial(cpuinfo.Go, Shape{M: 4, N: 4, K: 4}, make([]float32, 15), make([]float32, 16), make([]float32, 16), nil)
}

func TestAlloc(t *testing.T) {
	for _, n := range []int{0, 1, 15, 1000, 3 << 20} {
		s := Alloc(n)
		if len(s) != n || n > 0 && uintptr(ptr(s, 0))%lineBytes != 0 {
			t.Errorf("Alloc(%d) has %d floats at %p", n, len(s), s)
		}
	}
}

func FuzzPlan(f *testing.F) {
	f.Add(uint64(1), uint8(5), uint8(20), uint8(7), uint8(3), uint8(1))
	f.Add(uint64(2), uint8(0), uint8(33), uint8(0), uint8(15), uint8(5))
	f.Add(uint64(3), uint8(60), uint8(1), uint8(90), uint8(6), uint8(9))
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k, bits, variant uint8) {
		rng := rand.New(rand.NewPCG(seed, 0))
		s := Shape{M: int(m), N: int(n), K: int(k), TransA: bits&1 != 0, TransB: bits&2 != 0, Accumulate: bits&4 != 0}.fill()
		s.LDA, s.LDB, s.LDC = s.LDA+rng.IntN(70), s.LDB+rng.IntN(70), s.LDC+rng.IntN(70)
		o := variants[int(variant)%len(variants)]
		p := newProblem(rng, s, int(bits>>4))
		for _, tier := range cpuinfo.Tiers() {
			p.compute(t, rng, tier, o)
			p.verify(t, fmt.Sprintf("%v %+v", tier, o))
		}
	})
}
