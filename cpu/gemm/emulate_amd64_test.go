//go:build amd64 && !noasm

package gemm

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// emulator runs the AVX-512 kernels of kernels_amd64.s and bf16_amd64.s and those of AMX on any processor: it reads the assembly's
// text and does what each instruction is documented to do (Intel's manual, volume 2), lane by lane. It is slow and knows no other
// instructions; what it shows is that the kernels compute the right thing, on machines without AVX-512 too.
type emulator struct {
	funcs map[string][]instruction
	gp    map[string]uint64
	k     [8]uint32
	z     [32][16]uint32
	zero  bool
	frame []uint64
	data  map[string][]uint32 // constants by name
	bytes uint64              // of an instruction that the assembler does not know, as far as they were met
	tiles tileState
}

type instruction struct {
	op     string
	args   []string
	target int // of a jump
}

// newEmulator reads the kernels.
func newEmulator(t *testing.T) *emulator {
	t.Helper()
	e := &emulator{funcs: map[string][]instruction{}, data: map[string][]uint32{}}
	for _, file := range []string{"kernels_amd64.s", "bf16_amd64.s", "amx_amd64.s"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		e.read(string(text))
	}
	return e
}

var datum = regexp.MustCompile(`DATA (\w+)<>\+\d+\(SB\)/4, \$0x([0-9a-f]+)`)

// read takes the kernels and the constants of a file; constants lie in order.
func (e *emulator) read(text string) {
	for _, m := range datum.FindAllStringSubmatch(text, -1) {
		v, _ := strconv.ParseUint(m[2], 16, 32)
		e.data[m[1]] = append(e.data[m[1]], uint32(v))
	}
	for _, part := range strings.Split(text, "\nTEXT ·")[1:] {
		name, body, _ := strings.Cut(part, "(SB)")
		labels := map[string]int{}
		var code []instruction
		for _, line := range strings.Split(body, "\n")[1:] {
			line, _, _ = strings.Cut(line, "//")
			switch line = strings.TrimSpace(line); {
			case line == "":
			case strings.HasSuffix(line, ":"):
				labels[strings.TrimSuffix(line, ":")] = len(code)
			default:
				op, rest, _ := strings.Cut(line, " ")
				var args []string
				if rest = strings.TrimSpace(rest); rest != "" {
					args = strings.Split(rest, ", ")
				}
				code = append(code, instruction{op: op, args: args})
			}
		}
		for i := range code {
			if code[i].op[0] == 'J' {
				code[i].target = labels[code[i].args[0]]
			}
		}
		e.funcs[name] = code
	}
}

var (
	memory   = regexp.MustCompile(`^(-?\d+)?\((\w+)\)(?:\((\w+)\*(\d)\))?$`)
	argument = regexp.MustCompile(`^\w+\+(\d+)\(FP\)$`)
)

// call runs a kernel with the given words as arguments.
func (e *emulator) call(t *testing.T, name string, frame ...uint64) {
	t.Helper()
	code := e.funcs[name]
	if code == nil {
		t.Fatalf("no kernel %s", name)
	}
	e.frame, e.gp = frame, map[string]uint64{}
	e.tiles = tileState{}
	for i := range e.z { // what the registers held before must not matter
		for j := range e.z[i] {
			e.z[i][j] = math.Float32bits(float32(math.NaN()))
		}
	}
	for pc := 0; code[pc].op != "RET"; pc++ {
		if e.tiles.fault != "" {
			t.Fatalf("%s: %s", name, e.tiles.fault)
		}
		if in := code[pc]; in.op == "JZ" && e.zero || in.op == "JNZ" && !e.zero {
			pc = in.target - 1
		} else if in.op[0] != 'J' && !e.integer(in) && !e.vector(in) {
			t.Fatalf("%s: the emulator has no %s %v", name, in.op, in.args)
		}
	}
}

// address is where a memory operand lies.
func (e *emulator) address(arg string) (unsafe.Pointer, bool) {
	m := memory.FindStringSubmatch(arg)
	if m == nil {
		return nil, false
	}
	disp, _ := strconv.Atoi("0" + m[1])
	at := e.gp[m[2]] + uint64(disp)
	if m[3] != "" {
		scale, _ := strconv.Atoi(m[4])
		at += e.gp[m[3]] * uint64(scale)
	}
	return *(*unsafe.Pointer)(unsafe.Pointer(&at)), true
}

// word is the value of an integer operand.
func (e *emulator) word(arg string) uint64 {
	if m := argument.FindStringSubmatch(arg); m != nil {
		offset, _ := strconv.Atoi(m[1])
		return e.frame[offset/8]
	}
	if strings.HasPrefix(arg, "$") {
		v, _ := strconv.ParseUint(arg[1:], 0, 64)
		return v
	}
	if p, ok := e.address(arg); ok {
		return *(*uint64)(p)
	}
	return e.gp[arg]
}

// integer does an instruction on general registers, if it is one.
func (e *emulator) integer(in instruction) bool {
	a := in.args
	set := func(dst string, v uint64) {
		e.gp[dst] = v
		e.zero = v == 0
	}
	switch in.op {
	case "PREFETCHT0", "VZEROUPPER":
	case "MOVQ":
		e.gp[a[1]] = e.word(a[0])
	case "MOVL":
		e.gp[a[1]] = e.word(a[0]) & 0xffffffff
	case "SUBQ":
		set(a[1], e.gp[a[1]]-e.word(a[0]))
	case "LEAQ":
		if name, _, ok := strings.Cut(a[0], "<>+0(SB)"); ok {
			e.gp[a[1]] = uint64(uintptr(unsafe.Pointer(&e.data[name][0])))
			break
		}
		p, _ := e.address(a[0])
		e.gp[a[1]] = uint64(uintptr(p))
	case "ADDQ":
		set(a[1], e.gp[a[1]]+e.word(a[0]))
	case "SHLQ":
		set(a[1], e.gp[a[1]]<<e.word(a[0]))
	case "DECQ":
		set(a[0], e.gp[a[0]]-1)
	case "SHRQ", "SHRL":
		set(a[1], e.gp[a[1]]>>e.word(a[0]))
	case "TESTQ":
		e.zero = e.word(a[0])&e.word(a[1]) == 0
	case "TESTB":
		e.zero = e.word(a[0])&e.word(a[1])&0xff == 0
	case "KMOVW":
		e.k[a[1][1]-'0'] = uint32(e.gp[a[0]]) & 0xffff
	default:
		return false
	}
	return true
}

// vector does an instruction on vector registers, if it is one. Operands stand in Go's order: the last is written.
func (e *emulator) vector(in instruction) bool {
	a := in.args
	reg := func(arg string) *[16]uint32 {
		n, _ := strconv.Atoi(arg[1:])
		return &e.z[n]
	}
	f := math.Float32frombits
	each := func(dst string, lane func(i int) uint32) {
		var out [16]uint32
		for i := range out {
			out[i] = lane(i)
		}
		*reg(dst) = out
	}
	switch in.op {
	case "LONG", "WORD", "BYTE":
		return e.encoded(in)
	case "VPBROADCASTD":
		each(a[1], func(int) uint32 { return uint32(e.gp[a[0]]) })
	case "VPSRLD":
		each(a[2], func(i int) uint32 { return reg(a[1])[i] >> e.word(a[0]) })
	case "VPANDD":
		each(a[2], func(i int) uint32 { return reg(a[0])[i] & reg(a[1])[i] })
	case "VPADDD":
		each(a[2], func(i int) uint32 { return reg(a[0])[i] + reg(a[1])[i] })
	case "VPORD":
		dst := a[len(a)-1]
		each(dst, func(i int) uint32 {
			if len(a) == 4 && e.k[a[2][1]-'0']>>i&1 == 0 {
				return reg(dst)[i]
			}
			return reg(a[0])[i] | reg(a[1])[i]
		})
	case "VMOVAPS":
		each(a[1], func(i int) uint32 { return reg(a[0])[i] })
	case "VPERMT2D": // the table is the last operand, and behind it the first
		each(a[2], func(i int) uint32 {
			at := reg(a[1])[i] & 31
			if at < 16 {
				return reg(a[2])[at]
			}
			return reg(a[0])[at-16]
		})
	case "VPXORD":
		each(a[2], func(i int) uint32 { return reg(a[0])[i] ^ reg(a[1])[i] })
	case "VBROADCASTSS":
		p, _ := e.address(a[0])
		v := *(*uint32)(p)
		each(a[1], func(int) uint32 { return v })
	case "VFMADD231PS":
		each(a[2], func(i int) uint32 { return fma(reg(a[0])[i], reg(a[1])[i], reg(a[2])[i]) })
	case "VFMADD231PS.BCST":
		p, _ := e.address(a[0])
		v := *(*uint32)(p)
		each(a[2], func(i int) uint32 { return fma(v, reg(a[1])[i], reg(a[2])[i]) })
	case "VADDPS":
		each(a[2], func(i int) uint32 { return math.Float32bits(f(reg(a[1])[i]) + f(reg(a[0])[i])) })
	case "VMAXPS": // the second source, Go's first, where either is NaN
		each(a[2], func(i int) uint32 {
			if f(reg(a[1])[i]) > f(reg(a[0])[i]) {
				return reg(a[1])[i]
			}
			return reg(a[0])[i]
		})
	case "VCMPPS":
		k := uint32(0)
		for i := range 16 {
			x, y := f(reg(a[2])[i]), f(reg(a[1])[i])
			switch a[0] {
			case "$0x1e": // greater than, false for NaN
			case "$0x03": // either is NaN
				x, y = 0, 0
				if math.IsNaN(float64(f(reg(a[2])[i]))) || math.IsNaN(float64(f(reg(a[1])[i]))) {
					x = 1
				}
			default:
				return false
			}
			if x > y {
				k |= 1 << i
			}
		}
		e.k[a[3][1]-'0'] = k
	case "VMOVAPS.Z":
		each(a[2], func(i int) uint32 { return reg(a[0])[i] * (e.k[a[1][1]-'0'] >> i & 1) })
	case "VMOVUPS.Z", "VMOVUPS":
		e.move(in, reg)
	default:
		return e.shuffle(in, reg, each)
	}
	return true
}

// encoded does VDPBF16PS and AMX, of whose bytes LONG brings four and WORD or BYTE the rest.
func (e *emulator) encoded(in instruction) bool {
	v := e.word(in.args[0])
	if in.op == "LONG" {
		e.bytes = v
		return true
	}
	b := e.bytes | v<<32
	if b&0xff == 0xc4 {
		return e.tile(b)
	}
	at := func(i int) int { return int(b >> (8 * i) & 0xff) }
	p0, p1, p2, modRM := at(1), at(2), at(3), at(5)
	// EVEX, map 0F38, W0, prefix F3, 512 bits, no mask, opcode 52, a register operand
	if at(0) != 0x62 || p0&15 != 2 || p1&0x87 != 6 || p2&0xf7 != 0x40 || at(4) != 0x52 || modRM < 0xc0 {
		return false
	}
	not := func(x, bit int) int { return ^x >> bit & 1 }
	acc := modRM>>3&7 | not(p0, 7)<<3 | not(p0, 4)<<4
	x := modRM&7 | not(p0, 5)<<3 | not(p0, 6)<<4
	y := ^p1>>3&15 | not(p2, 3)<<4
	for i := range 16 {
		e.z[acc][i] = math.Float32bits(addPair(math.Float32frombits(e.z[acc][i]), e.z[y][i], e.z[x][i]))
	}
	return true
}

func fma(x, y, z uint32) uint32 {
	f := math.Float32frombits
	return math.Float32bits(float32(math.FMA(float64(f(x)), float64(f(y)), float64(f(z)))))
}

// move loads or stores 16 floats, or those of a mask: the others are not touched in memory, and zero in a register.
func (e *emulator) move(in instruction, reg func(string) *[16]uint32) {
	a, mask := in.args, uint32(0xffff)
	if len(a) == 3 {
		mask = e.k[a[1][1]-'0']
	}
	src, load := e.address(a[0])
	dst, _ := e.address(a[len(a)-1])
	for i := range 16 {
		on := mask>>i&1 != 0
		switch {
		case load && on:
			reg(a[len(a)-1])[i] = *(*uint32)(unsafe.Add(src, 4*i))
		case load:
			reg(a[len(a)-1])[i] = 0
		case on:
			*(*uint32)(unsafe.Add(dst, 4*i)) = reg(a[0])[i]
		}
	}
}

// shuffle does the instructions of a transpose: with y and x as Go's first and second operand.
func (e *emulator) shuffle(in instruction, reg func(string) *[16]uint32, each func(string, func(int) uint32)) bool {
	a := in.args
	y, x := *reg(a[len(a)-3]), *reg(a[len(a)-2])
	from := func(i int, odd bool, j int) uint32 { // lane j of the 128 bits that i is in
		if odd {
			return y[i&^3+j]
		}
		return x[i&^3+j]
	}
	switch in.op {
	case "VUNPCKLPS":
		each(a[2], func(i int) uint32 { return from(i, i%2 == 1, i%4/2) })
	case "VUNPCKHPS":
		each(a[2], func(i int) uint32 { return from(i, i%2 == 1, 2+i%4/2) })
	case "VUNPCKLPD":
		each(a[2], func(i int) uint32 { return from(i, i%4 >= 2, i%2) })
	case "VUNPCKHPD":
		each(a[2], func(i int) uint32 { return from(i, i%4 >= 2, 2+i%2) })
	case "VSHUFF32X4":
		imm := e.word(a[0])
		each(a[3], func(i int) uint32 {
			lane := int(imm>>(i/4*2)&3)*4 + i%4
			if i < 8 {
				return x[lane]
			}
			return y[lane]
		})
	default:
		return false
	}
	return true
}
