//go:build gpu

package gpu

import (
	"crypto/sha256"
	"fmt"
	"math"
	"strconv"
	"strings"

	"aetrain/gpu/driver"
	"aetrain/graph"
)

// manyPointers is how many addresses a generated kernel takes as parameters; more come from a table.
const manyPointers = 40

// launchSource appends a kernel generated for these chains. Chains that differ in sizes alone share it.
func (b *binder) launchSource(codes []*chainCode) {
	var list []*segment
	var bodies []string
	for _, k := range codes {
		s := newSegment(k)
		s.pointers = k.memories()
		text := bodyText(s)
		for s.body = 0; s.body < len(bodies) && bodies[s.body] != text; {
			s.body++
		}
		if s.body == len(bodies) {
			bodies = append(bodies, text)
		}
		list = append(list, s)
	}
	t := placeSegments(list)
	table := len(list) > 1 || len(list[0].pointers) > manyPointers
	name, text := kernelSource(bodies, len(list[0].pointers), table)
	b.dev.sources.want(name, text)
	var args []any
	if table {
		args = b.arguments(t)
	} else {
		for _, m := range list[0].pointers {
			args = append(args, m)
		}
		args = append(append(args, list[0].k.size, list[0].k.len), b.sumMemory(t)...)
	}
	grid, threads := [3]int{t.blocks, 1, 1}, [3]int{chainThreads, 1, 1}
	var f driver.Function
	b.append(instruction{step: b.at, name: name,
		prepare: func() (err error) { f, err = b.dev.sources.function(b.dev, name); return err },
		enqueue: func(s driver.Stream) error { return launchKernel(f, grid, threads, 0, s, args) },
	})
}

// kernelSource is the kernel around the bodies, and its name: the sum of its text, so that equal kernels are compiled once.
func kernelSource(bodies []string, pointers int, table bool) (name, text string) {
	var w strings.Builder
	w.WriteString("namespace NAME_source {\n")
	for i, body := range bodies {
		fmt.Fprintf(&w, "struct Body%d {\n%s};\n", i, body)
	}
	w.WriteString("}\n")
	if table {
		writeTableKernel(&w, len(bodies))
	} else {
		writeKernel(&w, pointers)
	}
	name = fmt.Sprintf("chain_%x", sha256.Sum256([]byte(w.String())))[:22]
	return name, strings.ReplaceAll(w.String(), "NAME", name)
}

// writeKernel writes a kernel of one chain whose addresses are parameters.
func writeKernel(w *strings.Builder, pointers int) {
	var params, list []string
	for i := range pointers {
		params = append(params, fmt.Sprintf("void* p%d", i))
		list = append(list, fmt.Sprintf("(unsigned long long)p%d", i))
	}
	fmt.Fprintf(w, `extern "C" __global__ void __launch_bounds__(256) NAME(%s, unsigned size, unsigned len, float* partials, unsigned* counters) {
  __shared__ float shared[CHAIN_SHARED];
  const unsigned long long p[] = {%s};
  NAME_source::Body0 body;
  body.bind(p);
  body.walk(size, len, blockIdx.x, gridDim.x, partials, counters, shared);
}
`, strings.Join(params, ", "), strings.Join(list, ", "))
}

// writeTableKernel writes a kernel of several chains, or of one with many addresses.
func writeTableKernel(w *strings.Builder, bodies int) {
	w.WriteString(`extern "C" __global__ void __launch_bounds__(256) NAME(const unsigned* map, const chain_segment* segments, const unsigned long long* pointers, float* partials, unsigned* counters) {
  __shared__ float shared[CHAIN_SHARED];
  const chain_segment s = segments[map ? map[blockIdx.x] : 0];
  switch (s.body) {
`)
	for i := range bodies {
		fmt.Fprintf(w, `    case %d: {
      NAME_source::Body%d body;
      body.bind(pointers + s.pointer);
      body.walk(s.size, s.len, blockIdx.x - s.first, s.blocks, partials + s.partial, counters + s.counter, shared);
      break;
    }
`, i, i)
	}
	w.WriteString("  }\n}\n")
}

// bodyText writes what is between the braces of a chain's struct: see kernels/cuda/chain.cuh.
func bodyText(s *segment) string {
	w := &bodyWriter{k: s.k}
	w.members()
	w.bind()
	w.run()
	w.walk(s)
	return w.String()
}

type bodyWriter struct {
	strings.Builder
	k *chainCode
}

func (w *bodyWriter) line(format string, args ...any) {
	fmt.Fprintf(w, "  "+format+"\n", args...)
}

// cNumber is the C type of what is computed with, cStored the one in memory.
func cNumber(d graph.DType) string {
	if d == graph.Float32 {
		return "float"
	}
	return "int"
}

func cStored(d graph.DType) string {
	if d == graph.Uint8 {
		return "unsigned char"
	}
	return cNumber(d)
}

func (w *bodyWriter) members() {
	k := w.k
	for i, a := range k.args {
		switch a.how {
		case readSingle:
			w.line("%s s%d;", cNumber(a.dtype), i)
		case readDense, readRepeated:
			w.line("const %s* a%d;", cStored(a.dtype), i)
		}
	}
	for i, o := range k.outs {
		w.line("%s* o%d;", cStored(o.to.dtype), i)
	}
	w.totals("sums", "sum", "", "put(int k, float s)", "*sum_to%d = s;", len(k.sums))
	w.totals("rows", "row", "", "put_row(int k, unsigned r, float s)", "row_to%d[r] = s;", len(k.rows))
	w.totals("columns", "column", "[4]", "put_column(int k, unsigned c, float s)", "column_to%d[c] = s;", len(k.cols))
}

// totals declares one kind of totals: their number, the sums of a thread, and what stores them.
func (w *bodyWriter) totals(kind, name, each, put, store string, n int) {
	w.line("__device__ __forceinline__ int %s() const { return %d; }", kind, n)
	if n == 0 && kind != "sums" {
		return
	}
	w.line("float %s[%d]%s;", name, max(1, n), each)
	for i := range n {
		w.line("float* %s_to%d;", name, i)
	}
	w.line("__device__ __forceinline__ void %s {", put)
	for i := range n {
		w.line("  if (k == %d) "+store, i, i)
	}
	w.line("}")
}

// bind reads the addresses, in the order of [chainCode.memories], and the operands of one number.
func (w *bodyWriter) bind() {
	k, n := w.k, 0
	w.line("__device__ __forceinline__ void bind(const unsigned long long* p) {")
	next := func(format string, args ...any) {
		w.line("  "+format, append(args, n)...)
		n++
	}
	for i, a := range k.args {
		switch a.how {
		case readSingle:
			next("s%d = *(const %s*)p[%d];", i, cStored(a.dtype))
		case readDense, readRepeated:
			next("a%d = (const %s*)p[%d];", i, cStored(a.dtype))
		}
	}
	for i, o := range k.outs {
		next("o%d = (%s*)p[%d];", i, cStored(o.to.dtype))
	}
	for i := range k.sums {
		next("sum_to%d = (float*)p[%d];", i)
		w.line("  sum[%d] = 0.0f;", i)
	}
	for i := range k.rows {
		next("row_to%d = (float*)p[%d];", i)
	}
	for i := range k.cols {
		next("column_to%d = (float*)p[%d];", i)
	}
	w.line("}")
}

// run computes W elements: all are read before one is written, for an output may lie over an operand.
func (w *bodyWriter) run() {
	k := w.k
	w.line("template <int W> __device__ __forceinline__ void run(unsigned i) {")
	for i, a := range k.args {
		switch a.how {
		case readDense:
			w.line("  %s v%d[W];", cNumber(a.dtype), i)
			w.line("  chain_load<W>(v%d, a%d, i);", i, i)
		case readRepeated:
			w.line("  %s v%d[W];", cNumber(a.dtype), i)
			w.line("  chain_at<W, %du, %du, %v>(v%d, a%d, i);", a.Inner, a.Period, a.Inner*a.Period != k.size, i, i)
		}
	}
	for i, o := range k.outs {
		w.line("  %s y%d[W];", cNumber(o.to.dtype), i)
	}
	w.WriteString("#pragma unroll\n")
	w.line("  for (int k = 0; k < W; k++) {")
	for _, o := range k.ops {
		w.line("    %s", w.statement(o))
	}
	for i, o := range k.outs {
		w.line("    y%d[k] = %s;", i, w.value(o.slot))
	}
	for i, o := range k.sums {
		w.line("    sum[%d] += %s;", i, w.value(o.slot))
	}
	for i, o := range k.rows {
		w.line("    row[%d] += %s;", i, w.value(o.slot))
	}
	for i, o := range k.cols {
		w.line("    column[%d][k] += %s;", i, w.value(o.slot))
	}
	w.line("  }")
	for i := range k.outs {
		w.line("  chain_store<W>(o%d, i, y%d);", i, i)
	}
	w.line("}")
}

// statement computes one op of element k.
func (w *bodyWriter) statement(o chainOp) string {
	var args []string
	for _, s := range o.in {
		args = append(args, w.value(s))
	}
	if o.function == "sum" {
		return fmt.Sprintf("float t%d = %s;", o.out[0], strings.Join(args, " + "))
	}
	for _, x := range o.numbers {
		args = append(args, floatText(x))
	}
	if !o.update() {
		return fmt.Sprintf("%s t%d = point_%s(%s);", cNumber(w.k.types[o.out[0]]), o.out[0], o.function, strings.Join(args, ", "))
	}
	var outs []string
	for _, s := range o.out {
		outs = append(outs, fmt.Sprintf("t%d", s))
	}
	return fmt.Sprintf("float %s; point_%s(%s);", strings.Join(outs, ", "), o.function, strings.Join(append(outs, args...), ", "))
}

// value names a slot's value of element k.
func (w *bodyWriter) value(s int) string {
	if s >= len(w.k.args) {
		return fmt.Sprintf("t%d", s)
	}
	a := w.k.args[s]
	switch a.how {
	case readLiteral:
		if a.dtype != graph.Float32 {
			return fmt.Sprintf("(int)0x%xu", a.bits)
		}
		return floatText(math.Float32frombits(a.bits))
	case readSingle:
		return fmt.Sprintf("s%d", s)
	}
	return fmt.Sprintf("v%d[k]", s)
}

// walk calls the loop that fits this chain's sizes.
func (w *bodyWriter) walk(s *segment) {
	w.line("__device__ __forceinline__ void walk(unsigned size, unsigned len, unsigned block, unsigned blocks, float* partials, unsigned* counters, float* shared) {")
	switch {
	case len(s.k.cols) > 0:
		w.line("  chain_columns<%d>(*this, size, len, %d, block, blocks, partials + %d * blocks, counters + 1, shared);", s.width, s.group, len(s.k.sums))
	case s.k.len > 0:
		w.line("  chain_rows<%d, %d>(*this, size / len, len, block, blocks, shared);", s.width, s.group)
	default:
		w.line("  chain_flat<%d>(*this, size, block, blocks);", s.width)
	}
	if len(s.k.sums) > 0 {
		w.line("  chain_finish(*this, partials, counters, block, blocks, shared);")
	}
	w.line("}")
}

// floatText writes a float32 in C, exactly.
func floatText(x float32) string {
	if math.IsInf(float64(x), 0) || x != x {
		return fmt.Sprintf("__int_as_float((int)0x%xu)", math.Float32bits(x))
	}
	s := strconv.FormatFloat(float64(x), 'g', -1, 32)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	if x < 0 || s[0] == '-' {
		return "(" + s + "f)"
	}
	return s + "f"
}
