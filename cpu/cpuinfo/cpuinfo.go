// Package cpuinfo says which instruction tiers this processor has. Start with [Best]; everything is detected once, at start.
//
// golang.org/x/sys/cpu does the detection, so GODEBUG=cpu.avx512f=off (or cpu.avx2=off, cpu.fma=off) takes a tier away,
// cpu.avx512bf16=off or cpu.amxtile=off one of the ways to multiply bfloat16, and the build tag noasm takes all but Go away.
package cpuinfo

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Tier is a set of instructions that kernels are written for; a larger one is faster.
type Tier uint8

const (
	Go     Tier = iota // plain Go, any architecture
	AVX2               // 256-bit vectors with fused multiply-add
	AVX512             // 512-bit vectors: F, BW, CD, DQ and VL; includes AVX2
)

var names = [...]string{Go: "go", AVX2: "avx2", AVX512: "avx512"}

// String returns the name that [Parse] and the command line take: go, avx2 or avx512.
func (t Tier) String() string {
	if int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("Tier(%d)", uint8(t))
}

// Parse returns the tier called name.
func Parse(name string) (Tier, error) {
	for t, n := range names {
		if strings.EqualFold(n, name) {
			return Tier(t), nil
		}
	}
	return Go, fmt.Errorf("no instruction tier %q; there are %s", name, strings.Join(names[:], ", "))
}

var available = detect()

// Tiers returns the tiers of this processor and build, slowest first; Go is always there.
func Tiers() []Tier { return slices.Clone(available) }

// Best returns the fastest tier of this processor and build.
func Best() Tier { return available[len(available)-1] }

// Has says whether this processor and build have t.
func Has(t Tier) bool { return slices.Contains(available, t) }

// BF16 says whether this processor and build multiply pairs of bfloat16 (AVX512_BF16, beside the tier AVX512).
func BF16() bool { return bf16 && Has(AVX512) }

// AMX says whether this processor, system and build multiply bfloat16 on the tiles of AMX, beside BF16. GODEBUG=cpu.amxtile=off or
// cpu.amxbf16=off takes that away.
func AMX() bool { return amx && BF16() }

// RequestAMX asks the system for the tiles, on behalf of the whole process and but once: to be called before their first use, not where
// nobody uses them, as signals cost more from then on. Without AMX, or where the system refuses, it returns an error.
func RequestAMX() error { return requestAMX() }

var errNoAMX = errors.New("no AMX on this processor, system or build")

// Model is the processor's name where the system tells it, with family and model where it is a vendor's name alone; else "".
func Model() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	return modelOf(string(text))
}

// modelOf reads Linux's description of the first processor.
func modelOf(text string) string {
	text, _, _ = strings.Cut(text, "\n\n")
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		fields[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	name := fields["model name"]
	if name != "" && !strings.ContainsAny(name, "0123456789") && fields["cpu family"] != "" {
		name = fmt.Sprintf("%s (family %s, model %s)", name, fields["cpu family"], fields["model"])
	}
	return name
}
