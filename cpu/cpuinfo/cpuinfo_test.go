package cpuinfo

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestTiers(t *testing.T) {
	tiers := Tiers()
	if tiers[0] != Go || Best() != tiers[len(tiers)-1] {
		t.Errorf("Tiers() = %v, Best() = %v", tiers, Best())
	}
	for _, tier := range tiers {
		got, err := Parse(tier.String())
		if err != nil || got != tier || !Has(tier) {
			t.Errorf("Parse(%q) = %v, %v; Has = %v", tier, got, err, Has(tier))
		}
	}
	if _, err := Parse("sse"); err == nil || !strings.Contains(err.Error(), "avx2") {
		t.Errorf("Parse(sse): %v; want an error that lists the tiers", err)
	}
	if got := Tier(9).String(); got != "Tier(9)" {
		t.Errorf("Tier(9) is %q", got)
	}
}

// TestAMX: tiles are there beside AVX512_BF16 alone, and are given where they are, or refused with an error.
func TestAMX(t *testing.T) {
	if AMX() && !BF16() {
		t.Error("there are tiles, but no AVX512_BF16")
	}
	if err := RequestAMX(); AMX() == errors.Is(err, errNoAMX) {
		t.Errorf("AMX() is %v, and a request gives %v", AMX(), err)
	}
}

// TestGODEBUG runs this test binary again with features switched off.
func TestGODEBUG(t *testing.T) {
	if want := os.Getenv("CPUINFO_TEST_AT_MOST"); want != "" {
		most, _ := Parse(want)
		debug := os.Getenv("GODEBUG")
		if Best() > most {
			t.Errorf("Best() = %v with GODEBUG=%s; want at most %v", Best(), debug, most)
		}
		if !strings.Contains(debug, "avx") && !strings.Contains(debug, "amx") {
			return
		}
		if AMX() || RequestAMX() == nil || BF16() && strings.Contains(debug, "avx") {
			t.Errorf("with GODEBUG=%s: AMX %v, granted %v, BF16 %v", debug, AMX(), RequestAMX() == nil, BF16())
		}
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	for _, c := range []struct{ debug, most string }{
		{"cpu.avx512f=off", "avx2"},
		{"cpu.avx2=off", "go"},
		{"cpu.fma=off", "go"},
		{"cpu.avx512bf16=off", "avx512"},
		{"cpu.amxtile=off", "avx512"},
		{"cpu.amxbf16=off", "avx512"},
	} {
		cmd := exec.Command(exe, "-test.run=^TestGODEBUG$")
		cmd.Env = append(os.Environ(), "GODEBUG="+c.debug, "CPUINFO_TEST_AT_MOST="+c.most)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("GODEBUG=%s: %v\n%s", c.debug, err, out)
		}
	}
}

func TestModel(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"with a number", "model name\t: AMD EPYC 7763\ncpu family\t: 25\nmodel\t: 1\n\nmodel name\t: other\n", "AMD EPYC 7763"},
		{"a vendor's name", "cpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\n", "AMD EPYC (family 25, model 1)"},
		{"nothing", "Features: fp asimd\n", ""},
	} {
		if got := modelOf(c.text); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
