//go:build gpu

package ptx

import (
	"slices"
	"testing"
)

func TestEntries(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"none", ".version 8.0", nil},
		{"two", ".visible .entry a(\n.param .u64 a_param_0\n)\n{\nret;\n}\n.visible .entry b_2 (\n)", []string{"a", "b_2"}},
		{"cut off", ".entry abc", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Entries(test.text); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestEveryModuleHasKernels(t *testing.T) {
	for name, text := range Modules() {
		if len(Entries(text)) == 0 {
			t.Errorf("%s.ptx has no kernel", name)
		}
	}
	for kernel := range Kernels() {
		if _, text, ok := Of(kernel); !ok || !slices.Contains(Entries(string(text)), kernel) {
			t.Errorf("kernel %s: its module does not hold it", kernel)
		}
	}
	if _, _, ok := Of("no_such_kernel"); ok {
		t.Error("a kernel that nobody wrote has a module")
	}
}
