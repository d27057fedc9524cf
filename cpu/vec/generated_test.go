package vec

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestAVX2Registers reads the generated assembly: registers from Y16 on would need AVX-512, which a machine that has it would not tell.
func TestAVX2Registers(t *testing.T) {
	text, err := os.ReadFile("vec_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	beyond := regexp.MustCompile(`\b([XY](1[6-9]|2\d|3[01])|Z\d+|K\d)\b`)
	functions := strings.Split(string(text), "TEXT ·")[1:]
	for _, f := range functions {
		name, _, _ := strings.Cut(f, "(")
		if strings.HasSuffix(name, "AVX512") {
			continue
		}
		if r := beyond.FindString(f); r != "" {
			t.Errorf("%s uses %s", name, r)
		}
		if !strings.Contains(f, "VZEROUPPER") {
			t.Errorf("%s has no VZEROUPPER", name)
		}
	}
	if len(functions) < 100 {
		t.Errorf("%d functions; the pattern must have changed", len(functions))
	}
}
