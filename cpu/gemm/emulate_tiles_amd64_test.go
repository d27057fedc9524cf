//go:build amd64 && !noasm

package gemm

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"
)

// tileState is what AMX adds to the emulator. Memory holds rows of tiles as it holds those of matrices.
type tileState struct {
	configured bool
	rows       [8]int
	bytes      [8]int // of a row
	data       [8][16][16]uint32
	fault      string // #UD or #GP, and why
}

var registers = [16]string{"AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"}

// tile does an instruction of AMX from its bytes, a VEX prefix of three and what follows.
func (e *emulator) tile(b uint64) bool {
	at := func(i int) int { return int(b >> (8 * i) & 0xff) }
	p1, p2, opcode, modRM := at(1), at(2), at(3), at(4)
	if p1&0x9f != 0x82 || p2&0x84 != 0 { // R is 0 as tiles are eight, the map 0F38, W0, 128 bits
		return false
	}
	pp, vvvv := p2&3, ^p2>>3&15
	x, base := ^p1>>6&1<<3, ^p1>>5&1<<3
	reg, rm, register := modRM>>3&7, modRM&7, modRM >= 0xc0
	memory := func(r int) uint64 { return e.gp[registers[r|base]] }
	switch {
	case opcode == 0x49 && pp == 0 && vvvv == 0 && modRM == 0xc0:
		e.tiles = tileState{fault: e.tiles.fault} // TILERELEASE
	case opcode == 0x49 && pp == 0 && vvvv == 0 && modRM < 0x40 && reg == 0 && rm != 4 && rm != 5:
		p := memory(rm)
		e.tiles.load(*(*[64]byte)(*(*unsafe.Pointer)(unsafe.Pointer(&p))))
	case opcode == 0x49 && pp == 3 && vvvv == 0 && register && rm == 0:
		if e.tiles.valid(reg) {
			e.tiles.data[reg] = [16][16]uint32{}
		}
	case opcode == 0x4b && pp >= 2 && vvvv == 0 && modRM < 0x40 && rm == 4:
		sib := at(5)
		if sib >= 0x40 || sib&7 == 5 || sib>>3&7|x == 4 {
			return false
		}
		e.tiles.move(reg, memory(sib&7), e.gp[registers[sib>>3&7|x]], pp == 3)
	case opcode == 0x5c && pp == 2 && register:
		e.tiles.multiply(reg, rm, vvvv)
	default:
		return false
	}
	return true
}

func (s *tileState) undefined(format string, args ...any) {
	if s.fault == "" {
		s.fault = fmt.Sprintf(format, args...)
	}
}

// load is LDTILECFG, with the checks of palette 1. All tiles become zero.
func (s *tileState) load(c [64]byte) {
	*s = tileState{fault: s.fault, configured: true}
	if c[0] != 1 || c[1] != 0 {
		s.undefined("LDTILECFG: palette %d, first row %d", c[0], c[1])
	}
	for i, b := range c {
		if b != 0 && (i >= 2 && i < 16 || i >= 32 && i < 48 || i >= 56) {
			s.undefined("LDTILECFG: byte %d is reserved", i)
		}
	}
	for t := range 8 {
		s.bytes[t], s.rows[t] = int(binary.LittleEndian.Uint16(c[16+2*t:])), int(c[48+t])
		if s.rows[t] > 16 || s.bytes[t] > 64 || (s.rows[t] == 0) != (s.bytes[t] == 0) {
			s.undefined("LDTILECFG: tile %d has %d rows of %d bytes", t, s.rows[t], s.bytes[t])
		}
	}
}

// valid checks what every instruction wants of a tile.
func (s *tileState) valid(t int) bool {
	if !s.configured || t > 7 || s.rows[t] == 0 || s.bytes[t]%4 != 0 {
		s.undefined("tile %d has %d rows of %d bytes", t, s.rows[t&7], s.bytes[t&7])
		return false
	}
	return true
}

// move is TILELOADD, which zeroes what is beyond the configuration, or TILESTORED.
func (s *tileState) move(t int, at, stride uint64, load bool) {
	if !s.valid(t) {
		return
	}
	before := s.data[t]
	if load {
		s.data[t] = [16][16]uint32{}
	}
	for r := range s.rows[t] {
		row := at + uint64(r)*stride
		for i := range s.bytes[t] / 4 {
			word := row + uint64(4*i)
			p := *(**uint32)(unsafe.Pointer(&word))
			if load {
				s.data[t][r][i] = *p
			} else {
				*p = before[r][i]
			}
		}
	}
}

// multiply is TDPBF16PS c, a, b, as Intel's manual describes it: for each row of A the products of pairs are added up from 0, the
// lower halves and the upper ones apart, by fused multiply-adds that round to nearest even and take denormal numbers for 0; both
// sums are added, and that to C.
func (s *tileState) multiply(c, a, b int) {
	if !s.valid(c) || !s.valid(a) || !s.valid(b) {
		return
	}
	m, n, k := s.rows[c], s.bytes[c]/4, s.bytes[a]/4
	if a == b || b == c || a == c || s.rows[a] != m || s.rows[b] != k || s.bytes[b]/4 != n {
		s.undefined("TDPBF16PS: tiles %d %d %d, %dx%d from %dx%d and %dx%d", c, a, b, m, n, s.rows[a], k, s.rows[b], s.bytes[b]/4)
		return
	}
	for i := range m {
		var sums [32]float32
		for l := range k {
			for j := range n {
				x, y := s.data[a][i][l], s.data[b][l][j]
				sums[2*j] = fusedTiny(x<<16, y<<16, sums[2*j])
				sums[2*j+1] = fusedTiny(x&0xffff0000, y&0xffff0000, sums[2*j+1])
			}
		}
		for j := range 16 {
			if j >= n {
				s.data[c][i][j] = 0
				continue
			}
			both := fusedTiny(math.Float32bits(1), math.Float32bits(sums[2*j]), sums[2*j+1])
			s.data[c][i][j] = math.Float32bits(fusedTiny(math.Float32bits(1), math.Float32bits(both), math.Float32frombits(s.data[c][i][j])))
		}
	}
	for i := m; i < 16; i++ {
		s.data[c][i] = [16]uint32{}
	}
}

// fusedTiny is z + x·y with DAZ and FTZ.
func fusedTiny(x, y uint32, z float32) float32 {
	daz := func(b uint32) float64 {
		v := float64(math.Float32frombits(b))
		if math.Abs(v) < 0x1p-126 {
			return math.Copysign(0, v)
		}
		return v
	}
	r := float32(math.FMA(daz(x), daz(y), daz(math.Float32bits(z))))
	if math.Abs(float64(r)) < 0x1p-126 {
		return float32(math.Copysign(0, float64(r)))
	}
	return r
}
