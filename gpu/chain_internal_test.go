//go:build gpu

package gpu

import (
	"flag"
	"os"
	"regexp"
	"strconv"
	"testing"

	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

var update = flag.Bool("update", false, "write golden files anew")

// TestPointOpcodes compares the table of ops with the interpreter's.
func TestPointOpcodes(t *testing.T) {
	text, err := os.ReadFile("../kernels/cuda/chain.cu")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]uint32{}
	for _, m := range regexp.MustCompile(`X\((\d+), (\w+)\)`).FindAllStringSubmatch(string(text), -1) {
		n, _ := strconv.Atoi(m[1])
		want[m[2]] = uint32(n)
	}
	for name, p := range pointOps {
		if p.update() {
			continue
		}
		if want[p.function] != p.code {
			t.Errorf("%s is opcode %d, chain.cu has %d", name, p.code, want[p.function])
		}
		delete(want, p.function)
	}
	for name, n := range want {
		t.Errorf("chain.cu has %d, %s, and no op of chains is computed by it", n, name)
	}
}

// TestEveryPointwiseOp finds a function for every op that may stand in a chain.
func TestEveryPointwiseOp(t *testing.T) {
	for _, o := range op.All() {
		if _, ok := o.(op.Pointwise); !ok {
			continue
		}
		for _, e := range o.Examples() {
			g := graph.New()
			var in []graph.Value
			for _, a := range e.Args {
				in = append(in, g.Input(strconv.Itoa(len(in)), a.Spec))
			}
			n := g.Apply(e.Op, in...)[0].Node
			p, numbers, ok := pointOf(n)
			if !ok || p.attributes != len(numbers) || p.out != len(n.Out) || p.in > len(n.In) {
				t.Errorf("%s: function %+v with %v, found: %v", o.Name(), p, numbers, ok)
			}
		}
	}
}

func TestDivisor32(t *testing.T) {
	for _, d := range []int{1, 2, 3, 5, 7, 64, 784, 1000003, 1<<30 - 1, 1 << 30, 1<<31 - 1} {
		multiplier, shift := divisor32(d)
		for _, n := range []int{0, 1, d - 1, d, d + 1, 3*d - 1, 3 * d, 1<<31 - 1} {
			if n < 0 || n >= 1<<31 {
				continue
			}
			if got := int(uint64(n) * uint64(multiplier) >> shift); got != n/d {
				t.Errorf("%d / %d is %d, want %d", n, d, got, n/d)
			}
		}
	}
}

// epilogueOf compiles relu(x·w + b)·2 and what else, and returns the product's chain.
func epilogueOf(t *testing.T, build func(y, bias graph.Value) map[string]graph.Value) *program.Chain {
	t.Helper()
	g := graph.New()
	x, w, bias := g.Input("x", graph.F32(4, 3)), g.State(graph.Param, "w", graph.F32(3, 5), nil), g.State(graph.Param, "b", graph.F32(5), nil)
	p, err := program.Compile(g, build(op.MatMul(x, w, false, false), bias), program.Target{Epilogue: hasEpilogue})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Steps {
		if s.Node != nil && s.Chain != nil {
			return s.Chain
		}
	}
	t.Fatalf("no product with an epilogue:\n%v", p)
	return nil
}

func TestSplitBias(t *testing.T) {
	type out = map[string]graph.Value
	row := program.Access{Inner: 1, Period: 5}
	tests := []struct {
		name           string
		build          func(y, bias graph.Value) map[string]graph.Value
		access         program.Access
		relu           bool
		ok, withReLU   bool
		ops, args, out int // what is left
	}{
		{"bias", func(y, b graph.Value) out { return out{"y": op.Add(y, b)} }, row, true, true, false, 0, 0, 1},
		{"bias and relu", func(y, b graph.Value) out { return out{"y": op.ReLU(op.Add(y, b))} }, row, true, true, true, 0, 0, 1},
		{"relu not wanted", func(y, b graph.Value) out { return out{"y": op.ReLU(op.Add(y, b))} }, row, false, true, false, 1, 0, 1},
		{"sigmoid stays", func(y, b graph.Value) out { return out{"y": op.Sigmoid(op.Add(y, b))} }, row, true, true, false, 1, 0, 1},
		{"sum is read twice", func(y, b graph.Value) out { s := op.Add(y, b); return out{"y": op.ReLU(s), "s": s} }, row, true, true, false, 1, 0, 2},
		{"product is read twice", func(y, b graph.Value) out { return out{"y": op.Mul(op.Add(y, b), y)} }, row, true, false, false, 0, 0, 0},
		{"bias is read again", func(y, b graph.Value) out { return out{"y": op.Mul(op.ReLU(op.Add(y, b)), b)} }, row, true, true, true, 1, 1, 1},
		{"another access", func(y, b graph.Value) out { return out{"y": op.Add(y, b)} }, program.Access{Inner: 5, Period: 4}, true, false, false, 0, 0, 0},
		{"no bias", func(y, b graph.Value) out { return out{"y": op.ReLU(y)} }, row, true, false, false, 0, 0, 0},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			chain := epilogueOf(t, c.build)
			_, withReLU, rest, ok := splitBias(chain, c.access, c.relu)
			if ok != c.ok || withReLU != c.withReLU {
				t.Fatalf("found %v with ReLU %v, want %v, %v", ok, withReLU, c.ok, c.withReLU)
			}
			if !ok {
				return
			}
			if len(rest.Ops) != c.ops || len(rest.Args) != c.args || len(rest.Outs) != c.out {
				t.Errorf("%d ops, %d operands, %d outputs are left, want %d, %d, %d: %+v", len(rest.Ops), len(rest.Args), len(rest.Outs), c.ops, c.args, c.out, rest)
			}
			defined := 1 + len(rest.Args)
			for _, o := range rest.Ops {
				for _, in := range o.In {
					if in < 0 || in >= defined {
						t.Errorf("%s reads slot %d of %d", o.Node.Op.Name(), in, defined)
					}
				}
				for _, s := range o.Out {
					if s != defined {
						t.Errorf("%s writes slot %d, want %d", o.Node.Op.Name(), s, defined)
					}
					defined++
				}
			}
		})
	}
}

// TestChainSource compares the kernel generated for a loss, its gradient and their sums with testdata/chain.cu.
func TestChainSource(t *testing.T) {
	blk := &block{base: 256}
	piece := func(d graph.DType, n int) memory { return blk.take(d, n) }
	const n, d = 128, 784
	k := &chainCode{size: n * d,
		args: []operand{
			{memory: piece(graph.Float32, n*d), how: readDense},
			{memory: piece(graph.Uint8, n*d), how: readDense},
			{memory: piece(graph.Float32, d), Access: program.Access{Inner: 1, Period: d}, how: readRepeated},
			{memory: piece(graph.Float32, 1), how: readSingle},
			{memory: memory{dtype: graph.Float32, size: 1}, how: readLiteral, bits: 0xbf000000},
		},
		types: []graph.DType{graph.Float32, graph.Uint8, graph.Float32, graph.Float32, graph.Float32,
			graph.Float32, graph.Float32, graph.Float32, graph.Float32},
		ops: []chainOp{
			{pointOp: pointOps["float_of_int"], in: []int{1}, out: []int{5}},
			{pointOp: pointOps["Add"], in: []int{0, 2}, out: []int{6}},
			{pointOp: pointOps["BCEWithLogits"], in: []int{6, 5}, out: []int{7}},
			{pointOp: pointOp{function: "sum"}, in: []int{6, 3, 4}, out: []int{8}},
		},
		len: d,
	}
	k.outs = []chainOut{{8, k.args[0].memory}}
	k.rows = []chainOut{{7, piece(graph.Float32, n)}}
	k.sums = []chainOut{{8, piece(graph.Float32, 1)}}
	s := newSegment(k)
	_, got := kernelSource([]string{bodyText(s)}, len(k.memories()), false)
	_, table := kernelSource([]string{bodyText(s), bodyText(s)}, 0, true)
	const file = "testdata/chain.cu"
	if *update {
		if err := os.WriteFile(file, []byte(got+table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got+table != string(want) {
		t.Errorf("the source changed; go test -update writes it anew:\n%s", got+table)
	}
}
