//go:build gpu && cgo

package driver

/*
#include "dnn_api.h"
#include "load.h"
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unsafe"
)

// library is one of NVIDIA's shared libraries: how to find it, and what was found.
type library struct {
	name     string   // as people call it
	variable string   // environment variable that names the file, instead of any search
	number   C.int    // in the forwarders' table
	files    []string // file names, best first
	folders  []string // folders of NVIDIA's Python packages that hold it
	install  string   // what to do where it is missing

	once   sync.Once
	handle unsafe.Pointer
	path   string
	looked []string // places, in order
	err    error
}

var (
	libcuda = &library{
		name: "CUDA driver", variable: "AE_LIBCUDA", number: C.AE_LIB_CUDA,
		files:   []string{"libcuda.so.1", "libcuda.so"},
		install: "NVIDIA's driver for the GPU, version 525 or later",
	}
	libcublaslt = &library{
		name: "cuBLASLt", variable: "AE_LIBCUBLASLT", number: C.AE_LIB_LT,
		files:   []string{"libcublasLt.so.13", "libcublasLt.so.12"},
		folders: []string{"cu13/lib", "cublas/lib", "cu12/lib"},
		install: "pip install nvidia-cublas (CUDA 13 drivers) or nvidia-cublas-cu12, or the CUDA toolkit",
	}
	libcudnn = &library{
		name: "cuDNN", variable: "AE_LIBCUDNN", number: C.AE_LIB_DNN,
		files:   []string{"libcudnn.so.9"},
		folders: []string{"cudnn/lib", "cu13/lib", "cu12/lib"},
		install: "pip install nvidia-cudnn-cu13 (CUDA 13 drivers) or nvidia-cudnn-cu12, or cuDNN 9 from NVIDIA",
	}
	libnvrtc = &library{
		name: "NVRTC", variable: "AE_LIBNVRTC", number: C.AE_LIB_NVRTC,
		files:   []string{"libnvrtc.so.13", "libnvrtc.so.12"},
		folders: []string{"cu13/lib", "cuda_nvrtc/lib", "cu12/lib"},
		install: "pip install nvidia-cuda-nvrtc (CUDA 13 drivers) or nvidia-cuda-nvrtc-cu12, or the CUDA toolkit",
	}
	libnvml = &library{
		name: "NVML", variable: "AE_LIBNVML", number: C.AE_LIB_NVML,
		files:   []string{"libnvidia-ml.so.1"},
		install: "comes with NVIDIA's driver",
	}
)

// open finds and opens the library, once. Its forwarders are not yet filled.
func (l *library) open() error {
	l.once.Do(func() { l.err = l.find() })
	return l.err
}

// fill opens the library and points its forwarders at it; an error if it lacks one of them.
func (l *library) fill() error {
	if err := l.open(); err != nil {
		return err
	}
	if missing := C.ae_fill(l.number, l.handle); missing != nil {
		return fmt.Errorf("%s lacks %s", l.path, C.GoString(missing))
	}
	return nil
}

// find tries the variable's file, or else each file name at the loader's path and then in every folder.
// A file that is there but does not open is remembered: its reason tells more than "not found".
func (l *library) find() error {
	if file := os.Getenv(l.variable); file != "" {
		l.looked = []string{l.variable + "=" + file}
		if err := l.try(file); err != nil {
			return fmt.Errorf("%s: %w", l.variable, err)
		}
		return nil
	}
	folders := l.searched()
	l.looked = append([]string{"the loader's path"}, folders...)
	var broken error
	for _, file := range l.usable() {
		err := l.try(file)
		if err == nil {
			return nil
		}
		if broken == nil && !strings.Contains(err.Error(), file+": cannot open shared object file") {
			broken = err
		}
		for _, folder := range folders {
			path := filepath.Join(folder, file)
			if _, err := os.Stat(path); err != nil {
				continue
			}
			err := l.try(path)
			if err == nil {
				return nil
			}
			if broken == nil {
				broken = err
			}
		}
	}
	if broken != nil {
		return broken
	}
	return fmt.Errorf("no %s: neither the loader's path nor %d other places have %s (%s=FILE names it)",
		l.name, len(folders), strings.Join(l.usable(), " or "), l.variable)
}

// try opens one file and keeps the handle and the path that the loader took.
func (l *library) try(file string) error {
	name := C.CString(file)
	defer C.free(unsafe.Pointer(name))
	var text [1024]C.char
	handle := C.ae_open(name, &text[0], C.ulong(len(text)))
	if handle == nil {
		return fmt.Errorf("%s", C.GoString(&text[0]))
	}
	l.handle = handle
	C.ae_path(handle, &text[0], C.ulong(len(text)))
	if l.path = C.GoString(&text[0]); l.path == "" {
		l.path = file
	}
	return nil
}

// usable is the library's files that the driver can work with: CUDA 13's want a driver of CUDA 13 or later. All of
// them where no driver is loaded (doctor then still says what is installed). Libraries that cuDNN works with, or that are
// installed beside it, are of its CUDA if they can be: an environment may hold packages of two.
func (l *library) usable() []string {
	version, files := driverVersion(), l.files
	if version != 0 && version < 13000 {
		files = slices.DeleteFunc(slices.Clone(files), func(f string) bool { return strings.HasSuffix(f, ".so.13") })
	}
	if (l == libcublaslt || l == libnvrtc) && libcudnn.fill() == nil {
		files = ofMajor(files, int(C.cudnnGetCudartVersion())/1000)
	}
	return files
}

// ofMajor puts the files of a version of CUDA first.
func ofMajor(files []string, major int) []string {
	files = slices.Clone(files)
	suffix := fmt.Sprintf(".so.%d", major)
	slices.SortStableFunc(files, func(a, b string) int {
		switch first, second := strings.HasSuffix(a, suffix), strings.HasSuffix(b, suffix); {
		case first && !second:
			return -1
		case second && !first:
			return 1
		}
		return 0
	})
	return files
}
