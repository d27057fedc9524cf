//go:build gpu

package faketest

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

static void *handle;

static void *symbol(const char *name) { return handle ? dlsym(handle, name) : NULL; }

// Finds the functions of the fake driver; 0 where the library is another one.
static int control_open(const char *path) {
  handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (symbol("fakecuda_fail")) return 1;
  if (handle) dlclose(handle);
  handle = NULL;
  return 0;
}
static void control_fail(const char *call, long k, int code) { ((int (*)(const char *, long, int))symbol("fakecuda_fail"))(call, k, code); }
static void control_reset(void) { ((int (*)(void))symbol("fakecuda_reset_calls"))(); }
static long control_report(char *to, long n) { return ((long (*)(char *, long))symbol("fakecuda_report"))(to, n); }
*/
import "C"

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"unsafe"
)

// Present reports whether AE_LIBCUDA names the fake driver. The other functions do nothing where it does not.
var Present = sync.OnceValue(func() bool {
	path := os.Getenv("AE_LIBCUDA")
	if path == "" {
		return false
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	return C.control_open(name) == 1
})

// Fail makes the k-th call from now (1 is the next) of a C function return code, once; with code 0 a plain error of its library:
// out of memory for allocations. With -k, that call fails and all later ones. k = 0 takes it back. Calls that give something back
// do so all the same. "kernel NAME" stands for the executions of a kernel, whose failure the context does not survive.
func Fail(call string, k, code int) {
	if !Present() {
		return
	}
	name := C.CString(call)
	defer C.free(unsafe.Pointer(name))
	C.control_fail(name, C.long(k), C.int(code))
}

// ResetCalls forgets all counts of calls and leaks, and failures that have not happened.
func ResetCalls() {
	if Present() {
		C.control_reset()
	}
}

// Calls returns how often each C function was called since ResetCalls.
func Calls() map[string]int { return report("calls") }

// Kernels returns how often each kernel has run since ResetCalls.
func Kernels() map[string]int { return report("kernels") }

// Live counts what was made and not given back, by kind: "allocation", "stream", "cublasLt descriptor".
func Live() map[string]int { return report("live") }

// Leaked counts, by kind, what contexts still held when they were given back, since ResetCalls. What is lost with a context after
// an error that it does not survive is none.
func Leaked() map[string]int { return report("leaked") }

// report reads lines of the form "calls NAME COUNT".
func report(kind string) map[string]int {
	counts := map[string]int{}
	if !Present() {
		return counts
	}
	n := C.control_report(nil, 0) + 4096
	text := (*C.char)(C.malloc(C.size_t(n)))
	defer C.free(unsafe.Pointer(text))
	C.control_report(text, n)
	for line := range strings.Lines(C.GoString(text)) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), kind+" ")
		if space := strings.LastIndexByte(rest, ' '); ok && space > 0 {
			counts[rest[:space]], _ = strconv.Atoi(rest[space+1:]) // the fake writes numbers
		}
	}
	return counts
}
