//go:build gpu && cgo

package driver

/*
#include "dnn_api.h"
#include "lt_api.h"
#include "nvrtc_api.h"
*/
import "C"

import "fmt"

// Library is what was found of one of NVIDIA's libraries.
type Library struct {
	Name    string   // "cuBLASLt"
	Path    string   // the file that was opened; empty: none
	Version string   // as the library says: "13.1"; empty where it cannot be asked
	Error   string   // why it cannot be used; empty: it can
	Install string   // what to do where it is missing
	Looked  []string // where it was looked for, in order
}

// Libraries looks for all of them, the driver first, and says what was found: for people who ask why the GPU, or a
// fast part of it, is not used.
func Libraries() []Library {
	list := []Library{libcuda.report(Load, func() string {
		if v := driverVersion(); v != 0 {
			return "CUDA " + cudaVersion(v)
		}
		return ""
	})}
	list = append(list,
		libcublaslt.report(libcublaslt.fill, ltVersion),
		libcudnn.report(libcudnn.fill, dnnVersion),
		libnvrtc.report(libnvrtc.fill, nvrtcVersion),
		libnvml.report(libnvml.fill, nvmlVersion))
	return list
}

// report opens a library and asks for its version.
func (l *library) report(open func() error, version func() string) Library {
	r := Library{Name: l.name, Install: l.install}
	if err := open(); err != nil {
		r.Error = err.Error()
	} else {
		r.Version = version()
	}
	r.Path, r.Looked = l.path, l.looked
	return r
}

// cudaVersion writes 12040 as 12.4.
func cudaVersion(v int) string { return fmt.Sprintf("%d.%d", v/1000, v%1000/10) }

// CUDA is the version that the driver implements: "13.0".
func (i Info) CUDA() string { return cudaVersion(i.DriverVersion) }

// Version is the library's: "13.1.0".
func (*Lt) Version() string { return ltVersion() }

// Version is the library's: "9.13.0".
func (*Dnn) Version() string { return dnnVersion() }

// ltVersion: 130100 is 13.1.0 (and 120900, of CUDA 12, is 12.9.0).
func ltVersion() string {
	v := int(C.cublasLtGetVersion())
	return fmt.Sprintf("%d.%d.%d", v/10000, v/100%100, v%100)
}

// dnnVersion: 91300 is 9.13.0.
func dnnVersion() string {
	v := int(C.cudnnGetVersion())
	return fmt.Sprintf("%d.%d.%d", v/10000, v/100%100, v%100)
}

func nvrtcVersion() string {
	var major, minor C.int
	if C.nvrtcVersion(&major, &minor) != 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d", int(major), int(minor))
}

func nvmlVersion() string {
	n, err := OpenNVML()
	if err != nil {
		return ""
	}
	defer n.Close()
	v, _ := n.DriverVersion() // no version is fine
	return v
}
