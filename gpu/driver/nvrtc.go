//go:build gpu && cgo

package driver

/*
#include <stdlib.h>
#include "nvrtc_api.h"
*/
import "C"

import (
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"unsafe"
)

// NVRTC is an open NVRTC, NVIDIA's compiler of CUDA C++ in a library. It needs no device. Any goroutine may use it.
type NVRTC struct {
	major, minor int
	archs        []int // compute capabilities that it compiles for, ascending: 75, 80, 86, …
	image        bool  // compile to machine code, as the driver is older than the compiler's PTX
}

// OpenNVRTC loads NVRTC. The error says what is missing.
func OpenNVRTC() (*NVRTC, error) {
	if err := Load(); err != nil {
		return nil, err
	}
	if err := libnvrtc.fill(); err != nil {
		return nil, err
	}
	openBuiltins(libnvrtc.path)
	var major, minor, n C.int
	if err := nvrtcCheck("nvrtcVersion", C.nvrtcVersion(&major, &minor)); err != nil {
		return nil, err
	}
	c := &NVRTC{major: int(major), minor: int(minor)}
	// PTX of a later CUDA than the driver's does not load; machine code does, within a major version.
	c.image = 1000*c.major+10*c.minor > driverVersion()
	if err := nvrtcCheck("nvrtcGetNumSupportedArchs", C.nvrtcGetNumSupportedArchs(&n)); err != nil || n == 0 {
		return c, err
	}
	archs := make([]C.int, n)
	if err := nvrtcCheck("nvrtcGetSupportedArchs", C.nvrtcGetSupportedArchs(&archs[0])); err != nil {
		return nil, err
	}
	for _, a := range archs {
		c.archs = append(c.archs, int(a))
	}
	slices.Sort(c.archs)
	return c, nil
}

// openBuiltins opens the library of built-in functions that lies beside NVRTC, which looks for it by its bare name.
func openBuiltins(path string) {
	beside, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "libnvrtc-builtins.so.*")) // no match is fine
	for _, file := range beside {
		var l library
		_ = l.try(file) // one that does not open is missed by NVRTC, whose error then tells
	}
}

// Version is the library's: "13.0".
func (c *NVRTC) Version() string { return fmt.Sprintf("%d.%d", c.major, c.minor) }

// Compile turns CUDA C++ into what LoadModule takes for a device of that compute capability: PTX, or machine code where
// the driver is older than the compiler. name stands in messages; headers are what #include finds, by their names.
// The error of a compilation has the compiler's log.
func (c *NVRTC) Compile(name, source string, headers map[string]string, major, minor int) ([]byte, error) {
	var names []string
	for header := range headers {
		names = append(names, header)
	}
	sort.Strings(names)
	var texts []string
	for _, header := range names {
		texts = append(texts, headers[header])
	}
	cNames, cTexts := newStrings(names), newStrings(texts)
	defer cNames.free()
	defer cTexts.free()
	cName, cSource := C.CString(name), C.CString(source)
	defer C.free(unsafe.Pointer(cName))
	defer C.free(unsafe.Pointer(cSource))

	var p C.NvrtcProgram
	if err := nvrtcCheck("nvrtcCreateProgram of "+name, C.nvrtcCreateProgram(&p, cSource, cName, C.int(len(names)), cTexts.first(), cNames.first())); err != nil {
		return nil, err
	}
	defer C.nvrtcDestroyProgram(&p)
	arch, image := c.architecture(10*major + minor)
	options := newStrings([]string{"--gpu-architecture=" + arch, "--std=c++17", "-default-device"})
	defer options.free()
	if code := C.nvrtcCompileProgram(p, C.int(len(options)), options.first()); code != 0 {
		err := nvrtcCheck("nvrtcCompileProgram of "+name+" for "+arch, code)
		log, _ := nvrtcRead("nvrtcGetProgramLog", p, getLogSize, getLog) // the first error matters more
		return nil, fmt.Errorf("%w\n%s", err, strings.TrimRight(string(log), "\x00\n"))
	}
	if image {
		return nvrtcRead("nvrtcGetCUBIN", p, getImageSize, getImage)
	}
	ptx, err := nvrtcRead("nvrtcGetPTX", p, getPTXSize, getPTX)
	return []byte(strings.TrimRight(string(ptx), "\x00")), err
}

// architecture is the target for a compute capability, and whether it is machine code. PTX of an older target runs on
// a device that the compiler does not know yet.
func (c *NVRTC) architecture(capability int) (target string, image bool) {
	known := capability
	for _, a := range c.archs {
		if a <= capability {
			known = a
		}
	}
	if c.image && known == capability {
		return fmt.Sprintf("sm_%d", known), true
	}
	return fmt.Sprintf("compute_%d", known), false
}

func getLogSize(p C.NvrtcProgram, n *C.size_t) C.int   { return C.nvrtcGetProgramLogSize(p, n) }
func getLog(p C.NvrtcProgram, b *C.char) C.int         { return C.nvrtcGetProgramLog(p, b) }
func getPTXSize(p C.NvrtcProgram, n *C.size_t) C.int   { return C.nvrtcGetPTXSize(p, n) }
func getPTX(p C.NvrtcProgram, b *C.char) C.int         { return C.nvrtcGetPTX(p, b) }
func getImageSize(p C.NvrtcProgram, n *C.size_t) C.int { return C.nvrtcGetCUBINSize(p, n) }
func getImage(p C.NvrtcProgram, b *C.char) C.int       { return C.nvrtcGetCUBIN(p, b) }

// nvrtcRead asks for the size of something, then for the thing.
func nvrtcRead(call string, p C.NvrtcProgram, size func(C.NvrtcProgram, *C.size_t) C.int, read func(C.NvrtcProgram, *C.char) C.int) ([]byte, error) {
	var n C.size_t
	if err := nvrtcCheck(call+"Size", size(p, &n)); err != nil || n == 0 {
		return nil, err
	}
	b := make([]byte, n)
	if err := nvrtcCheck(call, read(p, (*C.char)(unsafe.Pointer(&b[0])))); err != nil {
		return nil, err
	}
	return b, nil
}

// nvrtcCheck turns a status of NVRTC into an error.
func nvrtcCheck(call string, code C.int) error {
	if code == 0 {
		return nil
	}
	return &Error{Call: call, Code: int(code), Text: C.GoString(C.nvrtcGetErrorString(code))}
}

// cStrings is an array of C strings in C's memory.
type cStrings []*C.char

func newStrings(list []string) cStrings {
	var s cStrings
	for _, text := range list {
		s = append(s, C.CString(text))
	}
	return s
}

// first is the array as C takes it. The pointers in it are C's, so that C may have it from Go's memory.
func (s cStrings) first() **C.char {
	if len(s) == 0 {
		return nil
	}
	return &s[0]
}

func (s cStrings) free() {
	for _, text := range s {
		C.free(unsafe.Pointer(text))
	}
}
