//go:build gpu && cgo

package driver

import (
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unsafe"

	"aetrain/gpu/ptx"
)

// onDevice runs a test in a context of the first device; it skips the test where no driver loads.
func onDevice(t *testing.T, f func(c *Context)) {
	t.Helper()
	if err := Load(); err != nil {
		t.Skip("no GPU: ", err)
	}
	c, err := Open(0)
	ok(t, err)
	defer func() { ok(t, c.Close()) }()
	ok(t, c.Do(func() error { f(c); return nil }))
}

// ok ends the test on an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError checks that an error says all of that.
func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}

// word is what tests have in device memory.
type word interface {
	~uint16 | ~uint32 | ~int32 | ~float32
}

// upload allocates memory, which goes with the context, and fills it.
func upload[T word](t *testing.T, values []T) Ptr {
	t.Helper()
	n := int64(len(values)) * int64(unsafe.Sizeof(values[0]))
	p, err := Alloc(n)
	ok(t, err)
	ok(t, CopyToDevice(p, unsafe.Pointer(&values[0]), n))
	return p
}

// download reads n values.
func download[T word](t *testing.T, p Ptr, n int) []T {
	t.Helper()
	values := make([]T, n)
	ok(t, CopyToHost(unsafe.Pointer(&values[0]), p, int64(n)*int64(unsafe.Sizeof(values[0]))))
	return values
}

// stream makes a stream, which goes with the context.
func stream(t *testing.T) Stream {
	t.Helper()
	s, err := NewStream()
	ok(t, err)
	return s
}

// kernel loads one of the project's kernels.
func kernel(t *testing.T, name string) Function {
	t.Helper()
	_, text, found := ptx.Of(name)
	if !found {
		t.Fatalf("there is no kernel %s", name)
	}
	m, err := LoadModule(text)
	ok(t, err)
	f, err := m.Function(name)
	ok(t, err)
	return f
}

// child runs one test in a new process with other variables, and returns what it prints. The test does something else
// where AE_TEST_CHILD is set.
func child(t *testing.T, variables ...string) string {
	t.Helper()
	self, err := os.Executable()
	ok(t, err)
	name, _, _ := strings.Cut(t.Name(), "/") // a subtest's child is the whole test
	run := exec.Command(self, "-test.run", "^"+name+"$", "-test.v")
	run.Env = append(append(os.Environ(), "AE_TEST_CHILD=1"), variables...)
	out, _ := run.CombinedOutput() // what it prints tells more than its exit code
	return string(out)
}

func isChild() bool { return os.Getenv("AE_TEST_CHILD") != "" }

// doubles reads pairs of words as float64, low word first.
func doubles(words []uint32) []float64 {
	out := make([]float64, len(words)/2)
	for i := range out {
		out[i] = math.Float64frombits(uint64(words[2*i]) | uint64(words[2*i+1])<<32)
	}
	return out
}

// onBenchmark gives a benchmark the kernel probe, a stream and a word of memory.
func onBenchmark(b *testing.B, f func(Function, Stream, Ptr)) {
	c, err := Open(0)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	err = c.Do(func() error {
		_, text, _ := ptx.Of("probe")
		m, err := LoadModule(text)
		if err != nil {
			return err
		}
		k, err := m.Function("probe")
		if err != nil {
			return err
		}
		s, err := NewStream()
		if err != nil {
			return err
		}
		p, err := Alloc(4)
		if err != nil {
			return err
		}
		f(k, s, p)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
